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
    if first.shape != second.shape:
        raise InvalidInputError(f"both maps must have one shape, got {first.shape} and {second.shape}")
    both = np.isfinite(first) & np.isfinite(second)
    ranks = [rankdata(values[both]) for values in (first, second)]
    if both.sum() < 2 or any(rank.min() == rank.max() for rank in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1].round(12))


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
