"""Everything a run needs before its first step: devices, data, optimizers, schedules and its record."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR, PolynomialLR

from hlcore.config import FrozenModel, OptimConfig, TrainConfig
from hlcore.data.augment import TrainingAugmentation
from hlcore.data.catalog import open_data
from hlcore.data.memory import CachedData
from hlcore.data.samples import PairedFiles, SegmentationData
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.run_records import RunRecord, installed_versions, utc_now
from hlcore.training.loggers import make_loggers
from hlcore.training.losses import median_frequency_weights
from hlcore.types import IGNORE_INDEX


def launch_fabric(config: TrainConfig, folder: Path, settings: FrozenModel | None = None) -> Fabric:
    """The Fabric of a run, with all its processes started.

    Args:
        config: Settings of the run.
        folder: Of the run.
        settings: What a tracker gets as settings. Default: `config`.

    Raises:
        InvalidInputError: the machine lacks the device, or has too few of them, torchrun started another number of
            processes, or a tracker is not installed.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    _check_launcher(config)
    loggers = make_loggers(config, folder, settings)
    try:
        fabric = Fabric(
            accelerator=config.device,
            devices=config.devices,
            num_nodes=config.nodes,
            precision=choose_precision(config),
            loggers=loggers,
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise InvalidInputError(f"{config.devices} x device {config.device!r} not available: {error}") from error
    fabric.launch()
    return fabric


def _check_launcher(config: TrainConfig) -> None:
    """Fabric would train in all processes that torchrun started, and so with another number of images a step."""
    if not torch.distributed.is_torchelastic_launched():
        return
    started, expected = int(os.environ["WORLD_SIZE"]), config.devices * config.nodes
    if started != expected:
        raise InvalidInputError(
            f"torchrun started {started} processes, but the run is for {expected} (devices {config.devices} x nodes "
            f"{config.nodes}); set --devices to its --nproc-per-node and --nodes to its --nnodes"
        )


def change_devices(config: TrainConfig, *, devices: int | None, nodes: int | None) -> TrainConfig:
    """The same settings on another number of devices or machines, with as many images a step in all.

    Raises:
        InvalidInputError: the devices cannot share the images of a step equally.
    """
    images = config.optim.batch_size * config.devices * config.nodes
    devices, nodes = devices or config.devices, nodes or config.nodes
    batch_size, rest = divmod(images, devices * nodes)
    if rest:
        raise InvalidInputError(
            f"{devices * nodes} devices cannot share the run's {images} images a step equally; resume it on a number "
            f"of devices that divides {images}"
        )
    optim = config.optim.model_copy(update={"batch_size": batch_size})
    return config.model_copy(update={"devices": devices, "nodes": nodes, "optim": optim})


def choose_precision(config: TrainConfig) -> Literal["32-true", "16-mixed", "bf16-mixed"]:
    """The precision setting, with `auto` resolved for this machine."""
    if config.precision != "auto":
        return config.precision
    if config.device not in {"auto", "cuda"} or not torch.cuda.is_available():
        return "32-true"
    return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"


def open_splits(config: TrainConfig) -> tuple[SegmentationData, SegmentationData]:
    """Training and validation split of a run, with the same white level."""
    data = config.data

    def opened(split: str, count: int, white_level: float | None) -> CachedData:
        size = data.scene_size
        whole = open_data(data.dataset, root=data.root, split=split, count=count, size=size, white_level=white_level)
        return CachedData(whole, limit_mb=data.cache_mb)

    train_data = opened(data.train_split, data.train_scenes, data.white_level)
    return train_data, opened(data.val_split, data.val_scenes, find_used_white_level(train_data))


def find_used_white_level(data: SegmentationData) -> float | None:
    """The white level that images of more than 8 bits are read with; None if there are no such images."""
    files = data.data if isinstance(data, CachedData) else data
    return files.white_level if isinstance(files, PairedFiles) else None


def make_augmentation(config: TrainConfig, data: SegmentationData) -> TrainingAugmentation:
    """The training augmentation; the crop size defaults to the first image's size."""
    settings = config.augment
    height, width = settings.crop_size or data[0].image.shape[:2]
    return TrainingAugmentation((height, width), scale=settings.scale, flip=settings.flip, colour=settings.colour)


def make_optimizers(network: HardnessSegmenter, config: OptimConfig) -> list[Optimizer]:
    """An optimizer of encoder (group 0) and segmentation branch (group 1), and one of the hardness branch if any."""
    config = config.with_defaults()
    groups: list[dict[str, Any]] = [
        {"params": list(network.encoder.parameters()), "lr": config.encoder_lr},
        {"params": list(network.segmentation_branch.parameters()), "lr": config.lr},
    ]
    optimizers: list[Optimizer] = [AdamW(groups, weight_decay=config.weight_decay)]
    if network.hardness_branch is not None:
        settings: dict[str, Any] = {"lr": config.hardness_lr, "weight_decay": config.hardness_weight_decay}
        if config.hardness_optimizer == "adamw":
            optimizers.append(AdamW(network.hardness_parameters(), **settings))
        else:
            optimizers.append(SGD(network.hardness_parameters(), momentum=config.hardness_momentum, **settings))
    return optimizers


def make_schedules(optimizers: Sequence[Optimizer], config: OptimConfig, iterations: int) -> list[LRScheduler]:
    """A learning-rate schedule for each optimizer of `make_optimizers`, stepped once per training step."""
    kinds = (config.schedule, config.hardness_schedule or config.schedule)
    return [_make_schedule(kind, optimizer, iterations) for kind, optimizer in zip(kinds, optimizers, strict=False)]


def _make_schedule(kind: str, optimizer: Optimizer, iterations: int) -> LRScheduler:
    match kind:
        case "poly":
            return PolynomialLR(optimizer, total_iters=iterations, power=0.9)
        case "constant":
            return ConstantLR(optimizer, factor=1.0)
        case _:
            peaks = [group["lr"] for group in optimizer.param_groups]
            cycle_momentum = isinstance(optimizer, AdamW)  # SGD keeps the momentum of the settings
            return OneCycleLR(optimizer, max_lr=peaks, total_steps=iterations + 1, cycle_momentum=cycle_momentum)


def count_class_weights(data: SegmentationData) -> Tensor:
    """Median-frequency weight of each class over the whole training set.

    Raises:
        DatasetError: a sample has no label map.
    """
    counts = torch.zeros(len(data.classes.names), dtype=torch.int64)
    for index in range(len(data)):
        sample = data[index]
        if sample.label_map is None:
            raise DatasetError(f"{sample.name} has no label map, so its classes cannot be counted")
        labels = sample.label_map[sample.label_map != IGNORE_INDEX].astype(np.int64)
        counts += torch.from_numpy(np.bincount(labels, minlength=len(counts)))
    return median_frequency_weights(counts)


def describe_run(config: TrainConfig, network: HardnessSegmenter, data: SegmentationData, fabric: Fabric) -> RunRecord:
    """The record of a run that starts now; its settings name the white level that was found in the data."""
    white_level = find_used_white_level(data)
    config = config.model_copy(update={"data": config.data.model_copy(update={"white_level": white_level})})
    return RunRecord(
        name=config.run_name,
        state="running",
        created=utc_now(),
        config=config,
        data_fingerprint=data.fingerprint,
        class_names=data.classes.names,
        palette=data.classes.palette,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        hardness_parameters=sum(p.numel() for p in network.hardness_parameters()),
        device=describe_devices(fabric),
        versions=installed_versions(),
    )


def describe_devices(fabric: Fabric) -> str:
    """The number and kind of the devices, such as "2 x cpu, 8 cores"."""
    on_gpu = fabric.device.type == "cuda"
    device = torch.cuda.get_device_name(fabric.device) if on_gpu else f"{fabric.device.type}, {os.cpu_count()} cores"
    return f"{fabric.world_size} x {device}"
