"""The full state of a training run on disk, from which it goes on to the same weights."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric

from hlcore.errors import CheckpointError
from hlcore.storage.files import replace_atomically


class Progress(NamedTuple):
    """How far a run is."""

    iterations: int
    """Steps done."""
    epochs: int
    """Epochs done, validated and kept."""


def save_state(fabric: Fabric, path: Path, parts: dict[str, Any], progress: Progress) -> None:
    """Writes the state of each part (network, optimizers, schedules); the old state stays until the new one is whole.

    Random numbers need no state: those of a step follow from the seed and the step's number.
    """
    state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
    state |= {"progress": list(progress), "precision": fabric.strategy.precision.state_dict()}
    if fabric.is_global_zero:
        with replace_atomically(path) as temporary:
            torch.save(state, temporary)


def load_state(fabric: Fabric, path: Path, parts: dict[str, Any]) -> Progress:
    """Puts the saved state into each part and returns how far the run was.

    Raises:
        CheckpointError: there is no state, or it does not fit.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no training state to resume from; remove {path.parent} and train it anew")
    try:
        state = torch.load(path, map_location=fabric.device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        fabric.strategy.precision.load_state_dict(state["precision"])
        return Progress(*state["progress"])
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, UnpicklingError) as error:
        raise CheckpointError(f"{path} does not fit the run it lies in: {error}") from error
