"""Measuring a run on a data set, from the images to the tables."""

import errno
import json
import weakref
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import hlcore.measuring.worker as pipeline
from hlcore.analysis.statistics import ImageSums
from hlcore.config import AnalyzeConfig
from hlcore.data.labels import CAMVID
from hlcore.data.streets import Streets
from hlcore.errors import CheckpointError, DatasetError, InvalidInputError, NotFiniteError, StorageError
from hlcore.measuring.job import open_job
from hlcore.measuring.loop import analyze
from hlcore.measuring.tables import measure_image
from hlcore.report import describe_analysis
from hlcore.storage.analyses import Analysis, open_analysis
from hlcore.storage.analysis_writer import AnalysisWriter, ImagePart
from hlcore.storage.runs import Run
from hlcore.storage.tables import SCHEMAS

TABLES = {
    "confusion", "edge_contrast", "edge_pairs", "edges", "epoch_pairs", "image_classes", "images", "levels", "objects",
    "risk_curves", "scores", "segmentation", "size_correlations", "size_curve", "suspects", "variation",
    "cartography", "learning", "learning_correlations",
}  # fmt: skip
NAMES = [f"test-{index:04d}" for index in range(5)]


pytestmark = pytest.mark.usefixtures("quick_analyses")


def tables(path: Path) -> dict[str, pd.DataFrame]:
    """The tables of a complete analysis, which fit their schemas."""
    open_analysis(path).check_tables()
    return {file.stem: pd.read_parquet(file) for file in path.glob("*.parquet")}


def finish(run: Run, config: AnalyzeConfig, root: Path | None = None) -> Analysis:
    *_, last = analyze(run, root, config)
    return last.analysis


class PredictionCounter:
    """Counts how often each image is given to a network, and imitates Ctrl-C at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, interrupt_at: int | None = None) -> None:
        self.images: Counter[str] = Counter()
        self._interrupt_at = interrupt_at
        self._predict = pipeline.predict
        monkeypatch.setattr(pipeline, "predict", self)

    def __call__(self, *arguments, name: str, **settings):
        self.images[name] += 1
        if self.images.total() == self._interrupt_at:
            raise KeyboardInterrupt
        return self._predict(*arguments, name=name, **settings)


def test_every_table_fits_the_schema_of_the_files(analysed: Analysis) -> None:
    assert set(SCHEMAS) == TABLES | {"ignored_classes"}
    analysed.check_tables()


def test_every_table_is_written_and_every_image_is_in_it(analysed: Analysis) -> None:
    assert tables(analysed.path).keys() == TABLES
    assert analysed.record.state == "complete"
    assert analysed.record.epochs == (0, 1, 2)
    assert list(analysed.table("images")["image"]) == NAMES
    for name in NAMES:
        assert analysed.thumbnail_path(name).is_file()
        assert analysed.thumbnail_path(f"{name}.hardness").is_file()
    labelled = sum(int((sample.label_map != 255).sum()) for sample in Streets("test", count=5, size=(48, 64)))
    assert sum(analysed.table("confusion")["pixels"]) == labelled


def test_an_interrupted_analysis_equals_an_uninterrupted_one(scenes_run, analysed, tmp_path, monkeypatch) -> None:
    config = AnalyzeConfig(out=tmp_path / "cut", split="test", epochs="all")
    with monkeypatch.context() as patch:
        predictions = PredictionCounter(patch, interrupt_at=8)  # in the middle of the third image
        with pytest.raises(KeyboardInterrupt):
            finish(scenes_run, config)
        assert predictions.images == {"test-0000": 3, "test-0001": 3, "test-0002": 2}
    with monkeypatch.context() as patch:
        predictions = PredictionCounter(patch)
        resumed = finish(scenes_run, config)
        assert predictions.images == {"test-0002": 3, "test-0003": 3, "test-0004": 3}, "only the current image was lost"
    found, expected = tables(resumed.path), tables(analysed.path)
    assert found.keys() == expected.keys()
    for name, table in expected.items():
        pd.testing.assert_frame_equal(found[name], table, check_exact=True)


def test_tables_interrupted_while_they_are_written_are_written_again(scenes_run, tmp_path, monkeypatch) -> None:
    config = AnalyzeConfig(out=tmp_path / "cut", split="test", limit=2)

    def interrupted(*_) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AnalysisWriter, "write_table", interrupted)
        with pytest.raises(KeyboardInterrupt):
            finish(scenes_run, config)
    predictions = PredictionCounter(monkeypatch)
    assert max(finish(scenes_run, config).table("confusion")["pixels"]) > 0
    assert not predictions.images


def test_a_complete_analysis_is_not_measured_again(scenes_run, analysed, monkeypatch) -> None:
    predictions = PredictionCounter(monkeypatch)
    steps = list(analyze(scenes_run, None, AnalyzeConfig(out=analysed.path, split="test", epochs="all")))
    assert [(step.measured, step.status) for step in steps] == [(5, "complete")]
    assert not predictions.images


def long_name_error() -> StorageError:
    error = StorageError("test-0002.jpg cannot be written (File name too long)")
    error.__cause__ = OSError(errno.ENAMETOOLONG, "File name too long")
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("out of\nmemory"), "RuntimeError: out of memory"),
        (DatasetError("test-0002 is damaged"), "test-0002 is damaged"),
        (NotFiniteError("the network's output is not finite"), "the network's output is not finite"),
        (long_name_error(), "test-0002.jpg cannot be written (File name too long)"),
    ],
)
def test_an_image_that_fails_is_left_out_and_named(scenes_run, tmp_path, monkeypatch, error, reason) -> None:
    config = AnalyzeConfig(out=tmp_path / "new", split="test", limit=3, thumbnails=False)

    def fail(record, *_, **__) -> ImagePart:
        if record.name == "test-0002":
            raise error
        return measure_image(record, *_, **__)

    with monkeypatch.context() as patch:
        patch.setattr("hlcore.measuring.worker.measure_image", fail)
        analysis = finish(scenes_run, config)
    assert analysis.record.left_out == {"test-0002": reason}
    assert analysis.record.images == 2
    assert list(analysis.table("images")["image"]) == ["test-0000", "test-0004"]
    assert describe_analysis(analysis.record)["Left out"] == f"test-0002 ({reason})"
    assert finish(scenes_run, config).record == analysis.record, "the same command finds it complete"


def test_an_analysis_in_which_every_image_fails_is_an_error(scenes_run, tmp_path, monkeypatch) -> None:
    def fail(*_, **__) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("hlcore.measuring.worker.measure_image", fail)
    with pytest.raises(DatasetError, match="no image could be measured; the first: RuntimeError: out of memory"):
        finish(scenes_run, AnalyzeConfig(out=tmp_path / "new", split="test", limit=2, thumbnails=False))


def test_another_epoch_is_not_mixed_into_an_existing_analysis(scenes_run, analysed) -> None:
    with pytest.raises(CheckpointError, match=r"epoch: 2, now 1; weights: .*give another --out"):
        finish(scenes_run, AnalyzeConfig(out=analysed.path, split="test", epochs="all", epoch=1))


def test_steps_report_progress(scenes_run, tmp_path) -> None:
    steps = list(
        analyze(scenes_run, None, AnalyzeConfig(out=tmp_path / "new", split="test", limit=3, thumbnails=False))
    )
    assert [step.measured for step in steps] == [0, 1, 2, 3, 3, 3]
    assert [step.status for step in steps] == ["measure", "test-0000", "test-0002", "test-0004", "tables", "complete"]
    assert not (tmp_path / "new" / "thumbnails").exists()


def test_one_record_is_measured_while_the_next_is_predicted_and_one_part_is_in_memory(
    scenes_run, tmp_path, monkeypatch
) -> None:
    alive, parts_alive = [], []
    predict, parts = pipeline.predict, AnalysisWriter.read_parts

    def living(references) -> int:
        return sum(reference() is not None for reference in references)

    records: list[weakref.ref] = []

    def watched_predict(*arguments, **settings):
        alive.append(living(records))
        record = predict(*arguments, **settings)
        records.append(weakref.ref(record.probabilities))
        return record

    def watched_parts(writer):
        seen = []
        for part in parts(writer):
            parts_alive.append(living(seen))
            seen.append(weakref.ref(part.counts["edges"]["label/pixels"]))
            yield part

    monkeypatch.setattr(pipeline, "predict", watched_predict)
    monkeypatch.setattr(AnalysisWriter, "read_parts", watched_parts)
    finish(scenes_run, AnalyzeConfig(out=tmp_path / "new", split="test"))
    assert len(alive) == 5
    assert len(parts_alive) == 5
    assert max(alive) <= 1, "beside the record that is predicted"
    assert max(parts_alive) <= 1


def test_sums_over_all_images_are_as_large_as_those_of_one(scenes_run, tmp_path, monkeypatch) -> None:
    def kept_sums(limit: int) -> int:
        sizes = []

        class Watched(ImageSums):
            def estimate(self, ratio):
                sizes.append(sum(values.size for sums in (self.total, self.resampled) for values in sums.values()))
                return super().estimate(ratio)

        with monkeypatch.context() as patch:
            patch.setattr("hlcore.measuring.tables.ImageSums", partial(Watched, resamplings=4))
            finish(scenes_run, AnalyzeConfig(out=tmp_path / str(limit), split="test", limit=limit))
        return max(sizes)

    assert kept_sums(1) == kept_sums(4)


def test_stability_compares_weights_with_the_runs_own_constant(scenes_run, tmp_path) -> None:
    """A large constant makes all weights nearly equal, so they hardly move; the loss has no constant."""
    moved = {}
    for c in (0.1, 100.0):
        trained = scenes_run.record.config
        trained = trained.model_copy(update={"loss": trained.loss.model_copy(update={"c": c})})
        run = Run(scenes_run.path, scenes_run.record.model_copy(update={"config": trained}))
        config = AnalyzeConfig(out=tmp_path / f"{c}", split="test", limit=1, epochs="0,2")
        pairs = finish(run, config).table("epoch_pairs")
        moved[c] = pairs[pairs["measure"] == "total_variation"].groupby("map")["value"].mean()
    assert moved[100.0]["hardness"] < 0.1 * moved[0.1]["hardness"]
    assert moved[100.0]["loss"] == moved[0.1]["loss"]


def test_dropout_adds_its_entropy_to_the_scores(scenes_run, tmp_path) -> None:
    config = AnalyzeConfig(out=tmp_path / "new", split="test", limit=1, mc_dropout=2)
    assert "mc_entropy" in set(finish(scenes_run, config).table("scores")["score"])


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    """A folder of two scenes, labelled as thing (Car, Pedestrian, Bicyclist) or stuff."""
    things = [CAMVID.names.index(name) for name in ("Car", "Pedestrian", "Bicyclist")]
    for folder in ("images", "labels"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for sample in Streets("val", count=2, size=(48, 64)):
        labels = np.where(sample.label_map == 255, 255, np.isin(sample.label_map, things))
        Image.fromarray(sample.image).save(tmp_path / "data" / "images" / f"{sample.name}.png")
        Image.fromarray(labels.astype(np.uint8)).save(tmp_path / "data" / "labels" / f"{sample.name}.png")
    (tmp_path / "data" / "classes.json").write_text('["stuff", "thing"]')
    return tmp_path / "data"


def merge_file(path: Path, **changes: str) -> Path:
    things = ("Car", "Pedestrian", "Bicyclist")
    path.write_text(json.dumps({name: "thing" if name in things else "stuff" for name in CAMVID.names} | changes))
    return path


def test_a_run_is_scored_in_the_classes_of_another_data_set(scenes_run, two_classes, tmp_path) -> None:
    merge = merge_file(tmp_path / "merge.json")
    config = AnalyzeConfig(out=tmp_path / "new", dataset="folder", merge=merge, mc_dropout=2)
    analysis = finish(scenes_run, config, root=two_classes)
    assert analysis.record.class_names == ("stuff", "thing")
    assert "mc_entropy" in set(analysis.table("scores")["score"])
    assert analysis.record.merged == json.loads(merge.read_text())
    assert analysis.record.merged_labels is None
    assert analysis.record.root == two_classes
    assert set(analysis.table("segmentation")["class_name"]) == {"", "stuff", "thing"}
    home = finish(scenes_run, AnalyzeConfig(out=tmp_path / "home", split="val", limit=2)).table("confusion")
    assert sum(analysis.table("confusion")["pixels"]) == sum(home["pixels"])


def test_a_data_set_of_other_classes_needs_a_merge(scenes_run, two_classes, tmp_path) -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"the data set has stuff, thing; map each class of one",
    ):
        finish(scenes_run, AnalyzeConfig(out=tmp_path / "new", dataset="folder"), root=two_classes)


def test_an_unknown_class_of_a_merge_is_named(scenes_run, two_classes, tmp_path) -> None:
    merge = merge_file(tmp_path / "merge.json", Car="things")
    with pytest.raises(InvalidInputError, match="unknown classes of the data set: things"):
        finish(scenes_run, AnalyzeConfig(out=tmp_path / "new", dataset="folder", merge=merge), root=two_classes)


def test_classes_without_a_counterpart_are_left_out_and_reported(scenes_run, two_classes, tmp_path) -> None:
    kept = {"Car": "thing", "Pedestrian": "thing", "Road": "stuff", "Pavement": "stuff"}
    others = [name for name in CAMVID.names if name not in kept]
    (tmp_path / "merge.yaml").write_text(json.dumps({"run": kept, "ignore": others[1:]}))
    settings = {"dataset": "folder", "merge": tmp_path / "merge.yaml"}
    with pytest.raises(InvalidInputError, match=f"classes of the run that are not mapped: {others[0]}"):
        finish(scenes_run, AnalyzeConfig(out=tmp_path / "refused", **settings), root=two_classes)
    config = AnalyzeConfig(out=tmp_path / "new", **settings, ignore=(others[0],), mc_dropout=2)
    analysis = finish(scenes_run, config, root=two_classes)
    assert analysis.record.merged == kept
    assert analysis.record.ignored_classes == tuple(others)
    table = analysis.table("ignored_classes")
    assert set(table["side"]) == {"run"}
    assert 0 < sum(table["share"]) < 1
    assert others[0] in describe_analysis(analysis.record, table)["Run's classes left out"]
    assert tables(tmp_path / "new").keys() - TABLES == {"ignored_classes"}


def test_ignored_labels_are_not_scored(scenes_run, tmp_path) -> None:
    """The same images, with and without pavement: all else is scored alike."""
    config = AnalyzeConfig(split="val", limit=2, ignore=("Pavement",), out=tmp_path / "new")
    analysis = finish(scenes_run, config)
    home = finish(scenes_run, AnalyzeConfig(out=tmp_path / "home", split="val", limit=2)).table("confusion")
    assert analysis.record.class_names == tuple(name for name in CAMVID.names if name != "Pavement")
    assert analysis.record.ignored_labels == analysis.record.ignored_classes == ("Pavement",)
    confusion = analysis.table("confusion")
    labelled, before = (table.groupby("label")["pixels"].sum() for table in (confusion, home))
    assert labelled.to_dict() == before.drop("Pavement").to_dict()
    table = analysis.table("ignored_classes").set_index("side")
    assert table.loc["data", "pixels"] == before["Pavement"]
    assert table.loc["run", "pixels"] == home.loc[home["prediction"] == "Pavement", "pixels"].sum()


def test_a_data_set_of_only_ignored_labels_is_refused(scenes_run, two_classes, tmp_path) -> None:
    for path in (two_classes / "labels").iterdir():
        Image.fromarray(np.zeros((48, 64), np.uint8)).save(path)
    (two_classes / "classes.json").write_text('["none", "stuff", "thing"]')
    merge = merge_file(tmp_path / "merge.json")
    config = AnalyzeConfig(out=tmp_path / "new", dataset="folder", merge=merge, ignore=("none",))
    with pytest.raises(DatasetError, match="the split 'val' has no labelled pixel of a scored class"):
        finish(scenes_run, config, root=two_classes)


def test_an_analysis_records_the_white_level_of_its_images(scenes_run, two_classes) -> None:
    config = AnalyzeConfig(dataset="folder", merge=merge_file(two_classes.parent / "merge.json"))
    assert (
        open_job(scenes_run, two_classes, config).record(device="cpu", backend="torch", command="").white_level is None
    )
    for path in (two_classes / "images").iterdir():
        Image.fromarray(np.full((48, 64), 4000, np.uint16)).save(path)
    assert (
        open_job(scenes_run, two_classes, config).record(device="cpu", backend="torch", command="").white_level == 4095
    )


def test_an_unlabelled_image_is_named(scenes_run, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "hlcore.data.streets.dataset.render_scene", lambda _, size: (np.zeros((*size, 3), np.uint8), None)
    )
    with pytest.raises(DatasetError, match="test-0000 has no label map"):
        finish(scenes_run, AnalyzeConfig(out=tmp_path / "new", split="test"))


@pytest.mark.parametrize(
    ("epochs", "sentence"), [("0,7", "has not saved epoch 7; choose one of 0, 1, 2"), ("0,1,2", None), ("2,0", None)]
)
def test_compared_epochs_are_saved_ones_in_order(scenes_run, tmp_path, epochs, sentence) -> None:
    config = AnalyzeConfig(out=tmp_path / "new", split="test", limit=1, epochs=epochs)
    if sentence:
        with pytest.raises(InvalidInputError, match=sentence):
            finish(scenes_run, config)
        return
    assert finish(scenes_run, config).record.epochs == tuple(sorted(map(int, epochs.split(","))))
