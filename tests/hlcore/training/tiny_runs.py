"""The settings of runs that take seconds."""

from pathlib import Path
from typing import Any

from hlcore.config import DataConfig, NetworkConfig, OptimConfig, TrainConfig

STEPS_PER_EPOCH = 3
NETWORK = NetworkConfig(
    network="fpn",
    encoder="tu-mobilenetv3_small_050",
    encoder_weights="none",
    encoder_depth=3,
    decoder_channels=32,
    options={"decoder_dropout": 0.5},  # so that a resumed run needs the same random numbers
)


def tiny(out: Path, **changes: Any) -> TrainConfig:
    """A run with two images a step, unless the changes say otherwise."""
    return TrainConfig(
        **{
            "name": "tiny",
            "out": out,
            "device": "cpu",
            "threads": 1,
            "keep_half": False,
            "probe_images": 2,
            "network": NETWORK,
            "data": DataConfig(scene_size=(48, 64), train_scenes=2 * STEPS_PER_EPOCH, val_scenes=2),
            "optim": OptimConfig(epochs=2, batch_size=2),
            **changes,
        }
    )
