"""Convert images to 8-bit sRGB: white level, transparency, palettes, CMYK, CIELAB, embedded profiles."""

import io
import logging

import numpy as np
from jaxtyping import Num, UInt, UInt8
from PIL import Image as PillowImage
from PIL import ImageChops, ImageCms

from hlcore.data.images.white_level import guess_white_level, leave_out_alpha
from hlcore.errors import InvalidInputError
from hlcore.types import Image

log = logging.getLogger(__name__)

_VALUES_AT_ONCE = 4_000_000
"""So many numbers are scaled at once, to need little memory."""
_MODE_OF_PROFILE = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}


def rgb_from_pillow(image: PillowImage.Image) -> Image:
    """Pixels of a loaded Pillow image of 8 bits as H W 3 uint8 sRGB, before rotation by EXIF.

    Transparent pixels are blended with white. An embedded colour profile is applied; a broken or unsuitable one is
    logged and ignored.
    """
    if image.mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return np.array(ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB"))
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)  # Pillow inverts every CMYK JPEG, but only Adobe's are stored inverted
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        over_white = PillowImage.new("RGB", image.size, "white")
        over_white.paste(convert_to_srgb(coloured.convert("RGB"), profile), mask=coloured.getchannel("A"))
        return np.array(over_white)
    return np.array(convert_to_srgb(image, profile))


def rgb_from_array(values: Num[np.ndarray, "H W *channels"], *, white_level: float | None = None) -> Image:
    """Grey (H W), grey with alpha, RGB or RGBA (H W 2, 3, 4) of any numeric type as H W 3 uint8.

    The white level becomes 255, in all colours alike: the given one, or else that of `guess_white_level`; uint8 stays
    as it is. Brighter values are white; negative numbers and NaN are black. Alpha, whose scale is guessed by itself, is
    blended with white.

    Raises:
        InvalidInputError: another number of channels.

    Example:
        >>> rgb_from_array(np.array([[0.0, 0.5, 1.0]]))[0, :, 0]
        array([  0, 128, 255], dtype=uint8)
        >>> rgb_from_array(np.array([[0, 257, 65535]], dtype=np.uint16))[0, :, 0]
        array([  0,   1, 255], dtype=uint8)
    """
    channels = values.shape[2] if values.ndim == 3 else 1
    if channels > 4:
        raise InvalidInputError(f"an image must have 1 to 4 channels, got {channels}; keep only red, green and blue")
    if values.dtype == np.uint8:
        white, opaque = 255.0, 255.0
    else:
        white = white_level or guess_white_level(leave_out_alpha(values))
        opaque = guess_white_level(values[..., -1]) if channels in (2, 4) else 1.0
    image = np.empty((*values.shape[:2], 3), dtype=np.uint8)
    rows = max(1, _VALUES_AT_ONCE // max(1, values[:1].size))
    for start in range(0, len(values), rows):
        part = slice(start, start + rows)
        image[part] = _scale(values[part].reshape(-1, values.shape[1], channels), white, opaque)
    return image


def turn_upright(image: UInt[np.ndarray, "h w *channels"], orientation: int) -> UInt[np.ndarray, "H W *channels"]:
    """The image rotated and flipped by its EXIF orientation (1 to 8); other numbers leave it unchanged.

    Example:
        >>> turn_upright(np.array([[1, 2]], dtype=np.uint8), 6)
        array([[1],
               [2]], dtype=uint8)
    """
    turns = {3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}.get(orientation, 0)
    turned = np.rot90(image, turns)
    return np.ascontiguousarray(turned[:, ::-1] if orientation in (2, 4, 5, 7) else turned)


def _scale(values: Num[np.ndarray, "h W C"], white: float, opaque: float) -> UInt8[np.ndarray, "h W colours"]:
    """Grey (1 channel) or RGB, where `white` is 255 and alpha is 1 at `opaque`."""
    scaled = values.astype(np.float32)
    colours = leave_out_alpha(scaled)
    alpha = scaled[..., colours.shape[2] :]
    colours /= white
    alpha /= opaque
    np.clip(np.nan_to_num(scaled, copy=False, nan=0, posinf=1, neginf=0), 0, 1, out=scaled)
    if alpha.size:
        colours = colours * alpha + (1 - alpha)
    colours *= 255
    return np.round(colours, out=colours).astype(np.uint8)


def convert_to_srgb(image: PillowImage.Image, profile: bytes | None) -> PillowImage.Image:
    """The image in RGB mode, with its colour profile applied; a broken or unsuitable profile is logged and ignored."""
    if image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    if not profile:
        return image.convert("RGB")
    profile_mode = _MODE_OF_PROFILE.get(profile[16:20])  # the colour space in the header of an ICC profile
    if profile_mode == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if profile_mode == image.mode:
        try:
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB") or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            log.info("ignoring a broken colour profile: %s", error)
    else:
        log.info("ignoring a colour profile for %s in an image of mode %s", profile[16:20], image.mode)
    return image.convert("RGB")
