"""Hardness and loss maps as 16-bit grey PNG: precise to 1/65535 of their range, readable by any image tool."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, UInt16
from PIL import Image

from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.files import replace_atomically
from hlcore.types import MAX_PIXELS

FULL = 65535
_LIMIT = f"the limit is {MAX_PIXELS / 1e6:.4g} MP"
UNDEFINED = 65535
"""Value of a pixel without a loss; the highest loss is one below."""


def write_hardness_png(target: Path | BinaryIO, hardness_map: Float32[np.ndarray, "H W"]) -> None:
    """Write a hardness map as 16-bit grey PNG, 0..65535 for 0..1 (the confidence format of the BRAVO benchmark).

    Raises:
        InvalidInputError: the map is not two-dimensional or not within 0..1.
    """
    _check_shape("hardness_map", hardness_map)
    if not (np.min(hardness_map) >= 0 and np.max(hardness_map) <= 1):
        raise InvalidInputError(f"hardness must lie in 0..1, got {np.min(hardness_map)}..{np.max(hardness_map)}")
    _write(target, np.rint(hardness_map.astype(np.float64) * FULL).astype(np.uint16))


def read_hardness_png(source: Path | BinaryIO | bytes) -> Float32[np.ndarray, "H W"]:
    """A hardness map written by `write_hardness_png`, within 1/131070 of the original.

    Raises:
        CheckpointError: the file is not a 16-bit grey PNG.
    """
    return (_read(source) / np.float32(FULL)).astype(np.float32)


def write_loss_png(target: Path | BinaryIO, loss_map: Float32[np.ndarray, "H W"], *, full_scale: float) -> None:
    """Write a loss map as 16-bit grey PNG: 0..65534 for 0..`full_scale` nats (clipped above), 65535 where NaN.

    Raises:
        InvalidInputError: the map is not two-dimensional or has a loss below 0.
    """
    _check_shape("loss_map", loss_map)
    if np.any(loss_map < 0):
        raise InvalidInputError(f"a loss cannot be below 0 nats, got {np.nanmin(loss_map)}")
    scaled = np.rint(np.clip(loss_map.astype(np.float64) / full_scale, 0, 1) * (UNDEFINED - 1))
    _write(target, np.where(np.isnan(loss_map), UNDEFINED, np.nan_to_num(scaled)).astype(np.uint16))


def read_loss_png(source: Path | BinaryIO | bytes, *, full_scale: float) -> Float32[np.ndarray, "H W"]:
    """A loss map written by `write_loss_png`, in nats, NaN where undefined.

    Raises:
        CheckpointError: the file is not a 16-bit grey PNG.
    """
    stored = _read(source)
    loss = stored * (full_scale / (UNDEFINED - 1))
    return np.where(stored == UNDEFINED, np.nan, loss).astype(np.float32)


def read_png(source: Path | BinaryIO | bytes) -> Image.Image:
    """A PNG of a run or bundle, decoded.

    Raises:
        CheckpointError: the file is not a PNG, is damaged, or has more than MAX_PIXELS; those are not decoded.
    """
    with _open(source) as image:
        image.load()
        return image


def read_png_size(source: Path) -> tuple[int, int]:
    """(H, W) of a PNG of a run or bundle, without decoding it. Raises the same errors as `read_png`."""
    with _open(source) as image:
        return image.height, image.width


@contextmanager
def _open(source: Path | BinaryIO | bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=["PNG"]) as image:
            _check_size(image, _name(source))
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise CheckpointError(f"{_name(source)} has far too many pixels; {_LIMIT}") from error
    except CheckpointError:
        raise
    except Exception as error:  # decoders may raise anything on malformed data
        raise CheckpointError(f"{_name(source)} is not a readable PNG: {error}") from error


def _check_size(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise CheckpointError(f"{name} has {image.width} x {image.height} px; {_LIMIT}")


def _check_shape(name: str, values: np.ndarray) -> None:
    if values.ndim != 2 or 0 in values.shape:
        raise InvalidInputError(f"{name} must have shape (H, W) with at least one pixel, got {values.shape}")


def _write(target: Path | BinaryIO, values: UInt16[np.ndarray, "H W"]) -> None:
    if isinstance(target, Path):
        with replace_atomically(target) as temporary:
            Image.fromarray(values).save(temporary, format="PNG")
    else:
        Image.fromarray(values).save(target, format="PNG")


def _read(source: Path | BinaryIO | bytes) -> UInt16[np.ndarray, "H W"]:
    image = read_png(source)
    if not image.mode.startswith("I"):
        raise CheckpointError(f"{_name(source)}: expected a 16-bit grey PNG, got mode {image.mode}")
    return np.asarray(image).astype(np.uint16)


def _name(source: Path | BinaryIO | bytes) -> str:
    return str(source) if isinstance(source, Path) else "the upload"
