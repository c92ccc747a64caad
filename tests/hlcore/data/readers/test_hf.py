"""Data sets of the library `datasets`."""

import io
import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from hlcore.config import TrainConfig
from hlcore.data.catalog import open_data
from hlcore.data.readers.hf import open_hf
from hlcore.data.samples import SegmentationData
from hlcore.errors import DatasetError

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), np.uint8)
LABELS = np.array([[0, 1, 2, 7, 255, 1]] * 4, np.uint8)
NAMES = {"0": "unlabeled", "1": "road", "2": "sky", "7": "tree"}


def png(pixels: np.ndarray) -> dict[str, Any]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


def make_rows(image: str = "image", label: str = "annotation", **more: str) -> Any:
    columns = {image: [png(pixels) for pixels in PIXELS], label: [png(LABELS)] * len(PIXELS)}
    columns |= {name: [png(LABELS)] * len(PIXELS) for name in more}
    kinds = {name: datasets.Image() for name in columns}
    return datasets.Dataset.from_dict(
        columns | {"id": [1, 2, 3]}, datasets.Features({**kinds, "id": datasets.Value("int64")})
    )


def write(root: Path, form: str, rows: Any = None) -> Path:
    rows = make_rows() if rows is None else rows
    if form == "split":
        rows.save_to_disk(str(root))
    elif form == "splits":
        datasets.DatasetDict({"train": rows, "val": rows.select([0])}).save_to_disk(str(root))
    else:
        root.mkdir()
        for split, part in (("train", rows), ("validation", rows.select([0]))):
            part.to_parquet(str(root / f"{split}-00000-of-00001.parquet"))
    (root / "id2label.json").write_text(json.dumps(NAMES))
    return root


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.parametrize("form", ["split", "splits", "parquet"])
def test_images_and_label_maps_are_read_with_the_classes_of_id2label(form: str, tmp_path: Path) -> None:
    data = open_data("hf", root=write(tmp_path / "data", form), split="train")
    assert isinstance(data, SegmentationData)
    assert data.classes.names == ("road", "sky", "tree")
    assert data.names == ("000000", "000001", "000002")
    for index, pixels in enumerate(PIXELS):
        sample = data[index]
        assert sample.label_map is not None
        assert np.array_equal(sample.image, pixels)
        assert sample.label_map[0].tolist() == [255, 0, 1, 2, 255, 0]
    with pytest.raises(IndexError):
        _ = data[3]


def test_a_split_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no split 'test'; it has train, val"):
        open_hf(write(tmp_path / "data", "splits"), "test")


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    one, two = (open_hf(write(tmp_path / form, form), "train") for form in ("split", "parquet"))
    assert one.fingerprint == two.fingerprint
    assert open_hf(tmp_path / "parquet", "validation").fingerprint != one.fingerprint
    assert open_hf(tmp_path / "parquet", "val").fingerprint == open_hf(tmp_path / "parquet", "validation").fingerprint


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, ("image", "annotation")),
        ({"image": "pixel_values", "label": "label"}, ("pixel_values", "label")),
        ({"image": "image", "label": "semantics"}, ("image", "semantics")),
        ({"image": "photo", "label": "mask"}, ("photo", "mask")),
        ({"other": "x"}, ("image", "annotation")),
    ],
)
def test_columns_are_chosen_by_type_and_name(
    columns: dict[str, str], expected: tuple[str, str], tmp_path: Path
) -> None:
    assert open_hf(write(tmp_path / "data", "split", make_rows(**columns)), "train").columns == expected


@pytest.mark.parametrize("columns", [{"image": "left", "label": "right"}, {"image": "image", "label": "a", "b": ""}])
def test_columns_that_are_not_clear_are_listed(columns: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"name the one .*/data\?image=COLUMN&label=COLUMN"):
        open_hf(write(tmp_path / "data", "split", make_rows(**columns)), "train")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?image=left&label=right", ("left", "right")),
        ("?label=left&image=right", ("right", "left")),
        ("?image=right", ("right", "left")),
    ],
)
def test_columns_can_be_named(query: str, expected: tuple[str, str], tmp_path: Path) -> None:
    write(tmp_path / "data", "splits", make_rows(image="left", label="right"))
    data = open_data("hf", root=Path(f"{tmp_path / 'data'}{query}"), split="train")
    assert data.columns == expected
    assert data.classes.names == ("road", "sky", "tree")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?image=photo", "has no column of pictures 'photo'; it has left, right"),
        ("?image=left&label=left", "name the one of images"),
        ("?mask=left", r"expected columns such as .*data\?image=photo&label=mask"),
        ("?", "expected columns such as"),
    ],
)
def test_columns_that_cannot_be_are_refused(query: str, sentence: str, tmp_path: Path) -> None:
    write(tmp_path / "data", "split", make_rows(image="left", label="right"))
    with pytest.raises(DatasetError, match=sentence):
        open_hf(Path(f"{tmp_path / 'data'}{query}"), "train")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "id2label.json does not exist; expected the name of each id"),
        ("{", "id2label.json is not JSON"),
        ('["road"]', "id2label.json holds something else"),
        ('{"a": "road"}', "id2label.json holds something else"),
        ('{"0": "road", "1": "road"}', "class names must be unique"),
        ('{"0": "void"}', "must have 1 to 255 classes"),
    ],
)
def test_classes_that_cannot_be_used_are_named(content: str | None, sentence: str, tmp_path: Path) -> None:
    root = write(tmp_path / "data", "split")
    (root / "id2label.json").unlink()
    if content is not None:
        (root / "id2label.json").write_text(content)
    with pytest.raises(DatasetError, match=sentence):
        open_hf(root, "train")


def test_a_label_of_another_size_or_value_is_named_by_its_row(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_dict(
        {"image": [png(PIXELS[0])] * 2, "label": [png(LABELS[:2]), png(np.full_like(LABELS, 9))]},
        datasets.Features({"image": datasets.Image(), "label": datasets.Image()}),
    )
    data = open_hf(write(tmp_path / "data", "split", rows), "train")
    with pytest.raises(DatasetError, match="label of row 0 is 6 x 2 px but its image image of row 0 is 6 x 4 px"):
        _ = data[0]
    with pytest.raises(DatasetError, match=r"label of row 1 contains unknown class ids: 9 \(24 px\)"):
        _ = data[1]


def test_what_is_no_data_set_is_named_and_a_missing_folder_is_never_sought_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for root in ("nobody/nothing", "folder"):
        with pytest.raises(DatasetError, match=f"{root} cannot be loaded as a data set"):
            open_hf(Path(root), "train")
    for root in (tmp_path / "owner" / "name", Path("name"), Path("a/b/c")):
        with pytest.raises(DatasetError, match=r"the folder .* does not exist; expected one, or owner/name"):
            open_hf(root, "train")
    config = TrainConfig.model_validate({"data": {"dataset": "hf", "root": "owner/name"}})
    assert config.with_absolute_paths().data.root == Path("owner/name")
    config = TrainConfig.model_validate({"data": {"dataset": "hf", "root": "folder?image=a"}})
    assert config.with_absolute_paths().data.root == tmp_path / "folder?image=a"
