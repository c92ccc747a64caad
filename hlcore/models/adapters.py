"""Build a HardnessSegmenter by name: from segmentation-models-pytorch, torchvision, or your own network."""

import difflib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hlcore.config import NetworkConfig
from hlcore.errors import HlcoreError, InvalidInputError
from hlcore.models import torchvision_cpu  # noqa: F401  before SMP and torchvision
from hlcore.models.hardness import HardnessSegmenter, copy_branch, light_branch
from hlcore.models.parts import NetworkParts, freeze_unused_parameters
from hlcore.models.pretrained import load_weight_file
from hlcore.models.smp import SMP_DECODERS, build_smp_parts, construct_smp_parts
from hlcore.models.transformers_networks import TRANSFORMERS, build_transformers_parts
from hlcore.plugins import import_plugins

log = logging.getLogger(__name__)

TORCHVISION_NETWORKS = (
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
)

NetworkBuilder = Callable[[NetworkConfig, int], NetworkParts]
_registered: dict[str, NetworkBuilder] = {}


def register_network(name: str) -> Callable[[NetworkBuilder], NetworkBuilder]:
    """Decorator that registers a network under a name, for configs, commands and checkpoints.

    The decorated function takes the NetworkConfig and the number of classes. List its module in $HLCORE_PLUGINS,
    so that every command and the app can build the network.
    """

    def register(build: NetworkBuilder) -> NetworkBuilder:
        _registered[name] = build
        return build

    return register


@torch.inference_mode(False)
@torch.enable_grad()
def build_network(config: NetworkConfig, num_classes: int, *, hardness: bool = True) -> HardnessSegmenter:
    """A new network in training mode.

    Args:
        config: The network settings.
        num_classes: Number of logit channels, at least 2.
        hardness: Whether to add a hardness branch.

    Raises:
        InvalidInputError: unknown name, or unsupported options.
        CheckpointError: the encoder weights do not match.
    """
    if num_classes < 2:
        raise InvalidInputError(f"a segmentation network needs at least 2 classes, got {num_classes}")
    parts = _build_parts(config, num_classes)
    freeze_unused_parameters(parts, config)
    branch = None
    if hardness and config.hardness_branch == "copy":
        branch = copy_branch(parts.segmentation_branch, num_classes, output_layers=parts.output_layers)
    elif hardness:
        branch = light_branch(parts.encoder, image_size=4 * parts.stride, norm=config.hardness_norm)
    return HardnessSegmenter(
        parts.encoder,
        parts.segmentation_branch,
        branch,
        stride=parts.stride,
        mean=parts.mean,
        std=parts.std,
        channels_last=config.network not in _registered,  # a registered network may call .view on its input
    )


def outline_network(config: NetworkConfig, num_classes: int, *, hardness: bool = True) -> HardnessSegmenter | None:
    """The network without memory: its tensors have names and shapes, but no values (torch's device "meta").

    It has all stages of the encoder, also those that `build_network` removes, and no light hardness branch. None for a
    registered network whose own code needs real tensors.

    Raises:
        InvalidInputError: unknown name, or unsupported options.
    """
    config = config.model_copy(update={"encoder_weights": "none"})
    is_registered = config.network in network_names() and config.network in _registered
    with torch.device("meta"), _SkipInitialisation():
        try:
            is_smp = config.network in SMP_DECODERS and not is_registered
            parts = construct_smp_parts(config, num_classes) if is_smp else _build_parts(config, num_classes)
            branch = None
            if hardness and config.hardness_branch == "copy":
                branch = copy_branch(parts.segmentation_branch, num_classes, output_layers=parts.output_layers)
            return HardnessSegmenter(parts.encoder, parts.segmentation_branch, branch)
        except HlcoreError:
            raise
        except Exception as error:
            if not is_registered:
                raise
            log.info("the shapes of %s are checked only once it is built: %s", config.network, error)
            return None


class _SkipInitialisation(TorchFunctionMode):
    """Skip random initialisation, which is slow even on the device "meta".

    `linspace` keeps its values, because encoders read their dropout rates from it.
    """

    FILLS = (nn.init.normal_, nn.init.uniform_, Tensor.normal_, Tensor.uniform_)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self.FILLS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **({"device": "cpu"} if func is torch.linspace else {}) | kwargs)


def network_names() -> tuple[str, ...]:
    """All valid values of `NetworkConfig.network`."""
    import_plugins()
    return (*SMP_DECODERS, *(f"torchvision/{name}" for name in TORCHVISION_NETWORKS), *_registered)


def _build_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    names = network_names()
    if config.network in _registered:
        return _registered[config.network](config, num_classes)
    if config.network in SMP_DECODERS:
        return build_smp_parts(config, num_classes)
    if config.network == TRANSFORMERS:
        return build_transformers_parts(config, num_classes)
    if config.network in names:
        return _build_torchvision_parts(config, num_classes)
    close = difflib.get_close_matches(config.network, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    raise InvalidInputError(f"unknown network {config.network!r}; {hint}")


class _TorchvisionBranch(nn.Module):
    """Head of a torchvision segmentation network, applied to the dictionary its backbone returns."""

    def __init__(self, classifier: nn.Module, key: str | None) -> None:
        super().__init__()
        self.classifier = classifier
        self.key = key

    def forward(self, features: dict[str, Tensor]) -> Tensor:
        return self.classifier(features if self.key is None else features[self.key])


def _build_torchvision_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    from torchvision.models import get_model

    name = config.network.removeprefix("torchvision/")
    for setting in ("encoder_depth", "decoder_channels", "options"):
        if getattr(config, setting):
            raise InvalidInputError(f"{config.network} does not support {setting}; leave it out")
    network: Any = get_model(name, weights=None, weights_backbone=None, num_classes=num_classes)
    if config.encoder_weights == "imagenet":
        raise InvalidInputError(
            f"no ImageNet weights are installed for {config.network}; set encoder_weights to a weight file or none"
        )
    if config.encoder_weights != "none":
        load_weight_file(network.backbone, Path(config.encoder_weights))
    if name.startswith("lraspp"):
        layers = ("classifier.low_classifier", "classifier.high_classifier")
        return NetworkParts(network.backbone, _TorchvisionBranch(network.classifier, None), output_layers=layers)
    return NetworkParts(network.backbone, _TorchvisionBranch(network.classifier, "out"))
