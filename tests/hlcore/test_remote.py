"""Object stores, with the one of pyarrow's file systems that needs no server: a folder as file:///..."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from skimage import data

from hlcore.data.inputs import find_sources
from hlcore.errors import DatasetError, InvalidInputError, StorageError
from hlcore.remote import is_uri, join, list_files, local_file, upload
from hlcore.storage.bundles import open_bundle
from hlcore.storage.runs import Run
from tests.hlcore.running import hlcore

COFFEE = Path(data.__file__).parent / "coffee.png"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with two photographs, files that are none, and one whose content is none."""
    folder = tmp_path / "my photos"
    for name in ("ä #1.png", "sub/b 50%.jpg", ".hidden.png", "notes.txt", "__pycache__/c.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.open(COFFEE).convert("RGB").resize((96, 64)).save(path.with_suffix(".png"))
        path.with_suffix(".png").rename(path)
    (folder / "bad.png").write_text("no image")
    return folder.as_uri()


@pytest.mark.parametrize("name", ["a.png", "sub/ä b.png", "50%25.png", "what?#.png"])
def test_a_file_goes_into_a_store_and_comes_back(tmp_path: Path, name: str) -> None:
    uri = (tmp_path / "store").as_uri()
    assert list_files(uri) == []
    upload(COFFEE, join(uri, name))
    assert list_files(uri) == [name]
    with local_file(join(uri, name)) as copy:
        assert copy.name == Path(name).name
        assert copy.read_bytes() == COFFEE.read_bytes()
    assert not copy.exists()


def test_images_of_a_store_are_named_like_those_of_a_folder(store: str) -> None:
    found = find_sources([store])
    assert found.keys() == {"bad", "ä #1", "sub/b 50%"}
    assert find_sources([found["sub/b 50%"]]).keys() == {"b 50%"}
    assert find_sources([store, store]) == found
    with pytest.raises(DatasetError, match="no image found for"):
        find_sources([f"{store}/nothing"])


@pytest.mark.slow
def test_maps_of_a_store_are_those_of_a_folder_and_are_continued(scenes_run: Run, store: str, tmp_path: Path) -> None:
    there, here = (tmp_path / "there").as_uri(), tmp_path / "here"
    done = hlcore("predict", scenes_run.path, store, "--out", there)
    hlcore("predict", scenes_run.path, tmp_path / "my photos", "--out", here)
    assert done.returncode == 1
    assert done.stdout == f"2 images in {there}\n"
    assert done.stderr.splitlines()[-1].startswith(f"skipped: {store}/bad.png is a text file")
    names = sorted(path.relative_to(here) for path in here.rglob("*.png"))
    assert sorted(path.relative_to(tmp_path / "there") for path in (tmp_path / "there").rglob("*.png")) == names
    assert all((tmp_path / "there" / name).read_bytes() == (here / name).read_bytes() for name in names)
    first, second = (open_bundle(folder).manifest for folder in (tmp_path / "there", here))
    pd.testing.assert_frame_equal(first.drop(columns="source"), second.drop(columns="source"))
    Image.open(COFFEE).save(tmp_path / "my photos" / "bad.png")
    again = hlcore("predict", scenes_run.path, store, "--out", there)
    assert again.returncode == 0, again.stderr
    assert "which has 2 of the 3 images" in again.stderr
    assert "already holds a bundle" in hlcore("predict", scenes_run.path, store, "--out", there).stderr


def test_two_images_of_one_name_are_refused_and_a_bundle_is_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "maps/manifest.parquet", "maps/a.hardness.png", "b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match=r"a\.jpg and .*a\.png would both be named 'a'"):
        find_sources([tmp_path.as_uri()])
    (tmp_path / "a.jpg").unlink()
    assert find_sources([tmp_path.as_uri()]).keys() == {"a", "b"}


def test_what_cannot_be_used_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"ftp://x/ cannot be opened \(Unrecognized filesystem.*; use s3://"):
        list_files("ftp://x/y")
    for uri in (
        "s3://key:hush@bucket/photos",
        "abfs://c@a.dfs.core.windows.net/x?sig=hush",
        "abfs://c@a/x?client_secret=",
    ):
        with pytest.raises(InvalidInputError, match="leave keys and passwords out of") as refused:
            list_files(uri)
        assert "hush" not in str(refused.value)
    with pytest.raises(DatasetError, match="Empty path component"):
        list_files("s3://bucket//photos?region=eu-north-1")
    with pytest.raises(DatasetError, match=r"gone\.png cannot be read"), local_file((tmp_path / "gone.png").as_uri()):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        upload(COFFEE, (tmp_path / "file" / "a.png").as_uri())


def test_only_texts_with_a_scheme_are_uris() -> None:
    assert [is_uri(text) for text in ("s3://bucket/a", "a/b", "C:/photos", "/a")] == [True, False, False, False]
