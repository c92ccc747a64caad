"""Planes: arrays of one image's size, packed for the viewer."""

import io
import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
from jaxtyping import Float, Integer
from PIL import Image as PillowImage

from hlcore.types import Image

NO_VALUE = 65535
"""What a pixel without a value is sent as."""


@dataclass(frozen=True)
class Plane:
    """A packed array.

    Attributes:
        name: What panels and read-outs call it.
        kind: "rgb" (a PNG), "u8" (deflated class indices) or "u16" (deflated values, 65535 = none).
        size: (H, W).
        content: The packed bytes.
        low: The value of 0, for "u16".
        high: The value of 65534, for "u16".
    """

    name: str
    kind: Literal["rgb", "u8", "u16"]
    size: tuple[int, int]
    content: bytes
    low: float = 0.0
    high: float = 1.0

    def header(self) -> dict[str, object]:
        """What viewer.js needs to know to read the content."""
        digest = blake2b(self.content, digest_size=16).hexdigest()
        header = {"name": self.name, "kind": self.kind, "length": len(self.content), "low": self.low, "high": self.high}
        return {**header, "digest": f"{self.kind}-{digest}"}


def image_plane(name: str, image: Image) -> Plane:
    """An image, exact."""
    file = io.BytesIO()
    PillowImage.fromarray(image).save(file, "PNG", compress_level=1)
    return Plane(name, "rgb", image.shape[:2], file.getvalue())


def class_plane(name: str, label_map: Integer[np.ndarray, "H W"]) -> Plane:
    """Class indices 0 to 255, exact."""
    return Plane(name, "u8", label_map.shape, zlib.compress(label_map.astype(np.uint8).tobytes(), 1))


def value_plane(name: str, values: Float[np.ndarray, "H W"], *, low: float, high: float) -> Plane:
    """Values in steps of (high - low) / 65534, clipped to low..high; NaN has no value."""
    steps = (np.clip(values, low, high) - low) * ((NO_VALUE - 1) / (high - low))
    packed = np.where(np.isnan(values), NO_VALUE, np.rint(steps)).astype("<u2")
    return Plane(name, "u16", values.shape, zlib.compress(packed.tobytes(), 1), low, high)
