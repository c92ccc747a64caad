"""How much two maps of one image agree, and which part of a map is its hardest."""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from hlcore.errors import InvalidInputError


def rank_correlation(first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"]) -> float:
    """Spearman's rho of two maps over the pixels where both have a value, -1 to 1.

    NaN where fewer than two pixels have a value in both or one map is constant. It says nothing about the
    level: a map and its half agree perfectly.

    Raises:
        InvalidInputError: the maps differ in shape.

    Example:
        >>> rank_correlation(np.array([[0.1, 0.2, 0.3]]), np.array([[1.0, 5.0, 9.0]]))
        1.0
    """
    ranks = [rankdata(values) for values in _both(first, second)]
    if any(len(rank) < 2 or rank.min() == rank.max() for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1].round(12))


def hardest_overlap(first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"], *, share: float = 0.1) -> float:
    """Intersection over union of the highest `share` of two maps, over the pixels where both have a value, 0 to 1.

    NaN where no pixel has a value in both. Two maps that know nothing of each other overlap
    by share / (2 - share): 0.05 for a share of 10 %.

    Raises:
        InvalidInputError: the maps differ in shape, or the share lies outside 0..1.

    Example:
        >>> hardest_overlap(np.array([[0.1, 0.2, 0.8, 0.9]]), np.array([[0.1, 0.7, 0.2, 0.9]]), share=0.5)
        0.3333333333333333
    """
    first, second = _both(first, second)
    if not first.size:
        return float("nan")
    a, b = (values >= hardest_threshold(values[None], share=share) for values in (first, second))
    return float((a & b).sum() / (a | b).sum())


def hardest_threshold(hardness_map: Float[np.ndarray, "H W"], *, share: float) -> float:
    """The hardness from which on a pixel belongs to the hardest `share` (0 to 1) of the map.

    Pixels that tie with the threshold all belong, so the part may be larger than the share.

    Raises:
        InvalidInputError: the share lies outside 0..1.

    Example:
        >>> hardest_threshold(np.array([[0.1, 0.2, 0.3, 0.4]]), share=0.5)
        0.3
    """
    if not 0 <= share <= 1:
        raise InvalidInputError(f"share must lie in 0..1, got {share}")
    return float(np.quantile(hardness_map, 1 - share, method="higher"))


def _both(
    first: Float[np.ndarray, "H W"], second: Float[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The values of the pixels where both maps have one."""
    if first.shape != second.shape:
        raise InvalidInputError(f"both maps must have one shape, got {first.shape} and {second.shape}")
    both = np.isfinite(first) & np.isfinite(second)
    return first[both], second[both]
