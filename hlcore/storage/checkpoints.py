"""Weights on disk: safetensors files whose metadata is enough to rebuild the network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import model_validator
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from hlcore.config import FrozenModel, NetworkConfig
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.models.adapters import build_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import fill_in_old_network, parse_json, replace_atomically

METADATA_KEY = "hlcore"


class CheckpointHeader(FrozenModel):
    """The metadata of a checkpoint file."""

    network: NetworkConfig
    has_hardness: bool
    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    epoch: int
    iteration: int

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

    Raises:
        CheckpointError: the file cannot be read or does not match its network.
    """
    header = read_header(path)
    try:
        config = header.network.model_copy(update={"encoder_weights": "none"})
        network = build_network(config, len(header.class_names), hardness=header.has_hardness)
    except InvalidInputError as error:
        raise CheckpointError(f"{path}: {error}") from error
    load_network_weights(network, path)
    return Checkpoint(network.to(device).eval(), header)


def load_network_weights(network: nn.Module, path: Path) -> None:
    """Load the weights of a checkpoint file into a network; fp16 weights are converted to its type.

    Raises:
        CheckpointError: tensors are missing, superfluous or of another shape.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  (not a dict)
        network.load_state_dict(weights, strict=True)
    except (SafetensorError, OSError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not match its network: {error}") from error
