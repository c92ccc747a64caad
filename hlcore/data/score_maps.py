"""Read per-pixel scores of any method: 8- or 16-bit PNG, TIFF, npy and npz."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float32, Num

from hlcore.data.images.deep import read_deep_values
from hlcore.data.images.opening import check_size, damaged_file_error, open_file, open_header
from hlcore.data.images.rare_tiff import pillow_would_misread, read_rare_tiff
from hlcore.errors import DatasetError
from hlcore.types import MAX_PIXELS

SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".npz")
"""Files that may hold scores."""
_EXPECTED = "expected a grey PNG or TIFF, or an array of shape (height, width), with one number per pixel"


def list_arrays(path: Path) -> tuple[str, ...]:
    """Names of the arrays of an npz file.

    Raises:
        DatasetError: it cannot be read, or has none.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            names = tuple(arrays.files)
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise DatasetError(f"{path} is not a readable npz file ({error}); write it with numpy.savez") from error
    if not names:
        raise DatasetError(f"{path} has no arrays; write it with numpy.savez")
    return names


def read_score(path: Path, *, array: str = "") -> Float32[np.ndarray, "H W"]:
    """The score of each pixel. Whole numbers of 8 and 16 bits from images are shares of 255 and of 65535.

    Args:
        path: A file of one of SUFFIXES.
        array: Name of the array in an npz file.

    Raises:
        DatasetError: it cannot be read, has colours or several channels, or a value that is not finite.
    """
    values = _read_array(path, array) if path.suffix.lower() in (".npy", ".npz") else _read_image(path)
    name = f"{path}, array {array!r}" if array else str(path)
    while values.ndim > 2 and 1 in (values.shape[0], values.shape[-1]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2 or not values.size:
        raise DatasetError(
            f"{name} has the shape {values.shape}; {_EXPECTED}. A coloured picture of a map is not a map"
        )
    check_size(values.shape[1], values.shape[0], name, max_pixels=MAX_PIXELS)
    if values.dtype.kind not in "biuf":
        raise DatasetError(f"{name} holds {values.dtype}; {_EXPECTED}")
    with np.errstate(over="ignore"):
        score = values.astype(np.float32)
    if strange := int((~np.isfinite(score)).sum()):
        raise DatasetError(f"{name} has {strange} pixels that are not finite, or too large; give every pixel a number")
    return score


def _read_array(path: Path, array: str) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, mmap_mode="r", allow_pickle=False)  # so that a huge one is not read before its check
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return arrays[array or arrays.files[0]]
    except KeyError as error:
        raise DatasetError(f"{path} has no array {array!r}; every npz file needs the same arrays") from error
    except (OSError, ValueError, BadZipFile, EOFError, IndexError) as error:
        raise DatasetError(f"{path} cannot be read as an array ({error}); write it with numpy.save") from error


def _read_image(path: Path) -> Num[np.ndarray, "H W *channels"]:
    with open_file(path, str(path)) as file:
        image = open_header(file, str(path), max_pixels=MAX_PIXELS)
        if image is not None and image.format not in ("PNG", "TIFF"):
            raise DatasetError(f"{path} is a {image.format}, which loses precision; {_EXPECTED}")
        if image is not None and image.mode == "P":
            raise DatasetError(f"{path} has a palette, so its numbers are colours; {_EXPECTED}")
        try:
            if image is None or pillow_would_misread(image):
                values = read_rare_tiff(file, str(path), max_pixels=MAX_PIXELS).values
            else:
                values = read_deep_values(image, file)
                values = np.asarray(image) if values is None else values
        except DatasetError:
            raise
        except Exception as error:  # decoders may raise anything on malformed data
            raise damaged_file_error(str(path), error) from error
    if values.dtype == np.uint8:
        return values / np.float32(255)
    if values.dtype == np.int32 and image is not None and image.format == "PNG":  # Pillow's form of 16 bits
        values = values.astype(np.uint16)
    return values / np.float32(65535) if values.dtype == np.uint16 else values
