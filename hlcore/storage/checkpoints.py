"""Weights on disk: safetensors files whose metadata is enough to rebuild the network."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from pydantic import model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from hlcore.config import FrozenModel, NetworkConfig
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.models.adapters import build_network, outline_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import (
    ClassNames,
    Count,
    Palette,
    check_palette,
    fill_in_old_network,
    parse_json,
    replace_atomically,
)

METADATA_KEY = "hlcore"
MAX_UNUSED = 500_000_000
"""Values that a network may need while it is built beyond those in its file: encoders are cut after they are made."""


class CheckpointHeader(FrozenModel):
    """The metadata of a checkpoint file."""

    network: NetworkConfig
    has_hardness: bool
    class_names: ClassNames
    palette: Palette
    epoch: Count
    iteration: Count

    _check_palette = model_validator(mode="after")(check_palette)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_old_defaults(cls, header: Any) -> Any:
        match header:
            case {"network": dict() as network}:
                return {**header, "network": fill_in_old_network(network)}
        return header


@dataclass(frozen=True)
class Checkpoint:
    """A network at one epoch, ready to run."""

    network: HardnessSegmenter
    """In evaluation mode."""
    header: CheckpointHeader

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the order of the class indices."""
        return self.header.class_names

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """RGB colour of each class."""
        return self.header.palette

    @property
    def epoch(self) -> int:
        """Number of epochs trained; 0 is before training."""
        return self.header.epoch

    @property
    def iteration(self) -> int:
        """Number of steps trained."""
        return self.header.iteration


def save_checkpoint(path: Path, network: HardnessSegmenter, header: CheckpointHeader, *, half: bool = False) -> None:
    """Save weights and header; `half` stores trained weights as fp16 and leaves buffers as they are."""
    trained = {name for name, _ in network.named_parameters()}
    weights = {
        name: (tensor.half() if half and name in trained and tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    with replace_atomically(path) as temporary:
        try:
            save_file(weights, temporary, metadata={METADATA_KEY: header.model_dump_json()})
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error


def read_header(path: Path) -> CheckpointHeader:
    """The header of a checkpoint file, without its weights.

    Raises:
        CheckpointError: there is no such file, or it is not a safetensors file written by hlcore.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a complete safetensors file: {error}") from error
    if METADATA_KEY not in metadata:
        raise CheckpointError(f"{path} is a safetensors file, but hlcore did not write it: it has no header")
    return parse_json(metadata[METADATA_KEY], CheckpointHeader, source=path)


def load_checkpoint(path: Path, *, device: torch.device | str = "cpu") -> Checkpoint:
    """The network of a checkpoint file, rebuilt on `device` in evaluation mode.

    Reads no other file and makes no network request, whatever the header says.

    Raises:
        CheckpointError: the file cannot be read or does not match its network.
    """
    header = read_header(path)
    try:
        config = header.network.model_copy(update={"encoder_weights": "none"})
        _check_shapes(path, header)
        network = build_network(config, len(header.class_names), hardness=header.has_hardness)
    except InvalidInputError as error:
        raise CheckpointError(f"{path}: {error}") from error
    load_network_weights(network, path)
    return Checkpoint(network.to(device).eval(), header)


def load_network_weights(network: nn.Module, path: Path) -> None:
    """Load the weights of a checkpoint file into a network; fp16 weights are converted to its type.

    Raises:
        CheckpointError: tensors are missing, superfluous, of another shape or type, or hold NaN, infinity or a negative
            variance.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (not a dict)
        own = network.state_dict()
        for name, tensor in weights.items():
            if not tensor.isfinite().all():
                raise CheckpointError(f"{path} has NaN or infinite weights in {name}; choose another epoch")
            if name in own and own[name].is_floating_point() != tensor.is_floating_point():
                raise CheckpointError(f"{path} has {tensor.dtype} in {name}, expected {own[name].dtype}")
            if name.endswith("running_var") and bool((tensor < 0).any()):
                raise CheckpointError(f"{path} has negative variances in {name}; choose another epoch")
        wrong = network.load_state_dict(weights, strict=False)
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not match its network: {' '.join(str(error).split())}") from error
    for names, what in ((wrong.missing_keys, "lacks"), (wrong.unexpected_keys, "has the unknown")):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise CheckpointError(f"{path} does not match its network: it {what} {', '.join(names[:3])}{more}")


def _check_shapes(path: Path, header: CheckpointHeader) -> None:
    """Raise CheckpointError if the network does not have the file's shapes, before it takes memory."""
    outline = outline_network(header.network, len(header.class_names), hardness=header.has_hardness)
    if outline is None:
        return
    try:
        with safe_open(path, framework="pt") as opened:
            stored = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a complete safetensors file: {error}") from error
    for name, tensor in outline.state_dict().items():
        shape = tuple(tensor.shape)
        if stored.get(name, shape) != shape:
            raise CheckpointError(
                f"{path} does not match its network: {name} has shape {stored[name]} in the file, expected {shape}"
            )
    needed = sum(tensor.numel() for tensor in (*outline.parameters(), *outline.buffers()))
    if needed > sum(map(prod, stored.values())) + MAX_UNUSED:
        raise CheckpointError(
            f"{path} does not match its network: the network has {needed:,} values, far more than the file"
        )
