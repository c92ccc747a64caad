"""Connected components of a class map, and their thickness and IoU."""

import numpy as np
from jaxtyping import Bool, Float, Integer
from scipy.ndimage import distance_transform_edt
from skimage.measure import label

from hlcore.types import IGNORE_INDEX, LabelMap

SMALLEST_OBJECT_PX = 10
"""Smaller components are not objects."""


def label_components(
    label_map: LabelMap, *, smallest_px: int = SMALLEST_OBJECT_PX, ignore_index: int = IGNORE_INDEX
) -> Integer[np.ndarray, "H W"]:
    """Number of the component each pixel belongs to, from 1 in reading order of the first pixels; 0 for none.

    A component has one class, is 8-connected and has at least `smallest_px` pixels. Ignored pixels belong to none.

    Example:
        >>> label_components(np.array([[3, 3, 3, 3], [7, 3, 255, 7]]), smallest_px=2)
        array([[1, 1, 1, 1],
               [0, 1, 0, 0]])
    """
    connected = _connected(label_map, ignore_index)
    kept = np.bincount(connected.ravel()) >= smallest_px
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0)[connected]


def thickness(inside: Bool[np.ndarray, "H W"]) -> float:
    """Twice the largest Euclidean distance from an inside pixel to the nearest outside pixel, in px.

    Everything beyond the image counts as outside. A stripe w px wide has thickness w (even) or w + 1 (odd).

    Example:
        >>> thickness(np.ones((4, 9), bool))
        4.0
    """
    return 2 * float(np.asarray(distance_transform_edt(np.pad(inside, 1))).max())


def iou_with_prediction(
    objects: Integer[np.ndarray, "H W"], label_map: LabelMap, prediction: LabelMap, *, ignore_index: int = IGNORE_INDEX
) -> Float[np.ndarray, " N"]:
    """Intersection over union of each object 1..N with the overlapping predicted components of its class, 0 to 1.

    A predicted component counts with its labelled pixels. One that covers two objects lowers the IoU of both, so these
    are not instance-segmentation scores.

    Example:
        >>> objects = np.array([[1, 1, 1, 0, 0, 0]])
        >>> iou_with_prediction(objects, np.array([[5, 5, 5, 0, 0, 0]]), np.array([[0, 5, 5, 5, 0, 5]]))
        array([0.5])
    """
    count = int(objects.max(initial=0))
    predicted = _connected(prediction, -1)
    predicted_count = int(predicted.max(initial=0)) + 1
    labelled_px = np.bincount(predicted[label_map != ignore_index], minlength=predicted_count)
    hits = (objects > 0) & (prediction == label_map)
    hit_px = np.bincount(objects[hits], minlength=count + 1)
    pairs = np.unique(objects[hits].astype(np.int64) * predicted_count + predicted[hits])
    of_object, of_prediction = np.divmod(pairs, predicted_count)
    overlapping_px = np.bincount(of_object, labelled_px[of_prediction], minlength=count + 1)
    union = np.bincount(objects.ravel(), minlength=count + 1) + overlapping_px - hit_px
    return (hit_px / np.maximum(union, 1))[1:]


def _connected(classes: LabelMap, background: int) -> Integer[np.ndarray, "H W"]:
    """All 8-connected components of one class, numbered from 1; 0 for the background."""
    return np.asarray(label(classes, background=background, connectivity=2))
