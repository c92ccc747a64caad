"""Fit a hardness branch to a trained network and write the run folder: a generator of reports."""

import logging
import time
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from hlcore.analysis.suspicion import fit_error_model
from hlcore.config import FIT_LR, FitConfig, LossConfig, OptimConfig, TrainConfig
from hlcore.errors import CheckpointError, DatasetError, InvalidInputError
from hlcore.evaluation import Scores
from hlcore.fitting.data import FitData, choose_data, name_classes, open_fit_data, open_split
from hlcore.fitting.frozen import FrozenImages, freeze_sample, make_batch, measure_variety
from hlcore.fitting.models import TrainedNetwork, open_network
from hlcore.fitting.steps import Fitter
from hlcore.fitting.suspicion import IMAGES, score_pixels
from hlcore.models.hardness import HardnessBranch, HardnessSegmenter
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.files import lock_folder, make_folder
from hlcore.storage.run_records import Fitted, RunRecord, installed_versions, utc_now
from hlcore.storage.runs import Run, check_no_existing_run, create_run, list_spaced_epochs, open_run
from hlcore.training.loop import Report, Reports
from hlcore.training.run_writer import RunWriter, round_for_log
from hlcore.training.setup import describe_devices, launch_fabric
from hlcore.training.state import Progress

log = logging.getLogger(__name__)

CHECK_STEPS = 50
"""Steps between two measurements of the lift, at least; they fall on the ends of epochs."""
PATIENCE = 0.25
"""Fitting ends if the lift has not risen for this share of all steps."""
LEAST_VARIETY = 0.01
"""Variety of images, as in `measure_variety`, below which they look alike; docs/decisions.md has the measurements."""
VARIETY_IMAGES = 20
"""Images from which the variety is measured, at least."""
RISE = 0.002
"""A lift that is higher by less than this share has not risen."""


def fit(model: str, root: Path | None, config: FitConfig) -> Reports:
    """Learn a hardness branch for a trained network, whose own weights do not change.

    Sending True stops the run; it can then be resumed.

    Args:
        model: As in `open_network`.
        root: Folder of the data set. Default: that of the run.
        config: Where from, how and where to.

    Raises:
        InvalidInputError, DatasetError, CheckpointError: a setting is not valid.
        StorageError: the run cannot be written.
    """
    name = config.name or f"{Path(model).name}-fit"
    check_no_existing_run(config.out / name)
    torch.manual_seed(config.seed)
    data_config = choose_data(model, root, config)
    train = open_split(data_config, data_config.train_split)
    opened = open_network(
        model,
        weights=config.weights,
        num_classes=len(train.classes.names),
        epoch=config.epoch,
        config=config.network,
    )
    for statistic, given in ((opened.network.mean, config.mean), (opened.network.std, config.std)):
        if given is not None:
            statistic.copy_(torch.tensor(given).view(1, 3, 1, 1))
    names, palette = name_classes(opened, train.classes)
    data = open_fit_data(
        data_config, names, palette, requires_val=config.val_split is not None, limit=_find_limit(config)
    )
    record = _describe(model, name, opened, data, config)
    with ExitStack() as held:
        yield from _fit(record, opened.network, data, held, path=None)


def resume(path: Path, *, root: Path | None = None) -> Reports:
    """Continue an interrupted fit; it ends with the same weights as an uninterrupted one.

    Args:
        path: The run folder.
        root: Where the data set is now. Default: where it was.

    Raises:
        CheckpointError: there is no fitted run or no state, or the data has changed.
    """
    run = open_run(path)
    if run.record.fitted is None:
        raise CheckpointError(f"{path} was trained, not fitted; continue it with `hlcore train --resume {path}`")
    if run.record.state == "complete":
        raise CheckpointError(f"{path} is complete, so there is nothing to resume")
    network = load_checkpoint(run.checkpoint_path(0)).network
    config = run.record.config.data
    config = config.model_copy(update={"root": root.absolute() if root else config.root})
    limit = _find_limit(run.record.fitted.settings)
    data = open_fit_data(config, run.record.class_names, run.record.palette, requires_val=True, limit=limit)
    if data.train.fingerprint != run.record.data_fingerprint:
        raise CheckpointError(f"{path}: the data has changed since the run began, so it cannot be resumed")
    trained = run.record.config.model_copy(update={"data": data.config})
    with ExitStack() as held:
        yield from _fit(run.record.model_copy(update={"config": trained}), network, data, held, path=path)


def _find_limit(config: FitConfig) -> int:
    """Number of images that the steps can see, at most; an epoch is one pass, and there is at least one."""
    return min(config.limit or config.steps * config.batch_size, config.steps * config.batch_size)


def _fit(  # noqa: C901  (the order of its parts reads best in one piece)
    record: RunRecord, network: HardnessSegmenter, data: FitData, held: ExitStack, *, path: Path | None
) -> Reports:
    """Fit a new run, or continue the one at `path`."""
    assert record.fitted is not None
    settings = record.fitted.settings
    folder = record.config.out / record.name if path is None else path
    fabric = launch_fabric(record.config, folder, settings)
    run = Run(folder, record.model_copy(update={"device": describe_devices(fabric)}))
    network = network.to(fabric.device).eval()
    branch = network.hardness_branch
    assert isinstance(branch, HardnessBranch)  # `open_network` made it
    batches = max(1, len(data.train) // record.config.optim.batch_size)
    steps = batches * record.config.optim.epochs
    fitter = Fitter(branch, steps, settings)
    if path is not None:
        held.enter_context(lock_folder(path))
    frozen = yield from _freeze(Report(run, 0, 0, steps), network, data, settings.cache_mb)
    if frozen is None:
        return
    if path is None:
        make_folder(run.path)
        held.enter_context(lock_folder(run.path))
        create_run(run.record, run.path.parent)
    parts = {"branch": branch, "optimizer0": fitter.optimizer, "schedule0": fitter.schedule}
    writer = RunWriter(fabric, run, network, parts, best_by="val_hardness_lift")
    progress = Progress(0, 0)
    try:
        progress = writer.start(data.train, data.val) if path is None else writer.resume()
        while progress.epochs < record.config.optim.epochs and not _has_stopped_rising(writer.run, steps):
            if (yield from _fit_epoch(writer, fitter, frozen.train, progress, batches=batches)):
                return writer.interrupt(Progress(fitter.done, progress.epochs))
            progress = Progress(fitter.done, progress.epochs + 1)
            if _is_measured(writer.run, progress):
                stopped = yield from _measure(writer, fitter, frozen, progress)
                if stopped and fitter.done < steps:
                    return writer.interrupt(progress)
        if (yield from _learn_suspicion(writer, Report(writer.run, progress.epochs, fitter.done, steps), data)):
            return writer.interrupt(progress)
    except GeneratorExit:
        writer.interrupt(Progress(fitter.done, progress.epochs))
        raise
    except BaseException as error:
        writer.mark_stopped(failed=not isinstance(error, KeyboardInterrupt))
        raise
    if fitter.done < steps:
        log.info("the lift no longer rises, so fitting ends at step %d of %d", fitter.done, steps)
    yield Report(writer.mark_complete(), progress.epochs, fitter.done, steps)


class _Frozen(NamedTuple):
    train: FrozenImages
    val: FrozenImages
    scores: Scores
    """Of the network, which stay as they are, on the images set aside."""


def _freeze(
    start: Report, network: HardnessSegmenter, data: FitData, cache_mb: float
) -> Generator[Report, bool | None, _Frozen | None]:
    """Run the network on the images set aside and on as many others as fit into memory; None if that was stopped."""
    val = FrozenImages(lambda index: freeze_sample(network, data.val[index])[0], len(data.val), cache_mb / 4)
    train = FrozenImages(lambda index: freeze_sample(network, data.train[index])[0], len(data.train), 3 * cache_mb / 4)
    scores, total = Scores.zero(len(start.run.record.class_names)), len(data.val) + len(data.train)
    for index in range(len(data.val)):
        image, score = freeze_sample(network, data.val[index])
        val.keep(index, image)
        scores += score
        if (yield replace(start, checked=(index + 1, total))):
            return None
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0)).tolist()
    for number, index in enumerate(order, start=1):
        if not train.has_room:
            break
        train[index]
        if (yield replace(start, checked=(len(data.val) + number, total))):
            return None
    seen = train.kept if len(train.kept) >= VARIETY_IMAGES else [train[index] for index in order[:VARIETY_IMAGES]]
    if not any(bool((image.ce >= 0).any()) for image in seen):
        raise DatasetError(f"no pixel of the split '{data.config.train_split}' is labelled, so nothing can be learned")
    variety = measure_variety(seen)
    if variety < LEAST_VARIETY:
        log.warning(
            "the images look alike: only %.1f %% of the variance of their features lies between them (2 to 4 %% is "
            "usual), so the map may not hold elsewhere; learn from more varied images",
            100 * variety,
        )
    return _Frozen(train, val, scores)


def _fit_epoch(
    writer: RunWriter, fitter: Fitter, images: FrozenImages, progress: Progress, *, batches: int
) -> Generator[Report, bool | None, bool]:
    """Learn from each image once, or from those that remain; whether the run is to stop."""
    config = writer.run.record.config
    seed, size, epoch = config.seed * 1_000_003, config.optim.batch_size, progress.epochs + 1
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed + epoch)).tolist()
    for number in range(progress.iterations - progress.epochs * batches, batches):
        clock, step = time.perf_counter(), fitter.done + 1
        chosen = [images[index] for index in order[number * size : (number + 1) * size]]
        crops = torch.Generator().manual_seed(seed + step)
        torch.manual_seed(seed + step)
        logged = fitter.step(make_batch(chosen, device=writer.fabric.device, generator=crops))
        logged["images_per_s"] = len(chosen) / (time.perf_counter() - clock)
        row = {"epoch": epoch, "iteration": step, **{name: round_for_log(value) for name, value in logged.items()}}
        writer.log_step(row)
        if (yield Report(writer.run, epoch, step, fitter.steps, row)):
            return True
    return False


def _is_measured(run: Run, progress: Progress) -> bool:
    """Whether the lift is measured after this epoch: where weights are kept, and every CHECK_STEPS steps or so."""
    before = run.epoch_table()["iteration"].tolist()
    is_due = progress.iterations - (before[-1] if before else 0) >= CHECK_STEPS
    return is_due or progress.epochs in list_spaced_epochs(run.record.config)


def _measure(
    writer: RunWriter, fitter: Fitter, frozen: _Frozen, progress: Progress
) -> Generator[Report, bool | None, bool]:
    """Log the lift on the images set aside; whether the run is to stop."""
    lift = fitter.lift((frozen.val[index] for index in range(len(frozen.val))), device=writer.fabric.device)
    scores = frozen.scores.table(writer.run.record.class_names)
    row = {name: round_for_log(value) for name, value in (scores | {"val_hardness_lift": lift}).items()}
    row = {"epoch": progress.epochs, "iteration": progress.iterations, **row}
    writer.log_epoch(row, progress)
    return bool((yield Report(writer.run, progress.epochs, progress.iterations, fitter.steps, row, ends_epoch=True)))


def _learn_suspicion(writer: RunWriter, done: Report, data: FitData) -> Generator[Report, bool | None, bool]:
    """Write the run's error model, unless nothing can be learned; whether the run is to stop."""
    images, part = [], data.train.thin_out(IMAGES)
    for number, (_, pixels) in enumerate(score_pixels(writer.network, part), start=1):
        images.append(pixels)
        if (yield replace(done, checked=(number, len(part)))):
            return True
    learned_on = f"{data.config.dataset} {data.config.train_split}"
    try:
        model = fit_error_model(images, num_classes=len(part.classes.names), learned_on=learned_on, epoch=done.epoch)
        writer.run = writer.run.write_error_model(model)
    except InvalidInputError as error:
        log.warning("no suspicion of error: %s", error)
    return False


def _describe(model: str, name: str, opened: TrainedNetwork, data: FitData, config: FitConfig) -> RunRecord:
    """The record of a run that starts now."""
    batch_size = min(config.batch_size, len(data.train))
    trained = TrainConfig(
        name=name,
        out=config.out.absolute(),
        seed=config.seed,
        device=config.device,
        precision="32-true",
        keep_epochs=config.keep_epochs,
        keep_half=False,
        probe_images=config.probe_images,
        log=config.log,
        network=opened.config,
        data=data.config,
        loss=LossConfig(name="ce", c=config.c, hardness_lambda=config.hardness_lambda),
        optim=OptimConfig(
            epochs=max(1, config.steps // max(1, len(data.train) // batch_size)),
            batch_size=batch_size,
            hardness_lr=config.lr or FIT_LR[config.target],
        ).with_defaults(),
    )
    source = str(Path(model).absolute()) if Path(model).exists() else model
    return RunRecord(
        name=name,
        state="running",
        created=utc_now(),
        config=trained,
        data_fingerprint=data.train.fingerprint,
        class_names=data.train.classes.names,
        palette=data.train.classes.palette,
        parameters=sum(p.numel() for p in opened.network.parameters()),
        hardness_parameters=sum(p.numel() for p in opened.network.hardness_parameters()),
        device="",
        versions=installed_versions(),
        fitted=Fitted(model=source, settings=config),
    )


def _has_stopped_rising(run: Run, steps: int) -> bool:
    """Whether the lift on validation images has not risen for PATIENCE of all steps."""
    table = run.epoch_table().dropna(subset="val_hardness_lift")
    best, at, iterations = 0.0, 0, table["iteration"].tolist()
    for iteration, lift in zip(iterations, table["val_hardness_lift"].tolist(), strict=True):
        if lift > best * (1 + RISE):
            best, at = lift, iteration
    return bool(iterations) and iterations[-1] - at >= PATIENCE * steps
