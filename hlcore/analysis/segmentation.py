"""Segmentation scores from one confusion matrix over the whole data set."""

import numpy as np
from jaxtyping import Float, Integer

from hlcore.errors import InvalidInputError


def confusion_matrix(
    label_map: Integer[np.ndarray, "*shape"],
    prediction: Integer[np.ndarray, "*shape"],
    *,
    num_classes: int,
    ignore_index: int = 255,
) -> Integer[np.ndarray, "C C"]:
    """Counts of pixels, label in the row and prediction in the column; ignored pixels are not counted.

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


def class_iou(confusion_matrix: Integer[np.ndarray, "C C"]) -> Float[np.ndarray, " C"]:
    """Intersection over union of each class, in 0..1; NaN for a class that is neither labelled nor predicted.

    Example:
        >>> class_iou(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 0]])).round(2)
        array([0.5 , 0.67,  nan])
    """
    hits = np.diag(confusion_matrix).astype(float)
    union = confusion_matrix.sum(0) + confusion_matrix.sum(1) - np.diag(confusion_matrix)
    return np.divide(hits, union, out=np.full_like(hits, np.nan), where=union > 0)


def mean_iou(confusion_matrix: Integer[np.ndarray, "C C"]) -> float:
    """Mean of the class IoUs, in 0..1, absent classes left out; NaN where every class is absent."""
    iou = class_iou(confusion_matrix)
    return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")


def pixel_accuracy(confusion_matrix: Integer[np.ndarray, "C C"]) -> float:
    """Share of the labelled pixels that are predicted right; NaN where none is labelled."""
    total = confusion_matrix.sum()
    return float(np.trace(confusion_matrix) / total) if total else float("nan")
