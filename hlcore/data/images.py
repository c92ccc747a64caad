"""Safe decoding of untrusted images and label maps: every file becomes right pixels or one sentence."""

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, TiffImagePlugin, UnidentifiedImageError
from PIL import Image as PillowImage

from hlcore.data.colour import rgb_from_array, rgb_from_pillow, upright
from hlcore.data.labels import ClassTable
from hlcore.errors import DatasetError
from hlcore.types import IGNORE_INDEX, Image, LabelMap

log = logging.getLogger(__name__)

MAX_PIXELS = 64_000_000
"""The largest image read unless the caller says otherwise; its RGB array takes 192 MB."""

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
READABLE = "PNG, JPEG, WebP, TIFF, BMP or GIF"

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TIFFFILE_UNPACKS = (1, 8, 32946, 32773)  # none, deflate, PackBits: what it unpacks without further packages
_IMAGE_STARTS = (*_TIFF_STARTS, b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8")
_OTHER_STARTS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a video",
    b"8BPS": "a Photoshop document",
    b"\x93NUMPY": "a NumPy array",
}
_VOID_COLOURS = ((0, 0, 0), (255, 255, 255), (224, 224, 192))


def read_image(source: Path | bytes, *, name: str = "upload", max_pixels: int = MAX_PIXELS) -> Image:
    """The image as H W 3 uint8 sRGB, upright.

    PNG, JPEG, WebP, TIFF, BMP and GIF of any mode and depth; the content decides, not the suffix. Of an animation or a
    stack of pages, the first. Transparency is laid over white; `hlcore.data.colour` states the other rules.

    Args:
        source: A file, or the bytes of one.
        name: What to call the bytes in errors; a file is called by its path.
        max_pixels: Larger images are refused before they are decoded; Pillow itself refuses more than 179 MP.

    Raises:
        DatasetError: the source is no such image, is damaged, or is too large.
    """
    with _opened(source, name) as file:
        name = _name(source, name)
        try:
            image = _open(file, name, max_pixels)
        except UnidentifiedImageError:
            return _read_rare_tiff(file, name, max_pixels)
        if _pillow_would_misread(image):
            return _read_rare_tiff(file, name, max_pixels)
        try:
            image.load()
            return upright(rgb_from_pillow(image), _orientation(image))
        except Exception as error:  # decoders answer hostile bytes with any exception there is
            raise _damaged(name, error) from error


def read_label_map(
    source: Path | bytes,
    *,
    classes: ClassTable,
    size: tuple[int, int] | None = None,
    name: str = "upload",
    max_pixels: int = MAX_PIXELS,
) -> LabelMap:
    """The label map as H W uint8 class indices with 255 = ignored.

    A grey or palette PNG holds class indices; an RGB PNG holds the colours of `classes`, with black, white and the cream
    of Pascal VOC (224, 224, 192) as ignored where no class has that colour.

    Args:
        source: A PNG file, or the bytes of one.
        classes: The classes it may name.
        size: (H, W) of the image it belongs to, or None to take any.
        name: What to call the bytes in errors; a file is called by its path.
        max_pixels: Larger label maps are refused before they are decoded.

    Raises:
        DatasetError: not a PNG, damaged, another size, or a value or colour that names no class.
    """
    pixels, name = _read_label_pixels(source, name, max_pixels), _name(source, name)
    if size is not None and pixels.shape[:2] != size:
        raise DatasetError(
            f"{name} is {pixels.shape[1]} x {pixels.shape[0]} px but its image is {size[1]} x {size[0]} px; "
            "a label map must have its image's size"
        )
    if pixels.ndim == 3:
        return _class_of_colour(pixels, classes, name)
    ids = {index: index for index in (*range(len(classes.names)), IGNORE_INDEX)}
    return _class_of_id(pixels, ids, name)


def read_class_ids(path: Path, *, ids: Mapping[int, int]) -> LabelMap:
    """The label file of a data set as H W uint8 class indices with 255 = ignored.

    Args:
        path: A grey or palette PNG.
        ids: Value in the file to class index; every value that may occur stands here.

    Raises:
        DatasetError: not such a PNG, damaged, or a value that is not in `ids`.
    """
    pixels = _read_label_pixels(path, "", MAX_PIXELS)
    if pixels.ndim == 3:
        raise DatasetError(f"{path} is a colour PNG; expected a grey or palette PNG whose values are class ids")
    return _class_of_id(pixels, ids, str(path))


def _name(source: Path | bytes, name: str) -> str:
    return name if isinstance(source, bytes) else str(source)


def _opened(source: Path | bytes, name: str) -> BinaryIO:
    name = _name(source, name)
    if not isinstance(source, bytes) and source.is_dir():
        raise DatasetError(f"{name} is a folder; expected one {READABLE} file")
    if not isinstance(source, bytes) and not source.is_file():
        raise DatasetError(f"{name} does not exist or is not a file; expected one {READABLE} file")
    if not (len(source) if isinstance(source, bytes) else source.stat().st_size):
        raise DatasetError(f"{name} is empty (0 bytes); expected one {READABLE} file")
    try:
        return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise DatasetError(f"{name} cannot be opened ({error.strerror}); check who may read it") from error


def _open(file: BinaryIO, name: str, max_pixels: int) -> PillowImage.Image:
    """The header of an image within the limit, no pixels yet; UnidentifiedImageError for a TIFF Pillow does not know."""
    head = file.read(512)
    file.seek(0)
    try:
        image = PillowImage.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        if head.startswith(_TIFF_STARTS):
            raise
        if head.startswith(_IMAGE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
            raise _damaged(name, "its header cannot be read") from error
        raise DatasetError(f"{name} is {_kind(head)} and not an image of a known kind; use {READABLE}") from error
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        limit = min(max_pixels, 2 * (PillowImage.MAX_IMAGE_PIXELS or max_pixels)) / 1e6
        raise DatasetError(f"{name} has far too many pixels; the limit is {limit:.4g} MP, scale it down") from error
    except Exception as error:  # decoders answer hostile bytes with any exception there is
        raise _damaged(name, error) from error
    _check_size(image.width, image.height, name, max_pixels)
    return image


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise DatasetError(
            f"{name} has {width} x {height} px = {width * height / 1e6:.1f} MP; "
            f"the limit is {max_pixels / 1e6:g} MP, scale it down"
        )


def _pillow_would_misread(image: PillowImage.Image) -> bool:
    """Whether this is a TIFF of more than 8 bits with 0 as white, or with one plane a colour."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    deep = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8
    white_is_zero = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    return deep and (white_is_zero or image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2)


def _read_rare_tiff(file: BinaryIO, name: str, max_pixels: int) -> Image:
    """A TIFF that Pillow does not know (float RGB, 64-bit, deep colour planes), through tifffile."""
    import tifffile  # 60 ms, for rare files only

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as tiff:
            page = tiff.pages.first
            _check_size(page.imagewidth, page.imagelength, name, max_pixels)
            grey_or_rgb = page.photometric in (0, 1, 2) and page.axes in ("YX", "YXS", "SYX")
            alpha = page.extrasamples == (2,)
            if (
                not grey_or_rgb
                or page.samplesperpixel - alpha not in (1, 3)
                or page.compression not in _TIFFFILE_UNPACKS
            ):
                raise DatasetError(
                    f"{name} is a TIFF of an unusual kind ({page.photometric.name}, {page.samplesperpixel} channels, "
                    f"{page.dtype}, compression {page.compression.name}); save it as 8-bit RGB"
                )
            values = np.moveaxis(page.asarray(), 0, -1) if page.axes == "SYX" else page.asarray()
            image = rgb_from_array(values)
            image = 255 - image if page.photometric == 0 else image
            return upright(image, page.tags.valueof(ExifTags.Base.Orientation, default=1))
    except DatasetError:
        raise
    except Exception as error:  # decoders answer hostile bytes with any exception there is
        raise _damaged(name, error) from error


def _orientation(image: PillowImage.Image) -> int:
    """The EXIF orientation, 1 to 8; a broken EXIF block counts as none (1), as in every viewer."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception as error:  # noqa: BLE001 - decoders answer hostile bytes with any exception there is
        log.info("ignoring a broken EXIF block: %s", error)
        return 1


def _read_label_pixels(source: Path | bytes, name: str, max_pixels: int) -> UInt8[np.ndarray, "H W *channels"]:
    """H W ids (uint8 or uint16), or H W 3 colours."""
    lossless = "a label map must be a PNG (8-bit grey or palette with class ids, or RGB in the class colours)"
    with _opened(source, name) as file:
        name = _name(source, name)
        try:
            image = _open(file, name, max_pixels)
        except UnidentifiedImageError as error:
            raise DatasetError(f"{name} is a TIFF; {lossless}") from error
        if image.format != "PNG":
            raise DatasetError(f"{name} is a {image.format}; {lossless}")
        raw_mode = image.tile[0].args if image.tile else image.mode
        if raw_mode in ("1", "L;2", "L;4"):
            raise DatasetError(f"{name} is a grey PNG of fewer than 8 bits, whose ids may be scaled; {lossless}")
        try:
            image.load()
            pixels = np.array(image)
        except Exception as error:  # decoders answer hostile bytes with any exception there is
            raise _damaged(name, error) from error
    if image.mode in ("LA", "RGBA"):
        if (pixels[..., -1] != 255).any():
            raise DatasetError(f"{name} is partly transparent; {lossless}")
        pixels = pixels[..., 0] if image.mode == "LA" else pixels[..., :3]
    return pixels


def _class_of_id(pixels: np.ndarray, ids: Mapping[int, int], name: str) -> LabelMap:
    class_of = np.full(np.iinfo(pixels.dtype).max + 1, -1, dtype=np.int16)
    class_of[list(ids)] = list(ids.values())
    label_map = class_of[pixels]
    if (label_map < 0).any():
        values, counts = np.unique(pixels[label_map < 0], return_counts=True)
        strays = _listed([f"{value} ({count} px)" for value, count in zip(values, counts, strict=True)])
        raise DatasetError(
            f"{name} has values that name no class: {strays}; expected {_ranges(sorted(ids))}. "
            "Map them to a class or to the ignored value"
        )
    return label_map.astype(np.uint8)


def _class_of_colour(pixels: UInt8[np.ndarray, "H W 3"], classes: ClassTable, name: str) -> LabelMap:
    keys = pixels.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    label_map = np.full(keys.shape, IGNORE_INDEX, dtype=np.uint8)
    strays = []
    for key, count in zip(*np.unique(keys, return_counts=True), strict=True):
        colour = (int(key) >> 16, int(key) >> 8 & 255, int(key) & 255)
        named = [index for index, of_class in enumerate(classes.palette) if of_class == colour]
        if len(named) > 1:
            shared = " and ".join(classes.names[index] for index in named)
            raise DatasetError(f"{name}: {shared} have the same colour {colour}; use a grey PNG with class ids")
        if named:
            label_map[keys == key] = named[0]
        elif colour not in _VOID_COLOURS:
            strays.append(f"{colour} ({count} px)")
    if strays:
        raise DatasetError(
            f"{name} has colours that name no class: {_listed(strays)}; expected the {len(classes.names)} colours of "
            "the class table, without smoothing, or a grey PNG with class ids"
        )
    return label_map


def _listed(items: list[str]) -> str:
    return ", ".join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")


def _ranges(ids: list[int]) -> str:
    """Sorted numbers in words, e.g. "0 to 10, 255"."""
    starts = [value for value in ids if value - 1 not in ids]
    ends = [value for value in ids if value + 1 not in ids]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))


def _kind(head: bytes) -> str:
    for start, kind in _OTHER_STARTS.items():
        if head.startswith(start):
            return kind
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        pictures = {b"avif": "an AVIF picture", b"avis": "an AVIF picture"}
        heic = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis")
        return "a HEIC picture" if brand in heic else pictures.get(brand, "a video")
    if head[:4] == b"RIFF":
        return "a video or sound"
    if b"<svg" in head.lower():
        return "an SVG drawing"
    text = b"\0" not in head and not any(byte < 9 for byte in head)
    return "a text file" if text else "a file of unknown content"


def _damaged(name: str, error: object) -> DatasetError:
    detail = f" ({error})" if " " in str(error) else ""
    return DatasetError(f"{name} is damaged or incomplete{detail}; save it again as {READABLE}")
