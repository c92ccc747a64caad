"""Small square cut-outs of several maps around one region, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8

from hlcore.errors import InvalidInputError
from hlcore.types import Image

TILE_PX = 108
"""Side of a cut-out on the page."""
GAP_PX = 6
_SIDES = (27, 36, 54, 108)
"""Sides of a window, px, that fit a tile in whole enlargements: 4, 3, 2 and 1 times."""
_MARGIN = 1.5
"""How much longer than its region a window is, at least."""


class Box(NamedTuple):
    """A part of an image: image[top:bottom, left:right]."""

    left: int
    top: int
    right: int
    bottom: int


def window(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns around a box: a square that fills a tile in whole steps, moved or cut so as to stay inside.

    Args:
        box: What is to be seen.
        size: (H, W) of the image.

    Example:
        >>> window(Box(10, 10, 20, 30), (100, 200))
        (slice(2, 38, None), slice(0, 36, None))
    """
    longest = _MARGIN * max(box.right - box.left, box.bottom - box.top)
    side = next((side for side in _SIDES if side >= longest), TILE_PX * int(np.ceil(longest / TILE_PX)))
    rows = _around(box.top, box.bottom, side, size[0])
    return rows, _around(box.left, box.right, side, size[1])


def crop_strip(
    pictures: Sequence[Image], inside: Bool[np.ndarray, "H W"], box: Box
) -> UInt8[np.ndarray, "tile strip 4"]:
    """Cut-outs of the pictures around a box, enlarged or thinned in whole steps, with the region outlined; RGBA.

    A pixel stays one colour: nothing is blurred. What lies outside the image, and the gaps, are transparent.

    Args:
        pictures: Of one size.
        inside: The region's pixels.
        box: Around them.

    Raises:
        InvalidInputError: the sizes differ.
    """
    if any(picture.shape[:2] != inside.shape for picture in pictures):
        sizes = ", ".join(str(picture.shape[:2]) for picture in pictures)
        raise InvalidInputError(f"pictures must have the region's size {inside.shape}, got {sizes}")
    where = window(box, inside.shape)
    outer, inner = _outline(_tile(inside[where]))
    strip = np.zeros((TILE_PX, len(pictures) * (TILE_PX + GAP_PX) - GAP_PX, 4), np.uint8)
    for index, picture in enumerate(pictures):
        tile = _tile(np.dstack([picture[where], np.full(inside[where].shape, 255, np.uint8)]))
        tile[outer & (tile[..., 3] > 0)] = (0, 0, 0, 255)
        tile[inner] = (255, 255, 255, 255)
        strip[:, index * (TILE_PX + GAP_PX) :][:, :TILE_PX] = tile
    return strip


def _around(start: int, stop: int, side: int, length: int) -> slice:
    """`side` px with start..stop in their middle, inside 0..length."""
    first = max(0, min((start + stop - side) // 2, length - side))
    return slice(first, min(length, first + side))


def _tile(part: np.ndarray) -> np.ndarray:
    """The part at a tile's size: each pixel repeated, or every n-th taken; zeros below and to the right of it."""
    height, width = part.shape[:2]
    side = next((side for side in _SIDES if side >= max(height, width)), None)
    if side is None:
        step = int(np.ceil(max(height, width) / TILE_PX))
        scaled = part[::step, ::step]
    else:
        scaled = part.repeat(TILE_PX // side, axis=0).repeat(TILE_PX // side, axis=1)
    tile = np.zeros((TILE_PX, TILE_PX, *part.shape[2:]), part.dtype)
    tile[: scaled.shape[0], : scaled.shape[1]] = scaled
    return tile


def _outline(inside: Bool[np.ndarray, "H W"]) -> tuple[Bool[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """The pixels just outside a region and its own outermost (4 neighbours)."""
    neighbours = np.pad(inside, 1, constant_values=False)
    views = [neighbours[1 + down : -1 + down or None, 1 + right : -1 + right or None] for down, right in _STEPS]
    return ~inside & np.any(views, axis=0), inside & ~np.all(views, axis=0)


_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
