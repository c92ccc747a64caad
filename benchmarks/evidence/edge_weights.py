"""A cheap rival of hardness: a bundle of maps that depend only on the distance to the nearest label edge.

They weight the loss of a run whose `hardness_from` is EDGES, like the saved maps of another network.
"""

from pathlib import Path

import numpy as np

from hlcore.analysis.boundaries import boundary_distance
from hlcore.config import TrainConfig
from hlcore.storage.bundles import MANIFEST, BundleWriter
from hlcore.training.setup import open_splits
from hlcore.types import IGNORE_INDEX, HardnessMap, LabelMap, PredictionRecord

EDGES = Path("distance-to-edge")
REACH_PX = 4.0
"""Distance at which the map has fallen to 1 / e; a learned map of streets falls about as fast."""


def use_edge_weights(config: TrainConfig, out: Path) -> TrainConfig:
    """The config with the bundle in place of EDGES; the bundle is written to `out` if it is missing."""
    if config.hardness_from != EDGES:
        return config
    folder = out / f"{EDGES}-{config.data.dataset}"
    if not (folder / MANIFEST).is_file():
        write_bundle(config, folder)
    return config.model_copy(update={"hardness_from": folder})


def write_bundle(config: TrainConfig, folder: Path) -> None:
    """Write the map of every training image of a run."""
    data, _ = open_splits(config)
    classes = len(data.classes.names)
    with BundleWriter(folder, class_names=data.classes.names, palette=data.classes.palette) as bundle:
        for index in range(len(data)):
            sample = data[index]
            assert sample.label_map is not None  # training images are labelled
            labels = np.where(sample.label_map == IGNORE_INDEX, 0, sample.label_map).astype(np.uint8)
            probabilities = np.full((classes, *labels.shape), 1 / classes, np.float32)
            record = PredictionRecord(
                sample.name, sample.image, labels, edge_map(sample.label_map), probabilities, data.classes.names
            )
            bundle.add(record, source="distance to the label edge")


def edge_map(label_map: LabelMap) -> HardnessMap:
    """exp(-d / REACH_PX), d the distance to the nearest label edge in px; 0 where ignored or without an edge.

    Example:
        >>> edge_map(np.array([[0, 0, 1, 255]])).round(2)
        array([[0.78, 1.  , 1.  , 0.  ]], dtype=float32)
    """
    return np.nan_to_num(np.exp(-boundary_distance(label_map) / REACH_PX)).astype(np.float32)
