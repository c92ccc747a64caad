"""Maps as pictures: numbers or classes in, RGB out."""

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PillowImage

from hlcore.errors import InvalidInputError
from hlcore.figures.style import MISSING, Colour, ScaleName, colour_scale
from hlcore.types import Image, LabelMap


def colour_map(values: Float[np.ndarray, "H W"], *, scale: ScaleName, low: float, high: float) -> Image:
    """Each value in its colour: `low` and below in the scale's first, `high` and above in its last, NaN in grey.

    Raises:
        InvalidInputError: `high` is not above `low`.

    Example:
        >>> colour_map(np.array([[0.0, 2.0, np.nan]]), scale="grey", low=0, high=1).tolist()
        [[[0, 0, 0], [255, 255, 255], [122, 122, 122]]]
    """
    if not high > low:
        raise InvalidInputError(f"high must be above low, got low={low} and high={high}")
    missing = np.isnan(values)
    steps = np.clip((np.where(missing, low, values) - low) / (high - low), 0, 1)
    colours = colour_scale(scale)[np.rint(255 * steps).astype(np.uint8)]
    colours[missing] = MISSING
    return colours


def colour_classes(label_map: LabelMap, palette: tuple[Colour, ...]) -> Image:
    """Each class in its colour of the palette; an index without a colour, such as 255 = ignored, in grey.

    Example:
        >>> colour_classes(np.array([[0, 1, 255]]), ((9, 9, 9), (1, 2, 3))).tolist()
        [[[9, 9, 9], [1, 2, 3], [122, 122, 122]]]
    """
    return class_colours(palette)[np.minimum(label_map, 255)]


def class_colours(palette: tuple[Colour, ...]) -> UInt8[np.ndarray, "256 3"]:
    """The colour of every index from 0 to 255: the palette's, then grey.

    Raises:
        InvalidInputError: the palette has more than 255 colours, which leaves none for ignored pixels.
    """
    if len(palette) > 255:
        raise InvalidInputError(f"a palette has at most 255 colours, got {len(palette)}")
    colours = np.full((256, 3), MISSING, dtype=np.uint8)
    if palette:
        colours[: len(palette)] = palette
    return colours


def overlay(
    image: Image, colours: UInt8[np.ndarray, "h w 3"], *, opacity: float, where: Bool[np.ndarray, "H W"] | None = None
) -> Image:
    """The colours over the image; outside `where`, if given, the image dimmed to a dark grey instead.

    Args:
        image: what lies below.
        colours: what lies above, of the same size.
        opacity: 0 shows the image alone, 1 the colours alone.
        where: the pixels that are coloured. Default: all.

    Raises:
        InvalidInputError: the sizes differ or the opacity lies outside 0..1.

    Example:
        >>> black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
        >>> overlay(black, white, opacity=0.2).tolist()
        [[[51, 51, 51]]]
    """
    if image.shape != colours.shape:
        raise InvalidInputError(f"colours must have the image's shape {image.shape}, got {colours.shape}")
    if not 0 <= opacity <= 1:
        raise InvalidInputError(f"opacity must lie in 0..1, got {opacity}")
    mixed = np.rint((1 - opacity) * image + opacity * colours.astype(np.float32)).astype(np.uint8)
    return mixed if where is None else np.where(where[..., None], mixed, dim(image))


def dim(image: Image) -> Image:
    """The image in dark grey, so that what is drawn over parts of it stands out.

    Source: luma of ITU-R BT.601.

    Example:
        >>> dim(np.full((1, 1, 3), 200, np.uint8)).tolist()
        [[[90, 90, 90]]]
    """
    luma = image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.repeat(np.rint(0.45 * luma).astype(np.uint8)[..., None], 3, axis=2)


def resize_map(values: Float[np.ndarray, "H W"], size: tuple[int, int]) -> Float[np.ndarray, "h w"]:
    """The map at another (height, width), bilinear; for showing, since the network never said these values.

    Example:
        >>> resize_map(np.array([[0.0, 1.0]], np.float32), (1, 4)).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    height, width = size
    picture = PillowImage.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((width, height), PillowImage.Resampling.BILINEAR))
