"""Whether a map shows what is hard in itself: how well it agrees with the loss of other networks.

What is hard in itself is hard for others too. So the yardstick of an image is the mean loss map of networks that were
trained from other seeds, on an image none of them has learnt from, and no map can agree with it by following its own
network's loss of the moment. That loss, the entropy and the distance to the predicted edge are judged beside hardness.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from hlcore.analysis import scores
from hlcore.analysis.map_agreement import hardest_overlap, rank_correlation
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.errors import InvalidInputError
from hlcore.types import LossMap, PredictionRecord

MAPS: dict[str, Callable[[PredictionRecord], Float[np.ndarray, "H W"]]] = {
    "hardness": lambda record: record.hardness_map,
    "loss": lambda record: record.loss_map,
    "entropy": scores.entropy,
    "edge_distance": scores.negative_edge_distance,
}
"""What is judged: the run's own maps of an image, high where it is hard."""
MEASURES = ("spearman", "top10_iou")
"""Rank correlation over the labelled pixels, and the IoU of the hardest tenths (0.05 for maps that share nothing)."""
COLUMNS = ["map", "measure", "value", "low", "high", "images"]


def mean_loss_map(loss_maps: Sequence[LossMap]) -> LossMap:
    """The yardstick: the mean of the loss maps of one image under several networks, nats, NaN where ignored.

    Raises:
        InvalidInputError: there is no map, or the maps differ in shape.

    Example:
        >>> mean_loss_map([np.array([[1.0, 3.0]], np.float32), np.array([[2.0, np.nan]], np.float32)])
        array([[1.5, nan]], dtype=float32)
    """
    shapes = {loss_map.shape for loss_map in loss_maps}
    if len(shapes) != 1:
        raise InvalidInputError(f"expected loss maps of one image, got shapes {sorted(shapes)}")
    return np.asarray(np.mean(loss_maps, axis=0, dtype=np.float32))


def measure_fidelity(record: PredictionRecord, others_loss: LossMap) -> Counts:
    """What one image adds: each of MEASURES of each of MAPS against the loss of the others, and whether it is known.

    A map without an edge or of a single value has no rank correlation.

    Args:
        record: Of the run that is judged, with a label map.
        others_loss: The mean loss map of networks trained from other seeds.

    Raises:
        InvalidInputError: the record has no label map, or the shapes differ.
    """
    values = np.array(
        [[f(of(record), others_loss) for f in (rank_correlation, hardest_overlap)] for of in MAPS.values()]
    )
    return {"sum": np.nan_to_num(values), "known": np.isfinite(values).astype(float)}


def make_table(sums: ImageSums) -> pd.DataFrame:
    """Mean over the images of what `measure_fidelity` gave, with COLUMNS: a row for each of MAPS and MEASURES.

    Raises:
        InvalidInputError: no image was added.
    """
    value, low, high = sums.estimate(lambda total: divide(total["sum"], total["known"]))
    rows = [
        [name, measure, value[i, j], low[i, j], high[i, j], int(sums.total["known"][i, j])]
        for i, name in enumerate(MAPS)
        for j, measure in enumerate(MEASURES)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
