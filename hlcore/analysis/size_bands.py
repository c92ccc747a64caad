"""How well objects of one size are segmented: IoU by the area of the connected parts."""

import numpy as np
from jaxtyping import Integer

from hlcore.analysis.components import label_components
from hlcore.analysis.statistics import Counts
from hlcore.types import IGNORE_INDEX, LabelMap

BANDS = ("small", "medium", "large")
BAND_CUTS_PX = (32**2, 96**2)
"""Areas from which on an object is medium and large, px: COCO's."""


def size_band_map(classes: LabelMap, *, cuts_px: tuple[int, int] = BAND_CUTS_PX) -> Integer[np.ndarray, "H W"]:
    """Index in BANDS of the component each pixel belongs to, by its area; -1 where the pixel is ignored.

    A component is one class, connected over 8 neighbours.

    Example:
        >>> size_band_map(np.array([[0] * 1024, [1] * 1023 + [255]]))[:, [0, -1]]
        array([[ 1,  1],
               [ 0, -1]])
    """
    component = label_components(classes, smallest_px=1)
    area_px = np.bincount(component.ravel())
    return np.where(component > 0, np.searchsorted(cuts_px, area_px, side="right")[component], -1)


def band_counts(
    label_map: LabelMap, prediction: LabelMap, *, num_classes: int, cuts_px: tuple[int, int] = BAND_CUTS_PX
) -> Counts:
    """What an image adds, by band and class, in pixels: labelled, of these hit, and predicted falsely.

    A labelled pixel counts in the band of the labelled component it belongs to, hit or missed. A false positive belongs
    to no labelled object of its class, so it counts in the band of the predicted component it belongs to. So a large
    blob around a small object costs large objects, and each pixel of the union counts once. What is predicted where
    the label is ignored counts as ignored too.
    """
    prediction = np.where(label_map == IGNORE_INDEX, IGNORE_INDEX, prediction)
    valid, hit = label_map != IGNORE_INDEX, label_map == prediction
    of_label, of_prediction = (size_band_map(classes, cuts_px=cuts_px) for classes in (label_map, prediction))

    def count(bands: np.ndarray, classes: np.ndarray, where: np.ndarray) -> np.ndarray:
        index = bands[where] * num_classes + classes[where]
        return np.bincount(index, minlength=len(BANDS) * num_classes).reshape(len(BANDS), num_classes)

    return {
        "band_label_px": count(of_label, label_map, valid),
        "band_hit_px": count(of_label, label_map, valid & hit),
        "band_false_px": count(of_prediction, prediction, valid & ~hit),
    }
