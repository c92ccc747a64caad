"""The training loop: one generator of reports, read from top to bottom.

Two optimizers play against each other on the same forward pass: one lowers the weighted loss through
encoder and segmentation branch, the other raises it through the hardness branch alone.
"""

import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, PolynomialLR

from hlcore.config import LossConfig, OptimConfig, TrainConfig
from hlcore.data.augment import TrainingAugmentation
from hlcore.data.catalog import open_data
from hlcore.data.memory import CachedData
from hlcore.data.samples import SegmentationData
from hlcore.errors import CheckpointError, TrainingError
from hlcore.evaluation import Scores, score_images
from hlcore.models.adapters import build_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.checkpoints import CheckpointHeader, save_checkpoint
from hlcore.storage.runs import Run, RunRecord, create_run, installed_versions, now, open_run, refuse_existing_run
from hlcore.training.batches import AugmentedData, epoch_loader, steps_per_epoch
from hlcore.training.losses import LossTerms, median_frequency_weights, training_loss
from hlcore.training.probe import SNAPSHOT_ITERATIONS, add_snapshot, start_probe
from hlcore.training.state import Progress, load_state, save_state
from hlcore.training.transfer import saved_hardness
from hlcore.types import IGNORE_INDEX

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """How far a run is; one is yielded after each step and one after each validated epoch."""

    run: Run
    epoch: int
    iteration: int
    iterations: int
    """Steps of the whole run."""
    values: dict[str, Any] = field(default_factory=dict)
    """What was logged, as in `Run.steps()` or `Run.epoch_table()`."""
    ends_epoch: bool = False


class TrainingStep(nn.Module):
    """Network and loss as one module, so that a distributed wrapper sees a single forward."""

    class_weights: Tensor | None

    def __init__(self, network: HardnessSegmenter, config: LossConfig, class_weights: Tensor | None) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, image: Tensor, label_map: Tensor, fixed_hardness: Tensor | None = None) -> LossTerms:
        """The loss of one batch."""
        logits, hardness = self.network(image)
        return training_loss(
            logits, hardness, label_map, self.config, class_weights=self.class_weights, fixed_hardness=fixed_hardness
        )


def train(config: TrainConfig) -> Iterator[Report]:
    """Trains a new run; closing the iterator between two reports leaves the run resumable.

    Raises:
        InvalidInputError, DatasetError, CheckpointError: something in the config does not fit.
        TrainingError: the loss became NaN or infinite.
    """
    return _train(config, None)


def resume(path: Path) -> Iterator[Report]:
    """Goes on with an interrupted run, to the same weights as if it had never stopped.

    Raises:
        CheckpointError: there is no run, no training state, or the data has changed.
        TrainingError: the loss became NaN or infinite.
    """
    run = open_run(path)
    if run.record.state == "complete":
        raise CheckpointError(f"{path} is complete: there is nothing to resume")
    return _train(run.record.config, run)


def _train(config: TrainConfig, run: Run | None) -> Iterator[Report]:
    if run is None:
        refuse_existing_run(config.out / config.run_name)  # here, while no other process waits for this one
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    fabric = _launch(config)
    train_data, val_data = open_splits(config)
    class_names = train_data.classes.names
    steps = steps_per_epoch(len(train_data), batch_size=config.optim.batch_size, processes=fabric.world_size)
    iterations = steps * config.optim.epochs
    augmentation = TrainingAugmentation(
        config.augment.crop_size or train_data[0].image.shape[:2],
        scale=config.augment.scale,
        flip=config.augment.flip,
        colour=config.augment.colour,
    )

    torch.manual_seed(config.seed)
    network = build_network(config.network, len(class_names), hardness=config.has_hardness)
    class_weights = _class_weights(train_data) if config.loss.name == "balanced_ce" else None
    optimizers = make_optimizers(network, config.optim)
    schedules = [make_schedule(optimizer, config.optim, iterations) for optimizer in optimizers]
    step_module = TrainingStep(network, config.loss, class_weights)

    fresh = run is None
    if run is None:
        record = _record(config, network, train_data, fabric)
        run = create_run(record, config.out) if fabric.is_global_zero else Run(config.out / record.name, record)
    elif run.record.data_fingerprint != train_data.fingerprint:
        raise CheckpointError(f"{run.path}: the training data has changed since the run began, so it cannot go on")
    step_module, *optimizers = fabric.setup(step_module, *optimizers)
    parts = {"network": network} | {f"optimizer{i}": o for i, o in enumerate(optimizers)}
    parts |= {f"schedule{i}": s for i, s in enumerate(schedules)}
    done, epochs_done = Progress(0, 0) if fresh else load_state(fabric, run.resume_path, parts)

    kept = set(np.linspace(0, config.optim.epochs, min(config.keep_epochs, config.optim.epochs + 1)).round().tolist())
    keeper = _Keeper(fabric, run, network, class_names, train_data.classes.palette, half=config.keep_half)
    if fabric.is_global_zero:
        if fresh:
            keeper.probe = start_probe(run, train_data, val_data, images=config.probe_images if config.has_hardness else 0)
            keeper.checkpoint(0, 0)
        else:
            keeper.probe = run.probe
            run.forget_metrics_after(done, epoch=epochs_done)
            run = run.with_state("running")

    saved = None
    if config.hardness_from is not None:
        made_in = run.path / "hardness-from"
        if fabric.is_global_zero:
            saved_hardness(config.hardness_from, train_data, made_in=made_in, makes=True)
        fabric.barrier()
        saved = saved_hardness(config.hardness_from, train_data, made_in=made_in, makes=False)

    try:
        for epoch in range(epochs_done + 1, config.optim.epochs + 1):
            first_step = done - (epoch - 1) * steps
            loader = epoch_loader(
                AugmentedData(train_data, augmentation, config.seed, epoch, saved),
                batch_size=config.optim.batch_size,
                rank=fabric.global_rank,
                processes=fabric.world_size,
                first_step=first_step,
                workers=config.data.workers,
            )
            step_module.train()
            clock = time.perf_counter()
            for batch in loader:
                indices = batch.pop("index").tolist()
                torch.manual_seed((config.seed * 1_000_003 + done) * fabric.world_size + fabric.global_rank)
                terms = step_module(**fabric.to_device(batch))
                if not bool(torch.isfinite(terms.total)):
                    names = ", ".join(train_data.names[index] for index in indices)
                    raise TrainingError(
                        f"the loss is {float(terms.total)} at step {done + 1} (epoch {epoch}) on the images {names}; "
                        f"the last good checkpoint is {keeper.last_good()}. Lower optim.lr, or look at these images."
                    )
                fabric.backward(terms.total)
                norms = [
                    fabric.clip_gradients(
                        step_module, optimizer, max_norm=config.optim.clip_norm, error_if_nonfinite=False
                    )
                    for optimizer in optimizers
                ]
                for optimizer, schedule in zip(optimizers, schedules, strict=True):
                    optimizer.step()
                    schedule.step()
                    optimizer.zero_grad()
                done += 1
                seconds, clock = time.perf_counter() - clock, time.perf_counter()
                row = {
                    "epoch": epoch,
                    "iteration": done,
                    "mean_ce": _number(terms.mean_ce),
                    "weighted_ce": _number(terms.weighted_ce),
                    "hardness_lift": _number(terms.hardness_lift),
                    "lr": schedules[0].get_last_lr()[1],
                    "encoder_lr": schedules[0].get_last_lr()[0],
                    "gradient_norm": _number(norms[0]),
                    "hardness_gradient_norm": _number(norms[1]) if len(norms) > 1 else None,
                    "images_per_s": len(indices) * fabric.world_size / seconds,
                }
                if fabric.is_global_zero:
                    run.append_metrics("step", row)
                    if done in SNAPSHOT_ITERATIONS:
                        keeper.snapshot(f"iteration-{done:06d}")
                        clock = time.perf_counter()
                yield Report(run, epoch, done, iterations, row)

            scores = _validate(fabric, network, val_data)
            row = {"epoch": epoch, "iteration": done}
            row |= {name: _number(value) for name, value in scores.table(class_names).items()}
            epochs_done = epoch
            if fabric.is_global_zero:
                run.append_metrics("epoch", row)
                if epoch in kept:
                    keeper.checkpoint(epoch, done)
            save_state(fabric, run.resume_path, parts, Progress(done, epochs_done))
            yield Report(run, epoch, done, iterations, row, ends_epoch=True)
    except GeneratorExit:
        save_state(fabric, run.resume_path, parts, Progress(done, epochs_done))
        if fabric.is_global_zero:
            run.with_state("interrupted")
        raise
    except BaseException as error:
        if fabric.is_global_zero:
            run.with_state("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    if fabric.is_global_zero:
        run.resume_path.unlink(missing_ok=True)
        run = run.with_state("complete")
    yield Report(run, config.optim.epochs, done, iterations)


def open_splits(config: TrainConfig) -> tuple[SegmentationData, SegmentationData]:
    """Training and validation data of a run."""
    data = config.data

    def opened(split: str, count: int) -> SegmentationData:
        whole = open_data(data.dataset, root=data.root, split=split, count=count, size=data.scene_size)
        return CachedData(whole, limit_mb=data.cache_mb)

    return opened(data.train_split, data.train_scenes), opened(data.val_split, data.val_scenes)


def make_optimizers(network: HardnessSegmenter, config: OptimConfig) -> list[Optimizer]:
    """One for encoder (group 0) and segmentation branch (group 1), and one for the hardness branch where there is one."""
    encoder_lr = config.encoder_lr or 0.3 * config.lr
    groups: list[dict[str, Any]] = [
        {"params": list(network.encoder.parameters()), "lr": encoder_lr},
        {"params": list(network.segmentation_branch.parameters()), "lr": config.lr},
    ]
    optimizers: list[Optimizer] = [AdamW(groups, weight_decay=config.weight_decay)]
    if network.hardness_branch is not None:
        optimizers.append(AdamW(network.hardness_parameters(), lr=config.lr, weight_decay=config.weight_decay))
    return optimizers


def make_schedule(optimizer: Optimizer, config: OptimConfig, iterations: int) -> LRScheduler:
    """The learning-rate schedule, stepped once a training step."""
    if config.schedule == "poly":
        return PolynomialLR(optimizer, total_iters=iterations, power=0.9)
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, max_lr=peaks, total_steps=iterations + 1)


def _launch(config: TrainConfig) -> Fabric:
    accelerator = "auto" if config.device == "auto" else config.device
    precision: Any = config.precision
    if precision == "auto":
        on_gpu = config.device in ("auto", "cuda") and torch.cuda.is_available()
        precision = ("bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed") if on_gpu else "32-true"
    fabric = Fabric(accelerator=accelerator, devices=config.devices, num_nodes=config.nodes, precision=precision)
    fabric.launch()
    return fabric


def _record(config: TrainConfig, network: HardnessSegmenter, data: SegmentationData, fabric: Fabric) -> RunRecord:
    gpu = fabric.device.type == "cuda"
    device = torch.cuda.get_device_name(fabric.device) if gpu else f"{fabric.device.type}, {os.cpu_count()} cores"
    return RunRecord(
        name=config.run_name,
        state="running",
        created=now(),
        config=config,
        data_fingerprint=data.fingerprint,
        class_names=data.classes.names,
        palette=data.classes.palette,
        parameters=sum(p.numel() for p in network.parameters()),
        hardness_parameters=sum(p.numel() for p in network.hardness_parameters()),
        device=f"{fabric.world_size} x {device}",
        versions=installed_versions(),
    )


def _class_weights(data: SegmentationData) -> Tensor:
    counts = torch.zeros(len(data.classes.names), dtype=torch.int64)
    for index in range(len(data)):
        label_map = data[index].label_map
        assert label_map is not None  # augmentation refuses such samples by name
        labels = label_map[label_map != IGNORE_INDEX].astype(np.int64)
        counts += torch.from_numpy(np.bincount(labels, minlength=len(counts)))
    return median_frequency_weights(counts)


def _validate(fabric: Fabric, network: HardnessSegmenter, data: SegmentationData) -> Scores:
    """Scores of the whole split; each process takes every n-th image, and the counts are summed."""
    num_classes = len(data.classes.names)
    mine: Sequence[int] = range(fabric.global_rank, len(data), fabric.world_size)
    scores = sum(
        score_images(network, (data[i] for i in mine), num_classes=num_classes), start=Scores.zero(num_classes)
    )
    if fabric.world_size == 1:
        return scores
    counts: Any = fabric.all_reduce(torch.from_numpy(scores.confusion_matrix).to(fabric.device), reduce_op="sum")
    rest: Any = fabric.all_reduce(torch.tensor([scores.loss_sum, scores.images], device=fabric.device), reduce_op="sum")
    return Scores(counts.cpu().numpy(), float(rest[0]), int(rest[1]))


def _number(value: Tensor | float | None) -> float | None:
    """A number as JSON knows it: NaN and infinity have none."""
    number = float("nan") if value is None else float(value)
    return number if math.isfinite(number) else None


@dataclass
class _Keeper:
    """Keeps weights and probe maps while a run goes on; used on rank 0 alone."""

    fabric: Fabric
    run: Run
    network: HardnessSegmenter
    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    half: bool
    probe: Any = None

    def checkpoint(self, epoch: int, iteration: int) -> None:
        header = CheckpointHeader(
            network=self.run.record.config.network,
            has_hardness=self.network.hardness_branch is not None,
            class_names=self.class_names,
            palette=self.palette,
            epoch=epoch,
            iteration=iteration,
        )
        save_checkpoint(self.run.checkpoint_path(epoch), self.network, header, half=self.half)
        self.snapshot(f"epoch-{epoch:04d}")

    def snapshot(self, name: str) -> None:
        if self.probe is not None:
            self.probe = add_snapshot(self.probe, self.network, name, class_names=self.class_names)

    def last_good(self) -> Path | str:
        return self.run.checkpoint_path(self.run.epochs[-1]) if self.run.epochs else "none"
