"""Measures a run on a data set, an image at a time: sample -> networks -> what the image adds -> tables."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from hlcore.analysis.merging import merge_classes
from hlcore.config import AnalyzeConfig
from hlcore.data.samples import Sample
from hlcore.errors import DatasetError
from hlcore.figures.maps import apply_colour_scale
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.inference import mc_dropout_entropy, predict
from hlcore.measuring.job import AnalysisJob, open_job
from hlcore.measuring.tables import measure_image, snapshot_name, write_tables
from hlcore.storage.analyses import Analysis
from hlcore.storage.analysis_writer import AnalysisWriter, open_analysis_writer
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord


class Step(NamedTuple):
    """How far an analysis is."""

    analysis: Analysis
    measured: int
    """Images that need not be measured again."""
    status: str
    """What has just been done, in a word or two."""


def analyze(run: Run, root: Path | None, config: AnalyzeConfig, *, command: str = "") -> Iterator[Step]:
    """Measures a run on a data set and writes the folder of the analysis; a step an image.

    What was measured before an interruption is not measured again, and the tables are the same as without one. Memory
    does not grow with the number of images.

    Args:
        run: Whose networks look at the images.
        root: Folder of the data set. Default: the run's own.
        config: What is measured, and where it goes.
        command: What a person types to have it made again, for the report.

    Raises:
        InvalidInputError: the run has not kept an epoch, or its classes do not fit the data set's.
        DatasetError: an image or label map cannot be read.
        CheckpointError: the folder holds another analysis, or a checkpoint cannot be read.
    """
    subject = open_job(run, root, config)
    checkpoint = load_epoch(run, subject.epoch, device=config.device)
    device = str(checkpoint.network.mean.device)
    writer = open_analysis_writer(subject.path, subject.record(device=device, command=command))
    if not writer.is_complete:
        others = [epoch for epoch in subject.epochs if epoch != subject.epoch]
        networks = {epoch: load_epoch(run, epoch, device=config.device) for epoch in others}
        yield from _measure_images(writer, subject, checkpoint, networks)
        yield Step(writer.analysis, len(subject.indices), "tables")
        write_tables(writer)
        writer = AnalysisWriter(writer.mark_complete())
    yield Step(writer.analysis, len(subject.indices), "complete")


def _measure_images(
    writer: AnalysisWriter, subject: AnalysisJob, checkpoint: Checkpoint, networks: dict[int, Checkpoint]
) -> Iterator[Step]:
    """Looks at each image that is left: with the network that is measured, and with those of the other epochs."""
    left = [place for place in range(len(subject.indices)) if not writer.has_part(place)]
    measured = len(subject.indices) - len(left)
    yield Step(writer.analysis, measured, "measure")
    for place in left:
        sample = subject.data[subject.indices[place]]
        record = _predict(subject, checkpoint, sample, mc_dropout=subject.config.mc_dropout)
        if subject.config.thumbnails:
            hardness = apply_colour_scale(record.hardness_map, scale=HARDNESS_SCALES[0], low=0, high=1)
            writer.write_thumbnail(sample.name, sample.image)
            writer.write_thumbnail(f"{sample.name}.hardness", hardness)
        seen = {epoch: _predict(subject, network, sample) for epoch, network in networks.items()}
        of_epoch = {snapshot_name(epoch): seen.get(epoch, record) for epoch in subject.epochs}
        writer.write_part(place, measure_image(record, of_epoch, c=subject.run.record.config.loss.c))
        measured += 1
        yield Step(writer.analysis, measured, sample.name)


def _predict(subject: AnalysisJob, checkpoint: Checkpoint, sample: Sample, *, mc_dropout: int = 0) -> PredictionRecord:
    """What a network says about a labelled sample, in the classes of the data set."""
    if sample.label_map is None:
        raise DatasetError(f"{sample.name} has no label map, so nothing can be measured on it; leave it out")
    record = predict(
        checkpoint.network,
        sample.image,
        class_names=checkpoint.class_names,
        name=sample.name,
        window=subject.config.window,
        mc_dropout=0 if subject.targets is not None else mc_dropout,
    )
    if subject.targets is not None:
        record = merge_classes(record, subject.targets, subject.data.classes.names)
        if mc_dropout:
            network, window = checkpoint.network, subject.config.window
            entropy = mc_dropout_entropy(
                network, sample.image, passes=mc_dropout, window=window, targets=subject.targets
            )
            record = replace(record, mc_entropy=entropy)
    return replace(record, label_map=sample.label_map)
