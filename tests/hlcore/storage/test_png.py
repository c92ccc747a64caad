"""Maps as 16-bit grey PNG."""

import struct
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.png import read_hardness_png, read_loss_png, read_png, write_hardness_png, write_loss_png

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=7)
HARDNESS = hnp.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32))
LOSSES = hnp.arrays(np.float32, SHAPES, elements=st.one_of(st.just(np.nan), st.floats(0, 16, width=32)))


def written(hardness_map: np.ndarray) -> bytes:
    buffer = BytesIO()
    write_hardness_png(buffer, hardness_map)
    return buffer.getvalue()


def png_of(values: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, format="PNG")
    return buffer.getvalue()


@given(HARDNESS)
def test_hardness_is_read_back_within_half_a_step(hardness_map: np.ndarray) -> None:
    back = read_hardness_png(written(hardness_map))
    assert back.dtype == np.float32
    assert back.shape == hardness_map.shape
    assert np.abs(back.astype(float) - hardness_map).max() <= 1 / 131070 + 6e-8  # plus rounding in float32


@given(hnp.arrays(np.uint16, SHAPES))
def test_hardness_read_from_a_file_is_written_back_bit_for_bit(stored: np.ndarray) -> None:
    again = written(read_hardness_png(png_of(stored)))
    with Image.open(BytesIO(again)) as image:
        np.testing.assert_array_equal(np.asarray(image), stored)


@given(LOSSES)
def test_loss_is_read_back_within_half_a_step_and_undefined_exactly_where_it_was(loss_map: np.ndarray) -> None:
    buffer = BytesIO()
    write_loss_png(buffer, loss_map, full_scale=16.0)
    back = read_loss_png(buffer.getvalue(), full_scale=16.0)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(loss_map))
    np.testing.assert_allclose(back, loss_map, rtol=0, atol=16 / 65534 / 2 + 1e-6)


def test_loss_above_full_scale_is_clipped_and_never_becomes_undefined() -> None:
    buffer = BytesIO()
    write_loss_png(buffer, np.array([[15.9999, 16.0, 87.0, np.inf]], np.float32), full_scale=16.0)
    np.testing.assert_allclose(read_loss_png(buffer.getvalue(), full_scale=16.0), [[16, 16, 16, 16]], atol=3e-4)


def test_file_is_16_bit_grey_with_the_full_range_for_0_to_1(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    write_hardness_png(path, np.array([[0, 0.5, 1]], np.float32))
    with Image.open(path) as image:
        assert image.mode == "I;16"
        assert np.asarray(image).tolist() == [[0, 32768, 65535]]
    np.testing.assert_array_equal(read_hardness_png(path), read_hardness_png(path.read_bytes()))
    with path.open("rb") as opened:
        np.testing.assert_array_equal(read_hardness_png(path), read_hardness_png(opened))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 3), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2), bool),
    ],
    ids=["grey", "RGB", "RGBA", "1-bit"],
)
def test_png_of_another_mode_is_refused_with_its_mode(tmp_path: Path, values: np.ndarray) -> None:
    path = tmp_path / "holiday.png"
    path.write_bytes(png_of(values))
    with pytest.raises(CheckpointError, match=r"holiday\.png: expected a 16-bit grey PNG, got mode"):
        read_hardness_png(path)


def test_file_that_is_not_a_png_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the upload is not a readable PNG"):
        read_hardness_png(b"GIF89a")
    with pytest.raises(CheckpointError, match=r"gone\.png is not a readable PNG"):
        read_loss_png(tmp_path / "gone.png", full_scale=16.0)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_file_gets_a_clear_error_or_is_still_read(data: st.DataObject) -> None:
    whole = written(np.random.default_rng(0).random((20, 20), np.float32))
    where = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:where]
    else:
        damaged = whole[:where] + bytes([whole[where] ^ data.draw(st.integers(1, 255))]) + whole[where + 1 :]
    try:
        read = read_hardness_png(damaged)
    except CheckpointError:
        return
    assert read.ndim == 2


def test_enormous_file_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(12_000, 12_000))
    for read in (read_png, read_hardness_png, partial(read_loss_png, full_scale=16.0)):
        with pytest.raises(
            CheckpointError, match=r"huge\.png has (12000 x 12000 px|far too many pixels); the limit is 64 MP"
        ):
            read(path)
    path.write_bytes(huge_png(100_000, 100_000))
    with pytest.raises(CheckpointError, match=r"huge\.png has far too many pixels; the limit is 64 MP"):
        read_png(path)


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header announces a size, with no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    )


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 2, 2), np.float32), r"hardness_map must have shape \(H, W\) with at least one pixel, got"),
        (np.zeros((0, 2), np.float32), r"at least one pixel, got \(0, 2\)"),
        (np.array([[0, 1.5]], np.float32), r"hardness must lie in 0\.\.1, got 0\.0\.\.1\.5"),
        (np.array([[-0.5, 1]], np.float32), r"hardness must lie in 0\.\.1, got -0\.5\.\.1\.0"),
        (np.array([[0.5, np.nan]], np.float32), r"hardness must lie in 0\.\.1, got nan"),
    ],
)
def test_map_that_is_not_a_hardness_map_is_not_written(values: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        written(values)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3, np.float32), r"loss_map must have shape \(H, W\) with at least one pixel, got \(3,\)"),
        (np.array([[-0.5, np.nan]], np.float32), r"a loss cannot be below 0 nats, got -0\.5"),
    ],
)
def test_map_that_is_not_a_loss_map_is_not_written(values: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        write_loss_png(BytesIO(), values, full_scale=16.0)
