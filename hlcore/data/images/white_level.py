"""Find the white level of images with more than 8 bits per channel: their files give only the range of the numbers."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Num

from hlcore.data.images.deep import read_deep_values
from hlcore.data.images.opening import open_file, open_header
from hlcore.data.images.rare_tiff import pillow_would_misread, read_rare_tiff
from hlcore.types import MAX_PIXELS, Image

log = logging.getLogger(__name__)

WHITE_LEVELS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White of images of 8, 10, 12, 14 and 16 bits."""

_BRIGHTER_THAN_WHITE = 0.001
"""Share of the values that may be brighter than white: hot pixels and highlights."""
_DARK = 25
"""A tenth of the 8-bit range."""
_SAMPLED_IMAGES = 16
_SAMPLED_VALUES = 4_000_000

File = TypeVar("File")


class WhiteLevel(NamedTuple):
    """The white level of several images, found by looking at some of them."""

    level: float | None
    """None if all images have 8 bits or cannot be read."""
    dark: tuple[Path, ...]
    """Images that use under a tenth of the range from black to this white."""


def find_white_level(paths: Sequence[Path]) -> WhiteLevel:
    """The white level that images of more than 8 bits share: the largest that `guess_white_level` gives for up to 16.

    The 16 are evenly spaced, so equal files give the same level on every machine.
    """
    levels = {
        path: (guess_white_level(values), _find_bright(values))
        for path in space_out(paths)
        for values in _read_colours(path)
    }
    if not levels:
        return WhiteLevel(None, ())
    white = max(guess for guess, _ in levels.values())
    log.info("white is %g, found in %d of %d images", white, len(levels), len(paths))
    return WhiteLevel(white, tuple(path for path, (_, bright) in levels.items() if bright < white / 10))


def space_out(paths: Sequence[File]) -> list[File]:
    """Up to 16 of the paths, evenly spaced."""
    count = min(len(paths), _SAMPLED_IMAGES)
    return [paths[index] for index in np.linspace(0, len(paths) - 1, count).round().astype(int)]


def leave_out_alpha(values: Num[np.ndarray, "H W *channels"]) -> Num[np.ndarray, "H W *colours"]:
    """Only the colours of grey (H W), grey with alpha, RGB or RGBA (H W 2, 3, 4)."""
    return values[..., :-1] if values.ndim == 3 and values.shape[2] in (2, 4) else values


def guess_white_level(values: Num[np.ndarray, "..."]) -> float:
    """The value of white in colours that have more than 8 bits.

    It is the smallest of WHITE_LEVELS, and for floats of 1, that at most one value in a thousand exceeds; above 65535
    it is the value that one in a thousand exceeds. Floats may exceed 1 twofold, because resampling and sharpening
    overshoot; where they exceed it up to 25-fold, as in high dynamic range, white is the value that one in a thousand
    exceeds. Integers that are all multiples of 257 come from 8 bits, so that their white is 65535.

    Example:
        >>> guess_white_level(np.array([0, 300, 4000])), guess_white_level(np.array([0.1, 1.2]))
        (4095.0, 1.0)
        >>> guess_white_level(np.array([0.1, 3.0]))
        3.0
    """
    bright = _find_bright(values)
    if np.issubdtype(values.dtype, np.integer):
        from_8_bits = 0 < bright <= WHITE_LEVELS[-1] and not (_thin_out(values).astype(np.int64) % 257).any()
        return WHITE_LEVELS[-1] if from_8_bits else next((w for w in WHITE_LEVELS if bright <= w), bright)
    if bright <= 2:
        return 1.0
    known = next((white for white in WHITE_LEVELS if bright <= white), bright)
    return known if bright >= known / 10 else bright


def is_dark(image: Image) -> bool:
    """Whether the image uses under a tenth of the range from black to white, but for one value in a thousand."""
    return bool(np.count_nonzero(image > _DARK) <= _BRIGHTER_THAN_WHITE * image.size)


def _find_bright(values: Num[np.ndarray, "..."]) -> float:
    """The value that at most one in a thousand exceeds; 0 without any finite value."""
    thinned = _thin_out(values)
    finite = thinned[np.isfinite(thinned)]
    return float(np.quantile(finite, 1 - _BRIGHTER_THAN_WHITE, method="higher")) if finite.size else 0.0


def _thin_out(values: Num[np.ndarray, "..."]) -> Num[np.ndarray, "..."]:
    """Evenly spaced rows of at least 4 million values, or all of fewer: enough to look at."""
    return values[:: max(1, values.size // _SAMPLED_VALUES)]


def _read_colours(path: Path) -> Iterator[Num[np.ndarray, "H W *colours"]]:
    """The numbers of an image of more than 8 bits, without alpha; nothing for other files."""
    try:
        with open_file(path, str(path)) as file:
            image = open_header(file, str(path), max_pixels=MAX_PIXELS)
            if image is None or pillow_would_misread(image):
                values = read_rare_tiff(file, str(path), max_pixels=MAX_PIXELS).values
            else:
                values = read_deep_values(image, file)
    except Exception as error:  # noqa: BLE001 - whoever reads the image says what is wrong with it
        log.debug("%s has no white level: %s", path, error)
        return
    if values is not None and values.dtype != np.uint8:
        yield leave_out_alpha(values)
