"""The numbers of images of more than 8 bits, of which Pillow keeps only the upper byte in colour images."""

import re
import sys

import numpy as np
from jaxtyping import Num
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from hlcore.data.images.opening import OpenFile

_OTHER_BYTE = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
"""Byte order of 16-bit numbers to that in which Pillow takes their other byte for the upper one."""


def read_deep_values(image: ImageFile, file: OpenFile) -> Num[np.ndarray, "H W *channels"] | None:
    """The numbers of an opened image as they are in its file; None for an image of 8 bits, which is not decoded."""
    raw_mode = _raw_mode(image)
    if raw_mode == "LA;16B":  # grey and alpha of a PNG: read as if its four bytes were four channels
        _set_raw_mode(image, "RGBA")
        high_low = np.asarray(image).astype(np.uint16)
        return high_low[..., ::2] << 8 | high_low[..., 1::2]
    if re.fullmatch("RGB[XA]?;16[BLN]", raw_mode):
        high = np.asarray(image).astype(np.uint16)
        file.seek(0)
        again = PillowImage.open(file, formats=[image.format or ""])
        _set_raw_mode(again, raw_mode[:-1] + _OTHER_BYTE[raw_mode[-1]])
        values = np.left_shift(high, 8, out=high)
        values |= np.asarray(again)
        return _with_alpha(values, image.info.get("transparency"))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    return None


def _raw_mode(image: ImageFile) -> str:
    """Pillow's name for the layout of the numbers in the file."""
    arguments = image.tile[0].args if image.tile else ""
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _set_raw_mode(image: ImageFile, raw_mode: str) -> None:
    """Make Pillow decode another layout of the same size."""
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]


def _with_alpha(values: Num[np.ndarray, "H W C"], transparent: object) -> Num[np.ndarray, "H W D"]:
    """The values with an alpha channel if one colour is transparent."""
    if not isinstance(transparent, tuple):
        return values
    opaque = (values != np.array(transparent)).any(axis=-1, keepdims=True)
    return np.concatenate([values, opaque * np.uint16(65535)], axis=-1)
