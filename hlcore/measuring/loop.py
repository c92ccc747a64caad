"""Measure a run on a data set: images, one by one or on a cluster -> parts -> tables."""

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hlcore.analysis.merging import IGNORED
from hlcore.cluster import LOST, Cluster
from hlcore.config import AnalyzeConfig
from hlcore.data.catalog import STREETS
from hlcore.data.checks import LabelSummary
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.measuring.job import AnalysisJob, name_device, open_job
from hlcore.measuring.tables import write_tables
from hlcore.measuring.worker import ImageMeasurer, Measured, open_work
from hlcore.storage.analyses import Analysis, is_analysis
from hlcore.storage.analysis_writer import AnalysisWriter, open_analysis_writer
from hlcore.storage.files import lock_folder
from hlcore.storage.loading import load_epoch, load_for_workers
from hlcore.storage.runs import Run

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """Progress of an analysis."""

    analysis: Analysis
    measured: int
    """Number of images measured so far; at first, of those whose labels are checked."""
    status: str
    """The last thing done, in a word or two."""


def analyze(
    run: Run, root: Path | None, config: AnalyzeConfig, *, command: str = "", cluster: Cluster | None = None
) -> Generator[Step]:
    """Measure a run on a data set and write the analysis folder; yields a step per image.

    An interrupted analysis continues where it stopped, with the same tables as an uninterrupted one. Memory does not
    grow with the number of images.

    Args:
        run: The run to measure.
        root: Folder of the data set. Default: the run's own.
        config: What to measure, and where to write it.
        command: The command that repeats the analysis, for the report.
        cluster: Measures the images; it must see the run, the data set and the analysis at the same paths.

    Raises:
        InvalidInputError: an epoch was not saved, or the run's classes are not the data set's.
        DatasetError: an image or label map cannot be read, or no pixel is labelled.
        CheckpointError: the folder holds another analysis, or a checkpoint cannot be read.
        StorageError: the folder cannot be written, or another process writes to it.
        ClusterError: as in `Cluster.map`.
    """
    job = open_job(run, root, config)
    if job.merge is not None:
        log.info(job.describe_merge())
    backend = ""
    if run.record.imported is not None:
        if cluster is not None:
            raise InvalidInputError(
                "imported maps are measured on this machine, since no network runs; leave out --cluster"
            )
        checkpoint, network, device = None, {}, ""
    elif cluster is None:
        checkpoint, network = load_epoch(run, job.epoch, device=config.device, backend=config.backend), {}
        device = name_device(checkpoint.network.mean.device)
    else:
        device = cluster.choose_device(config.device)
        checkpoint, network = load_for_workers(run, job.epoch, device=device, backend=config.backend)
        device = f"{device}, {cluster}"
    if checkpoint is not None:
        backend = checkpoint.network.backend
    record = job.record(device=device, backend=backend, command=command)
    if job.dataset != STREETS and not is_analysis(job.path):  # generated labels are known to fit
        yield from _check_labels(job, Analysis(job.path, record))
    writer = open_analysis_writer(job.path, record)
    if not writer.is_complete:
        with lock_folder(job.path):
            remaining = [position for position in range(len(job.indices)) if not writer.has_part(position)]
            if cluster is None:
                measuring = ImageMeasurer(job, writer, checkpoint).measure(remaining)
            else:
                measuring = _measure_on_cluster(job, remaining, cluster, network)
            left_out = yield from _report(measuring, writer.analysis, done=len(job.indices) - len(remaining))
            yield Step(writer.analysis, len(job.indices), "tables")
            write_tables(writer)
            writer = AnalysisWriter(writer.mark_complete(left_out))
    yield Step(writer.analysis, len(job.indices), "complete")


def _check_labels(job: AnalysisJob, analysis: Analysis) -> Iterator[Step]:
    """Read labels until there is one to measure."""
    summary = LabelSummary.empty(job.data.classes)
    error = None
    with closing(summary.read(job.data, job.indices)) as problems:
        for problem in problems:
            error = error or problem
            yield Step(analysis, summary.samples, "check labels")
            scored = summary.class_pixels if job.merge is None else summary.class_pixels[job.merge.of_data != IGNORED]
            if scored.any():
                return
    if error is not None:
        raise error
    pixel = "labelled pixel" if job.merge is None else "labelled pixel of a scored class"
    raise DatasetError(f"the split '{job.split}' has no {pixel}, so there is nothing to measure")


def _measure_on_cluster(
    job: AnalysisJob, positions: Sequence[int], cluster: Cluster, network: Mapping[str, Any]
) -> Generator[Measured]:
    paths = {"out": job.path.resolve(), "merge": job.config.merge and job.config.merge.resolve()}
    open_it = partial(open_work, job.run.path.resolve(), job.root, job.config.model_copy(update=paths), network)
    rows = [{"position": position, "image": job.names[position]} for position in positions]
    device = network["device"]
    yield from cluster.map(open_it, rows, device=device, on_lost=lambda row: Measured(row["image"], LOST))


def _report(measuring: Generator[Measured], analysis: Analysis, *, done: int) -> Generator[Step, None, dict[str, str]]:
    """A step for each image.

    Args:
        measuring: The images that remain; closed at the end.
        analysis: The analysis.
        done: Number of images measured before.

    Returns:
        Each image that could not be measured, and why.
    """
    left_out: dict[str, str] = {}
    yield Step(analysis, done, "measure")
    with closing(measuring):
        for count, measured in enumerate(measuring, start=done + 1):
            if measured.failure:
                left_out[measured.image] = measured.failure
            yield Step(analysis, count, measured.image)
    if left_out and len(left_out) == analysis.record.images:
        raise DatasetError(f"no image could be measured; the first: {next(iter(left_out.values()))}")
    return left_out
