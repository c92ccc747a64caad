"""Which map of a bundle belongs to which training image."""

import unicodedata
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from lightning_fabric import Fabric
from PIL import Image as PillowImage

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.inputs import find_images
from hlcore.data.labels import CAMVID
from hlcore.data.memory import CachedData
from hlcore.data.readers.camvid import open_camvid
from hlcore.data.readers.cityscapes import open_cityscapes
from hlcore.data.readers.idd_lite import open_idd_lite
from hlcore.data.samples import PairedFiles, SegmentationData, find_files, pair_files
from hlcore.errors import InvalidInputError
from hlcore.storage.bundles import BundleWriter
from hlcore.training.transfer import open_saved_hardness
from hlcore.types import PredictionRecord


def open_plugin(root: Path, split: str) -> PairedFiles:
    """As in docs/extend.md: both files in one folder, told apart by their suffixes."""
    images = find_files(root / split, ("*_rgb.png",), suffix="_rgb")
    label_maps = find_files(root / split, ("*_label.png",), suffix="_label")
    return PairedFiles(
        CAMVID, pair_files(images, label_maps, expected=""), partial(read_class_ids, ids={}, classes=CAMVID)
    )


LAYOUTS = {
    "cityscapes": (
        *(open_cityscapes, "leftImg8bit/train"),
        *("leftImg8bit/train/ulm/{}_leftImg8bit.png", "gtFine/train/ulm/{}_gtFine_labelIds.png"),
    ),
    "idd_lite": (
        *(open_idd_lite, "leftImg8bit/train"),
        *("leftImg8bit/train/7/{}_image.jpg", "gtFine/train/7/{}_label.png"),
    ),
    "camvid": (open_camvid, "train", "train/{}.png", "trainannot/{}.png"),
    "plugin": (open_plugin, "train", "train/sub.v1/{}_rgb.png", "train/sub.v1/{}_label.png"),
}


def write_bundle(folder: Path, *names: str) -> Path:
    """A bundle whose maps are told apart by their values."""
    with BundleWriter(folder, class_names=CAMVID.names, palette=CAMVID.palette) as bundle:
        for number, name in enumerate(names, start=1):
            prediction = np.zeros((2, 3), np.uint8)
            hardness_map = np.full((2, 3), number / 10, np.float32)
            probabilities = np.full((11, 2, 3), 1 / 11, np.float32)
            image = np.zeros((2, 3, 3), np.uint8)
            bundle.add(PredictionRecord(name, image, prediction, hardness_map, probabilities, CAMVID.names))
    return folder


def values(bundle: Path, data: SegmentationData, tmp_path: Path) -> list[float]:
    """The value of each training image's map."""
    fabric = Fabric(accelerator="cpu", devices=1)
    saved = open_saved_hardness(bundle, data, folder=tmp_path / "new", overwrite=True, fabric=fabric)
    return [round(float(saved.hardness_map(name)[0, 0]), 3) for name in data.names]


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_bundle_of_the_training_folder_is_found_by_the_names_of_the_data_set(name, cached, tmp_path) -> None:
    reader, folder, image, label_map = LAYOUTS[name]
    for sample in ("a_1", "b_2"):
        for path in (tmp_path / image.format(sample), tmp_path / label_map.format(sample)):
            path.parent.mkdir(parents=True, exist_ok=True)
            PillowImage.new("L", (3, 2)).save(path)
    data = reader(tmp_path, "train")
    predicted = [found for found in find_images([str(tmp_path / folder)]) if not found.endswith("_label")]
    bundle = write_bundle(tmp_path / "bundle", *predicted)
    assert values(bundle, CachedData(data, 1) if cached else data, tmp_path) == [0.1, 0.2]


def open_two(tmp_path: Path) -> PairedFiles:
    for name in ("a", "caf\u00e9"):
        for folder in ("train", "trainannot"):
            (tmp_path / folder).mkdir(exist_ok=True)
            PillowImage.new("L", (3, 2)).save(tmp_path / folder / f"{name}.png")
    return open_camvid(tmp_path, "train")


def test_a_map_with_the_images_own_name_comes_before_one_with_its_files_name(tmp_path) -> None:
    path = tmp_path / "leftImg8bit/train/a_leftImg8bit.png"
    labels = tmp_path / "gtFine/train/a_gtFine_labelIds.png"
    for file in (path, labels):
        file.parent.mkdir(parents=True)
        PillowImage.new("L", (3, 2)).save(file)
    bundle = write_bundle(tmp_path / "bundle", "a_leftImg8bit", "a")
    assert values(bundle, open_cityscapes(tmp_path, "train"), tmp_path) == [0.2]


def test_decomposed_names_of_a_bundle_are_the_composed_names_of_the_data_set(tmp_path) -> None:
    bundle = write_bundle(tmp_path / "bundle", "a", unicodedata.normalize("NFD", "caf\u00e9"))
    assert values(bundle, open_two(tmp_path), tmp_path) == [0.1, 0.2]


def test_a_name_that_only_begins_alike_is_no_match(tmp_path) -> None:
    bundle = write_bundle(tmp_path / "bundle", "a_0", "caf\u00e9")
    with pytest.raises(InvalidInputError, match="no hardness map for 1 of 2 training images, such as 'a'"):
        values(bundle, open_two(tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(("aachen/0000", "bonn/0000"), [0.1, 0.2]), (("0000",), None), (("ulm/0000", "bonn/0000"), None)],
)
def test_a_map_from_another_folder_is_no_match(names, wanted, tmp_path) -> None:
    for city in ("aachen", "bonn"):
        for kind, ending in (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_labelIds")):
            path = tmp_path / kind / "train" / city / f"0000_{ending}.png"
            path.parent.mkdir(parents=True)
            PillowImage.new("L", (3, 2)).save(path)
    data = open_cityscapes(tmp_path, "train")
    bundle = write_bundle(tmp_path / "bundle", *(f"{name}_leftImg8bit" for name in names))
    if wanted is not None:
        assert values(bundle, data, tmp_path) == wanted
        return
    with pytest.raises(InvalidInputError, match="has no hardness map for"):
        values(bundle, data, tmp_path)
