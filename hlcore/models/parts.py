"""A network taken apart where the hardness branch joins it, and what its parts depend on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models.hardness import flatten_features
from hlcore.models.pretrained import IMAGENET


@dataclass(frozen=True)
class NetworkParts:
    """A segmentation network as two modules, with what they expect of an image."""

    encoder: nn.Module
    """image N 3 H W -> features."""
    segmentation_branch: nn.Module
    """features -> logits N C h w."""
    stride: int = 32
    """Height and width of the image must be multiples of this."""
    mean: Sequence[float] = IMAGENET[0]
    std: Sequence[float] = IMAGENET[1]
    output_layers: tuple[str, ...] = ()
    """Convolutions of the branch whose sum is the logits; empty: the last one."""


def freeze_unused_parameters(parts: NetworkParts, config: NetworkConfig) -> None:
    """Freezes the parameters the logits do not depend on: distributed training would wait for their gradients."""
    whole = nn.Sequential(parts.encoder, parts.segmentation_branch).eval()
    backpropagate_blank_image(whole, config, image_size=4 * parts.stride)
    for parameter in whole.parameters():
        parameter.requires_grad_(parameter.grad is not None)
    whole.zero_grad(set_to_none=True)
    whole.train()


def backpropagate_blank_image(module: nn.Module, config: NetworkConfig, *, image_size: int) -> None:
    """Leaves a gradient in every parameter that an output depends on, for a blank image.

    Raises:
        InvalidInputError: the module does not run on an image of that size.
    """
    try:
        outputs = flatten_features(module(torch.zeros(1, 3, image_size, image_size)))
    except (RuntimeError, AssertionError) as error:
        what = f"{config.network} on {config.encoder} does not run on an image of {image_size} x {image_size} px"
        raise InvalidInputError(f"{what}: {error}") from error
    torch.stack([output.sum() for output in outputs if output.requires_grad]).sum().backward()
