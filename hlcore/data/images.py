"""Safe decoding of untrusted images to H W 3 uint8 RGB."""

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from hlcore.types import Image


def read_image(source: Path | bytes) -> Image:
    """The image as H W 3 uint8 RGB, upright."""
    assert isinstance(source, Path)
    with PillowImage.open(source) as file:
        return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
