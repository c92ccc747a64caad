"""Read TIFFs that Pillow cannot read or reads wrongly: float RGB, 64-bit, deep planar or white-is-zero."""

import math
from typing import Any

import numpy as np
from PIL import ExifTags, TiffImagePlugin
from PIL import Image as PillowImage

from hlcore.data.images.colour import rgb_from_array, turn_upright
from hlcore.data.images.opening import OpenFile, check_size, damaged_file_error
from hlcore.errors import DatasetError
from hlcore.types import Image

MAX_BYTES = 256_000_000
"""Largest array to unpack from a rare TIFF, whatever its number of pixels."""

_UNPACKED = (1, 8, 32946, 32773)  # compressions that need no extra codec: none, deflate (two codes), PackBits


def pillow_would_misread(image: PillowImage.Image) -> bool:
    """Whether this is a TIFF of more than 8 bits that is white-is-zero or planar."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    deep = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return deep and (white_is_zero or image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2)


def read_rare_tiff(file: OpenFile, name: str, *, max_pixels: int) -> Image:
    """The first page as H W 3 uint8 RGB, upright; grey or RGB of any numeric type, converted by `rgb_from_array`.

    Raises:
        DatasetError: damaged, too large or of an unsupported kind.
    """
    import tifffile  # 60 ms, for rare files only

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages.first
            _check_page(page, name, max_pixels)
            values = np.moveaxis(page.asarray(), 0, -1) if page.axes == "SYX" else page.asarray()
            image = rgb_from_array(values)
            return turn_upright(
                255 - image if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE else image,
                page.tags.valueof(ExifTags.Base.Orientation, default=1),
            )
    except DatasetError:
        raise
    except Exception as error:  # decoders may raise anything on malformed data
        raise damaged_file_error(name, error) from error


def _check_page(page: Any, name: str, max_pixels: int) -> None:
    """Reject, before unpacking, what cannot be read correctly or needs too much memory."""
    sizes = (page.imagewidth, page.imagelength, page.tilewidth, page.tilelength, page.samplesperpixel)
    if not all(isinstance(size, int) for size in sizes) or len(page.dataoffsets) != math.prod(page.chunked):
        raise damaged_file_error(name, "its data does not match its header")
    check_size(page.imagewidth, page.imagelength, name, max_pixels=max_pixels)
    check_size(page.tilewidth, page.tilelength, name, max_pixels=max_pixels)
    if page.nbytes > MAX_BYTES:
        raise DatasetError(
            f"{name} holds {page.nbytes / 1e6:.0f} MB of {page.dtype}; the limit is {MAX_BYTES / 1e6:.0f} MB, "
            "save it as 8-bit RGB"
        )
    colours = page.samplesperpixel - (page.extrasamples == (2,))  # 2 = unassociated alpha
    known = page.photometric in (0, 1, 2) and page.axes in ("YX", "YXS", "SYX") and colours in (1, 3)
    if not known or page.compression not in _UNPACKED:
        raise DatasetError(
            f"{name} is a TIFF of an unusual kind (photometric {page.photometric}, {page.samplesperpixel} channels, "
            f"{page.dtype}, compression {page.compression}); save it as 8-bit RGB"
        )
