"""Segmentation scores over a data set: from one confusion matrix, near contours, and by object size."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer, Real

from hlcore.analysis.boundary_iou import boundary_counts
from hlcore.analysis.size_bands import BANDS, band_counts
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord


def count(record: PredictionRecord) -> Counts:
    """Confusion matrix of one image, its pixels near contours and its pixels by object size.

    Raises:
        InvalidInputError: the record has no label map.
    """
    labels, prediction, num_classes = record.labels, record.prediction, len(record.class_names)
    return {
        "confusion": confusion_matrix(labels, prediction, num_classes=num_classes),
        **boundary_counts(labels, prediction, num_classes=num_classes),
        **band_counts(labels, prediction, num_classes=num_classes),
    }


def make_tables(sums: ImageSums, class_names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The scores of a data set, with intervals over images.

    Returns:
        `segmentation`: class_name, metric, value, low, high, all in 0..1. Metrics are `iou`; `boundary_iou`, of the
        pixels near contours; `iou_small`, `iou_medium`, `iou_large`, by object area; `accuracy`, the share of a
        class's labelled pixels that are predicted correctly. The class "" has the mean over the classes present;
        for accuracy it has the share of all labelled pixels. Resamplings that lack one of these classes have no mean,
        as a mean over the others would not be comparable.

        `confusion`: label, prediction (names), pixels.
    """
    rows = []
    for metric in ("iou", "boundary_iou", *(f"iou_{band}" for band in BANDS), "accuracy"):
        there = np.isfinite(_scores(sums.total, metric)[1:])
        estimate = sums.estimate(lambda counts, metric=metric, there=there: _scores(counts, metric, there))
        columns = {"class_name": ("", *class_names), "metric": metric, **estimate._asdict()}
        rows.append(pd.DataFrame(columns))
    pairs = pd.MultiIndex.from_product([class_names, class_names], names=["label", "prediction"])
    pixels = sums.total["confusion"].astype(np.int64).ravel()
    return {
        "segmentation": pd.concat(rows, ignore_index=True),
        "confusion": pd.DataFrame({"pixels": pixels}, index=pairs).reset_index(),
    }


def confusion_matrix(
    label_map: Integer[np.ndarray, "*shape"],
    prediction: Integer[np.ndarray, "*shape"],
    *,
    num_classes: int,
    ignore_index: int = 255,
) -> Integer[np.ndarray, "C C"]:
    """Pixel counts, label in the row and prediction in the column; ignored pixels do not count.

    Raises:
        InvalidInputError: the shapes differ, or a labelled pixel has a label or prediction outside 0..num_classes - 1.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1, 255]), np.array([0, 1, 1, 1]), num_classes=2)
        array([[1, 1],
               [0, 1]])
    """
    if label_map.shape != prediction.shape:
        raise InvalidInputError(f"prediction must have the label map's shape {label_map.shape}, got {prediction.shape}")
    valid = label_map != ignore_index
    labels, predictions = label_map[valid].astype(np.int64), prediction[valid].astype(np.int64)
    for what, classes in (("label_map", labels), ("prediction", predictions)):
        if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
            raise InvalidInputError(f"{what} must lie in 0..{num_classes - 1}, got {classes.min()}..{classes.max()}")
    return np.bincount(labels * num_classes + predictions, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_iou(confusion_matrix: Real[np.ndarray, "*B C C"]) -> Float[np.ndarray, "*B C"]:
    """Intersection over union of each class, in 0..1; NaN for a class that is neither labelled nor predicted.

    Example:
        >>> class_iou(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])).round(2)
        array([0.5 , 0.67,  nan])
    """
    hits = np.diagonal(confusion_matrix, axis1=-2, axis2=-1)
    return divide(hits, confusion_matrix.sum(-2) + confusion_matrix.sum(-1) - hits)


def mean_iou(confusion_matrix: Integer[np.ndarray, "C C"]) -> float:
    """Mean of the class IoUs, in 0..1, without absent classes; NaN if every class is absent."""
    return float(_mean(class_iou(confusion_matrix))[0])


def pixel_accuracy(confusion_matrix: Integer[np.ndarray, "C C"]) -> float:
    """Share of the labelled pixels that are predicted correctly; NaN without labelled pixels."""
    total = confusion_matrix.sum()
    return float(np.trace(confusion_matrix) / total) if total else float("nan")


def _scores(counts: Counts, metric: str, there: Bool[np.ndarray, " C"] | None = None) -> Float[np.ndarray, "*B K"]:
    """The score of all classes (or of those in `there`), then of each class."""
    confusion = counts["confusion"]
    if metric == "accuracy":
        hits = np.diagonal(confusion, axis1=-2, axis2=-1)
        of_class = divide(hits, confusion.sum(-1))
        of_all = divide(hits.sum(-1, keepdims=True), confusion.sum((-2, -1))[..., None])
        return np.concatenate([of_all, of_class], axis=-1)
    if metric == "iou":
        of_class = class_iou(confusion)
    elif metric == "boundary_iou":
        hits = counts["boundary_hit_px"]
        of_class = divide(hits, counts["boundary_label_px"] + counts["boundary_prediction_px"] - hits)
    else:
        band = BANDS.index(metric.removeprefix("iou_"))
        labelled, hits, false = (counts[f"band_{what}_px"][..., band, :] for what in ("label", "hit", "false"))
        of_class = divide(hits, labelled + false)
    of_all = (
        _mean(of_class)
        if there is None
        else divide(of_class[..., there].sum(-1, keepdims=True), there.sum(keepdims=True))
    )
    return np.concatenate([of_all, of_class], axis=-1)


def _mean(of_class: Float[np.ndarray, "*B C"]) -> Float[np.ndarray, "*B 1"]:
    """Mean over the classes with a value; NaN if there are none."""
    known = np.isfinite(of_class)
    return divide(np.where(known, of_class, 0).sum(-1, keepdims=True), known.sum(-1, keepdims=True))
