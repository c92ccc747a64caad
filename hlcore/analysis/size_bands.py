"""IoU by object size: pixel counts by the area of connected components."""

import numpy as np
from jaxtyping import Integer

from hlcore.analysis.components import label_components
from hlcore.analysis.statistics import Counts
from hlcore.types import IGNORE_INDEX, LabelMap

BANDS = ("small", "medium", "large")
BAND_CUTS_PX = (32**2, 96**2)
"""Smallest areas of medium and large objects, px, as in COCO."""


def size_band_map(classes: LabelMap, *, cuts_px: tuple[int, int] = BAND_CUTS_PX) -> Integer[np.ndarray, "H W"]:
    """Index in BANDS of each pixel's 8-connected component, by area; -1 for ignored pixels.

    Example:
        >>> size_band_map(np.array([[0] * 1024, [1] * 1023 + [255]]))[:, [0, -1]]
        array([[ 1,  1],
               [ 0, -1]], dtype=int8)
    """
    component = label_components(classes, smallest_px=1)
    area_px = np.bincount(component.ravel())
    bands = np.searchsorted(cuts_px, area_px, side="right").astype(np.int8)
    bands[0] = -1
    return bands[component]


def band_counts(
    label_map: LabelMap, prediction: LabelMap, *, num_classes: int, cuts_px: tuple[int, int] = BAND_CUTS_PX
) -> Counts:
    """Pixels of an image by band and class: labelled, correct among these, and false positives.

    Labelled pixels count in the band of their labelled component. A false positive belongs to no labelled object of its
    class, so it counts in the band of its predicted component. A large blob around a small object thus lowers the score
    of large objects, and each pixel of the union counts once. Predictions count as ignored where the label is ignored.
    """
    prediction = np.where(label_map == IGNORE_INDEX, IGNORE_INDEX, prediction)
    valid, hit = label_map != IGNORE_INDEX, label_map == prediction
    of_label, of_prediction = (size_band_map(classes, cuts_px=cuts_px) for classes in (label_map, prediction))

    def count(bands: np.ndarray, classes: np.ndarray, where: np.ndarray) -> np.ndarray:
        index = bands[where].astype(np.intp) * num_classes + classes[where]
        return np.bincount(index, minlength=len(BANDS) * num_classes).reshape(len(BANDS), num_classes)

    return {
        "band_label_px": count(of_label, label_map, valid),
        "band_hit_px": count(of_label, label_map, valid & hit),
        "band_false_px": count(of_prediction, prediction, valid & ~hit),
    }
