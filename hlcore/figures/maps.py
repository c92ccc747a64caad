"""Colour and resize maps for display."""

import numpy as np
from jaxtyping import Float
from PIL import Image as PillowImage

from hlcore.errors import InvalidInputError
from hlcore.figures.style import MISSING, ScaleName, colour_scale
from hlcore.types import Image


def apply_colour_scale(values: Float[np.ndarray, "H W"], *, scale: ScaleName, low: float, high: float) -> Image:
    """RGB image of a map: values up to `low` get the first colour, from `high` the last, NaN is grey.

    Raises:
        InvalidInputError: `high` is not above `low`.

    Example:
        >>> apply_colour_scale(np.array([[0.0, 2.0, np.nan]]), scale="grey", low=0, high=1).tolist()
        [[[0, 0, 0], [255, 255, 255], [122, 122, 122]]]
    """
    if not high > low:
        raise InvalidInputError(f"high must be above low, got low={low} and high={high}")
    missing = np.isnan(values)
    steps = np.clip((np.where(missing, low, values) - low) / (high - low), 0, 1)
    colours = colour_scale(scale)[np.rint(255 * steps).astype(np.uint8)]
    colours[missing] = MISSING
    return colours


def resize_map(values: Float[np.ndarray, "H W"], size: tuple[int, int]) -> Float[np.ndarray, "h w"]:
    """The map at another (height, width), bilinear. For display only: these are not values of the network.

    Example:
        >>> resize_map(np.array([[0.0, 1.0]], np.float32), (1, 4)).tolist()
        [[0.0, 0.25, 0.75, 1.0]]
    """
    height, width = size
    picture = PillowImage.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize((width, height), PillowImage.Resampling.BILINEAR))
