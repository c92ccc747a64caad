"""Read TIFFs that Pillow cannot read or reads wrongly: float RGB, 64-bit, deep planar or white-is-zero."""

import io
import math
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Num
from PIL import ExifTags, TiffImagePlugin, TiffTags
from PIL import Image as PillowImage

from hlcore.data.images.opening import OpenFile, check_size, damaged_file_error
from hlcore.errors import DatasetError

MAX_BYTES = 256_000_000
"""Largest array to unpack from a rare TIFF, whatever its number of pixels."""

_UNPACKED = (1, 8, 32946, 32773)  # compressions that need no extra codec: none, deflate (two codes), PackBits
_LZW = 5

_PREFIXES = {"<": b"II", ">": b"MM"}


class RareTiff(NamedTuple):
    """The first page of a TIFF, before rotation by EXIF."""

    values: Num[np.ndarray, "H W *channels"]
    white_is_zero: bool
    orientation: int
    """EXIF orientation, 1 to 8."""


def pillow_would_misread(image: PillowImage.Image) -> bool:
    """Whether this is a TIFF of more than 8 bits that is white-is-zero or planar."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    deep = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return deep and (white_is_zero or image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2)


def read_rare_tiff(file: OpenFile, name: str, *, max_pixels: int) -> RareTiff:
    """The first page: grey or RGB of any numeric type.

    Raises:
        DatasetError: too large or of an unsupported kind.
        Exception: damaged; decoders may raise anything.
    """
    import tifffile  # 60 ms, for rare files only

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        _check_page(page, name, max_pixels)
        values = page.asarray() if page.compression in _UNPACKED else _read_planes(file, page)
        return RareTiff(
            np.moveaxis(values, 0, -1) if page.axes == "SYX" else values,
            page.photometric == tifffile.PHOTOMETRIC.MINISWHITE,
            page.tags.valueof(ExifTags.Base.Orientation, default=1),
        )


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
    if not known:
        raise DatasetError(
            f"{name} is a TIFF of an unusual kind (photometric {page.photometric}, {page.samplesperpixel} channels, "
            f"{page.dtype}, compression {page.compression}); save it as 8-bit RGB"
        )
    if page.compression not in _UNPACKED and not _is_planes_for_pillow(page):
        raise DatasetError(
            f"{name} is a TIFF of {page.samplesperpixel} channels of {page.dtype} compressed with "
            f"{page.compression.name}, which cannot be unpacked; save it without compression or as 8-bit RGB"
        )


def _is_planes_for_pillow(page: Any) -> bool:
    """Whether `_read_planes` can read the page."""
    one_by_one = page.axes == "SYX" or page.samplesperpixel == 1
    return one_by_one and page.dtype == np.uint16 and page.bitspersample == 16 and page.compression == _LZW


def _read_planes(file: OpenFile, page: Any) -> Num[np.ndarray, "*channels H W"]:
    """Each plane as Pillow decodes it. Pillow can unpack LZW but misreads deep planes, so each becomes a grey file."""
    planes, chunks = [], len(page.dataoffsets) // page.samplesperpixel
    for start in range(0, len(page.dataoffsets), chunks):
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))[start : start + chunks]
        planes.append(_read_grey(file, page, places))
    return np.stack(planes) if page.axes == "SYX" else planes[0]


def _read_grey(file: OpenFile, page: Any, places: list[tuple[int, int]]) -> Num[np.ndarray, "H W"]:
    """The strips or tiles at these (offset, length) in the file, as a grey image of the page's size and compression."""
    packed = []
    for offset, length in places:
        file.seek(offset)
        packed.append(file.read(length))
    starts = list(accumulate(map(len, packed[:-1]), initial=0))
    tags, directory = ExifTags.Base, TiffImagePlugin.ImageFileDirectory_v2(prefix=_PREFIXES[page.parent.byteorder])
    directory[tags.ImageWidth], directory[tags.ImageLength] = page.imagewidth, page.imagelength
    directory[tags.BitsPerSample], directory[tags.SamplesPerPixel] = 16, 1
    directory[tags.Compression], directory[tags.Predictor] = int(page.compression), int(page.predictor)
    directory[tags.PhotometricInterpretation] = 1  # 0 is black
    if page.is_tiled:
        directory[tags.TileWidth], directory[tags.TileLength] = page.tilewidth, page.tilelength
        directory[tags.TileByteCounts], directory[tags.TileOffsets] = list(map(len, packed)), starts
        directory.tagtype[tags.TileOffsets] = TiffTags.LONG
        end = directory.save(io.BytesIO())
        directory[tags.TileOffsets] = [end + start for start in starts]
    else:
        directory[tags.RowsPerStrip] = page.rowsperstrip
        directory[tags.StripByteCounts] = list(map(len, packed))
        directory[tags.StripOffsets] = starts  # `save` adds its own length
    grey = io.BytesIO()
    directory.save(grey)
    grey.writelines(packed)
    with PillowImage.open(grey, formats=["TIFF"]) as image:
        return np.asarray(image)
