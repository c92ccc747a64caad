"""The full training state on disk, from which a run resumes exactly."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric

from hlcore.errors import CheckpointError
from hlcore.storage.files import replace_atomically

_STILL_USABLE = "its saved epochs remain usable; train again under another name"


class Progress(NamedTuple):
    """Steps and epochs a run has completed."""

    iterations: int
    """Completed steps."""
    epochs: int
    """Completed and validated epochs."""


def save_state(fabric: Fabric, path: Path, parts: dict[str, Any], progress: Progress) -> None:
    """Save the state of each part (network, optimizers, schedules), replacing the old file atomically.

    Random generators need no state: each step is seeded from the run's seed and the step number.
    """
    state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
    state |= {"progress": list(progress), "precision": fabric.strategy.precision.state_dict()}
    if fabric.is_global_zero:
        with replace_atomically(path) as temporary, temporary.open("wb") as file:  # torch hides why a path fails
            torch.save(state, file)


def load_state(fabric: Fabric, path: Path, parts: dict[str, Any]) -> Progress:
    """The run's progress, after loading the saved state into each part.

    Raises:
        CheckpointError: there is no state, or it does not match the parts.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no training state to resume from; {_STILL_USABLE}")
    try:
        state = torch.load(path, map_location=fabric.device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        fabric.strategy.precision.load_state_dict(state["precision"])
        steps = int(parts["schedule0"].last_epoch)
        progress = Progress(*state["progress"])
    except UnpicklingError as error:  # torch explains at length how to load a file that one trusts
        raise CheckpointError(
            f"{path} is not a training state, so the run cannot be resumed; {_STILL_USABLE}"
        ) from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, AttributeError) as error:
        raise CheckpointError(f"{path} does not match its run: {' '.join(str(error).split())}") from error
    if progress.iterations != steps or not 0 <= progress.epochs <= steps:
        raise CheckpointError(
            f"{path} does not match its run: it counts {progress.iterations} steps and {progress.epochs} epochs, its "
            f"schedule {steps} steps; {_STILL_USABLE}"
        )
    return progress
