"""Rank correlation from a histogram of pairs: constant memory, sums that add, and an error that can be bounded."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from hlcore.analysis.statistics import divide


def spearman(histogram: Float[np.ndarray, "*batch X Y"]) -> Float[np.ndarray, "*batch"]:
    """Spearman's rho of pairs counted by the bins of their first (row) and second (column) value, -1 to 1.

    All pairs of a bin get its mid-rank, as ties do; counts may be weights. NaN where all pairs lie in one row or
    column.

    Example:
        >>> spearman(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]])).item()
        1.0
    """
    rows, columns = histogram.sum(-1), histogram.sum(-2)
    row_rank, column_rank = _centred_ranks(rows), _centred_ranks(columns)
    covariance = np.asarray((row_rank * np.matmul(histogram, column_rank[..., None])[..., 0]).sum(-1))
    variances = np.asarray((rows * row_rank**2).sum(-1) * (columns * column_rank**2).sum(-1))
    return divide(covariance, np.sqrt(variances, out=variances))


def binning_error(
    histogram: Float[np.ndarray, "X Y"], *, exact_rows: Sequence[int] = (), exact_columns: Sequence[int] = ()
) -> float:
    """How far the `spearman` of a histogram can lie from that of the pairs themselves; NaN where it is none.

    A pair's rank is its bin's mid-rank plus a rest that is uncorrelated with the bins. Of all rank variance the rests
    hold at most a^2 = sum of n^3 - n over the bins / (N^3 - N) in the rows and b^2 in the columns, so that the
    covariance changes by at most a + b and its norm by sqrt((1 - a^2) (1 - b^2)). It is a bound for the most
    unfavourable order within every bin; orders met are a hundred times better.

    Args:
        histogram: Counts of pairs.
        exact_rows: Bins that hold one value only: real ties, where nothing is lost.
        exact_columns: The same of the columns.

    Example:
        >>> binning_error(np.eye(9))
        0.0
    """
    rho = float(spearman(histogram))
    row_share = _rank_variance_within(histogram.sum(1), exact_rows)
    column_share = _rank_variance_within(histogram.sum(0), exact_columns)
    norm = np.sqrt(max(0, 1 - row_share) * max(0, 1 - column_share))
    return float(np.sqrt(row_share) + np.sqrt(column_share) + abs(rho) * (1 - norm))


def _centred_ranks(counts: Float[np.ndarray, "*batch X"]) -> Float[np.ndarray, "*batch X"]:
    """The mid-rank of each bin minus the mean rank."""
    return counts.cumsum(-1) - counts / 2 - counts.sum(-1, keepdims=True) / 2


def _rank_variance_within(counts: Float[np.ndarray, " X"], exact: Sequence[int]) -> float:
    """Upper bound of the share of the rank variance that lies within bins, 0 to 1."""
    cubes = counts**3 - counts
    total = counts.sum() ** 3 - counts.sum() - cubes[list(exact)].sum()
    cubes[list(exact)] = 0
    return float(cubes.sum() / total) if total > 0 else 0.0
