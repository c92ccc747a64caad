"""Training steps with and without a hardness branch."""

from collections.abc import Callable

import torch
from torch import nn

from hlcore.config import LossConfig, NetworkConfig, OptimConfig
from hlcore.models.adapters import build_network
from hlcore.training.losses import training_loss
from hlcore.training.setup import make_optimizers

DECODERS = ("fpn", "unet", "deeplabv3plus", "pspnet", "upernet", "segformer")
BRANCHES = {"none": "ce, no branch", "light": "hardness, light", "copy": "hardness, copy"}
"""Hardness branch to what a table calls it."""
SIZE, BATCH = (256, 320), 4


def make_step(decoder: str, branch: str) -> Callable[[], None]:
    """A training step; the encoder is that of the bundled run on photographs.

    Args:
        decoder: One of DECODERS.
        branch: One of BRANCHES.
    """
    has_branch = branch != "none"
    config = NetworkConfig.model_validate(
        {"network": decoder, "encoder_weights": "none", "hardness_branch": branch if has_branch else "light"}
    )
    torch.manual_seed(0)
    network = build_network(config, num_classes=11, hardness=has_branch).train()
    optimizers = make_optimizers(network, OptimConfig().with_defaults())
    loss = LossConfig(name="hardness" if has_branch else "ce", observe_hardness=has_branch)
    pixels = torch.randint(0, 256, (BATCH, 3, *SIZE), dtype=torch.uint8)
    labels = torch.randint(0, 11, (BATCH, *SIZE))

    def step() -> None:
        logits, hardness = network(pixels)
        training_loss(logits, hardness, labels, loss, class_weights=None).total.backward()
        for optimizer in optimizers:
            nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 10.0)
            optimizer.step()
            optimizer.zero_grad()

    return step
