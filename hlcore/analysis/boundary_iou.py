"""Boundary IoU: intersection over union of the pixels near contours."""

from math import hypot

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import maximum_filter, minimum_filter

from hlcore.analysis.statistics import Counts
from hlcore.types import IGNORE_INDEX, LabelMap

SHARE_OF_DIAGONAL = 0.02
"""Width of the contour as a share of the image diagonal, as in the paper for COCO and LVIS."""


def contour_width(shape: tuple[int, int]) -> int:
    """Width of the contour, px: 2 % of the image diagonal, at least 1.

    Example:
        >>> contour_width((360, 480))
        12
    """
    return max(1, round(SHARE_OF_DIAGONAL * hypot(*shape)))


def near_contour(label_map: LabelMap, *, width_px: int, ignore_index: int = IGNORE_INDEX) -> Bool[np.ndarray, "H W"]:
    """Where a pixel lies within `width_px` of the contour of its class's mask.

    Equivalently, `width_px` erosions by 3 x 3 px remove the pixel: the square around it holds another class or leaves
    the image. Ignored pixels are never near a contour and form none.

    Example:
        >>> near_contour(np.array([[0, 0, 0, 0, 1, 255]] * 5), width_px=1)[2].astype(int)
        array([1, 0, 0, 1, 1, 0])
    """
    ignored = label_map == ignore_index
    known = np.where(ignored, 0, label_map)
    known = known.astype(np.min_scalar_type(int(known.max(initial=0)) + 1))  # the filters are fastest on bytes
    side = 2 * width_px + 1
    above_highest = maximum_filter(np.where(ignored, 0, known + 1), side, mode="nearest")
    lowest = minimum_filter(np.where(ignored, np.iinfo(known.dtype).max, known), side, mode="nearest")
    near = above_highest - 1 != lowest
    near[:width_px] = near[-width_px:] = near[:, :width_px] = near[:, -width_px:] = True
    return near & ~ignored


def boundary_counts(label_map: LabelMap, prediction: LabelMap, *, num_classes: int) -> Counts:
    """Pixels of an image by class: near the label's contour, near the prediction's, and correct near both.

    Predictions count as ignored where the label is ignored.

    Source: Cheng, Girshick, Dollar, Berg, Kirillov, CVPR 2021, equation 3, with the sums over the data set.
    """
    width_px = contour_width(label_map.shape)
    prediction = np.where(label_map == IGNORE_INDEX, IGNORE_INDEX, prediction)
    labelled, predicted = (near_contour(classes, width_px=width_px) for classes in (label_map, prediction))
    hits = labelled & predicted & (label_map == prediction)
    parts = {"label": label_map[labelled], "prediction": prediction[predicted], "hit": label_map[hits]}
    return {f"boundary_{name}_px": np.bincount(classes, minlength=num_classes) for name, classes in parts.items()}
