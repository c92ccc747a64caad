"""Measure a run on a data set, one image at a time: sample -> networks -> counts and rows of the image -> tables."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from hlcore.analysis.merging import IGNORED, count_ignored, merge_classes, merge_labels
from hlcore.analysis.statistics import Counts
from hlcore.config import AnalyzeConfig
from hlcore.data.catalog import STREETS
from hlcore.data.checks import LabelSummary
from hlcore.data.samples import Sample
from hlcore.errors import DatasetError, explain_failure
from hlcore.figures.maps import apply_colour_scale
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.inference import OVERLAPPED_VALUES, mc_dropout_entropy, predict
from hlcore.measuring.job import AnalysisJob, open_job
from hlcore.measuring.tables import measure_image, snapshot_name, write_tables
from hlcore.overlap import overlap
from hlcore.storage.analyses import Analysis, is_analysis
from hlcore.storage.analysis_writer import AnalysisWriter, open_analysis_writer
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.files import lock_folder
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """Progress of an analysis."""

    analysis: Analysis
    measured: int
    """Number of images measured so far; at first, of those whose labels are checked."""
    status: str
    """The last thing done, in a word or two."""


def analyze(run: Run, root: Path | None, config: AnalyzeConfig, *, command: str = "") -> Generator[Step]:
    """Measure a run on a data set and write the analysis folder; yields a step per image.

    An interrupted analysis continues where it stopped, with the same tables as an uninterrupted one. Memory does not
    grow with the number of images.

    Args:
        run: The run to measure.
        root: Folder of the data set. Default: the run's own.
        config: What to measure, and where to write it.
        command: The command that repeats the analysis, for the report.

    Raises:
        InvalidInputError: an epoch was not saved, or the run's classes are not the data set's.
        DatasetError: an image or label map cannot be read, or no pixel is labelled.
        CheckpointError: the folder holds another analysis, or a checkpoint cannot be read.
        StorageError: the folder cannot be written, or another process writes to it.
    """
    job = open_job(run, root, config)
    if job.merge is not None:
        log.info(job.describe_merge())
    checkpoint = load_epoch(run, job.epoch, device=config.device, backend=config.backend)
    record = job.record(checkpoint.network, command=command)
    if job.dataset != STREETS and not is_analysis(job.path):  # generated labels are known to fit
        yield from _check_labels(job, Analysis(job.path, record))
    writer = open_analysis_writer(job.path, record)
    if not writer.is_complete:
        with lock_folder(job.path):
            others = [epoch for epoch in job.epochs if epoch != job.epoch]
            networks = {epoch: load_epoch(run, epoch, device=config.device, backend=config.backend) for epoch in others}
            left_out = yield from _measure_images(writer, job, checkpoint, networks)
            yield Step(writer.analysis, len(job.indices), "tables")
            write_tables(writer)
            writer = AnalysisWriter(writer.mark_complete(left_out))
    yield Step(writer.analysis, len(job.indices), "complete")


def _check_labels(job: AnalysisJob, analysis: Analysis) -> Iterator[Step]:
    summary = LabelSummary.empty(job.data.classes)
    error = None
    for problem in summary.read(job.data, job.indices):
        error = error or problem
        yield Step(analysis, summary.samples, "check labels")
    scored = summary.class_pixels if job.merge is None else summary.class_pixels[job.merge.of_data != IGNORED]
    if not scored.any():
        if error is not None:
            raise error
        pixel = "labelled pixel" if job.merge is None else "labelled pixel of a scored class"
        raise DatasetError(f"the split '{job.split}' has no {pixel}, so there is nothing to measure")


def _measure_images(
    writer: AnalysisWriter, job: AnalysisJob, checkpoint: Checkpoint, networks: dict[int, Checkpoint]
) -> Generator[Step, None, dict[str, str]]:
    """Measure each remaining image with the chosen epoch and with the epochs it is compared to.

    Returns:
        Each image that could not be measured, and why; whatever is wrong with one image, the others are measured.
    """
    left_out: dict[str, str] = {}
    remaining = [position for position in range(len(job.indices)) if not writer.has_part(position)]
    measured = len(job.indices) - len(remaining)
    yield Step(writer.analysis, measured, "measure")
    values_per_pixel = len(checkpoint.class_names) * (1 + len(networks))
    measuring = overlap(
        remaining,
        lambda position: (position, job.data[job.indices[position]]),
        lambda loaded: _predict_image(job, checkpoint, networks, *loaded),
        lambda predicted: _measure_image(writer, job, predicted),
        is_large=lambda loaded: loaded[1].image[..., 0].size * values_per_pixel > OVERLAPPED_VALUES,
    )
    with closing(measuring):
        for position, error in measuring:
            name = job.data.names[job.indices[position]]
            if error is not None:  # whatever is wrong with one image, the others are measured
                left_out[name] = explain_failure(error)
            measured += 1
            yield Step(writer.analysis, measured, name)
    if left_out and len(left_out) == len(job.indices):
        raise DatasetError(f"no image could be measured; the first: {next(iter(left_out.values()))}")
    return left_out


class _Predicted(NamedTuple):
    """What the networks say of one image."""

    position: int
    record: PredictionRecord
    snapshots: dict[str, PredictionRecord]
    """The image at each epoch that is compared."""
    ignored: Counts


def _predict_image(
    job: AnalysisJob, checkpoint: Checkpoint, networks: dict[int, Checkpoint], position: int, sample: Sample
) -> _Predicted:
    record, ignored = _predict(job, checkpoint, sample, mc_dropout=job.config.mc_dropout)
    others = {epoch: _predict(job, network, sample)[0] for epoch, network in networks.items()}
    snapshots = {snapshot_name(epoch): others.get(epoch, record) for epoch in job.epochs}
    return _Predicted(position, record, snapshots, ignored)


def _measure_image(writer: AnalysisWriter, job: AnalysisJob, predicted: _Predicted) -> None:
    record = predicted.record
    if job.config.thumbnails:
        hardness = apply_colour_scale(record.hardness_map, scale=HARDNESS_SCALES[0], low=0, high=1)
        writer.write_thumbnail(record.name, record.image)
        writer.write_thumbnail(f"{record.name}.hardness", hardness)
    part = measure_image(record, predicted.snapshots, predicted.ignored, c=job.run.record.config.loss.c)
    writer.write_part(predicted.position, part)


def _predict(
    job: AnalysisJob, checkpoint: Checkpoint, sample: Sample, *, mc_dropout: int = 0
) -> tuple[PredictionRecord, Counts]:
    """Record of a labelled sample, in the scored classes, and the pixels of classes that are left out."""
    if sample.label_map is None:
        raise DatasetError(f"{sample.name} has no label map, so it cannot be measured; remove it from the split")
    record = predict(
        checkpoint.network,
        sample.image,
        class_names=checkpoint.class_names,
        name=sample.name,
        window=job.config.window,
        mc_dropout=mc_dropout if job.merge is None else 0,
    )
    if job.merge is None:
        return replace(record, label_map=sample.label_map), {}
    ignored = count_ignored(record.prediction, sample.label_map, job.merge)
    record = merge_classes(record, job.merge)
    if mc_dropout:
        network, window, targets = checkpoint.network, job.config.window, job.merge.of_run
        entropy = mc_dropout_entropy(network, sample.image, passes=mc_dropout, window=window, targets=targets)
        record = replace(record, mc_entropy=entropy)
    return replace(record, label_map=merge_labels(sample.label_map, job.merge)), ignored
