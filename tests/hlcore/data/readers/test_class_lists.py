"""Your own class lists: ids and colours other than 0, 1, 2, in classes.json and in exports of annotation tools."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hlcore.data.images.palettes import VOID_COLOURS
from hlcore.data.labels import voc_palette
from hlcore.data.readers.folder import open_folder
from hlcore.data.readers.voc import open_voc
from hlcore.errors import DatasetError

ROAD, SKY, DIRT = (128, 64, 128), (70, 130, 180), (1, 2, 3)


def write(path: Path, pixels: Any, *, palette: Any = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    if palette is not None:
        image = image.convert("P")
        image.putdata(np.asarray(pixels).ravel().tolist())
        image.putpalette([channel for colour in palette for channel in colour])
    image.save(path)


def make_folder(root: Path, classes: Any, labels: Any) -> Path:
    (root / "classes.json").write_text(json.dumps(classes))
    pixels = np.asarray(labels)
    write(root / "images" / "a.png", np.zeros((*pixels.shape[:2], 3), np.uint8))
    write(root / "labels" / "a.png", pixels)
    return root


def read(root: Path) -> list[int]:
    label_map = open_folder(root, "train")[0].label_map
    assert label_map is not None
    return label_map[0].tolist()


@pytest.mark.parametrize(
    ("classes", "values", "expected"),
    [
        ([{"name": "background", "id": 0}, {"name": "object", "id": 255}], [0, 255], [0, 1]),
        ([{"name": "a", "id": 1}, {"name": "b", "id": 2}], [1, 2, 255], [0, 1, 255]),
        ([{"name": "b", "id": 70}, {"name": "a", "id": 7}], [7, 70, 255], [1, 0, 255]),
        ([{"name": "void", "id": 0, "ignore": True}, {"name": "a", "id": 1}], [0, 1], [255, 0]),
        ([{"name": "void", "ignore": True}, "a", "b"], [0, 1, 2], [255, 0, 1]),
        ([{"name": "a", "ignore": False}, "b"], [0, 1], [0, 1]),
    ],
)
def test_ids_are_mapped_to_the_classes_in_the_order_of_the_list(
    classes: Any, values: list[int], expected: list[int], tmp_path: Path
) -> None:
    root = make_folder(tmp_path, classes, np.array([values], np.uint8))
    assert read(root) == expected
    names = [entry if isinstance(entry, str) else entry["name"] for entry in classes]
    assert [name for name in names if name != "void"] == list(open_folder(root, "train").classes.names)


def test_ids_above_255_are_read_from_16_bit_files(tmp_path: Path) -> None:
    classes = [{"name": "a", "id": 300}, {"name": "b", "id": 65535}]
    assert read(make_folder(tmp_path, classes, np.array([[300, 65535, 255]], np.uint16))) == [0, 1, 255]
    write(tmp_path / "labels" / "a.png", np.array([[255, 255, 255]], np.uint8))
    assert read(tmp_path) == [255, 255, 255]


def test_rgb_label_maps_are_read_by_the_colours_of_the_classes(tmp_path: Path) -> None:
    classes = [
        {"name": "road", "color": ROAD},
        {"name": "sky", "color": SKY},
        {"name": "dirt", "color": DIRT, "ignore": True},
    ]
    root = make_folder(tmp_path, classes, np.array([[SKY, DIRT, ROAD]], np.uint8))
    assert read(root) == [1, 255, 0]
    write(root / "labels" / "a.png", np.array([[SKY, (9, 9, 9)]], np.uint8))
    write(root / "images" / "a.png", np.zeros((1, 2, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"unknown colours: \(9, 9, 9\) \(1 px\)"):
        read(root)


@pytest.mark.parametrize("classes", [["road", "sky"], [{"name": "road", "color": ROAD}, "sky"]])
def test_an_rgb_label_map_needs_a_colour_of_every_class(classes: Any, tmp_path: Path) -> None:
    root = make_folder(tmp_path, classes, np.array([[ROAD, SKY]], np.uint8))
    with pytest.raises(DatasetError, match="not every class has a colour of its own"):
        read(root)


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ([{"name": "a", "id": 1}, "b"], 'gives some classes an id, but not "b"'),
        ([{"name": "a", "id": 1}, {"name": "b", "id": 1}], "a and b have the same id 1"),
        ([{"name": "a", "id": -1}], 'has the entry {"name": "a", "id": -1}'),
        ([{"name": "a", "id": True}], "has the entry"),
        ([{"name": "a", "ignore": "yes"}], "has the entry"),
        ([{"name": "a", "color": "red"}], "has the entry"),
        ([{"name": "a", "ids": 1}], "has the entry"),
        ([{"name": "a", "ignore": True}], "must have 1 to 255 classes"),
        ([{"name": "a", "color": [True, 0, 0]}], "has the entry"),
        ([{"name": "void", "color": ROAD, "ignore": True}, {"name": "a", "color": ROAD}], "void and a have the same"),
        (
            [{"name": "a", "color": ROAD}, {"name": "void", "color": ROAD, "ignore": True}],
            r"a and void have the same colour \(128, 64, 128\)",
        ),
    ],
)
def test_a_list_that_cannot_be_used_is_named(classes: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=sentence):
        open_folder(make_folder(tmp_path, classes, np.zeros((1, 2), np.uint8)), "train")


def test_a_cvat_export_is_read(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad:128,64,128::\nsky:70,130,180::\n"
    )
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "default.txt").write_text("a\n")
    write(tmp_path / "JPEGImages" / "a.png", np.zeros((1, 4, 3), np.uint8))
    write(tmp_path / "SegmentationClass" / "a.png", np.array([[SKY, (0, 0, 0), ROAD, VOID_COLOURS[2]]], np.uint8))
    data = open_voc(tmp_path, "default")
    assert data.classes.names == ("background", "road", "sky")
    assert data.classes.palette == ((0, 0, 0), ROAD, SKY)
    label_map = data[0].label_map
    assert label_map is not None
    assert label_map.tolist() == [[2, 0, 1, 255]]
    with pytest.raises(DatasetError, match="lists no split 'train'; it has default"):
        open_voc(tmp_path, "train")


@pytest.mark.parametrize("folder", ["SegmentationClass", "SegmentationClassPNG"])
def test_an_export_of_labelme_is_read(folder: str, tmp_path: Path) -> None:
    (tmp_path / "class_names.txt").write_text("_background_\n#1 cat\ndog\n")  # a name, not a comment
    for name in ("a", "b"):
        write(tmp_path / "JPEGImages" / f"{name}.jpg", np.zeros((1, 4, 3), np.uint8))
        labels = np.array([[0, 2, 1, 255]], np.uint8)
        write(tmp_path / folder / f"{name}.png", labels, palette=voc_palette(256))
    data = open_voc(tmp_path, "train")
    assert data.classes.names == ("_background_", "#1 cat", "dog")
    assert [sample.label_map.tolist() for sample in data if sample.label_map is not None] == [[[0, 2, 1, 255]]] * 2


@pytest.mark.parametrize("line", ["road", "road:1,2", "road:1,2,x::", ":1,2,3::"])
def test_a_line_of_a_label_map_that_cannot_be_read_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text(f"{line}\n")
    with pytest.raises(DatasetError, match=re.escape(f"has the line {line!r}; expected 'name:red,green,blue")):
        open_voc(tmp_path, "default")
