"""Agreement of two maps of one image, and the hardest part of a map."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

from hlcore.errors import InvalidInputError

MEASURES = ("spearman", "pearson", "top10_iou", "turnover", "total_variation")
"""Measures of agreement: for equal maps the first three are 1, the last two 0."""
HARDEST = 0.1
"""Share of pixels that count as hardest."""


@dataclass(frozen=True)
class PreparedMap:
    """A map prepared for comparison; N pixels in a fixed order.

    Attributes:
        ranks: Ranks, centred and scaled to length 1; all 0 for a constant map.
        values: Values, centred and scaled likewise.
        hardest: The highest 10 %, including ties with the lowest of them.
        share: Each pixel's share of the map's sum; all NaN if the sum is 0.
    """

    ranks: Float[np.ndarray, " N"]
    values: Float[np.ndarray, " N"]
    hardest: Bool[np.ndarray, " N"]
    share: Float[np.ndarray, " N"]


def prepare_map(values: Float[np.ndarray, " N"], *, floor: float = 0.0) -> PreparedMap:
    """A map of non-negative values prepared for comparison; `floor` is added before normalising, like c in the loss."""
    threshold = np.quantile(values, 1 - HARDEST, method="higher")
    mass = values.astype(np.float64) + floor
    total = mass.sum()
    share = mass / total if total > 0 else np.full_like(mass, np.nan)
    return PreparedMap(_normalise(mid_ranks(values)), _normalise(mass), values >= threshold, share)


def measure_agreement(first: PreparedMap, second: PreparedMap) -> Float[np.ndarray, " 5"]:
    """The MEASURES of two maps, in their order.

    Spearman and Pearson, -1 to 1, are NaN if a map is constant. The IoU of the hardest 10 %, the turnover (share of the
    first's hardest 10 % that is not in the second's) and the total variation 1/2 sum|p - q| of the shares are 0 to 1.
    """
    common = np.count_nonzero(first.hardest & second.hardest)
    either = np.count_nonzero(first.hardest | second.hardest)
    return np.array(
        [
            _cosine(first.ranks, second.ranks),
            _cosine(first.values, second.values),
            common / either,
            1 - common / np.count_nonzero(first.hardest),
            0.5 * np.abs(first.share - second.share).sum(),
        ]
    )


def mid_ranks(values: Shaped[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Ranks from 0; equal values get the mean of their ranks.

    Example:
        >>> mid_ranks(np.array([0.3, 0.1, 0.3]))
        array([1.5, 0. , 1.5])
    """
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (counts - 1) / 2, counts)
    return ranks


def rank_correlation(first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"]) -> float:
    """Spearman's rho of two maps over the pixels where both have a value, -1 to 1.

    NaN if fewer than two pixels have a value in both maps, or a map is constant. It says nothing about the level: a map
    and half of it agree perfectly.

    Raises:
        InvalidInputError: the maps differ in shape.

    Example:
        >>> rank_correlation(np.array([[0.1, 0.2, 0.3]]), np.array([[1.0, 5.0, 9.0]]))
        1.0
    """
    first, second = _common_values(first, second)
    if len(first) < 2:
        return float("nan")
    return round(_cosine(_normalise(mid_ranks(first)), _normalise(mid_ranks(second))), 12)


def hardest_overlap(first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"], *, share: float = 0.1) -> float:
    """Intersection over union of the highest `share` of two maps, over the pixels where both have a value, 0 to 1.

    NaN if no pixel has a value in both maps. Unrelated maps overlap by share / (2 - share): 0.05 for 10 %.

    Raises:
        InvalidInputError: the maps differ in shape, or the share lies outside 0..1.

    Example:
        >>> hardest_overlap(np.array([[0.1, 0.2, 0.8, 0.9]]), np.array([[0.1, 0.7, 0.2, 0.9]]), share=0.5)
        0.3333333333333333
    """
    first, second = _common_values(first, second)
    if not first.size:
        return float("nan")
    a, b = (values >= hardest_threshold(values[None], share=share) for values in (first, second))
    return float((a & b).sum() / (a | b).sum())


def hardest_threshold(hardness_map: Float[np.ndarray, "H W"], *, share: float) -> float:
    """The lowest hardness among the hardest `share` (0 to 1) of a map.

    All pixels that tie with the threshold count, so there may be more of them than the share.

    Raises:
        InvalidInputError: the share lies outside 0..1.

    Example:
        >>> hardest_threshold(np.array([[0.1, 0.2, 0.3, 0.4]]), share=0.5)
        0.3
    """
    if not 0 <= share <= 1:
        raise InvalidInputError(f"share must lie in 0..1, got {share}")
    return float(np.quantile(hardness_map, 1 - share, method="higher"))


def _normalise(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    centred = values - values.mean()
    if values.min() == values.max():
        return np.zeros_like(centred)
    return centred / np.linalg.norm(centred)


def _cosine(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    return float(first @ second) if first.any() and second.any() else float("nan")


def _common_values(
    first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Values of both maps at the pixels where both are finite."""
    if first.shape != second.shape:
        raise InvalidInputError(f"both maps must have the same shape, got {first.shape} and {second.shape}")
    both = np.isfinite(first) & np.isfinite(second)
    return first[both], second[both]
