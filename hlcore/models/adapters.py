"""Builds a HardnessSegmenter from a name: segmentation-models-pytorch, torchvision, or a network of your own."""

import difflib
import importlib
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models import torchvision_cpu  # noqa: F401  before SMP and torchvision
from hlcore.models.hardness import HardnessSegmenter, copy_branch, flatten, light_branch
from hlcore.models.pretrained import (
    IMAGENET,
    OFFLINE_ENCODER,
    channel_statistics,
    hub_error,
    load_packaged_weights,
    load_weight_file,
)

SMP_DECODERS = {
    "unet": "Unet",
    "unetplusplus": "UnetPlusPlus",
    "manet": "MAnet",
    "linknet": "Linknet",
    "fpn": "FPN",
    "pspnet": "PSPNet",
    "pan": "PAN",
    "deeplabv3": "DeepLabV3",
    "deeplabv3plus": "DeepLabV3Plus",
    "upernet": "UPerNet",
    "segformer": "Segformer",
    "dpt": "DPT",
}
TORCHVISION_NETWORKS = (
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
)
PLUGINS_VARIABLE = "HLCORE_PLUGINS"
"""Comma-separated modules that call `register_network` or `register_data` when imported."""


@dataclass(frozen=True)
class NetworkParts:
    """A segmentation network taken apart where the hardness branch joins it."""

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


NetworkBuilder = Callable[[NetworkConfig, int], NetworkParts]
_registered: dict[str, NetworkBuilder] = {}


def register_network(name: str) -> Callable[[NetworkBuilder], NetworkBuilder]:
    """Makes a network of your own known by name, for configs, commands and checkpoints.

    The decorated function takes the NetworkConfig and the number of classes. Put it in a module
    and name the module in $HLCORE_PLUGINS, so that every command and the app can build the network.
    """

    def register(build: NetworkBuilder) -> NetworkBuilder:
        _registered[name] = build
        return build

    return register


def build_network(config: NetworkConfig, num_classes: int, *, hardness: bool = True) -> HardnessSegmenter:
    """A new network in training mode.

    Args:
        config: Which network.
        num_classes: Channels of the logits, at least 2.
        hardness: Give it a hardness branch.

    Raises:
        InvalidInputError: an unknown name, or options the network does not take.
        CheckpointError: encoder weights that do not fit.
    """
    if num_classes < 2:
        raise InvalidInputError(f"a segmentation network needs at least 2 classes, got {num_classes}")
    parts = _take_apart(config, num_classes)
    branch = None
    if hardness and config.hardness_branch == "copy":
        branch = copy_branch(parts.segmentation_branch, num_classes, output_layers=parts.output_layers)
    elif hardness:
        branch = light_branch(parts.encoder, image_size=4 * parts.stride)
    return HardnessSegmenter(
        parts.encoder, parts.segmentation_branch, branch, stride=parts.stride, mean=parts.mean, std=parts.std
    )


def network_names() -> tuple[str, ...]:
    """Every name `NetworkConfig.network` may have."""
    _import_plugins()
    return (*SMP_DECODERS, *(f"torchvision/{name}" for name in TORCHVISION_NETWORKS), *_registered)


def _take_apart(config: NetworkConfig, num_classes: int) -> NetworkParts:
    names = network_names()
    if config.network in _registered:
        return _registered[config.network](config, num_classes)
    if config.network in SMP_DECODERS:
        return _smp_parts(config, num_classes)
    if config.network in names:
        return _torchvision_parts(config, num_classes)
    close = difflib.get_close_matches(config.network, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    raise InvalidInputError(f"unknown network {config.network!r}; {hint}")


def _import_plugins() -> None:
    for module in filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(",")):
        try:
            importlib.import_module(module.strip())
        except ImportError as error:
            raise InvalidInputError(f"${PLUGINS_VARIABLE} names {module!r}, which cannot be imported: {error}") from error


# --- segmentation-models-pytorch -------------------------------------------------------------------------------------


class _DecoderBranch(nn.Module):
    """Decoder and head of an SMP network as one module: features -> logits."""

    def __init__(self, decoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder
        self.head = head

    def forward(self, features: Any) -> Tensor:
        if isinstance(features, tuple):  # DPT: (features, prefix tokens)
            return self.head(self.decoder(*features))
        return self.head(self.decoder(features))


def _smp_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    import segmentation_models_pytorch as smp

    kind = getattr(smp, SMP_DECODERS[config.network])
    takes = inspect.signature(kind.__init__).parameters
    depth = config.encoder_depth or takes["encoder_depth"].default
    arguments: dict[str, Any] = dict(encoder_name=config.encoder, encoder_depth=depth, classes=num_classes)
    arguments |= _width(config.network, config.decoder_channels, depth)
    if config.network == "dpt":
        arguments["dynamic_img_size"] = True
        if config.encoder_depth is None and config.decoder_channels:
            arguments["decoder_intermediate_channels"] = (config.decoder_channels,) * depth
    weights = config.encoder_weights
    from_hub = weights == "imagenet" and config.encoder != OFFLINE_ENCODER
    try:
        network = kind(encoder_weights="imagenet" if from_hub else None, **arguments, **config.options)
    except (TypeError, ValueError, KeyError, NotImplementedError) as error:
        raise InvalidInputError(f"{config.network} on {config.encoder} cannot be built: {error}") from error
    except (OSError, RuntimeError) as error:
        if from_hub:
            raise hub_error(config.encoder, error) from error
        raise InvalidInputError(f"{config.network} on {config.encoder} cannot be built: {error}") from error
    stride = _input_multiple(config.network, network.encoder.output_stride, depth)
    _drop_unused_tail(network.encoder, image_size=4 * stride)
    if weights == "imagenet" and not from_hub:
        load_packaged_weights(network.encoder)
    elif weights not in ("none", "imagenet"):
        load_weight_file(network.encoder, Path(weights))
    mean, std = channel_statistics(config.encoder)
    branch = _DecoderBranch(network.decoder, network.segmentation_head)
    return NetworkParts(network.encoder, branch, stride, mean, std)


def _input_multiple(network: str, output_stride: int, depth: int) -> int:
    """What an image's height and width must be a multiple of for the decoder's halvings and doublings to meet."""
    if network == "pan":  # its attention halves the coarsest feature three times more
        return 8 * output_stride
    if network == "dpt":  # its coarsest level is the patch grid, halved once
        return 2 * output_stride
    return 2**depth


def _width(network: str, channels: int | None, depth: int) -> dict[str, Any]:
    """The arguments by which each SMP decoder is told its width."""
    if network in ("unet", "unetplusplus", "manet"):
        if channels is None:
            return {"decoder_channels": (256, 128, 64, 32, 16)[:depth]}
        return {"decoder_channels": tuple(max(channels >> level, 16) for level in range(depth))}
    if channels is None:
        return {}
    if network == "linknet":
        raise InvalidInputError("linknet takes its width from the encoder; leave decoder_channels out")
    return {
        "fpn": {"decoder_pyramid_channels": channels, "decoder_segmentation_channels": channels},
        "pspnet": {"psp_out_channels": channels},
        "segformer": {"decoder_segmentation_channels": channels},
        "dpt": {"decoder_fusion_channels": channels},
    }.get(network, {"decoder_channels": channels})


def _drop_unused_tail(encoder: nn.Module, *, image_size: int) -> None:
    """Removes the last blocks of a timm encoder that no returned feature depends on.

    timm keeps and runs all stages of an EfficientNet however few are asked for.
    """
    blocks = getattr(getattr(encoder, "model", None), "blocks", None)
    if not isinstance(blocks, nn.Sequential):
        return
    encoder.eval()
    features = flatten(encoder(torch.zeros(1, 3, image_size, image_size)))
    torch.stack([f.sum() for f in features if f.requires_grad]).sum().backward()
    while len(blocks) and all(p.grad is None for p in blocks[-1].parameters()):
        del blocks[-1]
    encoder.zero_grad(set_to_none=True)
    encoder.train()


# --- torchvision -----------------------------------------------------------------------------------------------------


class _TorchvisionBranch(nn.Module):
    """Head of a torchvision segmentation network on the dictionary its backbone returns."""

    def __init__(self, classifier: nn.Module, key: str | None) -> None:
        super().__init__()
        self.classifier = classifier
        self.key = key

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        return self.classifier(features if self.key is None else features[self.key])


def _torchvision_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    from torchvision.models import get_model

    name = config.network.removeprefix("torchvision/")
    try:
        network: Any = get_model(name, weights=None, weights_backbone=None, num_classes=num_classes, **config.options)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{config.network} cannot be built: {error}") from error
    if config.encoder_weights == "imagenet":
        raise InvalidInputError(
            f"{config.network} has no ImageNet weights installed; give a weight file as encoder_weights, or none"
        )
    if config.encoder_weights != "none":
        load_weight_file(network.backbone, Path(config.encoder_weights))
    if name.startswith("lraspp"):
        layers = ("classifier.low_classifier", "classifier.high_classifier")
        return NetworkParts(network.backbone, _TorchvisionBranch(network.classifier, None), output_layers=layers)
    return NetworkParts(network.backbone, _TorchvisionBranch(network.classifier, "out"))
