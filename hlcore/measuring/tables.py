"""What each module of hlcore.analysis takes from an image, and the tables made from all images."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from hlcore.analysis import (
    cartography,
    edges,
    error_prediction,
    images,
    label_suspicion,
    merging,
    object_sizes,
    objects,
    segmentation,
    stability,
)
from hlcore.analysis.statistics import Counts, ImageSums
from hlcore.storage.analyses import AnalysisRecord
from hlcore.storage.analysis_writer import AnalysisWriter, ImagePart
from hlcore.types import HardnessMap, LossMap, PredictionRecord

Tables = dict[str, pd.DataFrame]

SUMMED: dict[str, tuple[Callable[[PredictionRecord], Counts], Callable[[ImageSums, AnalysisRecord], Tables]]] = {
    "edges": (edges.count, lambda sums, analysed: edges.make_tables(sums, analysed.class_names)),
    "error_prediction": (
        error_prediction.count,
        lambda sums, analysed: error_prediction.make_tables(sums, analysed.further_scores),
    ),
    "segmentation": (segmentation.count, lambda sums, analysed: segmentation.make_tables(sums, analysed.class_names)),
}
"""Modules whose tables follow from sums over the images: name to (count one image, make tables)."""
NEED_PREDICTION = ("error_prediction", "segmentation")
"""Those among them that need a prediction, which imported maps may lack."""
ROW_TABLES: dict[str, Callable[[PredictionRecord], pd.DataFrame]] = {
    "images": images.describe_image,
    "image_classes": images.describe_classes,
    "suspects": label_suspicion.find_suspects,
}
"""Tables that hold the rows of every image unchanged."""
OBJECTS, STABILITY, CARTOGRAPHY = "objects", "stability", "cartography"
"""Modules that need more: the edge profile of the whole data set, and two that need several epochs."""
IGNORED = "ignored"
"""Pixels of classes that are left out when classes are merged."""


class Snapshot(NamedTuple):
    """What is kept of an image at an epoch that is compared; the probabilities, by far the largest part, are not."""

    hardness_map: HardnessMap
    loss_map: LossMap | None
    """None without probabilities."""
    error: Bool[np.ndarray, "H W"]
    dice: float
    """Mean Dice of the image."""

    @classmethod
    def of(cls, record: PredictionRecord) -> "Snapshot":
        """That of a record with labels."""
        loss_map = record.loss_map if record.has_probabilities else None
        return cls(record.hardness_map, loss_map, record.error, images.mean_dice(record))


def measure_image(
    record: PredictionRecord, snapshots: Mapping[int, Snapshot], ignored: Counts | None = None, *, c: float
) -> ImagePart:
    """Counts and rows of one image.

    Args:
        record: The image at the epoch that is measured.
        snapshots: The image at each epoch that is compared, in order; empty for none.
        ignored: The result of `merging.count_ignored` if classes were merged.
        c: The constant of the run's hardness weight.
    """
    possible = [module for module in SUMMED if record.has_prediction or module not in NEED_PREDICTION]
    counts = {module: SUMMED[module][0](record) for module in possible}
    if snapshots:
        maps = {snapshot_name(epoch): (one.hardness_map, one.loss_map) for epoch, one in snapshots.items()}
        counts[STABILITY] = stability.compare_snapshots(maps, record.labels, c=c)
    trained = [epoch for epoch in snapshots if epoch > 0]
    followed = [(one.loss_map, one.error) for epoch, one in snapshots.items() if epoch > 0 and one.loss_map is not None]
    if len(followed) > 1:
        tracker = cartography.CourseTracker()
        for loss_map, error in followed:
            tracker.add(loss_map, error)
        counts[CARTOGRAPHY] = cartography.count(tracker.measure(), record.hardness_map, epochs=len(followed))
    if ignored:
        counts[IGNORED] = ignored
    rows = {table: describe(record) for table, describe in ROW_TABLES.items()}
    dices = [snapshots[epoch].dice for epoch in trained]
    rows["images"] = rows["images"].assign(dice_over_training=np.mean(dices) if len(dices) > 1 else np.nan)
    return ImagePart(record.name, counts, rows | {OBJECTS: objects.measure_objects(record)})


def write_tables(writer: AnalysisWriter) -> None:
    """Write all tables; the parts are read one image at a time, and its objects a second time."""
    analysed = writer.analysis.record
    sums: dict[str, ImageSums] = {}
    with ExitStack() as open_tables:
        add_rows = {table: open_tables.enter_context(writer.append_rows(table)) for table in ROW_TABLES}
        for part in writer.read_parts():
            for module, counts in part.counts.items():
                sums.setdefault(module, ImageSums()).add(part.image, counts)
            for table, add in add_rows.items():
                add(part.rows[table])
    tables: Tables = {}
    for module in sums.keys() & SUMMED.keys():
        tables |= SUMMED[module][1](sums[module], analysed)
    if analysed.epochs:
        snapshots = [snapshot_name(epoch) for epoch in analysed.epochs]
        tables |= stability.make_tables({analysed.split: sums[STABILITY]}, snapshots)
    if CARTOGRAPHY in sums:
        tables |= cartography.make_tables(sums[CARTOGRAPHY], [epoch for epoch in analysed.epochs if epoch > 0])
    if IGNORED in sums:
        names = {"run": analysed.ignored_classes, "data": analysed.ignored_labels}
        tables |= {"ignored_classes": merging.tabulate_ignored(sums[IGNORED], names)}
    tables |= _write_objects(writer, tables["edges"])
    for name, table in tables.items():
        writer.write_table(name, table)


def snapshot_name(epoch: int) -> str:
    """Name of an epoch in the tables of stability and in a run's probe set.

    Example:
        >>> snapshot_name(7)
        'epoch-0007'
    """
    return f"epoch-{epoch:04d}"


def _write_objects(writer: AnalysisWriter, edges: pd.DataFrame) -> Tables:
    """Tables over object size, after writing the table of all objects with the hardness their edges predict."""
    sums = ImageSums()
    with writer.append_rows(OBJECTS) as add:
        for image, measured in writer.read_rows(OBJECTS):
            rows = objects.add_edge_profile(measured, edges)
            sums.add(image, object_sizes.count(rows))
            add(rows)
    return object_sizes.make_tables(sums)
