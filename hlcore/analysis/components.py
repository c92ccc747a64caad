"""Connected components of a class map, the pixels inside them, and their IoU."""

import cc3d
import edt
import numpy as np
from jaxtyping import Float, Float32, Integer, Shaped

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
               [0, 1, 0, 0]], dtype=uint8)
    """
    connected = _connected(label_map, ignore_index)
    kept = np.bincount(connected.ravel()) >= smallest_px
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0)
    return numbers.astype(np.min_scalar_type(int(kept.sum())))[connected]


def distance_to_outside(objects: Integer[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Euclidean distance of each pixel of an object to the nearest pixel outside that object, in px; 0 for no object.

    Everything beyond the image counts as outside.

    Example:
        >>> distance_to_outside(np.array([[1, 1, 1, 2, 2, 0]] * 3)).astype(int)
        array([[1, 1, 1, 1, 1, 0],
               [1, 2, 1, 1, 1, 0],
               [1, 1, 1, 1, 1, 0]])
    """
    return edt.edt(objects, black_border=True)


def split_by_object(
    objects: Integer[np.ndarray, "H W"], *maps: Shaped[np.ndarray, "H W"]
) -> tuple[list[Shaped[np.ndarray, " P"]], ...]:
    """For each map, the values inside each object 1..N, in reading order.

    Example:
        >>> split_by_object(np.array([[1, 2, 1], [0, 2, 2]]), np.arange(6).reshape(2, 3))
        ([array([0, 2]), array([1, 4, 5])],)
    """
    inside = np.flatnonzero(objects)
    numbers = objects.ravel()[inside]
    inside = inside[np.argsort(numbers, kind="stable")]
    ends = np.cumsum(np.bincount(numbers, minlength=1))[:-1]
    return tuple(np.split(values.ravel()[inside], ends)[1:] for values in maps)


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
    pairs = objects[hits].astype(np.int64) * predicted_count + predicted[hits]
    runs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]  # neighbours are mostly equal: far fewer to sort
    of_object, of_prediction = np.divmod(np.unique(runs), predicted_count)
    overlapping_px = np.bincount(of_object, labelled_px[of_prediction], minlength=count + 1)
    union = np.bincount(objects.ravel(), minlength=count + 1) + overlapping_px - hit_px
    return (hit_px / np.maximum(union, 1))[1:]


def _connected(classes: LabelMap, background: int) -> Integer[np.ndarray, "H W"]:
    """All 8-connected components of one class, numbered from 1; 0 for the background."""
    known = np.where(classes == background, 0, classes.astype(np.int32) + 1)
    return cc3d.connected_components(np.ascontiguousarray(known), connectivity=8)  # numbered in the order of memory
