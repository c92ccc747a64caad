"""Comparisons paired over seeds: same data, order and schedule, with a single difference."""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from benchmarks.evidence.grid import Grid

MEASURES = ("mean_iou_last", "mean_iou_best", "mean_boundary_iou_last")


def paired_differences(rows: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Mean difference to the baseline with its 95 % interval over seeds (Student's t).

    Columns: all axes except seed, then measure, seeds, difference, low, high and verdict: "not significant" if the
    interval contains 0, "one seed" if there is no interval.
    """
    setting = [axis for axis in grid.axes if axis not in ("seed", grid.compared)]
    found = []
    for _, group in rows.groupby(setting):
        place = {str(axis): value for axis, value in group[setting].iloc[0].items()}
        for measure in [m for m in MEASURES if m in group]:
            by_seed = group.pivot_table(index="seed", columns=grid.compared, values=measure)
            if grid.against not in by_seed:
                continue
            for value in [v for v in grid.axes[grid.compared] if v in by_seed and v != grid.against]:
                differences = (by_seed[value] - by_seed[grid.against]).dropna().to_numpy()
                if len(differences):
                    found.append({**place, grid.compared: value, "measure": measure} | _interval(differences))
    return pd.DataFrame(found)


def _interval(differences: np.ndarray) -> dict[str, float | int | str]:
    count, mean = len(differences), float(differences.mean())
    if count < 2:
        return {"seeds": count, "difference": mean, "low": np.nan, "high": np.nan, "verdict": "one seed"}
    reach = float(student.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count))
    clear = abs(mean) > reach
    verdict = ("higher" if mean > 0 else "lower") if clear else "not significant"
    return {"seeds": count, "difference": mean, "low": mean - reach, "high": mean + reach, "verdict": verdict}
