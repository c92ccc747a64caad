"""Find labels that are probably wrong: easy pixels whose label the network disagrees with."""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Integer
from scipy.ndimage import find_objects

from hlcore.analysis.components import label_components, split_by_object
from hlcore.analysis.images import label_quality
from hlcore.analysis.label_faults import PlantedFaults
from hlcore.types import LabelMap, PredictionRecord

Score = Literal["suspicion", "loss", "confident loss"]
SCORES: tuple[Score, ...] = get_args(Score)
"""Loss x (1 - hardness), and two without hardness: the loss alone, and loss x largest probability."""
Summary = Literal["p95", "max", "mean", "sum"]
SUMMARIES: tuple[Summary, ...] = get_args(Summary)
"""How the scores of a region's pixels become one score: 95th percentile, maximum, mean or sum."""

SMALLEST_SUSPECT_PX = 20
"""Smaller regions are ignored: most are slivers where two edges differ by a pixel."""

COLUMNS = (
    "image",
    "region",
    "class_name",
    "predicted",
    "area_px",
    "score",
    "loss_mean",
    "hardness_mean",
    "label_quality",
    "left",
    "top",
    "right",
    "bottom",
)


def score_map(record: PredictionRecord, score: Score = "suspicion") -> Float32[np.ndarray, "H W"]:
    """How suspicious the label of each pixel is, in nats, 0 or more; NaN where ignored.

    Raises:
        InvalidInputError: the record has no label map.
    """
    if score == "suspicion":
        return record.loss_map * (1 - record.hardness_map)
    return record.loss_map if score == "loss" else record.loss_map * record.probabilities.max(axis=0)


def find_disagreements(
    label_map: LabelMap, prediction: LabelMap, *, smallest_px: int = SMALLEST_SUSPECT_PX, ignore_index: int = 255
) -> Integer[np.ndarray, "H W"]:
    """Number of the region each pixel belongs to, from 1 in reading order of the first pixels; 0 for none.

    A region is 8-connected, has one label and one other prediction, and at least `smallest_px` pixels.

    Example:
        >>> find_disagreements(np.array([[0, 0, 1, 1]]), np.array([[2, 2, 2, 1]]), smallest_px=1)
        array([[1, 1, 2, 0]], dtype=uint8)
    """
    differs = (label_map != prediction) & (label_map != ignore_index)
    pairs = np.full(label_map.shape, -1, np.int32)
    pairs[differs] = label_map[differs].astype(np.int32) * (int(prediction.max()) + 1) + prediction[differs]
    return label_components(pairs, smallest_px=smallest_px, ignore_index=-1)


def score_regions(
    regions: Integer[np.ndarray, "H W"], scores: Float[np.ndarray, "H W"], summary: Summary = "p95"
) -> Float[np.ndarray, " N"]:
    """One score for each region 1..N, from the scores of its pixels, which must not be NaN.

    Example:
        >>> score_regions(np.array([[1, 1, 0, 2]]), np.array([[1.0, 3.0, 9.0, 4.0]]), "mean")
        array([2., 4.])
    """
    (in_regions,) = split_by_object(regions, scores)
    return _summarise(in_regions, summary)


def match_faults(regions: Integer[np.ndarray, "H W"], planted: PlantedFaults) -> Integer[np.ndarray, " N"]:
    """The planted fault that changed at least half of each region 1..N; 0 for none.

    Example:
        >>> planted = PlantedFaults(np.zeros((1, 5), int), np.array([[0, 1, 1, 2, 0]]), ("swapped", "dropped"))
        >>> match_faults(np.array([[1, 1, 1, 0, 2]]), planted)
        array([1, 0])
    """
    numbers = np.arange(len(planted.kinds) + 1)
    pixels = np.zeros((int(regions.max(initial=0)) + 1, len(numbers)), np.int64)
    np.add.at(pixels, (regions.ravel(), planted.faults.ravel()), 1)
    shares = pixels[1:] / pixels[1:].sum(axis=1, keepdims=True)
    shares[:, 0] = 0
    return np.where(shares.max(axis=1) >= 0.5, shares.argmax(axis=1), 0)


def find_suspects(record: PredictionRecord, *, smallest_px: int = SMALLEST_SUSPECT_PX) -> pd.DataFrame:
    """Regions of an image where label and prediction differ, the most suspicious first.

    A high score means that the network confidently predicts another class where hardness is low. It does not mean that
    the label is wrong: the network may never have learned to recognise the object.

    Returns:
        One row per region of `find_disagreements`:

        - `image`, `region` (its number in `find_disagreements`), `class_name` (of the label), `predicted`, `area_px`
        - `score`: 95th percentile of loss x (1 - hardness) over its pixels, nats; `loss_mean` (nats), `hardness_mean`;
          `label_quality`, the soft minimum of the probability of its label (`images.label_quality`)
        - `left`, `top`, `right`, `bottom`: bounding box, image[top:bottom, left:right]

    Raises:
        InvalidInputError: the record has no label map.
    """
    regions = find_disagreements(record.labels, record.prediction, smallest_px=smallest_px)
    if not record.has_probabilities:
        regions = np.zeros_like(regions)  # without a loss, none is suspicious
    labels, predicted, scores, losses, hardness = split_by_object(
        regions, record.labels, record.prediction, score_map(record), record.loss_map, record.hardness_map
    )
    boxes = np.array([[(along.start, along.stop) for along in box] for box in find_objects(regions)], int)
    (top, bottom), (left, right) = boxes.reshape(len(boxes), 2, 2).transpose(1, 2, 0)
    columns = {
        "image": record.name,
        "region": np.arange(1, len(boxes) + 1),
        "class_name": [record.class_names[inside[0]] for inside in labels],
        "predicted": [record.class_names[inside[0]] for inside in predicted],
        "area_px": np.array([len(inside) for inside in labels], int),
        "score": _summarise(scores, "p95"),
        "loss_mean": _summarise(losses, "mean"),
        "hardness_mean": _summarise(hardness, "mean"),
        "label_quality": np.array([label_quality(inside.astype(np.float32)) for inside in losses], float),
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
    }
    table = pd.DataFrame(columns, columns=list(COLUMNS)).astype(
        dict.fromkeys(("image", "class_name", "predicted"), str)
    )
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _summarise(in_regions: list[np.ndarray], summary: Summary) -> Float[np.ndarray, " N"]:
    of_pixels = {"p95": lambda values: np.quantile(values, 0.95), "max": np.max, "mean": np.mean, "sum": np.sum}
    return np.array([of_pixels[summary](inside.astype(float)) for inside in in_regions], float)
