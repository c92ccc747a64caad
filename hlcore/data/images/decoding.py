"""Decode images and label maps from untrusted files."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt, UInt8
from PIL import ExifTags
from PIL import Image as PillowImage

from hlcore.data.images.colour import (
    convert_to_srgb,
    rgb_from_array,
    rgb_from_pillow,
    turn_upright,
)
from hlcore.data.images.deep import read_deep_values
from hlcore.data.images.opening import damaged_file_error, open_file, open_header
from hlcore.data.images.palettes import VOID_COLOURS, find_contradiction, has_only_class_colours
from hlcore.data.images.rare_tiff import pillow_would_misread, read_rare_tiff
from hlcore.data.labels import ClassTable, Colour
from hlcore.errors import DatasetError
from hlcore.types import IGNORE_INDEX, MAX_PIXELS, Image, LabelMap

log = logging.getLogger(__name__)

_LABEL_FORM = "a label map must be a PNG: 8-bit grey or palette with class ids, or RGB in the class colours"


def read_image(
    source: Path | bytes, *, name: str = "upload", max_pixels: int = MAX_PIXELS, white_level: float | None = None
) -> Image:
    """The image as H W 3 uint8 sRGB, upright.

    PNG, JPEG, WebP, TIFF, BMP and GIF of any mode and depth, detected by content. Animations and multi-page files give
    the first image. Transparency is blended with white; `hlcore.data.images.colour` has the other rules.

    Args:
        source: A file, or the bytes of one.
        name: Name of the bytes in error messages; a file is named by its path.
        max_pixels: Larger images are rejected before decoding; Pillow itself rejects more than 179 MP.
        white_level: Value of white in an image of more than 8 bits; None guesses it from the image
            (`guess_white_level`). Give all images of a folder the same one, such as that of `find_white_level`.

    Raises:
        DatasetError: the source is not such an image, is damaged or is too large.
    """
    name = name if isinstance(source, bytes) else str(source)
    with open_file(source, name) as file:
        image = open_header(file, name, max_pixels=max_pixels)
        try:
            if image is None or pillow_would_misread(image):
                values, white_is_zero, orientation = read_rare_tiff(file, name, max_pixels=max_pixels)
                pixels = rgb_from_array(values, white_level=white_level)
                return turn_upright(255 - pixels if white_is_zero else pixels, orientation)
            values = read_deep_values(image, file)
            if values is None:
                image.load()
                pixels = rgb_from_pillow(image)
            else:
                pixels = rgb_from_array(values, white_level=white_level)
                if values.ndim == 3 and values.shape[2] > 2:
                    coloured = PillowImage.fromarray(pixels)
                    pixels = np.array(convert_to_srgb(coloured, image.info.get("icc_profile")))
            return turn_upright(pixels, _orientation(image))
        except DatasetError:
            raise
        except Exception as error:  # decoders may raise anything on malformed data
            raise damaged_file_error(name, error) from error


def read_label_map(
    source: Path | bytes,
    *,
    classes: ClassTable,
    ignored: Collection[int] = (),
    size: tuple[int, int] | None = None,
    name: str = "upload",
    max_pixels: int = MAX_PIXELS,
) -> LabelMap:
    """The label map as H W uint8 class indices with 255 = ignored, upright.

    A grey or palette PNG holds class indices; an RGB PNG holds the colours of `classes`, with black, white and the
    cream of Pascal VOC (224, 224, 192) as ignored unless a class has that colour. A palette PNG is read by its colours
    too if all of them are such colours, but in another order than the indices (`find_contradiction`).

    Args:
        source: A PNG file, or the bytes of one.
        classes: The classes of the data set.
        ignored: Ids that mean "ignored", in addition to 255.
        size: (H, W) of its image, or None for any size.
        name: Name of the bytes in error messages; a file is named by its path.
        max_pixels: Larger label maps are rejected before decoding.

    Raises:
        DatasetError: not a PNG, damaged, of another size, with a value or colour that is not a class, or with a palette
            that contradicts the indices in part.
    """
    name = name if isinstance(source, bytes) else str(source)
    pixels, colours = _read_label_pixels(source, name, max_pixels)
    if size is not None:
        check_label_size(pixels.shape[:2], size, name=name)
    if pixels.ndim == 3:
        return _map_colours(pixels, _find_classes(classes), classes, name)
    ids = dict.fromkeys(ignored, IGNORE_INDEX) | {i: i for i in (*range(len(classes.names)), IGNORE_INDEX)}
    if (contradiction := find_contradiction(colours, ids, classes)) and has_only_class_colours(colours, classes):
        log.info("%s is read by the colours of its palette: %s", name, contradiction)
        of_slot = np.array([colours.get(slot) or (0, 0, 0) for slot in range(256)], dtype=np.uint8)
        return _map_colours(of_slot[pixels], _find_classes(classes), classes, name)
    return _map_ids(pixels, ids, name, contradiction)


def read_class_ids(
    source: Path | bytes,
    *,
    ids: Mapping[int, int],
    classes: ClassTable,
    coloured: Sequence[int] | None = None,
    colours: Mapping[Colour, int] | None = None,
    name: str = "label map",
) -> LabelMap:
    """The label file of a data set as H W uint8 class indices with 255 = ignored.

    Args:
        source: A grey or palette PNG, or an RGB one if there are `colours`; a file, or the bytes of one.
        ids: Value in the file to class index, for every valid value.
        classes: The classes, to refuse a palette with their colours in another order.
        coloured: Indices of the classes whose colours are known. Default: all.
        colours: Colour in an RGB file to class index, for every valid colour; empty if some class has none of its own.
        name: Name of the bytes in error messages; a file is named by its path.

    Raises:
        DatasetError: not such a PNG, damaged, with a value that is not in `ids`, or with a palette that contradicts it.
    """
    name = name if isinstance(source, bytes) else str(source)
    pixels, of_palette = _read_label_pixels(source, name, MAX_PIXELS)
    if pixels.ndim == 2:
        return _map_ids(pixels, ids, name, find_contradiction(of_palette, ids, classes, coloured=coloured))
    if colours is None:
        raise DatasetError(f"{name} is a colour PNG; expected a grey or palette PNG whose values are class ids")
    if not colours:
        raise DatasetError(
            f"{name} is a colour PNG, but not every class has a colour of its own in the list of classes; add them"
        )
    return _map_colours(pixels, {colour: (index,) for colour, index in colours.items()}, classes, name)


def read_label_ids(source: Path) -> LabelMap:
    """The values of a label file, H W, for data whose classes are not listed.

    Raises:
        DatasetError: not a grey or palette PNG of at least 8 bits, or damaged.
    """
    pixels, _ = _read_label_pixels(source, str(source), MAX_PIXELS)
    if pixels.ndim != 2:
        raise DatasetError(f"{source} is a colour PNG; list the classes with their colours in a classes.json")
    return pixels


def check_label_size(size: tuple[int, ...], image_size: tuple[int, ...], *, name: str, image: str = "") -> None:
    """Check that a label map has the (H, W) of its image; `image` is the name of the image, if it has one.

    Raises:
        DatasetError: it has another size.
    """
    if tuple(size) != tuple(image_size):
        owner = f"its image {image}" if image else "its image"
        raise DatasetError(
            f"{name} is {size[1]} x {size[0]} px but {owner} is {image_size[1]} x {image_size[0]} px; a label map must "
            f"have its image's size, so export it again{describe_turn(size, image_size)}"
        )


def describe_turn(size: tuple[int, ...], image_size: tuple[int, ...]) -> str:
    """A likely cause of two different sizes (H, W), to end a sentence: a rotation by 90°, if it explains them.

    Example:
        >>> describe_turn((640, 480), (480, 640))
        '; one of them may be rotated by 90°'
    """
    return "; one of them may be rotated by 90°" if tuple(size) == tuple(image_size[::-1]) else ""


def _orientation(image: PillowImage.Image) -> int:
    """EXIF orientation, 1 to 8; 1 if the EXIF block is broken, as in image viewers."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception as error:  # noqa: BLE001 - decoders may raise anything on malformed data
        log.info("ignoring a broken EXIF block: %s", error)
        return 1


def _read_label_pixels(
    source: Path | bytes, name: str, max_pixels: int
) -> tuple[UInt[np.ndarray, "H W *channels"], dict[int, Colour | None]]:
    """H W ids (uint8 or uint16) or H W 3 colours; and of a palette PNG, the colour of each id in use."""
    with open_file(source, name) as file:
        image = open_header(file, name, max_pixels=max_pixels)
        if image is None or image.format != "PNG":
            raise DatasetError(f"{name} is a {image.format if image else 'TIFF'}; {_LABEL_FORM}")
        if image.mode in ("1", "L") and image.tile[0].args != "L":
            raise DatasetError(f"{name} is a grey PNG of fewer than 8 bits, whose ids may be scaled; {_LABEL_FORM}")
        try:
            image.load()
            pixels = turn_upright(np.array(image), _orientation(image))
        except Exception as error:  # decoders may raise anything on malformed data
            raise damaged_file_error(name, error) from error
    if image.mode in ("LA", "RGBA"):
        if (pixels[..., -1] != 255).any():
            raise DatasetError(f"{name} is partly transparent; {_LABEL_FORM}")
        return (pixels[..., 0] if image.mode == "LA" else pixels[..., :3]), {}
    if image.mode != "P":
        return pixels, {}
    channels = image.getpalette("RGB") or []
    palette = dict(enumerate(zip(channels[::3], channels[1::3], channels[2::3], strict=True)))
    return pixels, {slot: palette.get(slot) for slot in np.unique(pixels).tolist()}


def _map_ids(pixels: UInt[np.ndarray, "H W"], ids: Mapping[int, int], name: str, contradiction: str) -> LabelMap:
    if contradiction:
        raise DatasetError(
            f"{name} is a palette PNG with the class colours in another order: {contradiction}; "
            "save it as 8-bit grey with class ids"
        )
    class_of = np.full(np.iinfo(pixels.dtype).max + 1, -1, dtype=np.int16)
    possible = [value for value in ids if value < len(class_of)]
    class_of[possible] = [ids[value] for value in possible]
    label_map = class_of[pixels]
    if (label_map < 0).any():
        values, counts = np.unique(pixels[label_map < 0], return_counts=True)
        strays = _join_items([f"{value} ({count} px)" for value, count in zip(values, counts, strict=True)])
        raise DatasetError(
            f"{name} contains unknown class ids: {strays}; expected {_format_ranges(sorted(ids))}. "
            "Map them to a class or to the ignored value"
        )
    return label_map.astype(np.uint8)


def _find_classes(classes: ClassTable) -> dict[Colour, tuple[int, ...]]:
    """Colour to the classes that have it, or to "ignored" for the usual colours of unlabelled pixels."""
    found = dict.fromkeys(VOID_COLOURS, (IGNORE_INDEX,))
    return found | {
        colour: tuple(index for index, other in enumerate(classes.palette) if other == colour)
        for colour in classes.palette
    }


def _map_colours(
    pixels: UInt8[np.ndarray, "H W 3"], classes_of: Mapping[Colour, tuple[int, ...]], classes: ClassTable, name: str
) -> LabelMap:
    keys = pixels.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    found, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    indices, strays = np.full(len(found), IGNORE_INDEX, dtype=np.uint8), []
    for position, (key, count) in enumerate(zip(found.tolist(), counts, strict=True)):
        colour = (key >> 16, key >> 8 & 255, key & 255)
        named = classes_of.get(colour, ())
        if len(named) > 1:
            shared = " and ".join(classes.names[index] for index in named)
            raise DatasetError(f"{name}: {shared} have the same colour {colour}; use a grey PNG with class ids")
        if named:
            indices[position] = named[0]
        else:
            strays.append(f"{colour} ({count} px)")
    if strays:
        raise DatasetError(
            f"{name} contains unknown colours: {_join_items(strays)}; expected the "
            f"{len(classes.names)} colours of the class table, without anti-aliasing, or a grey PNG with class ids"
        )
    return indices[inverse].reshape(keys.shape)


def _join_items(items: list[str]) -> str:
    return ", ".join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")


def _format_ranges(ids: list[int]) -> str:
    """Sorted numbers as ranges, e.g. "0 to 10, 255"."""
    starts = [value for value in ids if value - 1 not in ids]
    ends = [value for value in ids if value + 1 not in ids]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))
