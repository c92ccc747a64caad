"""Load the network of a run onto an available device."""

import os
from dataclasses import replace
from typing import Any

import torch

from hlcore.config import EpochChoice
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.models.backends import choose_backend
from hlcore.storage.checkpoints import Checkpoint, load_checkpoint
from hlcore.storage.exports import compile_network
from hlcore.storage.runs import Run


def load_epoch(run: Run, epoch: EpochChoice = None, *, device: str = "auto", backend: str = "torch") -> Checkpoint:
    """Checkpoint of a saved epoch.

    Args:
        run: The run.
        epoch: As in `resolve_epoch`.
        device: Where the network runs; `auto` uses an accelerator if there is one.
        backend: "torch", "openvino", "onnxruntime", "compile", or "auto": on CPUs what $HLCORE_BACKEND names, else the
            first of openvino, onnxruntime and torch that is installed.

    Raises:
        InvalidInputError: the run has no network or has not saved the epoch, or the machine has no such device or
            backend.
        CheckpointError: the checkpoint cannot be read, or has other classes than its run.
    """
    run.require_network()
    path = run.checkpoint_path(resolve_epoch(run, epoch))
    accelerator = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        checkpoint = load_checkpoint(path, device=accelerator if device == "auto" else device)
    except (AssertionError, RuntimeError) as error:  # raised by torch for a missing device
        raise InvalidInputError(f"the network cannot run on {device}: {error}") from error
    if checkpoint.class_names != run.record.class_names:
        raise CheckpointError(
            f"{path} has the classes {', '.join(checkpoint.class_names)}, but run.json has "
            f"{', '.join(run.record.class_names)}; one of them belongs to another run"
        )
    on = checkpoint.network.mean.device
    if backend == "auto" and on.type == "cpu":
        backend = os.environ.get("HLCORE_BACKEND") or "auto"
    compiled = choose_backend(backend, on)
    if compiled is None:
        return checkpoint
    return replace(checkpoint, network=compile_network(checkpoint.network, path, compiled, required=backend != "auto"))


def load_for_workers(
    run: Run, epoch: EpochChoice = None, *, device: str, backend: str
) -> tuple[Checkpoint, dict[str, Any]]:
    """A checkpoint on this machine's CPU, and the arguments with which `load_epoch` gives it to each worker.

    Args:
        run: The run.
        epoch: As in `resolve_epoch`.
        device: Where the workers run the network; "cpu", or an accelerator that this machine need not have.
        backend: As in `load_epoch`; the workers use the one that this machine chooses.

    Raises:
        InvalidInputError, CheckpointError: as in `load_epoch`.
    """
    if device != "cpu":
        choose_backend(backend, torch.device("cuda"))
        backend = "torch"
    checkpoint = load_epoch(run, epoch, device="cpu", backend=backend)
    return checkpoint, {"epoch": checkpoint.epoch, "device": device, "backend": checkpoint.network.backend}


def resolve_epoch(run: Run, epoch: EpochChoice = None) -> int:
    """The given epoch, the best on validation, or the last saved one if None.

    Raises:
        InvalidInputError: the run has not saved it.
    """
    if not run.epochs:
        raise InvalidInputError(f"{run.path} has saved no epoch yet; train it further")
    chosen = run.record.best_epoch if epoch == "best" else run.epochs[-1] if epoch is None else epoch
    if chosen is None:
        raise InvalidInputError(
            f"{run.path} does not name its best epoch; choose one of {', '.join(map(str, run.epochs))}"
        )
    if chosen not in run.epochs:
        known = ", ".join(map(str, run.epochs))
        raise InvalidInputError(f"{run.path} has not saved epoch {chosen}; choose one of {known}")
    return chosen
