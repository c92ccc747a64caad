"""Networks of segmentation-models-pytorch: any of its decoders on any of its encoders."""

import difflib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models import torchvision_cpu  # noqa: F401  before SMP
from hlcore.models.parts import NetworkParts, backpropagate_blank_image
from hlcore.models.pretrained import (
    OFFLINE_ENCODER,
    channel_statistics,
    load_packaged_weights,
    load_weight_file,
    make_hub_error,
    offline_unless_hub_answers,
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


ENCODER_OPTIONS = (
    *("drop_rate", "drop_path_rate", "proj_drop_rate", "attn_drop_rate"),
    *("img_size", "window_size", "dynamic_img_size", "strict_img_size"),
)
"""Options passed on to encoders of timm. Others may name a file, an address or a cache folder."""
_SET_BY_HLCORE = {"self", "encoder_name", "encoder_depth", "encoder_weights", "in_channels", "classes", "aux_params"}


def build_smp_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    """A network of segmentation-models-pytorch, with its encoder weights.

    Raises:
        InvalidInputError: unknown encoder, unsupported options, or no hub to get weights from.
        CheckpointError: the weight file does not match.
    """
    parts = construct_smp_parts(config, num_classes)
    _replace_unused_modules(parts.encoder, config, image_size=4 * parts.stride)
    if config.encoder_weights == "imagenet" and config.encoder == OFFLINE_ENCODER:
        load_packaged_weights(parts.encoder)
    elif config.encoder_weights not in ("none", "imagenet"):
        load_weight_file(parts.encoder, Path(config.encoder_weights))
    return parts


def construct_smp_parts(config: NetworkConfig, num_classes: int) -> NetworkParts:
    """The network as its library makes it: with all stages of the encoder, and no weights but those of the hub.

    Raises:
        InvalidInputError: unknown encoder, unsupported options, or no hub to get weights from.
    """
    import segmentation_models_pytorch as smp

    kind = getattr(smp, SMP_DECODERS[config.network])
    takes = inspect.signature(kind.__init__).parameters
    _check_encoder(config.encoder)
    _check_options(config, [name for name, taken in takes.items() if taken.kind is not taken.VAR_KEYWORD])
    depth = config.encoder_depth or takes["encoder_depth"].default
    arguments: dict[str, Any] = {"encoder_name": config.encoder, "encoder_depth": depth, "classes": num_classes}
    arguments |= _width_arguments(config.network, config.decoder_channels, depth)
    if config.network == "dpt":
        arguments["dynamic_img_size"] = True
        if config.encoder_depth is None and config.decoder_channels:
            arguments["decoder_intermediate_channels"] = (config.decoder_channels,) * depth
    from_hub = config.encoder_weights == "imagenet" and config.encoder != OFFLINE_ENCODER
    from_timm = config.encoder.startswith("tu-")  # SMP wants a flag for these, a name for the others
    try:
        with offline_unless_hub_answers() if from_hub else nullcontext():
            hub_weights = (from_timm or "imagenet") if from_hub else None
            network = kind(encoder_weights=hub_weights, **arguments | config.options)
    except (TypeError, ValueError, KeyError, NotImplementedError, AssertionError) as error:
        raise InvalidInputError(f"{config.network} on {config.encoder} cannot be built: {error}") from error
    except (OSError, RuntimeError) as error:
        if from_hub:
            raise make_hub_error(config.encoder, error) from error
        raise InvalidInputError(f"{config.network} on {config.encoder} cannot be built: {error}") from error
    stride = _input_stride(config, network.encoder.output_stride, depth)
    mean, std = channel_statistics(config.encoder)
    branch = _DecoderBranch(network.decoder, network.segmentation_head)
    return NetworkParts(network.encoder, branch, stride, mean, std)


def _check_encoder(name: str) -> None:
    """Raise InvalidInputError for a name unknown to SMP and timm, such as that of a hub's repository or a folder."""
    import timm
    from segmentation_models_pytorch.encoders import get_encoder_names

    known = [*get_encoder_names(), *(f"tu-{model}" for model in timm.list_models())]
    current = name.replace("timm-", "tu-tf_" if "mobilenetv3" in name else "tu-", 1)  # SMP translates its old names
    normalised = current.partition(".")[0].replace("-", "_").lower()  # the part after the dot selects timm's weights
    if normalised not in {other.replace("-", "_").lower() for other in known}:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "see the encoders of SMP, or tu-NAME for NAME of timm"
        raise InvalidInputError(f"unknown encoder {name!r}; {hint}")


def _check_options(config: NetworkConfig, arguments: Sequence[str]) -> None:
    """Raise InvalidInputError for an option that is not a setting of the decoder or encoder, or an absurd value.

    A checkpoint's header chooses the options too, so none of them may name a file or take hours.
    """
    known = [name for name in arguments if name not in _SET_BY_HLCORE]
    known += ENCODER_OPTIONS if config.encoder.startswith("tu-") else ()
    for name, value in config.options.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise InvalidInputError(f"{config.network} on {config.encoder} has no option {name!r}; {hint}")
        if not _is_plausible(value, 32 if name == "upsampling" else 4096):
            raise InvalidInputError(
                f"option {name!r} of {config.network} must be a word, a number of at most "
                f"{32 if name == 'upsampling' else 4096}, or at most 32 of them, got {str(value)[:60]}"
            )


def _is_plausible(value: Any, most: int) -> bool:
    """Whether a value is a word or number of ordinary size, or a short list or table of them."""
    match value:
        case str():
            return re.fullmatch(r"\w{0,32}", value) is not None
        case int() | float():
            return abs(value) <= most
        case list() | tuple() | dict():
            inner = value.values() if isinstance(value, dict) else value
            return len(inner) <= 32 and all(
                not isinstance(one, list | dict) and _is_plausible(one, most) for one in inner
            )
    return value is None


def _input_stride(config: NetworkConfig, output_stride: int, depth: int) -> int:
    """The number that image height and width must be a multiple of, so that the decoder's feature sizes match."""
    if config.network == "pan":  # its attention halves the coarsest feature three times more
        return 8 * output_stride
    if config.network == "dpt":  # its coarsest level is the patch grid, halved once
        return 2 * output_stride
    if config.encoder.startswith("tu-hrnet"):  # it always runs all its streams
        return 32
    return 2**depth


def _width_arguments(network: str, channels: int | None, depth: int) -> dict[str, Any]:
    """Constructor arguments that set the width of an SMP decoder."""
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


class _Identity(nn.Module):
    """Replaces a module that no feature depends on."""

    def forward(self, features: Tensor, *_: Any) -> Tensor:
        return features


def _replace_unused_modules(encoder: nn.Module, config: NetworkConfig, *, image_size: int) -> None:
    """Replace modules that no returned feature depends on: stages beyond `encoder_depth`, a ViT's classifier.

    SMP and timm keep them, and run some of them, even if few features are requested.
    """
    encoder.eval()
    backpropagate_blank_image(encoder, config, image_size=image_size)
    unused = {name: encoder.get_submodule(name) for name in _modules_without_gradient(encoder)}
    for name in unused:
        encoder.set_submodule(name, _Identity())
    try:
        encoder(torch.zeros(1, 3, image_size, image_size))
    except RuntimeError:  # HRNet sums unused streams, whose shapes must match: put them back
        for name, module in unused.items():
            encoder.set_submodule(name, module)
    encoder.zero_grad(set_to_none=True)
    encoder.train()


def _modules_without_gradient(module: nn.Module, prefix: str = "") -> Iterator[str]:
    """Names of the outermost modules, other than containers, whose parameters all lack a gradient."""
    for name, child in module.named_children():
        gradients = [p.grad for p in child.parameters()]
        if gradients and all(g is None for g in gradients) and not isinstance(child, nn.Sequential | nn.ModuleList):
            yield prefix + name
        else:
            yield from _modules_without_gradient(child, f"{prefix}{name}.")
