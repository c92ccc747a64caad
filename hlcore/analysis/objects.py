"""One row per object of a data set: size, nearness to edges, hardness, loss, errors."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from scipy.ndimage import find_objects

from hlcore.analysis.boundaries import EDGE_PX, edge_distance
from hlcore.analysis.components import iou_with_prediction, label_components, thickness
from hlcore.analysis.edges import DISTANCES, distance_bins
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
        - `area_px`; `equivalent_diameter_px`, of a disc of that area; `thickness_px`, see `components.thickness`
        - `edge_share`: share of its pixels within 2 px of an edge of the label map (or prediction)
        - `hardness_mean`, `hardness_p95` (95th percentile), `hardness_interior` (mean beyond 2 px from an edge;
          NaN without such pixels)
        - `loss_mean` (nats), `error_share`, `iou` (see `components.iou_with_prediction`)
        - `left`, `top`, `right`, `bottom`: bounding box, image[top:bottom, left:right]; `touches_border`
        - `pixels_at_0` to `pixels_at_> 32`: number of its pixels in each bin of distance to an edge
    """
    labelled = record.label_map is not None
    classes = record.labels if labelled else record.prediction
    objects = label_components(classes) if labelled else label_components(classes, ignore_index=-1)
    distance = edge_distance(record, "label" if labelled else "prediction")
    at = objects > 0
    number, bins, hardness = objects[at], distance_bins(distance[at]), record.hardness_map[at]
    count = int(objects.max(initial=0))
    pixels_at = np.bincount(number * len(PIXELS_AT) + bins, minlength=(count + 1) * len(PIXELS_AT))
    pixels_at = pixels_at.reshape(-1, len(PIXELS_AT))[1:]
    area = pixels_at.sum(axis=1)
    inner = distance[at] > EDGE_PX
    inner_px = _sum_by_object(number, inner, count)
    nothing = np.full(count, np.nan)
    table = {
        "image": record.name,
        "object": np.arange(1, count + 1),
        "area_px": area,
        "equivalent_diameter_px": np.sqrt(4 * area / np.pi),
        "edge_share": 1 - divide(inner_px, area),
        "hardness_mean": divide(_sum_by_object(number, hardness, count), area),
        "hardness_interior": divide(_sum_by_object(number, hardness * inner, count), inner_px),
        "loss_mean": divide(_sum_by_object(number, record.loss_map[at], count), area) if labelled else nothing,
        "error_share": divide(_sum_by_object(number, record.error[at], count), area) if labelled else nothing,
        "iou": iou_with_prediction(objects, classes, record.prediction) if labelled else nothing,
        **_columns_by_object(record, classes, objects),
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


def _columns_by_object(
    record: PredictionRecord, classes: Integer[np.ndarray, "H W"], objects: Integer[np.ndarray, "H W"]
) -> dict[str, list[Any]]:
    """Columns that need each object's pixels at once."""
    height, width = objects.shape
    rows = []
    for number, box in enumerate(find_objects(objects), start=1):
        inside = objects[box] == number
        (top, bottom), (left, right) = ((along.start, along.stop) for along in box)
        rows.append(
            {
                "class_name": record.class_names[classes[box][inside][0]],
                "thickness_px": thickness(inside),
                "hardness_p95": float(np.quantile(record.hardness_map[box][inside], 0.95)),
                "left": left,
                "top": top,
                "right": right,
                "bottom": bottom,
                "touches_border": left == 0 or top == 0 or right == width or bottom == height,
            }
        )
    names = ("class_name", "thickness_px", "hardness_p95", "left", "top", "right", "bottom", "touches_border")
    return {name: [row[name] for row in rows] for name in names}
