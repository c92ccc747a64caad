"""Every room of hlcore.analysis: what it takes from an image, and the tables made of what all images add."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import pandas as pd

from hlcore.analysis import (
    edges,
    error_prediction,
    images,
    label_suspicion,
    object_sizes,
    objects,
    segmentation,
    stability,
)
from hlcore.analysis.statistics import Counts, ImageSums
from hlcore.storage.analysis_writer import AnalysisWriter, Part
from hlcore.types import PredictionRecord

Tables = dict[str, pd.DataFrame]

COUNTED: dict[str, tuple[Callable[[PredictionRecord], Counts], Callable[[ImageSums, tuple[str, ...]], Tables]]] = {
    "edges": (edges.count, edges.tables),
    "error_prediction": (error_prediction.count, lambda sums, _: error_prediction.tables(sums)),
    "segmentation": (segmentation.count, segmentation.tables),
}
"""Rooms whose tables follow from sums over the images."""
DESCRIBED: dict[str, Callable[[PredictionRecord], pd.DataFrame]] = {
    "images": images.describe,
    "image_classes": images.describe_classes,
    "suspects": label_suspicion.suspects,
}
"""Tables that hold rows of every image as they are."""
OBJECTS, STABILITY = "objects", "stability"
"""Two rooms that ask for more: for the edge profile of the whole data set, and for several epochs."""


def measure(record: PredictionRecord, of_epoch: Mapping[str, PredictionRecord], *, c: float) -> Part:
    """What one image adds: with the epoch that is measured and, if stability is, with those that are compared.

    `c` is the constant of the run's hardness weight, which stability compares.
    """
    counts = {room: count(record) for room, (count, _) in COUNTED.items()}
    if of_epoch:
        maps = {name: (one.hardness_map, one.loss_map) for name, one in of_epoch.items()}
        counts[STABILITY] = stability.compare(maps, record.labels, c=c)
    rows = {table: describe(record) for table, describe in DESCRIBED.items()}
    return Part(record.name, counts, rows | {OBJECTS: objects.measure(record)})


def write_tables(writer: AnalysisWriter) -> None:
    """The tables of what all images added, read one image at a time, twice."""
    about = writer.analysis.record
    sums: dict[str, ImageSums] = {}
    with ExitStack() as open_tables:
        add_rows = {table: open_tables.enter_context(writer.growing_table(table)) for table in DESCRIBED}
        for part in writer.parts():
            for room, counts in part.counts.items():
                sums.setdefault(room, ImageSums()).add(part.image, counts)
            for table, add in add_rows.items():
                add(part.rows[table])
    tables: Tables = {}
    for room, (_, tabulate) in COUNTED.items():
        tables |= tabulate(sums[room], about.class_names)
    if about.epochs:
        snapshots = [snapshot_name(epoch) for epoch in about.epochs]
        tables |= stability.tables({about.split: sums[STABILITY]}, snapshots)
    tables |= _measure_objects(writer, tables["edges"])
    for name, table in tables.items():
        writer.write_table(name, table)


def snapshot_name(epoch: int) -> str:
    """What an epoch is called in the tables of stability, as in a run's probe set.

    Example:
        >>> snapshot_name(7)
        'epoch-0007'
    """
    return f"epoch-{epoch:04d}"


def _measure_objects(writer: AnalysisWriter, edges: pd.DataFrame) -> Tables:
    """Writes the table of all objects, with what their edges alone predict, and returns those over their sizes."""
    sums = ImageSums()
    with writer.growing_table(OBJECTS) as add:
        for part in writer.parts():
            rows = objects.with_edge_profile(part.rows[OBJECTS], edges)
            sums.add(part.image, object_sizes.count(rows))
            add(rows)
    return object_sizes.tables(sums)
