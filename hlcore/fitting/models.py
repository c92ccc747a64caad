"""Open a trained network: a run, what SMP or transformers saved, or weights of a network known by name."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from hlcore.config import EpochChoice, NetworkConfig
from hlcore.data.text import read_text
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.models.adapters import build_network, network_names
from hlcore.models.hardness import HardnessSegmenter, light_branch
from hlcore.models.pretrained import read_weight_file
from hlcore.models.smp import SMP_DECODERS
from hlcore.models.transformers_networks import TRANSFORMERS, describe_config, import_transformers, split_model
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.files import describe_validation_error
from hlcore.storage.loading import resolve_epoch
from hlcore.storage.runs import open_run

log = logging.getLogger(__name__)

_LABEL_ONLY = "LABEL_"
"""How transformers calls the classes of a network that nobody has named."""
_SMP_CLASSES = {name.lower(): key for key, name in SMP_DECODERS.items()}


_PARTS = {
    "backbone.": "encoder.",
    "classifier.": "segmentation_branch.classifier.",
    "decoder.": "segmentation_branch.decoder.",
    "segmentation_head.": "segmentation_branch.head.",
}
"""Prefix of the tensors of torchvision and SMP to that in a HardnessSegmenter."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network with a new hardness branch, and what is known about it."""

    network: HardnessSegmenter
    config: NetworkConfig
    """From which the network can be built again."""
    num_classes: int
    class_names: tuple[str, ...] | None
    """Names of the classes in the order of the logits; None if they are not known."""
    palette: tuple[tuple[int, int, int], ...] | None = None


def open_network(
    model: str,
    *,
    weights: Path | None = None,
    num_classes: int | None = None,
    epoch: EpochChoice = None,
    config: NetworkConfig | None = None,
) -> TrainedNetwork:
    """A trained network in evaluation mode, with a new light hardness branch.

    Args:
        model: A run folder; a folder that `save_pretrained` of SMP or transformers wrote; a name on the Hugging Face
            hub; or a network that hlcore knows by name, such as torchvision/fcn_resnet50 or that of a plugin.
        weights: Weights of a network known by name. Plugins may load their own.
        num_classes: Number of classes of a network known by name.
        epoch: Of a run, as in `resolve_epoch`.
        config: Settings of a network known by name, such as its encoder.

    Raises:
        InvalidInputError: there is no such model, or it is of a kind that cannot be used.
        CheckpointError: its weights cannot be read or do not fit.
    """
    folder = Path(model).expanduser()
    is_run = (folder / "run.json").is_file()
    is_saved = (folder / "config.json").is_file()
    _check_options(model, weights, config, epoch, is_run=is_run, is_named=not (is_run or is_saved))
    if is_run:
        return _open_run(folder, epoch)
    if is_saved:
        return _open_saved(folder)
    if model in network_names():
        return _open_named(model, weights, num_classes, config)
    if folder.exists():
        raise InvalidInputError(
            f"{folder} is not a trained network; expected a run (run.json) or a folder that save_pretrained of "
            "segmentation-models-pytorch or transformers wrote (config.json)"
        )
    if model.count("/") != 1 or model.startswith((".", "/")):
        raise InvalidInputError(
            f"{model!r} is neither a folder nor a network known by name; known: {', '.join(network_names())}"
        )
    return _open_transformers(model)


def _check_options(
    model: str,
    weights: Path | None,
    config: NetworkConfig | None,
    epoch: EpochChoice,
    *,
    is_run: bool,
    is_named: bool,
) -> None:
    """Raise InvalidInputError for an option that would have no effect."""
    if not is_named or model not in network_names():
        for option, given in (("weights", weights), ("network", config and config.model_fields_set)):
            if given:
                raise InvalidInputError(
                    f"--{option} is for a network known by name, such as torchvision/fcn_resnet50, not for {model}"
                )
    if epoch is not None and not is_run:
        raise InvalidInputError(f"--epoch chooses a checkpoint of a run, and {model} is not a run")


def _open_saved(folder: Path) -> TrainedNetwork:
    """What `save_pretrained` of transformers or segmentation-models-pytorch wrote."""
    settings = _read_settings(folder / "config.json")
    if "model_type" in settings:
        return _open_transformers(str(folder))
    if "encoder_name" in settings:
        return _open_smp(folder, settings)
    raise InvalidInputError(f"{folder / 'config.json'} is neither of SMP nor of transformers")


def _open_run(folder: Path, epoch: EpochChoice) -> TrainedNetwork:
    run = open_run(folder)
    run.require_network()
    checkpoint = load_checkpoint(run.checkpoint_path(resolve_epoch(run, epoch)))
    config = checkpoint.header.network.model_copy(update={"encoder_weights": "none"})
    network = checkpoint.network
    return TrainedNetwork(
        _with_new_branch(network.encoder, network.segmentation_branch, network),
        config.model_copy(update={"hardness_branch": "light", "hardness_norm": True}),
        len(checkpoint.class_names),
        checkpoint.class_names,
        checkpoint.palette,
    )


def _open_smp(folder: Path, settings: dict[str, Any]) -> TrainedNetwork:
    """A network that `save_pretrained` of segmentation-models-pytorch wrote."""
    kind = _SMP_CLASSES.get(str(settings.get("_model_class", "")).lower())
    if kind is None:
        raise InvalidInputError(
            f"{folder} holds a {settings.get('_model_class')!r}; expected one of {', '.join(SMP_DECODERS.values())}"
        )
    if settings.get("in_channels", 3) != 3 or settings.get("activation") is not None:
        raise InvalidInputError(f"{folder}: the network must take 3 channels and return logits, without an activation")
    left_out = {"_model_class", "encoder_name", "encoder_weights", "encoder_depth", "in_channels", "classes"}
    left_out |= {"aux_params", "activation"}
    classes = settings.get("classes", 1)  # SMP's own default
    try:
        config = NetworkConfig(
            network=kind,
            encoder=settings["encoder_name"],
            encoder_depth=settings.get("encoder_depth"),
            encoder_weights="none",
            options={name: value for name, value in settings.items() if name not in left_out},
        )
    except ValidationError as error:
        fault = describe_validation_error(error, NetworkConfig)
        raise InvalidInputError(f"{folder / 'config.json'} cannot be read: {fault}") from error
    if not isinstance(classes, int) or classes < 2:
        raise InvalidInputError(f"{folder / 'config.json'}: classes must be a number of at least 2, got {classes!r}")
    network = build_network(config, classes).eval()
    _load_smp_weights(network, folder / "model.safetensors")
    return TrainedNetwork(network, config, classes, None)


def _load_smp_weights(network: HardnessSegmenter, path: Path) -> None:
    """Load a whole SMP network; stages of the encoder that hlcore leaves out are ignored."""
    try:
        weights = load_file(path)
    except Exception as error:  # readers may raise anything on malformed data
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}") from error
    _load_segmenter(network, weights, source=path)


def _open_named(
    name: str, weights: Path | None, num_classes: int | None, config: NetworkConfig | None
) -> TrainedNetwork:
    """A network of torchvision, SMP or a plugin, built by name, with a weight file of the whole network."""
    config = (config or NetworkConfig()).model_copy(
        update={"network": name, "encoder_weights": "none", "hardness_branch": "light"}
    )
    if num_classes is None:
        raise InvalidInputError(f"the number of classes of {name} is not known; give the data set")
    network = build_network(config, num_classes).eval()
    if weights is None and (name in SMP_DECODERS or name.startswith("torchvision/")):
        raise InvalidInputError(f"{name} is a network without trained weights; give them with --weights FILE")
    if weights is not None:
        _load_segmenter(network, read_weight_file(weights), source=weights)
    return TrainedNetwork(network, config, num_classes, None)


def _load_segmenter(network: HardnessSegmenter, weights: dict[str, Tensor], *, source: Path) -> None:
    """Load encoder and segmentation branch from the weights of a whole network of SMP, torchvision or a plugin.

    Raises:
        CheckpointError: a tensor is missing or has another shape; the message names it.
    """
    given = {_rename(name): tensor for name, tensor in weights.items()}
    own = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("hardness_branch.")}
    fitted = {}
    for name, tensor in own.items():
        found = given.get(name)
        if found is None and (name in ("mean", "std") or name.endswith("num_batches_tracked")):
            continue
        if found is None or found.shape != tensor.shape:
            got = "nothing" if found is None else tuple(found.shape)
            raise CheckpointError(f"{source}: expected {name} of shape {tuple(tensor.shape)}, got {got}")
        fitted[name] = found
    network.load_state_dict(fitted, strict=False)


def _rename(name: str) -> str:
    """The name of a tensor of another library in a HardnessSegmenter."""
    prefix = next((old for old in _PARTS if name.startswith(old)), "")
    return _PARTS.get(prefix, "") + name.removeprefix(prefix)


def _open_transformers(name: str) -> TrainedNetwork:
    """A network of transformers, from a folder or from the hub."""
    transformers = import_transformers()
    try:
        configured = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # the hub's client may raise anything
        raise InvalidInputError(
            f"{name!r} is neither a folder nor a network on the Hugging Face hub that can be reached: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error
    if sorted(configured.id2label) != list(range(configured.num_labels)):
        raise InvalidInputError(f"{name!r} does not name its classes 0 to {configured.num_labels - 1} in id2label")
    names = tuple(configured.id2label[index].strip() for index in range(configured.num_labels))
    config = NetworkConfig(
        network=TRANSFORMERS, encoder=configured.model_type, encoder_weights="none", options=describe_config(configured)
    )
    network = build_network(config, configured.num_labels).eval()
    try:
        kind = transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING
        loader = (
            transformers.AutoModelForSemanticSegmentation
            if type(configured) in kind
            else transformers.AutoModelForUniversalSegmentation
            if configured.model_type == "mask2former"
            else transformers.AutoModelForInstanceSegmentation
        )
        loaded, found = loader.from_pretrained(name, dtype=torch.float32, output_loading_info=True)
        trained = split_model(loaded.eval())
    except Exception as error:
        raise CheckpointError(f"the weights of {name!r} cannot be loaded: {' '.join(str(error).split())}") from error
    if absent := sorted(map(str, found["missing_keys"])):  # the library would leave them random
        more = f" and {len(absent) - 1} more" if absent[1:] else ""
        raise CheckpointError(
            f"{name!r} lacks the weights {absent[0]}{more}, so it is not a {configured.model_type} for segmentation"
        )
    network.encoder.load_state_dict(trained.encoder.state_dict())
    network.segmentation_branch.load_state_dict(trained.segmentation_branch.state_dict())
    for buffer, values in zip((network.mean, network.std), _read_statistics(name, transformers), strict=True):
        buffer.copy_(torch.tensor(values).view(1, 3, 1, 1))
    known = None if names[0].startswith(_LABEL_ONLY) else names
    return TrainedNetwork(network, config, configured.num_labels, known)


def _read_statistics(name: str, transformers: Any) -> tuple[list[float], list[float]]:
    """Mean and standard deviation per channel on the scale 0..255, as the network's own image processor has them."""
    try:
        settings, _ = transformers.BaseImageProcessor.get_image_processor_dict(name)
    except OSError as error:
        log.warning(
            "preprocessor_config.json of %s cannot be read (%s), so ImageNet's mean and standard deviation are used",
            name,
            " ".join(str(error).split())[:200],
        )
        settings = {}
    white = 1.0 if settings.get("do_rescale") is False else 1 / float(settings.get("rescale_factor") or 1 / 255)
    if settings.get("do_normalize") is False:
        return [0.0] * 3, [white] * 3
    mean = settings.get("image_mean") or transformers.image_utils.IMAGENET_DEFAULT_MEAN
    std = settings.get("image_std") or transformers.image_utils.IMAGENET_DEFAULT_STD
    return [white * value for value in mean], [white * value for value in std]


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise InvalidInputError(f"{path} holds a {type(settings).__name__}; expected the settings of a network")
    return settings


def _with_new_branch(
    encoder: torch.nn.Module, segmentation_branch: torch.nn.Module, like: HardnessSegmenter
) -> HardnessSegmenter:
    """The same segmenter with a new light hardness branch."""
    network = HardnessSegmenter(
        encoder,
        segmentation_branch,
        light_branch(encoder, image_size=4 * like.stride),
        stride=like.stride,
        channels_last=like.memory_format is torch.channels_last,
    )
    network.mean.copy_(like.mean)
    network.std.copy_(like.std)
    return network.eval()
