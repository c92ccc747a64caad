"""The training loop: a generator of reports.

Two optimizers work against each other on the same forward pass: one lowers the weighted loss by updating encoder and
segmentation branch, the other raises it by updating the hardness branch alone.
"""

import logging
import time
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from hlcore.config import Device, LossConfig, TrainConfig
from hlcore.data.catalog import STREETS
from hlcore.data.checks import LabelSummary, check_training_labels
from hlcore.data.samples import SegmentationData
from hlcore.errors import CheckpointError, InvalidInputError, NotFiniteError, TrainingError
from hlcore.evaluation import Scores, score_images
from hlcore.models.adapters import build_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import lock_folder, make_folder
from hlcore.storage.runs import Run, check_no_existing_run, create_run, open_run
from hlcore.training.batches import AugmentedData, count_steps_per_epoch, make_batches
from hlcore.training.losses import LossTerms, training_loss
from hlcore.training.run_writer import RunWriter, round_for_log
from hlcore.training.setup import (
    change_devices,
    count_class_weights,
    describe_devices,
    describe_run,
    launch_fabric,
    make_augmentation,
    make_optimizers,
    make_schedules,
    open_splits,
)
from hlcore.training.state import Progress
from hlcore.training.transfer import open_saved_hardness

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """Progress of a run, yielded after each step, after each validated epoch and at the end."""

    run: Run
    epoch: int
    iteration: int
    iterations: int
    """Number of steps in the whole run."""
    values: dict[str, Any] = field(default_factory=dict)
    """The logged row, as in `Run.step_table()` or `Run.epoch_table()`; empty at the end."""
    ends_epoch: bool = False
    checked: tuple[int, int] | None = None
    """Images that are done of those that are looked at before the first step, or after the last one of a fit."""


Reports = Generator[Report, bool | None, None]
"""Sending True on any process stops the run; it can then be resumed."""


class TrainingStep(nn.Module):
    """Network and loss as one module, so that a distributed wrapper has a single forward."""

    class_weights: Tensor | None

    def __init__(self, network: HardnessSegmenter, config: LossConfig, class_weights: Tensor | None) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, image: Tensor, label_map: Tensor, fixed_hardness: Tensor | None = None) -> LossTerms:
        """The loss of one batch.

        Raises:
            InvalidInputError: the batch is too small for the network's batch norm.
        """
        try:
            logits, hardness = self.network(image)
        except ValueError as error:
            size = " x ".join(map(str, image.shape))
            raise InvalidInputError(
                f"the network cannot learn from a batch of {size} (N C H W): {error}; raise optim.batch_size"
            ) from error
        return training_loss(
            logits, hardness, label_map, self.config, class_weights=self.class_weights, fixed_hardness=fixed_hardness
        )


def train(config: TrainConfig) -> Reports:
    """Train a new run. Sending True, or closing it in a single process, stops it; it can then be resumed.

    Raises:
        InvalidInputError, DatasetError, CheckpointError: a setting is not valid.
        StorageError: the run cannot be written, or another process writes to its folder.
        TrainingError: the loss became NaN or infinite.
    """
    if config.hardness_from is not None and config.loss.name != "hardness":
        raise InvalidInputError(
            f"hardness_from needs loss.name 'hardness', got {config.loss.name!r}; leave out one of the two"
        )
    check_no_existing_run(config.out / config.run_name)  # here, while no other process waits for this one
    config = config.model_copy(update={"optim": config.optim.with_defaults()})
    return _train(config.with_absolute_paths(), None)


def resume(
    path: Path,
    *,
    root: Path | None = None,
    workers: int | None = None,
    device: Device | None = None,
    devices: int | None = None,
    nodes: int | None = None,
) -> Reports:
    """Continue an interrupted run; on the same devices it ends with the same weights as an uninterrupted one.

    On another number of devices each step has the same images. Dropout and the statistics of batch norm, and the
    weights of the loss with `normalize` batch, depend on how they are shared out.

    Args:
        path: The run folder.
        root: Where the data set is now. Default: where it was.
        workers: Number of data-loading processes. Default: the run's.
        device: Device to train on. Default: the run's.
        devices: Number of devices on each machine. Default: the run's.
        nodes: Number of machines. Default: the run's.

    Raises:
        InvalidInputError: the devices cannot share the images of a step equally.
        CheckpointError: there is no run or no training state, or the data has changed.
        TrainingError: the loss became NaN or infinite.
    """
    run = open_run(path)
    if run.record.state == "complete":
        raise CheckpointError(f"{path} is complete, so there is nothing to resume")
    if run.is_blank:
        raise CheckpointError(
            f"{path} stopped before its first training state was saved; start it again with the command that began it"
        )
    config = run.record.config
    data = {
        name: value
        for name, value in {"root": root and root.absolute(), "workers": workers}.items()
        if value is not None
    }
    config = config.model_copy(update={"data": config.data.model_copy(update=data), "device": device or config.device})
    config = change_devices(config, devices=devices, nodes=nodes)
    return _train(config, Run(path, run.record.model_copy(update={"config": config})))


def _train(config: TrainConfig, run: Run | None) -> Reports:
    with ExitStack() as held:
        yield from _train_holding(config, run, held)


def _train_holding(config: TrainConfig, run: Run | None, held: ExitStack) -> Reports:  # noqa: PLR0915  (the training loop reads best in one piece)
    fabric = launch_fabric(config, config.out / config.run_name if run is None else run.path)
    train_data, val_data = open_splits(config)
    augmentation = make_augmentation(config, train_data)
    batch_size, epochs = config.optim.batch_size, config.optim.epochs
    steps = count_steps_per_epoch(len(train_data), batch_size=batch_size, processes=fabric.world_size)

    fresh = run is None
    saved = None
    if config.hardness_from is not None:
        folder = (config.out / config.run_name if run is None else run.path) / "hardness-from"
        saved = open_saved_hardness(config.hardness_from, train_data, folder=folder, overwrite=fresh, fabric=fabric)

    torch.manual_seed(config.seed)
    # A resumed run has all its weights in resume.pt, so it needs neither a hub nor a weight file.
    weights = {} if fresh else {"encoder_weights": "none"}
    network = build_network(
        config.network.model_copy(update=weights), len(train_data.classes.names), hardness=config.has_hardness
    )
    optimizers = make_optimizers(network, config.optim)
    schedules = make_schedules(optimizers, config.optim, steps * epochs)
    class_weights = count_class_weights(train_data) if config.loss.name == "balanced_ce" else None
    step_module: Any = TrainingStep(network, config.loss, class_weights)

    if run is None:
        record = describe_run(config, network, train_data, fabric)
        run = Run(config.out / record.name, record)
        if (yield from _check_labels(Report(run, 0, 0, steps * epochs), train_data, val_data, fabric)):
            return
    else:
        _check_same_data(run, train_data)
        run = Run(run.path, run.record.model_copy(update={"device": describe_devices(fabric)}))
    _hold_folder(run, fabric, held, create=fresh)
    step_module, *optimizers = fabric.setup(step_module, *optimizers)
    parts = {"network": network} | {f"optimizer{i}": optimizer for i, optimizer in enumerate(optimizers)}
    parts |= {f"schedule{i}": schedule for i, schedule in enumerate(schedules)}
    writer = RunWriter(fabric, run, network, parts)
    progress = Progress(0, 0)

    try:
        progress = writer.start(train_data, val_data) if fresh else writer.resume()
        for epoch in range(progress.epochs + 1, epochs + 1):
            batches = make_batches(
                AugmentedData(train_data, augmentation, config.seed, epoch, saved),
                batch_size=batch_size,
                rank=fabric.global_rank,
                processes=fabric.world_size,
                first_step=progress.iterations - (epoch - 1) * steps,
                workers=config.data.workers,
            )
            step_module.train()
            clock = time.perf_counter()
            for batch in batches:
                index = batch.pop("index")
                step = progress.iterations + 1
                torch.manual_seed((config.seed * 1_000_003 + step) * fabric.world_size + fabric.global_rank)
                terms: LossTerms = step_module(**fabric.to_device(batch))
                _check_finite(terms.total, f"step {step} (epoch {epoch})", index, train_data.names, writer)
                fabric.backward(terms.total)
                norms = _apply_gradients(fabric, step_module, optimizers, schedules, config.optim.clip_norm)
                progress = Progress(step, progress.epochs)
                seconds = time.perf_counter() - clock
                row = {"epoch": epoch, "iteration": step, **_make_log_row(terms, norms, schedules)}
                row["images_per_s"] = round_for_log(len(index) * fabric.world_size / seconds)
                writer.log_step(row)
                if _any_process(fabric, (yield Report(writer.run, epoch, step, steps * epochs, row))):
                    return writer.interrupt(progress)
                clock = time.perf_counter()

            scores = _validate(fabric, network, val_data, writer, epoch)
            progress = Progress(progress.iterations, epoch)
            row = {"epoch": epoch, "iteration": progress.iterations}
            row |= {name: round_for_log(value) for name, value in scores.table(train_data.classes.names).items()}
            writer.log_epoch(row, progress)
            stop = yield Report(writer.run, epoch, progress.iterations, steps * epochs, row, ends_epoch=True)
            if epoch < epochs and _any_process(fabric, stop):
                return writer.interrupt(progress)
    except GeneratorExit:
        writer.interrupt(progress)
        raise
    except BaseException as error:
        writer.mark_stopped(failed=not isinstance(error, KeyboardInterrupt))
        raise
    yield Report(writer.mark_complete(), epochs, progress.iterations, steps * epochs)


def _hold_folder(run: Run, fabric: Fabric, held: ExitStack, *, create: bool) -> None:
    """Hold the run folder against another training, on the process that writes to it; create it for a new run."""
    if fabric.is_global_zero:
        make_folder(run.path)
        held.enter_context(lock_folder(run.path))
        if create:
            create_run(run.record, run.path.parent)


def _check_same_data(run: Run, data: SegmentationData) -> None:
    if run.record.data_fingerprint != data.fingerprint:
        raise CheckpointError(f"{run.path}: the training data has changed since the run began, so it cannot be resumed")


def _check_labels(
    start: Report, train_data: SegmentationData, val_data: SegmentationData, fabric: Fabric
) -> Generator[Report, bool | None, bool]:
    """Whether to stop, after reading all samples; what cannot be learned or measured is logged."""
    if start.run.record.config.data.dataset == STREETS:  # generated labels are known to fit
        return False
    total, stop = len(train_data) + len(val_data), False
    train, val = (LabelSummary.empty(data.classes) for data in (train_data, val_data))
    for error in chain(train.read(train_data), val.read(val_data)):
        if error is not None:
            raise error
        stop = bool((yield replace(start, checked=(train.samples + val.samples, total))))
        if stop:
            break
    if _any_process(fabric, stop):
        return True
    for sentence in check_training_labels(train, val, train_data.classes):
        if fabric.is_global_zero:
            log.warning(sentence)
    return False


def _any_process(fabric: Fabric, flag: bool | None) -> bool:  # noqa: FBT001
    """Whether a flag is set on any process, so that all processes act together."""
    if fabric.world_size == 1:
        return bool(flag)
    count: Any = fabric.all_reduce(torch.tensor(float(bool(flag)), device=fabric.device), reduce_op="sum")
    return float(count) > 0


def _check_finite(loss: Tensor, moment: str, index: Tensor, names: tuple[str, ...], writer: RunWriter) -> None:
    fabric = writer.fabric
    if _any_process(fabric, not torch.isfinite(loss)):
        mean: Any = fabric.all_reduce(loss.detach())
        indices: Any = fabric.all_gather(index.to(fabric.device))
        images = ", ".join(names[i] for i in indices.flatten().tolist())
        raise TrainingError(
            f"the loss is {float(mean)} at {moment} on the images {images}; the last good checkpoint: "
            f"{writer.last_checkpoint_path() or 'none yet'}. Lower optim.lr, or check these images."
        )


def _apply_gradients(
    fabric: Fabric, module: nn.Module, optimizers: list[Optimizer], schedules: list[LRScheduler], clip_norm: float
) -> list[Tensor | None]:
    """Norms of each optimizer's gradients before clipping; the clipped gradients are applied."""
    norms = []
    for optimizer, schedule in zip(optimizers, schedules, strict=True):
        # one after the other: at each step an fp16 loss scaler forgets which gradients it has already unscaled
        norms.append(fabric.clip_gradients(module, optimizer, max_norm=clip_norm, error_if_nonfinite=False))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return norms


def _make_log_row(
    terms: LossTerms, norms: list[Tensor | None], schedules: list[LRScheduler]
) -> dict[str, float | None]:
    encoder_lr, lr = schedules[0].get_last_lr()
    return {
        "mean_ce": round_for_log(terms.mean_ce),
        "weighted_ce": round_for_log(terms.weighted_ce),
        "hardness_lift": round_for_log(terms.hardness_lift),
        "lr": round_for_log(lr),
        "encoder_lr": round_for_log(encoder_lr),
        "hardness_lr": round_for_log(schedules[1].get_last_lr()[0]) if len(schedules) > 1 else None,
        "gradient_norm": round_for_log(norms[0]),
        "hardness_gradient_norm": round_for_log(norms[1]) if len(norms) > 1 else None,
    }


def _validate(
    fabric: Fabric, network: HardnessSegmenter, data: SegmentationData, writer: RunWriter, epoch: int
) -> Scores:
    """Scores of the first process's network, the one that is saved, on the whole split.

    Each of n processes takes every n-th image, and the counts are summed.

    Raises:
        TrainingError: the network's output is not finite.
    """
    if fabric.world_size > 1:  # each process has its own batch norm statistics
        for buffer in network.buffers():
            torch.distributed.broadcast(buffer, src=0)
    num_classes = len(data.classes.names)
    mine = (data[index] for index in range(fabric.global_rank, len(data), fabric.world_size))
    try:
        scores = sum(score_images(network, mine, num_classes=num_classes), start=Scores.zero(num_classes))
    except NotFiniteError as error:
        raise TrainingError(
            f"the network's output is no longer finite after epoch {epoch}; the last good checkpoint: "
            f"{writer.last_checkpoint_path() or 'none yet'}. Lower optim.lr."
        ) from error
    if fabric.world_size == 1:
        return scores
    counts: Any = fabric.all_reduce(torch.from_numpy(scores.confusion_matrix).to(fabric.device), reduce_op="sum")
    rest: Any = fabric.all_reduce(torch.tensor([scores.loss_sum, scores.images], device=fabric.device), reduce_op="sum")
    return Scores(counts.cpu().numpy(), float(rest[0]), int(rest[1]))
