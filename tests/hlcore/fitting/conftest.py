"""A small folder of labelled images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CLASSES = ("ground", "wall", "door")
SIZE = (64, 96)


def write_images(root: Path, split: str, count: int, *, seed: int, size: tuple[int, int] = SIZE) -> None:
    """Images of noise whose brightness tells the class, with label maps; a strip of each is ignored."""
    generator = np.random.default_rng(seed)
    for folder in ("images", "labels"):
        (root / folder / split).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        labels = np.kron(generator.integers(0, len(CLASSES), (size[0] // 16, size[1] // 16)), np.ones((16, 16), int))
        noise = generator.integers(0, 80, (*size, 3))
        Image.fromarray((labels[..., None] * 80 + noise).astype(np.uint8)).save(
            root / "images" / split / f"{index}.png"
        )
        labels[:4] = 255
        Image.fromarray(labels.astype(np.uint8)).save(root / "labels" / split / f"{index}.png")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder data set of three classes with the splits train and val."""
    root = tmp_path_factory.mktemp("data")
    (root / "classes.json").write_text('["ground", "wall", "door"]')
    write_images(root, "train", 9, seed=0)
    write_images(root, "val", 3, seed=1)
    return root
