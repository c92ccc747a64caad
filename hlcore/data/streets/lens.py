"""Turn light into a photograph (exposure, blur, sensor noise, compression) with labels of the same size."""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from PIL import Image as PillowImage
from scipy.ndimage import convolve1d, gaussian_filter

from hlcore.data.streets.canvas import OVERSAMPLING
from hlcore.data.streets.shading import GAMMA

FULL_WELL = np.float32(255)
WHITE = 2.0
"""Exposed light that comes out as pure white."""
CONTRAST = np.float32(0.45)
"""Share of the steep curve in the tone curve."""


@dataclass(frozen=True)
class Lens:
    """The camera's exposure and image defects.

    Attributes:
        brightness: Mean linear light after exposure, 0..1.
        white_balance: Factors of red, green and blue.
        defocus_px: Standard deviation of the blur.
        motion_px: Length of the sideways motion blur.
        noise: Standard deviation of the read noise in grey levels; shot noise grows with it.
        quality: JPEG quality, 1..95.
    """

    brightness: float
    white_balance: tuple[float, float, float]
    defocus_px: float
    motion_px: int
    noise: float
    quality: int


def photograph(
    radiance: Float32[np.ndarray, "3 H2 W2"], lens: Lens, rng: np.random.Generator
) -> UInt8[np.ndarray, "H W 3"]:
    """The photograph of the light on the canvas, at half its size."""
    light = downsample(radiance) * np.array(lens.white_balance, np.float32)[:, None, None]
    if lens.defocus_px > 0:
        light = gaussian_filter(light, (0, lens.defocus_px, lens.defocus_px), truncate=2.5)
    if lens.motion_px > 1:
        light = convolve1d(light, np.full(lens.motion_px, 1 / lens.motion_px, np.float32), axis=2, mode="nearest")
    exposed = light * np.float32(lens.brightness / max(float(light.mean()), 1e-6)) * vignette(*light.shape[1:])
    grey = FULL_WELL * tone_curve(exposed)
    spread = lens.noise * np.sqrt(0.4 + 1.2 * grey / FULL_WELL)
    grey += rng.standard_normal(grey.shape, dtype=np.float32) * spread
    digital = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return compress(np.ascontiguousarray(digital.transpose(1, 2, 0)), lens.quality)


def tone_curve(exposed: Float32[np.ndarray, "3 H W"]) -> Float32[np.ndarray, "3 H W"]:
    """Brightness 0..1 of exposed light: highlights roll off (Reinhard), mid tones gain contrast."""
    rolled = exposed * (1 + exposed * np.float32(1 / WHITE**2)) / (1 + exposed)
    flat = np.clip(rolled, 0, 1) ** np.float32(1 / GAMMA)
    steep = flat * flat * (3 - 2 * flat)
    return flat + CONTRAST * (steep - flat)


def downsample(canvas: Float32[np.ndarray, "3 H2 W2"]) -> Float32[np.ndarray, "3 H W"]:
    """The mean of each block of canvas pixels that forms one pixel."""
    quarters = [canvas[:, i::OVERSAMPLING, j::OVERSAMPLING] for i in range(OVERSAMPLING) for j in range(OVERSAMPLING)]
    return sum(quarters[1:], quarters[0]) / np.float32(len(quarters))


def majority_label(label: UInt8[np.ndarray, "H2 W2"], part: Int32[np.ndarray, "H2 W2"]) -> UInt8[np.ndarray, "H W"]:
    """The class that covers most of each pixel; ties go to the one painted last, that is, in front.

    Example:
        >>> majority_label(np.uint8([[3, 3], [2, 3]]), np.int32([[0, 0], [7, 0]]))
        array([[3]], dtype=uint8)
        >>> majority_label(np.uint8([[3, 2], [3, 2]]), np.int32([[0, 7], [0, 7]]))
        array([[2]], dtype=uint8)
    """
    steps = [(i, j) for i in range(OVERSAMPLING) for j in range(OVERSAMPLING)]
    labels = np.stack([label[i::OVERSAMPLING, j::OVERSAMPLING] for i, j in steps])
    parts = np.stack([part[i::OVERSAMPLING, j::OVERSAMPLING] for i, j in steps])
    share = sum((labels == other).astype(np.int32) for other in labels)
    winner = (share * (int(part.max()) + 1) + parts).argmax(axis=0)
    return np.take_along_axis(labels, winner[None], axis=0)[0]


def vignette(height: int, width: int) -> Float32[np.ndarray, "H W"]:
    """How much light reaches each pixel: 1 in the middle, 0.8 in the corners."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    return 1 - np.float32(0.1) * (x * x + y * y)


def compress(image: UInt8[np.ndarray, "H W 3"], quality: int) -> UInt8[np.ndarray, "H W 3"]:
    """The image after JPEG at the given quality."""
    stored = io.BytesIO()
    PillowImage.fromarray(image).save(stored, format="JPEG", quality=quality)
    return np.array(PillowImage.open(stored).convert("RGB"))
