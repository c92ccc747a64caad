"""A folder of maps as another paper's code would leave it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hlcore.data.streets import Streets

NAMES = ("one", "two", "two_b")
SIZE = (48, 64)


def write_folder(folder: Path) -> Path:
    """Three labelled scenes with two scores; `doubt` is high at the wrong pixels, `trust` low."""
    scenes = Streets("test", count=len(NAMES), size=SIZE)
    for part in ("images", "labels", "predictions", "scores/doubt", "scores/trust"):
        (folder / part).mkdir(parents=True)
    for index, name in enumerate(NAMES):
        label_map, generator = scenes[index].label_map, np.random.default_rng(index)
        assert label_map is not None
        prediction = np.where(label_map == 255, 0, label_map)
        prediction[10:20, 10:30] = (prediction[10:20, 10:30] + 1) % len(scenes.classes.names)
        doubt = np.where(prediction != label_map, 1.5, 0.5) + generator.uniform(0, 1, SIZE)
        Image.fromarray(scenes[index].image).save(folder / "images" / f"{name}.png")
        Image.fromarray(label_map.astype(np.uint8)).save(folder / "labels" / f"{name}.png")
        Image.fromarray(prediction.astype(np.uint8)).save(folder / "predictions" / f"{name}_pred.png")
        np.save(folder / "scores" / "doubt" / f"{name}-doubt.npy", doubt)
        trust = (65535 * generator.uniform(0, 1, SIZE)).astype(np.uint16)
        Image.fromarray(trust).save(folder / "scores" / "trust" / f"{name}.png")
    (folder / "classes.json").write_text(json.dumps(list(scenes.classes.names)), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "paper")
