"""Which image files a user's files, folders and globs stand for."""

import logging
import os
import unicodedata
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
    assert list(find_images([str(tmp_path / "**")])) == ["photo"]
    with pytest.raises(DatasetError, match="no image found"):
        find_images([str(tmp_path / "maps" / "*.png")])


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_glob_leaves_out_what_tools_left(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "deep/b.png", "deep/@eaDir/c.png", "folder.png/d.txt")
    assert list(find_images([str(tmp_path / "**")])) == ["a", "b"]


def test_files_in_a_linked_sub_folder_keep_the_name_of_the_folder_itself(tmp_path: Path) -> None:
    touch(tmp_path, "rain/a.png")
    (tmp_path / "again").symlink_to(tmp_path / "rain")
    assert list(find_images([str(tmp_path)])) == ["rain/a"]


def test_what_a_folder_or_glob_leaves_out_is_counted(tmp_path: Path, caplog, monkeypatch) -> None:
    caplog.set_level(logging.INFO)
    touch(tmp_path, "a.png", ".hidden/b.png", "@eaDir/c.png", "._a.png", ".DS_Store", "maps/manifest.parquet", "shut/d")
    (tmp_path / "again").symlink_to(tmp_path)
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert list(find_images([str(tmp_path)])) == ["a"]
    for counted in (
        *("hidden or tools' folders (2)", "hidden image files (1)", "bundles of maps (1)"),
        *("folders that were read already (1)", "folders that cannot be opened (1)"),
    ):
        assert counted in caplog.text
    caplog.clear()
    monkeypatch.setattr(os, "scandir", scandir)
    assert list(find_images([str(tmp_path / "*")])) == ["a"]
    assert "left out folders (4); give them by name" in caplog.text
    caplog.clear()
    find_images([str(tmp_path / "a.png")])
    assert not caplog.text


@pytest.mark.parametrize("given", ["", "*", "cafe\u0301.png"])
def test_names_are_composed_however_the_file_system_writes_them(tmp_path: Path, given: str) -> None:
    touch(tmp_path, "cafe\u0301.png")
    assert list(find_images([str(tmp_path / given)])) == [unicodedata.normalize("NFC", "cafe\u0301")]


@pytest.mark.timeout(20)
def test_a_recursive_glob_reads_each_folder_once_through_links(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for path in ("a.png", "sub/b.png", "sub/c.jpg"):
        (tmp_path / path).touch()
    (tmp_path / "itself").symlink_to(tmp_path)
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    assert find_images([f"{tmp_path}/**/*.png"]) == {"a": tmp_path / "a.png", "b": tmp_path / "sub" / "b.png"}
    assert find_images([f"{tmp_path}/*/**"]).keys() == {"b", "c"}
    assert find_images([f"{tmp_path}/s*/**/c.*"]).keys() == {"c"}


def test_a_file_given_twice_is_read_once(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    for path in ("a.png", "sub/b.png"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    found = find_images([str(tmp_path), str(tmp_path / "sub"), str(tmp_path / "sub" / ".." / "a.png")])
    assert found.keys() == {"a", "sub/b"}
    assert "left out files that were found already (3)" in caplog.text


def test_images_in_formats_that_cannot_be_read_are_counted(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    for name in ("a.png", "b.HEIC", "c.avif", "d.ppm", "e.tga", "f.nef", "notes.txt", "paper.pdf"):
        (tmp_path / name).touch()
    assert find_images([str(tmp_path)]).keys() == {"a"}
    assert "images in formats that cannot be read (5)" in caplog.text


@pytest.mark.parametrize("folder", ["#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"])
def test_deleted_images_are_left_out(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "deleted.png").touch()
    (tmp_path / "a.png").touch()
    assert find_images([str(tmp_path)]).keys() == {"a"}


def test_two_links_to_one_file_are_two_images(tmp_path: Path) -> None:
    (tmp_path / ".store").mkdir()
    (tmp_path / ".store" / "blob").touch()
    for name in ("p.png", "q.png"):
        (tmp_path / name).symlink_to(tmp_path / ".store" / "blob")
    assert list(find_images([str(tmp_path)])) == ["p", "q"]
