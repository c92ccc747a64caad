"""Rank correlation from a histogram of pairs, which adds up, takes constant memory and has a bounded error."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from hlcore.analysis.statistics import divide


def spearman(histogram: Float[np.ndarray, "*batch X Y"]) -> Float[np.ndarray, "*batch"]:
    """Spearman's rho of pairs, from a histogram of their first (row) and second (column) value, -1 to 1.

    All pairs of a bin get its mid-rank, like ties; counts may be weights. NaN if all pairs lie in one row or column.

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
    """Largest difference between the `spearman` of a histogram and that of the pairs; NaN if rho is NaN.

    A pair's rank is its bin's mid-rank plus a remainder that is uncorrelated with the bins. The remainders hold at most
    a^2 = sum of n^3 - n over the bins / (N^3 - N) of the rank variance in the rows and b^2 in the columns, so the
    covariance changes by at most a + b and its norm by sqrt((1 - a^2) (1 - b^2)). The bound is for the worst order
    within every bin; in practice the error is about a hundred times smaller.

    Args:
        histogram: Counts of pairs.
        exact_rows: Rows that hold a single value: real ties, without error.
        exact_columns: The same for columns.

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
    """Upper bound of the share of the rank variance within bins, 0 to 1."""
    cubes = counts**3 - counts
    total = counts.sum() ** 3 - counts.sum() - cubes[list(exact)].sum()
    cubes[list(exact)] = 0
    return float(cubes.sum() / total) if total > 0 else 0.0
