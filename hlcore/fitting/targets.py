"""What a branch on frozen features can learn to predict: the paper's hardness, and three rivals.

Every target ends in a map sigmoid(D) in (0, 1), high where an error is expected, so all are compared alike.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from hlcore.config import FitConfig, Target
from hlcore.training.losses import hardness_weight

PAIRS = 100_000
"""Pixels of a batch that are compared with another one, by rank."""
MARGIN = 0.1
"""The difference in D that two pixels of different loss should have, by rank."""
SMALLEST_CE = 1e-4
"""Nats; smaller losses count as equal."""

Objective = Callable[[Float[Tensor, "N H W"], Float[Tensor, "N H W"], Bool[Tensor, "N H W"]], Tensor]
"""From D, the cross entropy in nats and where pixels are labelled, to the loss of the branch."""


def make_objective(config: FitConfig) -> Objective:
    """The loss of the branch for the target of the settings."""
    objectives: dict[Target, Objective] = {
        "hardness": lambda D, ce, valid: _hardness(D, ce, valid, config.c, config.hardness_lambda),
        "loss": _loss,
        "rank": _rank,
        "tcp": _true_class_probability,
    }
    return objectives[config.target]


def _hardness(D: Tensor, ce: Tensor, valid: Tensor, c: float, hardness_lambda: float) -> Tensor:
    """L_hard.

    Source: Xiao et al., IJCV 2025.
    """
    return -hardness_lambda * (hardness_weight(torch.sigmoid(D), valid, c=c) * ce).sum()


def _loss(D: Tensor, ce: Tensor, valid: Tensor) -> Tensor:
    """Regression of D to the logarithm of the cross entropy, so that sigmoid(D) is ce / (1 + ce).

    Source: the loss prediction of Yoo and Kweon, CVPR 2019, as a regression.
    """
    return F.smooth_l1_loss(D[valid], ce[valid].clamp_min(SMALLEST_CE).log())


def _true_class_probability(D: Tensor, ce: Tensor, valid: Tensor) -> Tensor:
    """Regression of sigmoid(D) to 1 minus the probability of the label.

    Source: ConfidNet, Corbière et al., NeurIPS 2019.
    """
    return F.mse_loss(torch.sigmoid(D[valid]), -torch.expm1(-ce[valid]))


def _rank(D: Tensor, ce: Tensor, valid: Tensor) -> Tensor:
    """Hinge loss on random pairs of pixels: the one of higher cross entropy should have the higher D.

    Source: Kirchhof et al., Pretrained Visual Uncertainties, 2024.
    """
    D, ce = D[valid], ce[valid].clamp_min(SMALLEST_CE)
    first = torch.randint(len(D), (PAIRS,), device=D.device)
    second = torch.randint(len(D), (PAIRS,), device=D.device)
    higher = torch.sign(ce[first] - ce[second])
    return (F.relu(MARGIN - higher * (D[first] - D[second])) * higher.abs()).mean()
