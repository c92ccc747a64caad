"""The images that a branch is fitted to, and those set aside."""

from pathlib import Path

import pytest

from hlcore.config import DataConfig
from hlcore.data.labels import voc_palette
from hlcore.data.ordering import find_order
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.fitting.data import FitData, open_fit_data
from tests.hlcore.fitting.conftest import CLASSES, write_images


def opened(root: Path, *, limit: int | None = None, **config: str) -> FitData:
    settings = DataConfig.model_validate({"dataset": "folder", "root": root} | config)
    return open_fit_data(settings, CLASSES, voc_palette(3), requires_val=False, limit=limit)


def test_the_validation_split_is_set_aside_and_a_limit_is_evenly_spaced(data: Path) -> None:
    found = opened(data, limit=3)
    assert found.train.names == ("0", "4", "8")
    assert found.val.names == ("0", "1", "2")
    assert found.config.val_split == "val"


@pytest.mark.parametrize("flat", [False, True])
def test_without_one_every_tenth_image_is_set_aside(flat: bool, tmp_path: Path) -> None:
    write_images(tmp_path, "train", 25, seed=0)
    (tmp_path / "classes.json").write_text('["ground", "wall", "door"]')
    if flat:  # a folder without splits has the same images in each
        for kind in ("images", "labels"):
            (tmp_path / kind / "train").rename(tmp_path / "moved")
            (tmp_path / kind).rmdir()
            (tmp_path / "moved").rename(tmp_path / kind)
    found = opened(tmp_path)
    assert len(found.train) == 23
    assert len(found.val) == 2
    assert not set(found.train.names) & set(found.val.names)
    assert found.config.val_split == "train"
    assert opened(tmp_path, val_split="train").val.names == found.val.names


def test_a_validation_split_whose_files_have_the_same_names_is_used(tmp_path: Path) -> None:
    write_images(tmp_path, "train", 4, seed=0)
    write_images(tmp_path, "val", 4, seed=1)
    (tmp_path / "classes.json").write_text('["ground", "wall", "door"]')
    found = opened(tmp_path)
    assert (len(found.train), len(found.val), found.config.val_split) == (4, 4, "val")


def test_the_same_images_in_the_split_that_was_asked_for_are_refused(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_images(tmp_path, split, 4, seed=0)
    (tmp_path / "classes.json").write_text('["ground", "wall", "door"]')
    settings = DataConfig(dataset="folder", root=tmp_path)
    with pytest.raises(DatasetError, match="the split 'val' has the same images as 'train'"):
        open_fit_data(settings, CLASSES, voc_palette(3), requires_val=True)


def test_one_image_is_too_few(tmp_path: Path) -> None:
    write_images(tmp_path, "train", 1, seed=0)
    (tmp_path / "classes.json").write_text('["ground", "wall", "door"]')
    with pytest.raises(DatasetError, match="has only one image; at least 2 are needed"):
        opened(tmp_path)


def test_names_that_differ_only_in_case_are_matched_exactly_or_refused() -> None:
    assert find_order(("Wall", "wall", "door"), ("door", "wall", "Wall")) == (2, 1, 0)
    assert find_order(("Wall", "Door"), ("door", "wall")) == (1, 0)
    with pytest.raises(InvalidInputError, match="they must be the same"):
        find_order(("Wall", "wall", "door"), ("WALL", "wall", "door"))
