"""Which image files a user's files, folders and globs stand for."""

from pathlib import Path

import pytest

from hlcore.data.inputs import find_images
from hlcore.errors import DatasetError


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
