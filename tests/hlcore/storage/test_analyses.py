"""The folder of an analysis: written image by image, read as tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis, AnalysisRecord, find_analyses, open_analysis
from hlcore.storage.analysis_writer import THUMBNAIL_PX, AnalysisWriter, ImagePart, open_analysis_writer
from hlcore.storage.run_records import utc_now
from hlcore.types import ErrorModel


def record(**changes) -> AnalysisRecord:
    values = {
        "state": "running",
        "created": utc_now(),
        "run": "small",
        "epoch": 2,
        "dataset": "streets",
        "root": None,
        "split": "test",
        "data_fingerprint": "0" * 64,
        "images": 2,
        "class_names": ("Sky", "Road"),
        "palette": ((0, 0, 255), (128, 64, 128)),
        "versions": {"torch": "2"},
    }
    return AnalysisRecord(**(values | changes))


def part(image: str, value: float) -> ImagePart:
    rows = pd.DataFrame({"image": [image, image], "area_px": [1, 2], "iou": [value, np.nan]})
    return ImagePart(
        image, {"edges": {"pixels": np.array([[value, 1.0]])}, "errors": {"wrong": np.array(3)}}, {"objects": rows}
    )


def test_a_part_read_back_is_the_part_written(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path / "new", record())
    for index, name in enumerate(("aachen/one", "two")):
        writer.write_part(index, part(name, index))
    for index, read in enumerate(writer.read_parts()):
        written = part(("aachen/one", "two")[index], index)
        assert read.image == written.image
        assert read.counts.keys() == written.counts.keys()
        np.testing.assert_array_equal(read.counts["edges"]["pixels"], written.counts["edges"]["pixels"])
        assert read.counts["errors"]["wrong"] == 3
        pd.testing.assert_frame_equal(read.rows["objects"], written.rows["objects"])


def test_a_partly_written_part_does_not_count(tmp_path: Path, monkeypatch) -> None:
    def interrupted(file, **_):
        file.write(b"PK")
        raise KeyboardInterrupt

    writer = open_analysis_writer(tmp_path, record())
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.write_part(0, part("one", 0))
    assert not writer.has_part(0)
    writer.write_part(0, part("one", 0))
    assert open_analysis_writer(tmp_path, record()).has_part(0)


def test_a_damaged_part_is_named_with_the_way_out(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())
    writer.write_part(0, part("one", 0))
    (tmp_path / "parts" / "000000.npz").write_bytes(b"PK")
    with pytest.raises(
        CheckpointError, match=r"000000.npz cannot be read .*; remove it and run `hlcore analyze` again"
    ):
        next(writer.read_parts())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epoch": 3}, "epoch: 2, now 3"),
        ({"split": "val"}, "split: test, now val"),
        ({"run": "other"}, "run: small, now other"),
        ({"data_fingerprint": "1" * 64}, "data_fingerprint: 0000"),
        ({"weights": "a" * 64}, "weights: , now aaaa"),
        ({"mc_dropout": 20, "images": 1}, "images: 2, now 1; mc_dropout: 0, now 20"),
        ({"merged": {"Sky": "sky"}}, "merged: None, now {'Sky': 'sky'}"),
        ({"error_model": ErrorModel({"entropy": 1.0}, (0.0,), "a train", 1, 1)}, "error_model: None, now ErrorModel("),
    ],
)
@pytest.mark.parametrize("complete", [False, True])
def test_an_analysis_with_other_settings_is_not_continued(tmp_path, changes, sentence, complete) -> None:
    writer = open_analysis_writer(tmp_path, record())
    if complete:
        writer.mark_complete({})
    with pytest.raises(CheckpointError, match="with other settings") as caught:
        open_analysis_writer(tmp_path, record(**changes))
    assert sentence in str(caught.value)
    assert "give another --out, or remove that folder" in str(caught.value)


def test_the_data_may_move_and_the_device_may_change(tmp_path: Path) -> None:
    first = open_analysis_writer(tmp_path, record())
    again = open_analysis_writer(
        tmp_path, record(root=Path("/elsewhere"), device="NVIDIA H100", command="hlcore analyze")
    )
    assert again.analysis.record == first.analysis.record


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"versions": {"torch": "3"}}, r"versions: {'torch': '2'}, now {'torch': '3'}"),
        ({"backend": "openvino"}, "backend: torch, now openvino"),
    ],
)
def test_other_libraries_may_open_a_complete_analysis_but_not_continue_one(tmp_path: Path, changes, sentence) -> None:
    writer = open_analysis_writer(tmp_path, record())
    with pytest.raises(CheckpointError, match=sentence):
        open_analysis_writer(tmp_path, record(**changes))
    writer.mark_complete({})
    assert open_analysis_writer(tmp_path, record(**changes)).is_complete


def test_a_growing_table_is_the_concatenation_of_its_rows_in_groups(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("hlcore.storage.analysis_writer._Rows.GROUP", 3)
    writer = open_analysis_writer(tmp_path, record())
    frames = [pd.DataFrame({"image": [], "iou": []}), *(part(f"image {i}", 0.5).rows["objects"] for i in range(5))]
    with writer.append_rows("rows") as add:
        for frame in frames:
            add(frame)
    expected = pd.concat(frames[1:], ignore_index=True).astype({"iou": np.float32})
    pd.testing.assert_frame_equal(writer.analysis.table("rows"), expected)
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups == 3


def test_a_growing_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())
    with writer.append_rows("rows") as add:
        add(pd.DataFrame({"image": pd.Series([], dtype=str), "iou": pd.Series([], dtype=float)}))
    assert list(writer.analysis.table("rows").columns) == ["image", "iou"]


def test_a_growing_table_that_fails_leaves_no_file(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())

    def fail() -> None:
        with writer.append_rows("objects") as add:
            add(part("one", 1).rows["objects"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not list(tmp_path.glob("*objects*"))


def test_a_complete_analysis_has_tables_and_thumbnails_and_no_parts(tmp_path: Path) -> None:
    path = tmp_path / "analyses" / "streets-test"
    writer = open_analysis_writer(path, record())
    writer.write_part(0, part("one", 0))
    writer.write_thumbnail("aachen/one", np.zeros((200, 400, 3), np.uint8))
    writer.write_table("own", pd.DataFrame({"value": [0.5]}))
    analysis = writer.mark_complete({})
    assert not (path / "parts").exists()
    assert analysis.record.state == "complete"
    assert find_analyses(tmp_path) == (path,)
    assert open_analysis(path).table("own").value.tolist() == [0.5]
    with Image.open(analysis.thumbnail_path("aachen/one")) as thumbnail:
        assert thumbnail.size == (THUMBNAIL_PX, THUMBNAIL_PX // 2)


def test_parts_left_by_a_crash_at_the_very_end_are_removed(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())
    writer.mark_complete({})
    AnalysisWriter(writer.analysis).write_part(0, part("one", 0))
    assert open_analysis_writer(tmp_path, record()).is_complete
    assert not (tmp_path / "parts").exists()


def test_the_error_for_a_missing_table_lists_the_existing_ones(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())
    writer.write_table("edges", pd.DataFrame({"value": [0.5]}))
    with pytest.raises(CheckpointError, match="has no table 'objects'; it has edges"):
        writer.analysis.table("objects")


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    writer = open_analysis_writer(tmp_path, record())
    (tmp_path / "edges.parquet").write_bytes(b"PAR1")
    with pytest.raises(CheckpointError, match=r"edges.parquet is not a readable table"):
        writer.analysis.table("edges")


@pytest.fixture
def tables(tmp_path: Path) -> Analysis:
    """An analysis with a small table of images."""
    numbers = ("hardness_mean", "hardness_p95", "loss_mean", "error_share", "entropy_mean", "mean_iou", "disagreement")
    images = pd.DataFrame({"image": ["a", "city/b"], "width": [4, 4], "height": [3, 3], **dict.fromkeys(numbers, 0.5)})
    writer = open_analysis_writer(tmp_path, record())
    writer.write_table("images", images)
    return writer.analysis


def test_a_table_that_fits_its_schema_is_read_unchanged(tables: Analysis) -> None:
    assert tables.table("images")["image"].tolist() == ["a", "city/b"]
    tables.check_tables()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda table: table.drop(columns="loss_mean"), "has no column 'loss_mean'"),
        (lambda table: table.iloc[:0], "has no rows"),
        (lambda table: table.assign(image=["a", "a"]), "does not have one row for each combination of image"),
        (lambda table: table.assign(image=["a", None]), "has invalid values in column 'image'"),
        (lambda table: table.assign(image=["a", "/etc/passwd"]), "invalid values in column 'image'"),
        (lambda table: table.assign(image=["a", "../../secret"]), "invalid values in column 'image'"),
        (lambda table: table.assign(image=[1, 2]), "invalid values in column 'image'"),
        (lambda table: table.assign(width=[1.5, 2]), "invalid values in column 'width'"),
        (lambda table: table.assign(width=[-1, 2]), "invalid values in column 'width'"),
        (lambda table: table.assign(height=[None, 2]), "invalid values in column 'height'"),
        (lambda table: table.assign(mean_iou="high"), "invalid values in column 'mean_iou'"),
        (lambda table: table.assign(mean_iou=[[1], [2]]), "invalid values in column 'mean_iou'"),
        (lambda table: table.assign(mean_iou=True), "invalid values in column 'mean_iou'"),
    ],
)
def test_a_table_that_does_not_fit_its_schema_is_named(tables: Analysis, change, sentence: str) -> None:
    change(tables.table("images")).to_parquet(tables.table_path("images"))
    for read in (lambda: tables.table("images"), tables.check_tables):
        with pytest.raises(CheckpointError, match=r"images\.parquet .*; run `hlcore analyze` again") as caught:
            read()
        assert sentence in str(caught.value)


def test_a_table_of_classes_that_were_not_scored_is_named(tables: Analysis) -> None:
    rows = pd.DataFrame({"label": ["Sky", "Sea"], "prediction": ["Sky", "Sky"], "pixels": [1, 2]})
    rows.to_parquet(tables.table_path("confusion"))
    with pytest.raises(CheckpointError, match=r"confusion\.parquet has invalid values in column 'label'"):
        tables.table("confusion")


def test_a_box_without_pixels_is_named(tables: Analysis) -> None:
    box = {"left": [3], "right": [3], "top": [0], "bottom": [1]}
    numbers = {"score": [0.5], "loss_mean": [0.5], "hardness_mean": [0.5]}
    rows = {"image": ["a"], "region": [1], "class_name": ["Sky"], "predicted": ["Road"], "area_px": [1]}
    pd.DataFrame(rows | numbers | box).to_parquet(tables.table_path("suspects"))
    with pytest.raises(CheckpointError, match="has a box whose left is not before its right"):
        tables.table("suspects")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"palette": ((0, 0, 255),)}, "palette: expected 2 colours, one per class, got 1"),
        ({"palette": ((0, 0, 255), (0, 0, 256))}, "palette.1.2: input should be less than or equal to 255, got 256"),
        ({"class_names": ("Sky", "Sky")}, "class_names: expected different names"),
        ({"scene_size": (0, 64)}, "scene_size.0: input should be greater than or equal to 16, got 0"),
        ({"scene_size": (64, 10**9)}, "scene_size.1: input should be less than or equal to 4096"),
        ({"images": 0}, "images: input should be greater than or equal to 1, got 0"),
        ({"epoch": -1}, "epoch: input should be greater than or equal to 0, got -1"),
        ({"window": -5}, "window: input should be greater than or equal to 1"),
        ({"split": "../../secret"}, "split: expected a name inside the folder"),
        ({"dataset": "/etc"}, "dataset: expected a name inside the folder"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused_with_its_key(tmp_path: Path, change, sentence: str) -> None:
    (tmp_path / "analysis.json").write_text(json.dumps(record().model_dump(mode="json") | change), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"analysis\.json cannot be read") as caught:
        open_analysis(tmp_path)
    assert sentence in str(caught.value)
