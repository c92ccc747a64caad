"""Fidelity: how well a map agrees with the loss of other networks.

What is intrinsically hard is hard for other networks too. The reference for an image is the mean loss map of networks
trained from other seeds, on an image none of them was trained on, so a map cannot score well by following its own
network's current loss. That loss, the entropy and the distance to the predicted edge are measured for comparison.
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
    "entropy": lambda record: record.entropy,
    "edge_distance": scores.negative_edge_distance,
}
"""The maps to measure, from the run's own record; high where a pixel is hard."""
MEASURES = ("spearman", "top10_iou")
"""Rank correlation over the labelled pixels, and IoU of the hardest 10 % (0.05 for unrelated maps)."""
COLUMNS = ["map", "measure", "value", "low", "high", "images"]


def mean_loss_map(loss_maps: Sequence[LossMap]) -> LossMap:
    """The reference: the mean of several networks' loss maps of one image, nats, NaN where ignored.

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
    """Each of MEASURES between each of MAPS and the others' loss, for one image, and whether it is defined.

    A constant map, or an edge distance without an edge, has no rank correlation.

    Args:
        record: A labelled record of the run to measure.
        others_loss: The mean loss map of networks trained from other seeds.

    Raises:
        InvalidInputError: the record has no label map, or the shapes differ.
    """
    values = np.array(
        [[f(of(record), others_loss) for f in (rank_correlation, hardest_overlap)] for of in MAPS.values()]
    )
    return {"sum": np.nan_to_num(values), "known": np.isfinite(values).astype(float)}


def make_table(sums: ImageSums) -> pd.DataFrame:
    """Mean of `measure_fidelity` over the images, with COLUMNS: a row for each of MAPS and MEASURES.

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
