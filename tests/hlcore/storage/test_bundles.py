"""A hardness bundle that somebody else has written; test_cli.py and test_loop.py write and read hlcore's own."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from hlcore.errors import CheckpointError
from hlcore.storage.bundles import MANIFEST, open_bundle
from hlcore.storage.png import write_hardness_png

ABOUT = {"class_names": ["sky", "road"], "palette": [[0, 0, 255], [128, 64, 128]]}


def write(folder: Path, *, names: object = ("one", "city/two"), about: object = ABOUT) -> Path:
    table = pa.table({"name": names}).replace_schema_metadata({b"hlcore": json.dumps(about).encode()})
    pq.write_table(table, folder / MANIFEST)
    return folder


def test_its_maps_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    write_hardness_png(tmp_path / "city" / "two.hardness.png", np.full((2, 3), 0.5, np.float32))
    Image.fromarray(np.ones((2, 3), np.uint8)).save(tmp_path / "city" / "two.prediction.png")
    bundle = open_bundle(write(tmp_path))
    assert bundle.class_names == ("sky", "road")
    np.testing.assert_allclose(bundle.hardness_map("city/two"), 0.5, atol=1e-5)
    np.testing.assert_array_equal(bundle.prediction("city/two"), 1)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a/../../secret", "", None, 7])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: object) -> None:
    with pytest.raises(CheckpointError, match=r"manifest\.parquet was not written by hlcore"):
        open_bundle(write(tmp_path, names=[name]))


def test_only_names_of_the_manifest_are_read(tmp_path: Path) -> None:
    write_hardness_png(tmp_path / "secret.hardness.png", np.zeros((1, 1), np.float32))
    (tmp_path / "bundle").mkdir()
    bundle = open_bundle(write(tmp_path / "bundle"))
    with pytest.raises(CheckpointError, match=r"has no hardness map for '../secret'"):
        bundle.hardness_map("../secret")
    with pytest.raises(CheckpointError, match=r"has no prediction for '../secret'"):
        bundle.prediction("../secret")


def test_an_image_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="lists an image twice"):
        open_bundle(write(tmp_path, names=["one", "one"]))


@pytest.mark.parametrize(
    "about", [{}, [], 7, ABOUT | {"palette": [[0, 0, 0]]}, ABOUT | {"palette": [[0, 0], [1, 1]]}, ABOUT | {"more": 1}]
)
def test_classes_that_do_not_fit_are_refused_by_name(tmp_path: Path, about: object) -> None:
    with pytest.raises(CheckpointError, match=r"manifest\.parquet cannot be read"):
        open_bundle(write(tmp_path, about=about))


def test_pictures_above_the_limit_or_in_colour_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / "one.prediction.png")
    bundle = open_bundle(write(tmp_path))
    with pytest.raises(
        CheckpointError, match=r"one\.prediction\.png: expected an 8-bit PNG of class indices, got mode RGB"
    ):
        bundle.prediction("one")
    monkeypatch.setattr("hlcore.storage.png.MAX_PIXELS", 5)
    with pytest.raises(CheckpointError, match=r"one\.prediction\.png has 3 x 2 px; the limit is"):
        bundle.prediction("one")
