"""A segmentation network split into encoder and branch, where the hardness branch attaches."""

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
    """A segmentation network as two modules, with their input requirements."""

    encoder: nn.Module
    """image N 3 H W -> features."""
    segmentation_branch: nn.Module
    """features -> logits N C h w."""
    stride: int = 32
    """Image height and width must be multiples of this."""
    mean: Sequence[float] = IMAGENET[0]
    std: Sequence[float] = IMAGENET[1]
    output_layers: tuple[str, ...] = ()
    """Convolutions of the branch whose sum gives the logits; empty for the last one."""


def freeze_unused_parameters(parts: NetworkParts, config: NetworkConfig) -> None:
    """Freeze parameters that the logits do not depend on; distributed training would wait for their gradients."""
    whole = nn.Sequential(parts.encoder, parts.segmentation_branch).eval()
    backpropagate_blank_image(whole, config, image_size=4 * parts.stride)
    for parameter in whole.parameters():
        parameter.requires_grad_(parameter.grad is not None)
    whole.zero_grad(set_to_none=True)
    whole.train()


def backpropagate_blank_image(module: nn.Module, config: NetworkConfig, *, image_size: int) -> None:
    """Run forward and backward on a blank image, which gives every parameter in use a gradient.

    Raises:
        InvalidInputError: the module fails on an image of that size.
    """
    try:
        outputs = flatten_features(module(torch.zeros(1, 3, image_size, image_size)))
    except (RuntimeError, AssertionError) as error:
        what = f"{config.network} on {config.encoder} does not run on an image of {image_size} x {image_size} px"
        raise InvalidInputError(f"{what}: {error}") from error
    torch.stack([output.sum() for output in outputs if output.requires_grad]).sum().backward()
