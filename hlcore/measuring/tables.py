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
from hlcore.storage.analysis_writer import AnalysisWriter, ImagePart
from hlcore.types import PredictionRecord

Tables = dict[str, pd.DataFrame]

SUMMED: dict[str, tuple[Callable[[PredictionRecord], Counts], Callable[[ImageSums, tuple[str, ...]], Tables]]] = {
    "edges": (edges.count, edges.make_tables),
    "error_prediction": (error_prediction.count, lambda sums, _: error_prediction.make_tables(sums)),
    "segmentation": (segmentation.count, segmentation.make_tables),
}
"""Rooms whose tables follow from sums over the images."""
ROW_TABLES: dict[str, Callable[[PredictionRecord], pd.DataFrame]] = {
    "images": images.describe_image,
    "image_classes": images.describe_classes,
    "suspects": label_suspicion.find_suspects,
}
"""Tables that hold rows of every image as they are."""
OBJECTS, STABILITY = "objects", "stability"
"""Two rooms that ask for more: for the edge profile of the whole data set, and for several epochs."""


def measure_image(record: PredictionRecord, of_epoch: Mapping[str, PredictionRecord], *, c: float) -> ImagePart:
    """What one image adds: with the epoch that is measured and, if stability is, with those that are compared.

    `c` is the constant of the run's hardness weight, which stability compares.
    """
    counts = {room: count(record) for room, (count, _) in SUMMED.items()}
    if of_epoch:
        maps = {name: (one.hardness_map, one.loss_map) for name, one in of_epoch.items()}
        counts[STABILITY] = stability.compare_snapshots(maps, record.labels, c=c)
    rows = {table: describe(record) for table, describe in ROW_TABLES.items()}
    return ImagePart(record.name, counts, rows | {OBJECTS: objects.measure_objects(record)})


def write_tables(writer: AnalysisWriter) -> None:
    """The tables of what all images added, read one image at a time, twice."""
    about = writer.analysis.record
    sums: dict[str, ImageSums] = {}
    with ExitStack() as open_tables:
        add_rows = {table: open_tables.enter_context(writer.append_rows(table)) for table in ROW_TABLES}
        for part in writer.read_parts():
            for room, counts in part.counts.items():
                sums.setdefault(room, ImageSums()).add(part.image, counts)
            for table, add in add_rows.items():
                add(part.rows[table])
    tables: Tables = {}
    for room, (_, tabulate) in SUMMED.items():
        tables |= tabulate(sums[room], about.class_names)
    if about.epochs:
        snapshots = [snapshot_name(epoch) for epoch in about.epochs]
        tables |= stability.make_tables({about.split: sums[STABILITY]}, snapshots)
    tables |= _write_objects(writer, tables["edges"])
    for name, table in tables.items():
        writer.write_table(name, table)


def snapshot_name(epoch: int) -> str:
    """What an epoch is called in the tables of stability, as in a run's probe set.

    Example:
        >>> snapshot_name(7)
        'epoch-0007'
    """
    return f"epoch-{epoch:04d}"


def _write_objects(writer: AnalysisWriter, edges: pd.DataFrame) -> Tables:
    """Writes the table of all objects, with what their edges alone predict, and returns those over their sizes."""
    sums = ImageSums()
    with writer.append_rows(OBJECTS) as add:
        for part in writer.read_parts():
            rows = objects.add_edge_profile(part.rows[OBJECTS], edges)
            sums.add(part.image, object_sizes.count(rows))
            add(rows)
    return object_sizes.make_tables(sums)
