"""Small pictures that the data tests share."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage


@pytest.fixture
def scene() -> np.ndarray:
    """12 x 16 px on which every flip and rotation looks different: red grows right, green down."""
    picture = np.full((12, 16, 3), 90, dtype=np.uint8)
    picture[..., 0] = np.linspace(20, 230, 16)
    picture[..., 1] = np.linspace(40, 200, 12)[:, None]
    return picture


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """A Pillow image or array as the bytes of a file: encode(picture, "PNG", **options of save)."""

    def encoded(picture: np.ndarray | PillowImage.Image, file_format: str, **options) -> bytes:
        file = io.BytesIO()
        image = PillowImage.fromarray(picture) if isinstance(picture, np.ndarray) else picture
        image.save(file, file_format, **options)
        return file.getvalue()

    return encoded


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, np.ndarray], Path]:
    """Save an array as an image under the test's folder: write("train/a.png", picture)."""

    def written(name: str, picture: np.ndarray) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(picture).save(path)
        return path

    return written
