"""Measure images of an analysis, one after the other: sample -> networks -> counts and rows of the image."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from hlcore.analysis.merging import count_ignored, merge_classes, merge_labels
from hlcore.analysis.statistics import Counts
from hlcore.analysis.suspicion import suspicion_map
from hlcore.cluster import Work
from hlcore.config import AnalyzeConfig
from hlcore.data.samples import Sample
from hlcore.errors import DatasetError, explain_failure
from hlcore.figures.maps import apply_colour_scale
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.imported import read_imported_record
from hlcore.inference import OVERLAPPED_VALUES, mc_dropout_entropy, predict
from hlcore.measuring.job import AnalysisJob, open_job
from hlcore.measuring.tables import Snapshot, measure_image
from hlcore.overlap import overlap
from hlcore.storage.analyses import open_analysis
from hlcore.storage.analysis_writer import AnalysisWriter
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from hlcore.types import PredictionRecord


class Measured(NamedTuple):
    """One image that is done."""

    image: str
    failure: str = ""
    """Why it could not be measured."""


class ImageMeasurer:
    """Measures images with the chosen epoch and with the epochs it is compared to."""

    def __init__(self, job: AnalysisJob, writer: AnalysisWriter, checkpoint: Checkpoint | None) -> None:
        """The other epochs are loaded when they are needed.

        Args:
            job: What is measured.
            writer: Writes the parts of the images.
            checkpoint: The chosen epoch; None if the run's maps were imported.
        """
        self._job, self._writer, self._checkpoint = job, writer, checkpoint

    @cached_property
    def _networks(self) -> dict[int, Checkpoint]:
        """The other epochs."""
        job = self._job
        if self._checkpoint is None:
            return {}
        network, others = self._checkpoint.network, [epoch for epoch in job.epochs if epoch != job.epoch]
        device = str(network.mean.device)
        return {epoch: load_epoch(job.run, epoch, device=device, backend=network.backend) for epoch in others}

    def measure(self, positions: Sequence[int]) -> Generator[Measured]:
        """Write the part of each image; whatever is wrong with one, the others are measured.

        Args:
            positions: Into `AnalysisJob.indices`.

        Raises:
            HlcoreError: one that other images would meet too.
        """
        job = self._job
        values_per_pixel = len(job.run.record.class_names) * (1 + len(self._networks))
        measuring = overlap(
            positions,
            lambda position: (position, job.data[job.indices[position]]),
            lambda loaded: self._predict_image(*loaded),
            self._measure_image,
            is_large=lambda loaded: loaded[1].image[..., 0].size * values_per_pixel > OVERLAPPED_VALUES,
        )
        with closing(measuring):
            for position, error in measuring:
                yield Measured(job.names[position], "" if error is None else explain_failure(error))

    def _predict_image(self, position: int, sample: Sample) -> "_Predicted":
        job = self._job
        record, ignored = self._predict(job.epoch, sample, mc_dropout=job.config.mc_dropout)
        snapshots = {
            epoch: Snapshot.of(record if epoch == job.epoch else self._predict(epoch, sample)[0])
            for epoch in job.epochs
        }
        return _Predicted(position, record, snapshots, ignored)

    def _predict(self, epoch: int, sample: Sample, *, mc_dropout: int = 0) -> tuple[PredictionRecord, Counts]:
        """What the network, or the imported maps, of an epoch say of a labelled sample."""
        job = self._job
        if self._checkpoint is None:
            return read_imported_record(job.run, epoch, sample), {}
        checkpoint = self._checkpoint if epoch == job.epoch else self._networks[epoch]
        return _predict(job, checkpoint, sample, mc_dropout=mc_dropout)

    def _measure_image(self, predicted: "_Predicted") -> None:
        record = predicted.record
        if self._job.config.thumbnails:
            hardness = apply_colour_scale(record.hardness_map, scale=HARDNESS_SCALES[0], low=0, high=1)
            self._writer.write_thumbnail(record.name, record.image)
            self._writer.write_thumbnail(f"{record.name}.hardness", hardness)
        part = measure_image(record, predicted.snapshots, predicted.ignored, c=self._job.run.record.config.loss.c)
        self._writer.write_part(predicted.position, part)


class _Predicted(NamedTuple):
    """What the networks say of one image."""

    position: int
    record: PredictionRecord
    snapshots: dict[int, Snapshot]
    """The image at each epoch that is compared."""
    ignored: Counts


def open_work(run: Path, root: Path | None, config: AnalyzeConfig, network: Mapping[str, Any]) -> Work:
    """What a worker of a cluster does with rows, each with the position and the name of an image.

    Args:
        run: Folder of the run, as the worker sees it.
        root: Folder of the data set; None for streets.
        config: Of the analysis.
        network: From `load_for_workers`.
    """
    job = open_job(open_run(run), root, config)
    writer = AnalysisWriter(open_analysis(job.path))
    measurer = ImageMeasurer(job, writer, load_epoch(job.run, **network))

    def work(rows: Sequence[Mapping[str, Any]]) -> Generator[Measured]:
        for row in rows:
            position, name = row["position"], row["image"]
            if position >= len(job.indices) or job.names[position] != name:
                raise DatasetError(f"{root} does not have {name} on every machine of the cluster at the same place")
        remaining = {row["position"] for row in rows if not writer.has_part(row["position"])}
        measured = measurer.measure(sorted(remaining))
        for row in rows:  # a worker that was lost may have measured some
            yield next(measured) if row["position"] in remaining else Measured(row["image"])

    return work


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
        if (model := job.run.record.error_model) is not None and checkpoint.epoch == job.epoch:
            record = replace(record, error_suspicion=suspicion_map(record, model))
        return replace(record, label_map=sample.label_map), {}
    ignored = count_ignored(record.prediction, sample.label_map, job.merge)
    record = merge_classes(record, job.merge)
    if mc_dropout:
        network, window, targets = checkpoint.network, job.config.window, job.merge.of_run
        entropy = mc_dropout_entropy(network, sample.image, passes=mc_dropout, window=window, targets=targets)
        record = replace(record, mc_entropy=entropy)
    return replace(record, label_map=merge_labels(sample.label_map, job.merge)), ignored
