"""Comparisons paired over seeds: same data, order and schedule, one difference."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student

from benchmarks.evidence.grid import Grid

MEASURES = ("mean_iou_last", "mean_iou_best", "mean_boundary_iou_last")
THIN_CLASSES = ("Pole", "SignSymbol", "Pedestrian", "Bicyclist")
CLASS_MEASURES = tuple(f"iou/{name}_last" for name in THIN_CLASSES)


def compare_paired(
    rows: pd.DataFrame, grid: Grid, *, measures: Sequence[str] = MEASURES, against: str | None = None
) -> pd.DataFrame:
    """Mean difference from the baseline, with its 95 % interval over seeds (Student's t).

    Args:
        rows: One row per run: the axes of the grid, and measures.
        grid: Names the axis that is compared.
        measures: Columns to compare; a column that no row has is left out.
        against: The baseline, which is subtracted. Default: the grid's.

    Returns:
        The axes except seed, then measure, seeds, difference, low, high and verdict: "higher", "lower", "not
        significant" if the interval contains 0, or "one seed" if there is none.
    """
    against = against or grid.against
    setting = [axis for axis in grid.axes if axis not in ("seed", grid.compared)]
    found = []
    for _, group in rows.groupby(setting, sort=False):
        place = {str(axis): value for axis, value in group[setting].iloc[0].items()}
        for measure in [m for m in measures if m in group]:
            by_seed = group.pivot_table(index="seed", columns=grid.compared, values=measure)
            if against not in by_seed:
                continue
            for value in [v for v in grid.axes[grid.compared] if v in by_seed and v != against]:
                differences = (by_seed[value] - by_seed[against]).dropna().to_numpy()
                if len(differences):
                    found.append({**place, grid.compared: value, "measure": measure} | _difference(differences))
    return pd.DataFrame(found)


def estimate_mean(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean over seeds, and the ends of its 95 % interval (Student's t), NaN for a single seed.

    Example:
        >>> [round(value, 2) for value in estimate_mean([0.1, 0.2, 0.3])]
        [0.2, -0.05, 0.45]
    """
    values = np.asarray(values, float)
    mean = float(values.mean()) if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    reach = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - reach, mean + reach


def _difference(differences: np.ndarray) -> dict[str, float | int | str]:
    mean, low, high = estimate_mean(differences)
    if len(differences) < 2:
        verdict = "one seed"
    else:
        verdict = "higher" if low > 0 else "lower" if high < 0 else "not significant"
    return {"seeds": len(differences), "difference": mean, "low": low, "high": high, "verdict": verdict}
