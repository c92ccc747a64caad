"""One row per object of a data set: size, nearness to edges, hardness, loss, errors."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from scipy.ndimage import find_objects

from hlcore.analysis.boundaries import edge_distance
from hlcore.analysis.components import distance_to_outside, iou_with_prediction, label_components, split_by_object
from hlcore.analysis.edges import DISTANCES, NEAR, distance_bins
from hlcore.analysis.statistics import divide
from hlcore.types import PredictionRecord

PIXELS_AT = tuple(f"pixels_at_{name}" for name in DISTANCES)
"""Columns with the number of an object's pixels in each distance bin."""
COLUMNS = (
    "image",
    "object",
    "class_name",
    "area_px",
    "equivalent_diameter_px",
    "thickness_px",
    "edge_share",
    "hardness_mean",
    "hardness_p95",
    "hardness_interior",
    "loss_mean",
    "error_share",
    "iou",
    "left",
    "top",
    "right",
    "bottom",
    "touches_border",
    *PIXELS_AT,
)


def measure_objects(record: PredictionRecord) -> pd.DataFrame:
    """One row per object of an image: an 8-connected component of one labelled class with at least 10 px.

    Without a label map, objects are components of the prediction, and loss, error and IoU are NaN.

    Returns:
        One row per object, in the order of `label_components`:

        - `image`, `object` (1, 2, ...), `class_name`
        - `area_px`; `equivalent_diameter_px`, of a disc of that area; `thickness_px`, twice the largest distance from a
          pixel inside to the nearest outside (w for a stripe w px wide if that is even, else w + 1)
        - `edge_share`: share of its pixels within 2 px of an edge of the label map (or prediction)
        - `hardness_mean`, `hardness_p95` (95th percentile), `hardness_interior` (mean beyond 2 px from an edge;
          NaN without such pixels)
        - `loss_mean` (nats), `error_share`, `iou` (see `components.iou_with_prediction`)
        - `left`, `top`, `right`, `bottom`: bounding box, image[top:bottom, left:right]; `touches_border`
        - `pixels_at_0` to `pixels_at_> 32`: number of its pixels in each bin of distance to an edge
    """
    labelled = record.label_map is not None
    judged = labelled and record.has_prediction
    classes = record.labels if labelled else record.prediction
    objects = label_components(classes) if labelled else label_components(classes, ignore_index=-1)
    distance = edge_distance(record, "label" if labelled else "prediction")
    at = objects > 0
    number, hardness = objects[at].astype(np.intp), record.hardness_map[at]
    boxes = find_objects(objects)
    count = len(boxes)
    by_distance = number * len(DISTANCES) + distance_bins(distance[at])
    pixels_at, hardness_at = (
        np.bincount(by_distance, values, minlength=(count + 1) * len(DISTANCES)).reshape(-1, len(DISTANCES))[1:]
        for values in (None, hardness)
    )
    area, edge_px = pixels_at.sum(axis=1), pixels_at[:, NEAR].sum(axis=1)
    in_objects = split_by_object(objects, classes, record.hardness_map, distance_to_outside(objects))
    edges = np.array([[(along.start, along.stop) for along in box] for box in boxes], int)
    (top, bottom), (left, right) = edges.reshape(count, 2, 2).transpose(1, 2, 0)
    height, width = objects.shape
    nothing = np.full(count, np.nan)
    table = {
        "image": record.name,
        "object": np.arange(1, count + 1),
        "class_name": [record.class_names[inside[0]] for inside in in_objects[0]],
        "area_px": area,
        "equivalent_diameter_px": np.sqrt(4 * area / np.pi),
        "thickness_px": [2 * float(inside.max()) for inside in in_objects[2]],
        "edge_share": divide(edge_px, area),
        "hardness_mean": divide(hardness_at.sum(axis=1), area),
        "hardness_p95": [float(np.quantile(inside, 0.95)) for inside in in_objects[1]],
        "hardness_interior": divide(hardness_at[:, NEAR.stop :].sum(axis=1), area - edge_px),
        "loss_mean": divide(_sum_by_object(number, record.loss_map[at], count), area) if labelled else nothing,
        "error_share": divide(_sum_by_object(number, record.error[at], count), area) if judged else nothing,
        "iou": iou_with_prediction(objects, classes, record.prediction) if judged else nothing,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "touches_border": (left == 0) | (top == 0) | (right == width) | (bottom == height),
        **dict(zip(PIXELS_AT, pixels_at.T, strict=True)),
    }
    return pd.DataFrame(table, columns=list(COLUMNS))


def add_edge_profile(objects: pd.DataFrame, edges: pd.DataFrame, *, source: str = "label") -> pd.DataFrame:
    """The objects with a column `hardness_over_edge`: mean hardness minus what distance to edges predicts.

    It is 0 for an object as hard as the average pixels at the same distances. The prediction is the data set's mean
    hardness in each distance bin, over all classes, weighted by the object's pixels per bin.

    Args:
        objects: From `measure_objects`, for any number of images.
        edges: From `edges.make_tables`, for all those images: source, class_name, distance, quantity, value.
        source: The edge source of the distances: "label", or "prediction" for unlabelled images.
    """
    of_all = (edges["source"] == source) & (edges["class_name"] == "") & (edges["quantity"] == "hardness")
    profile = edges[of_all].set_index("distance")["value"].reindex(list(DISTANCES)).to_numpy(float)
    pixels_at = objects[list(PIXELS_AT)].to_numpy(float)
    expected = np.where(pixels_at > 0, pixels_at * profile, 0).sum(axis=1)
    return objects.assign(
        hardness_over_edge=objects["hardness_mean"] - divide(expected, objects["area_px"].to_numpy(float))
    )


def _sum_by_object(number: Integer[np.ndarray, " P"], values: np.ndarray, count: int) -> Float[np.ndarray, " N"]:
    """Sum of the values over each object's pixels."""
    return np.bincount(number, values, minlength=count + 1)[1:].astype(float)
