"""Planes: arrays packed for the viewer, each with a URL from which the browser fetches it."""

import io
import zlib
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Float, Integer
from PIL import Image as PillowImage
from streamlit import runtime

from hlcore.types import Image

NO_VALUE = 65535
"""Sent for a pixel without a value."""
MAX_NUMBER = 65534


@dataclass(frozen=True)
class Plane:
    """A packed array.

    Attributes:
        kind: "rgb" (a PNG), "u8" (deflated class indices) or "u16" (deflated values, 65535 = none).
        size: (H, W).
        content: The packed bytes.
        low: The value of 0, for "u16".
        high: The value of 65534, for "u16".
    """

    kind: Literal["rgb", "u8", "u16"]
    size: tuple[int, int]
    content: bytes
    low: float = 0.0
    high: float = 1.0

    @cached_property
    def digest(self) -> str:
        """Changes with kind and content."""
        return f"{self.kind}-{blake2b(self.content, digest_size=16).hexdigest()}"

    def header(self) -> dict[str, object]:
        """What the browser needs to fetch and decode the content; equal contents have equal URLs."""
        base = st.get_option("server.baseUrlPath").strip("/")
        # Streamlit compares large files by samples of their bytes; the name includes a digest of all.
        address = runtime.get_instance().media_file_mgr.add(
            self.content, "application/octet-stream", self.digest, file_name=self.digest
        )
        url = f"/{base}{address}" if base else address
        return {"url": url, "kind": self.kind, "low": self.low, "high": self.high, "digest": self.digest}


def pack_image(image: Image) -> Plane:
    """Pack an image, losslessly."""
    file = io.BytesIO()
    PillowImage.fromarray(image).save(file, "PNG", compress_level=1)
    return Plane("rgb", image.shape[:2], file.getvalue())


def pack_classes(label_map: Integer[np.ndarray, "H W"]) -> Plane:
    """Pack class indices 0 to 255, losslessly."""
    return Plane("u8", label_map.shape, zlib.compress(label_map.astype(np.uint8).tobytes(), 1))


def pack_numbers(numbers: Integer[np.ndarray, "H W"]) -> Plane:
    """Pack object numbers 0 to 65534, losslessly; larger ones are sent as NO_VALUE."""
    packed = np.where(numbers > MAX_NUMBER, NO_VALUE, numbers).astype("<u2")
    return Plane("u16", numbers.shape, zlib.compress(packed.tobytes(), 1), 0, MAX_NUMBER)


def pack_values(values: Float[np.ndarray, "H W"], *, low: float, high: float) -> Plane:
    """Pack values in steps of (high - low) / 65534, clipped to low..high; NaN is sent as NO_VALUE."""
    steps = (np.clip(values, low, high) - low) * ((NO_VALUE - 1) / (high - low))
    packed = np.where(np.isnan(values), NO_VALUE, np.rint(steps)).astype("<u2")
    return Plane("u16", values.shape, zlib.compress(packed.tobytes(), 1), low, high)
