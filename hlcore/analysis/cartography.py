"""How each pixel was learned: its true-class probability and its errors over the kept epochs.

One epoch after the other is added to running sums, so the memory does not depend on the number of epochs.

Sources: mean and spread of the true-class probability, Swayamdipta et al., EMNLP 2020 ("Dataset cartography");
forgetting events, Toneva et al., ICLR 2019. Both are defined for whole examples; here each pixel is one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Integer

from hlcore.analysis.map_agreement import rank_correlation
from hlcore.analysis.snapshots import RunningSpread
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.errors import InvalidInputError
from hlcore.types import HardnessMap, LossMap

MEAN_BINS, SPREAD_BINS = 20, 20
LARGEST_SPREAD = 0.5
"""The standard deviation of numbers between 0 and 1 is at most this."""
FORGETTING = ("0", "1", "2 or more")
"""Groups of pixels by their number of forgetting events."""
QUANTITIES = ("mean_probability", "spread", "forgetting", "learned")
NEVER = "never"
"""The group of the pixels that were wrong at the last epoch."""


class PixelCourses(NamedTuple):
    """How the pixels of an image were learned; meaningless where ignored."""

    mean_probability: Float32[np.ndarray, "H W"]
    """Mean over the epochs of the probability of the label; NaN where ignored."""
    spread: Float32[np.ndarray, "H W"]
    """Its standard deviation over the epochs, 0 to 0.5; NaN where ignored."""
    forgetting: Integer[np.ndarray, "H W"]
    """How often the pixel was right at one epoch and wrong at the next."""
    learned: Integer[np.ndarray, "H W"]
    """Index of the epoch from which on the pixel was right; the number of epochs if it was wrong at the last."""


class CourseTracker:
    """Follows the pixels of an image over the epochs, which are added in order.

    Example:
        >>> tracker = CourseTracker()
        >>> for loss, is_wrong in ((2.3, True), (0.1, False), (1.6, True), (0.1, False)):
        ...     tracker.add(np.array([[loss]], np.float32), np.array([[is_wrong]]))
        >>> courses = tracker.measure()
        >>> courses.forgetting.item(), courses.learned.item(), round(courses.mean_probability.item(), 2)
        (1, 3, 0.53)
    """

    def __init__(self) -> None:
        self.epochs = 0
        self._probability = RunningSpread()
        self._forgetting: np.ndarray = np.zeros(0, np.uint8)
        self._right: np.ndarray = np.zeros(0, bool)
        self._learned: np.ndarray = np.zeros(0, np.int16)

    def add(self, loss_map: LossMap, error: Bool[np.ndarray, "H W"]) -> None:
        """Add the next epoch.

        Raises:
            InvalidInputError: the maps have another shape than before.
        """
        self._probability.add(np.exp(-loss_map, dtype=np.float64))
        if not self.epochs:
            self._forgetting = np.zeros(error.shape, np.uint8)
            self._learned = np.zeros(error.shape, np.int16)
            self._right = ~error
        self._forgetting += self._right & error
        self._learned[error] = self.epochs + 1
        self._right = ~error
        self.epochs += 1

    def measure(self) -> PixelCourses:
        """The courses up to now.

        Raises:
            InvalidInputError: there are fewer than two epochs.
        """
        if self.epochs < 2:
            raise InvalidInputError(f"how pixels were learned needs at least two epochs, got {self.epochs}")
        mean, deviation = self._probability.mean, self._probability.deviation()
        return PixelCourses(
            mean.astype(np.float32), deviation.astype(np.float32), self._forgetting.copy(), self._learned.copy()
        )


def count(courses: PixelCourses, hardness_map: HardnessMap, *, epochs: int) -> Counts:
    """Sums over the labelled pixels of one image.

    Args:
        courses: How its pixels were learned.
        hardness_map: At the epoch that is measured.
        epochs: Number of epochs in the courses.

    Returns:
        For `plane` (by mean and spread), `learned` (by epoch) and `forgetting` (by number): `_pixels` and `_hardness`,
        its sum. `rho`: rank correlation of each of QUANTITIES with hardness, and `rho_known`.
    """
    seen = np.isfinite(courses.mean_probability)
    hardness = hardness_map[seen].astype(np.float64)
    at = _find_bin(courses.mean_probability[seen], 1.0, MEAN_BINS) * SPREAD_BINS
    at += _find_bin(courses.spread[seen], LARGEST_SPREAD, SPREAD_BINS)
    groups = {
        "plane": (at, (MEAN_BINS, SPREAD_BINS)),
        "learned": (courses.learned[seen].astype(np.intp), (epochs + 1,)),
        "forgetting": (np.minimum(courses.forgetting[seen], len(FORGETTING) - 1).astype(np.intp), (len(FORGETTING),)),
    }
    counts: dict[str, np.ndarray] = {}
    for name, (index, shape) in groups.items():
        size = int(np.prod(shape))
        counts[f"{name}_pixels"] = np.bincount(index, minlength=size).reshape(shape).astype(float)
        counts[f"{name}_hardness"] = np.bincount(index, hardness, size).reshape(shape)
    rho = np.array([correlate(courses, quantity, hardness_map) for quantity in QUANTITIES])
    return counts | {"rho": np.nan_to_num(rho), "rho_known": np.isfinite(rho).astype(float)}


def correlate(courses: PixelCourses, quantity: str, hardness_map: HardnessMap) -> float:
    """Rank correlation of a quantity with hardness over the labelled pixels; NaN if one of them is constant."""
    labelled = np.isfinite(courses.mean_probability)
    values = np.where(labelled, getattr(courses, quantity), np.nan).astype(np.float32)
    return rank_correlation(values, hardness_map)


def make_tables(sums: ImageSums, epochs: Sequence[int]) -> dict[str, pd.DataFrame]:
    """The tables of how pixels were learned.

    Args:
        sums: Of `count` over the images.
        epochs: The epochs of the courses.

    Returns:
        - `cartography`: mean_from and spread_from (lower ends of a bin of `bin_width`), pixels, hardness_mean.
        - `learning`: quantity (learned, forgetting), group (an epoch or never; 0, 1, 2 or more), measure
          (share of the labelled pixels, hardness_mean), value, low, high.
        - `learning_correlations`: quantity, value (mean over images of the rank correlation with hardness), low, high,
          images.
    """
    total = sums.total
    mean_at, spread_at = np.nonzero(total["plane_pixels"])
    pixels = total["plane_pixels"][mean_at, spread_at]
    cartography = pd.DataFrame(
        {
            "mean_from": mean_at / MEAN_BINS,
            "spread_from": spread_at * LARGEST_SPREAD / SPREAD_BINS,
            "pixels": pixels.astype(int),
            "hardness_mean": total["plane_hardness"][mean_at, spread_at] / pixels,
        }
    )
    rows = []
    for quantity, groups in (("learned", [*map(str, epochs), NEVER]), ("forgetting", list(FORGETTING))):
        share = sums.estimate(lambda s, q=quantity: divide(s[f"{q}_pixels"], s[f"{q}_pixels"].sum(-1, keepdims=True)))
        mean = sums.estimate(lambda s, q=quantity: divide(s[f"{q}_hardness"], s[f"{q}_pixels"]))
        for measure, estimate in (("share", share), ("hardness_mean", mean)):
            rows += [
                (quantity, group, measure, *numbers)
                for group, *numbers in zip(groups, *(part.tolist() for part in estimate), strict=True)
            ]
    rho = sums.estimate(lambda s: divide(s["rho"], s["rho_known"]))
    known = total["rho_known"].astype(int).tolist()
    correlations = zip(QUANTITIES, *(part.tolist() for part in rho), known, strict=True)
    return {
        "cartography": cartography,
        "learning": pd.DataFrame(rows, columns=["quantity", "group", "measure", "value", "low", "high"]),
        "learning_correlations": pd.DataFrame(
            list(correlations), columns=["quantity", "value", "low", "high", "images"]
        ),
    }


def _find_bin(values: Float[np.ndarray, " N"], highest: float, bins: int) -> Integer[np.ndarray, " N"]:
    return np.clip(values * (bins / highest), 0, bins - 1).astype(np.intp)
