"""Fit a hardness branch to frozen images: the step, its schedule and the lift on images that are set aside."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from hlcore.config import FIT_LR, FitConfig
from hlcore.fitting.frozen import FrozenBatch, FrozenImage, make_batch
from hlcore.fitting.targets import make_objective
from hlcore.models.hardness import HardnessBranch
from hlcore.training.losses import hardness_weight

MOMENTUM, WEIGHT_DECAY, CLIP_NORM = 0.9, 5e-4, 5.0
"""Of SGD, and the maximum norm of the gradient, as in training."""


@dataclass
class Fitter:
    """A hardness branch and its optimizer: SGD whose rate rises to its peak and falls to 0 over `steps` steps.

    The features do not change, so the branch cannot run ahead of them; it may learn faster than in training.
    """

    branch: HardnessBranch
    steps: int
    config: FitConfig

    def __post_init__(self) -> None:
        lr = self.config.lr or FIT_LR[self.config.target]
        self.objective = make_objective(self.config)
        self.optimizer = SGD(self.branch.parameters(), lr=lr, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
        self.schedule = OneCycleLR(self.optimizer, max_lr=lr, total_steps=self.steps + 1, cycle_momentum=False)

    @property
    def done(self) -> int:
        """Number of steps so far."""
        return self.schedule.last_epoch

    def step(self, batch: FrozenBatch) -> dict[str, float]:
        """Learn from a batch; its mean and weighted cross entropy in nats, lift, gradient norm and learning rate."""
        self.branch.train()
        D = run_branch(self.branch, batch)
        if bool(batch.valid.any()):
            self.objective(D, batch.ce, batch.valid).backward()
        w = hardness_weight(torch.sigmoid(D.detach()), batch.valid, c=self.config.c)
        norm = nn.utils.clip_grad_norm_(self.branch.parameters(), CLIP_NORM)
        lr = float(self.schedule.get_last_lr()[0])
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        mean_ce = float(batch.ce.sum() / batch.valid.sum().clamp_min(1))
        weighted = float((w * batch.ce).sum())
        return {
            "mean_ce": mean_ce,
            "weighted_ce": weighted,
            "hardness_lift": weighted / mean_ce if mean_ce else math.nan,
            "hardness_lr": lr,
            "hardness_gradient_norm": float(norm),
        }

    @torch.no_grad()
    def lift(self, images: Iterable[FrozenImage], *, device: torch.device) -> float:
        """Weighted divided by mean cross entropy over all labelled pixels of the images; NaN without any.

        The weights are normalised over all images together.
        """
        self.branch.eval()
        total = torch.zeros(4, dtype=torch.float64)
        for image in images:
            batch = make_batch([image], device=device)
            raw = torch.where(batch.valid, torch.sigmoid(run_branch(self.branch, batch)) + self.config.c, 0.0)
            sums = ((raw * batch.ce).sum(), raw.sum(), batch.ce.sum(), batch.valid.sum())
            total += torch.stack([one.cpu().double() for one in sums])
        weighted, weights, ce, pixels = total.tolist()
        return (weighted / weights) / (ce / pixels) if weights and ce else math.nan


def run_branch(branch: HardnessBranch, batch: FrozenBatch) -> Tensor:
    """D before the sigmoid, N H W, of a batch."""
    of_network = batch.features[:1] * (max(branch.levels) + 1)  # those that the branch does not use may be any
    for level, feature in zip(branch.levels, batch.features, strict=True):
        of_network[level] = feature
    D = branch(of_network)
    if D.shape[-2:] != batch.padded:
        D = F.interpolate(D, size=batch.padded, mode="bilinear", align_corners=False)
    return D[:, 0, : batch.ce.shape[1], : batch.ce.shape[2]]
