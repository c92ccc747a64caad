"""The network of a run, on a device that is there."""

import torch

from hlcore.errors import InvalidInputError
from hlcore.storage.checkpoints import Checkpoint, load_checkpoint
from hlcore.storage.runs import Run


def load_epoch(run: Run, epoch: int | None = None, *, device: str = "auto") -> Checkpoint:
    """The network of a kept epoch (default: the last); `auto` takes an accelerator where there is one.

    Raises:
        InvalidInputError: the run has not kept the epoch, or the machine has no such device.
        CheckpointError: the checkpoint cannot be read.
    """
    path = run.checkpoint_path(resolve_epoch(run, epoch))
    accelerator = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        return load_checkpoint(path, device=accelerator if device == "auto" else device)
    except (AssertionError, RuntimeError) as error:  # what torch raises for a device that is not there
        raise InvalidInputError(f"the network cannot run on {device}: {error}") from error


def resolve_epoch(run: Run, epoch: int | None = None) -> int:
    """The epoch, which the run has kept; None stands for its last.

    Raises:
        InvalidInputError: it has not.
    """
    if not run.epochs:
        raise InvalidInputError(f"{run.path} has kept no epoch yet")
    chosen = run.epochs[-1] if epoch is None else epoch
    if chosen not in run.epochs:
        raise InvalidInputError(f"{run.path} kept the epochs {', '.join(map(str, run.epochs))}, not {chosen}")
    return chosen
