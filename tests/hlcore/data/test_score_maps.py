"""Files of per-pixel scores: the numbers that were written, or one sentence."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hlcore.data.score_maps import list_arrays, read_score
from hlcore.errors import DatasetError

VALUES = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("a.png", 1 / 255),
        ("b.png", 1 / 65535),
        ("c.tif", 0),
        ("d.tiff", 0),
        ("e.tiff", 1 / 65535),
        ("f.npy", 0),
        ("g.npz", 0),
    ],
)
def test_each_format_gives_the_numbers_that_were_written(tmp_path: Path, name: str, tolerance: float) -> None:
    path = tmp_path / name
    eight, sixteen = np.round(VALUES * 255).astype(np.uint8), np.round(VALUES * 65535).astype(np.uint16)
    {
        "a.png": lambda: Image.fromarray(eight).save(path),
        "b.png": lambda: Image.fromarray(sixteen).save(path),
        "c.tif": lambda: Image.fromarray(VALUES).save(path),
        "d.tiff": lambda: tifffile.imwrite(path, VALUES.astype(np.float64)),
        "e.tiff": lambda: tifffile.imwrite(path, sixteen),
        "f.npy": lambda: np.save(path, VALUES[None, ..., None]),
        "g.npz": lambda: np.savez(path, other=VALUES * 2, score=VALUES),
    }[name]()
    read = read_score(path, array="score" if name == "g.npz" else "")
    assert read.dtype == np.float32
    assert np.abs(read - VALUES).max() <= tolerance


def test_arrays_of_npz_files_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", b=VALUES, a=VALUES)
    assert list_arrays(tmp_path / "two.npz") == ("b", "a")
    np.savez(tmp_path / "none.npz")
    with pytest.raises(DatasetError, match="has no arrays"):
        list_arrays(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DatasetError, match="is not a readable npz file"):
        list_arrays(tmp_path / "broken.npz")


def test_an_array_that_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", a=VALUES)
    with pytest.raises(DatasetError, match=r"one\.npz has no array 'b'"):
        read_score(tmp_path / "one.npz", array="b")


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"objects\.npy cannot be read as an array"):
        read_score(tmp_path / "objects.npy")


def test_a_photograph_is_no_score(tmp_path: Path) -> None:
    Image.fromarray(np.round(VALUES * 255).astype(np.uint8)).save(tmp_path / "lossy.png", format="JPEG")
    with pytest.raises(DatasetError, match="is a JPEG, which loses precision"):
        read_score(tmp_path / "lossy.png")


def test_more_pixels_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(8001, 8001))
    with pytest.raises(DatasetError, match="the limit is 64 MP"):
        read_score(path)
