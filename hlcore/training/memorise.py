"""Train a copy of a network to memorise one image, and record its maps (the paper's figure 1).

The loss map fades as the image is memorised; the question is whether the hardness map does too.
"""

import copy
import math
from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from hlcore.config import LossConfig, OptimConfig
from hlcore.errors import InvalidInputError, NotFiniteError, TrainingError
from hlcore.inference import predict
from hlcore.storage.checkpoints import Checkpoint
from hlcore.training.losses import median_frequency_weights, training_loss
from hlcore.training.setup import make_optimizers, make_schedules
from hlcore.types import IGNORE_INDEX, HardnessMap, Image, LabelMap, LossMap


class Snapshot(NamedTuple):
    """The maps of the image after some steps, as returned by `predict`."""

    hardness_map: HardnessMap
    loss_map: LossMap


@dataclass(frozen=True)
class Report:
    """One step. Step 0 is the checkpoint itself; its numbers are NaN."""

    step: int
    steps: int
    mean_loss: float
    """Mean cross entropy over the labelled pixels, nats, in this step's forward pass: after `step` - 1 updates."""
    mean_hardness: float
    """Mean of the sigmoid over the labelled pixels, in the same forward pass."""
    hardness_lift: float
    """Weighted divided by mean cross entropy, in the same forward pass."""
    snapshot: Snapshot | None
    """The maps after `step` updates, if this is one of `snapshot_steps`."""


Reports = Generator[Report, bool | None, None]
"""Sending True or closing it stops it."""


def memorise(
    checkpoint: Checkpoint,
    image: Image,
    label_map: LabelMap,
    *,
    loss: LossConfig,
    optim: OptimConfig,
    steps: int = 100,
    snapshot_steps: Collection[int] = (0, 1, 10, 100),
    seed: int = 0,
) -> Reports:
    """Train a copy of a checkpoint's network on one labelled image; the checkpoint does not change.

    Loss, optimizers, gradient clipping and learning rates are the run's; its schedule is compressed into `steps` steps.
    Batch norm keeps its saved statistics, since a batch of one image is too small (some networks reject it); dropout
    stays on. Both branches learn, each from its own loss.

    Args:
        checkpoint: A checkpoint with a hardness branch.
        image: H W 3 uint8 RGB; not augmented.
        label_map: H W class indices with 255 = ignored.
        loss: The run's loss settings. Saved hardness maps (`hardness_from`) are not used: with the loss "hardness" the
            network's own branch gives the weights.
        optim: The run's optimizer settings.
        steps: Number of updates.
        snapshot_steps: Steps after which the maps are recorded; the last step always is.
        seed: Seed of dropout.

    Raises:
        InvalidInputError: the network has no hardness branch, or the label map does not match the image or the classes.
        TrainingError: the loss became NaN or infinite.

    Source: Xiao et al., IJCV 2025, figure 1.
    """
    _check_inputs(checkpoint, image, label_map, steps)
    network = copy.deepcopy(checkpoint.network)
    optimizers = make_optimizers(network, optim)
    schedules = make_schedules(optimizers, optim, steps)
    device = network.mean.device
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].to(device)
    labels = torch.from_numpy(label_map.astype(np.int64))[None].to(device)
    valid = labels != IGNORE_INDEX
    counts = torch.bincount(labels[valid], minlength=len(checkpoint.class_names))
    class_weights = median_frequency_weights(counts) if loss.name == "balanced_ce" else None

    def snapshot(step: int) -> Snapshot | None:
        if step not in {*snapshot_steps, steps}:
            return None
        try:
            record = predict(network, image, class_names=checkpoint.class_names, label_map=label_map)
        except NotFiniteError as error:
            if step == 0:  # nothing has been trained yet
                raise
            raise TrainingError(
                f"the network's output is no longer finite at step {step}; the run's learning rate is too high"
            ) from error
        return Snapshot(record.hardness_map, record.loss_map)

    if 0 in snapshot_steps and (yield Report(0, steps, math.nan, math.nan, math.nan, snapshot(0))):
        return
    for step in range(1, steps + 1):
        _set_training_mode(network)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed * 1_000_003 + step)
            logits, hardness = network(pixels)
        assert hardness is not None  # checked above
        terms = training_loss(logits, hardness, labels, loss, class_weights=class_weights)
        if not torch.isfinite(terms.total):
            raise TrainingError(
                f"the loss is {float(terms.total.detach())} at step {step}; the run's learning rate is too high"
            )
        terms.total.backward()
        _apply_gradients(optimizers, schedules, optim.clip_norm)
        mean_hardness = float(torch.sigmoid(hardness.detach()[:, 0])[valid].mean())
        numbers = float(terms.mean_ce), mean_hardness, float(terms.hardness_lift)
        if (yield Report(step, steps, *numbers, snapshot(step))):
            return


def _check_inputs(checkpoint: Checkpoint, image: Image, label_map: LabelMap, steps: int) -> None:
    if checkpoint.network.hardness_branch is None:
        raise InvalidInputError(
            "the network has no hardness branch, so it has no hardness map; learn one with hlcore fit"
        )
    if label_map.shape != image.shape[:2]:
        raise InvalidInputError(f"label_map must have the image's shape {image.shape[:2]}, got {label_map.shape}")
    labels = label_map[label_map != IGNORE_INDEX]
    if not labels.size:
        raise InvalidInputError("label_map has no labelled pixel, so there is nothing to train on")
    if not 0 <= labels.min() <= labels.max() < len(checkpoint.class_names):
        raise InvalidInputError(
            f"label_map must hold 0..{len(checkpoint.class_names) - 1} or {IGNORE_INDEX} (ignored), "
            f"got {labels.min()}..{labels.max()}"
        )
    if steps < 1:
        raise InvalidInputError(f"steps must be at least 1, got {steps}")


def _set_training_mode(network: nn.Module) -> None:
    """Put the network into training mode, except batch norm, which keeps its statistics."""
    network.train()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def _apply_gradients(optimizers: list[Optimizer], schedules: list[LRScheduler], clip_norm: float) -> None:
    for optimizer, schedule in zip(optimizers, schedules, strict=True):
        trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(trained, clip_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
