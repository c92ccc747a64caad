"""Which image files a user's files, folders and globs stand for."""

from pathlib import Path

import pytest

from hlcore.data.inputs import find_images
from hlcore.data.labels import CAMVID
from hlcore.errors import DatasetError
from hlcore.storage.bundles import BundleWriter


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".jpeg", ".webp", ".tif", ".TIFF", ".bmp", ".gif"])
def test_a_folder_gives_every_kind_of_image_that_can_be_read(tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"picture{suffix}"
    picture.touch()
    (tmp_path / "notes.txt").touch()
    assert find_images([str(tmp_path)]) == {"picture": picture}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=r"a.jpg and .*a.png would both be named 'a'; run them separately"):
        find_images([str(tmp_path)])


def test_an_input_that_matches_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no image found for '.*nothing\*'"):
        find_images([str(tmp_path / "nothing*")])


def test_a_folder_is_walked_once_through_links_and_without_what_tools_left(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for path in ("a.png", "deep/b.png", ".ipynb_checkpoints/a.png", "@eaDir/a.png", "deep/__MACOSX/b.png", "._a.png"):
        (tmp_path / "photos" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / path).touch()
    elsewhere.mkdir()
    (elsewhere / "c.png").touch()
    (tmp_path / "photos" / "linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(tmp_path / "photos")
    (elsewhere / "again").symlink_to(elsewhere)
    assert list(find_images([str(tmp_path / "photos")])) == ["a", "deep/b", "linked/c"]


def test_maps_that_hlcore_wrote_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    with BundleWriter(tmp_path / "maps", class_names=CAMVID.names, palette=CAMVID.palette):
        (tmp_path / "maps" / "photo.hardness.png").touch()
    assert list(find_images([str(tmp_path)])) == ["photo"]
