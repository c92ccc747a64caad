"""The rule that chooses the default learning rate of the hardness branch, as stated in docs/decisions.md.

It was written before any of its runs was trained.
"""

from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from benchmarks.evidence.compare import compare_paired, estimate_mean
from benchmarks.evidence.grid import Grid

CANDIDATES = ("sgd_0.1", "sgd_0.3", "sgd_1", "sgd_3")
DATA = ("streets", "camvid_fpn")
LEAST_LIFT = 1.9
MOST_MOVEMENT = 0.5
SAME_FIDELITY = 0.01
FIDELITY = "fidelity/hardness_spearman"
MOVEMENT = "total_variation/held_out"


class Choice(NamedTuple):
    """The chosen rate, and why.

    Attributes:
        variant: Name of the rate; None until all runs that the rule needs are finished.
        reason: The reason, as a sentence.
    """

    variant: str | None
    reason: str


def judge_rates(rows: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Which conditions of the rule each candidate meets.

    Columns: data, variant, seeds, mean_iou, below_best (paired difference from the best candidate) with low and high,
    lift, movement (total variation of the weight divided by that of the loss), fidelity, and whether the rate is
    within_noise, lifted and still.
    """
    found = []
    for data in DATA:
        runs = {name: _runs_of(rows, grid, data, name) for name in CANDIDATES}
        runs = {name: of_rate for name, of_rate in runs.items() if of_rate}
        if not runs:
            continue
        best = max(runs, key=lambda name: _mean(runs[name], "mean_iou_last"))
        differences = compare_paired(
            pd.DataFrame([run for of_rate in runs.values() for run in of_rate]),
            grid,
            measures=("mean_iou_last",),
            against=best,
        )
        to_best = {row[grid.compared]: row for row in differences.to_dict("records")}
        for variant, of_rate in runs.items():
            difference = to_best.get(variant, {"difference": 0.0, "low": 0.0, "high": 0.0})
            movement = [run[f"hardness_{MOVEMENT}"] / run[f"loss_{MOVEMENT}"] for run in of_rate]
            row = {
                "data": data,
                "variant": variant,
                "seeds": len(of_rate),
                "mean_iou": _mean(of_rate, "mean_iou_last"),
                "below_best": difference["difference"],
                "low": difference["low"],
                "high": difference["high"],
                "lift": _mean(of_rate, "hardness_lift"),
                "movement": float(np.mean(movement)),
                "fidelity": _mean(of_rate, FIDELITY),
            }
            row |= {"within_noise": not row["high"] < 0, "lifted": row["lift"] >= LEAST_LIFT}
            found.append(row | {"still": row["movement"] <= MOST_MOVEMENT})
    return pd.DataFrame(found)


def _runs_of(rows: pd.DataFrame, grid: Grid, data: str, variant: str) -> list[dict[str, Any]]:
    return [row for row in rows.to_dict("records") if row["data"] == data and row[grid.compared] == variant]


def _mean(runs: list[dict[str, Any]], measure: str) -> float:
    """Mean over runs; NaN if one lacks the measure."""
    return float(np.mean([run.get(measure, np.nan) for run in runs]))


def choose_rate(table: pd.DataFrame, *, seeds: int = 3) -> Choice:
    """The rate the rule chooses from the table of `judge_rates`."""
    judged = table.to_dict("records")
    if len(judged) < len(CANDIDATES) * len(DATA) or any(
        row["seeds"] < seeds or np.isnan(row["fidelity"]) for row in judged
    ):
        return Choice(None, "some of the runs that the rule needs are not finished yet")
    by_rate = {name: [row for row in judged if row["variant"] == name] for name in CANDIDATES}
    for conditions in (("within_noise", "lifted", "still"), ("within_noise", "still"), ("still",), ()):
        passed = [name for name in CANDIDATES if all(row[c] for row in by_rate[name] for c in conditions)]
        if passed:
            break
    fidelity, movement = ({name: _mean(by_rate[name], of) for name in passed} for of in ("fidelity", "movement"))
    close = [name for name in passed if fidelity[name] >= max(fidelity.values()) - SAME_FIDELITY]
    chosen = min(close, key=movement.__getitem__)
    reason = f"meets the conditions: {', '.join(conditions) or 'none'}"
    if len(passed) == 1:
        return Choice(chosen, f"no other rate {reason}")
    return Choice(
        chosen,
        f"each of {', '.join(passed)} {reason}; "
        f"among those within {SAME_FIDELITY} of the highest fidelity it moves least",
    )


def summarise(rows: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Mean over seeds of each measure of each variant, with its interval over seeds.

    Columns: data, variant, seeds, measure, value, low, high. Measures: those of the rows, and movement, the total
    variation of the hardness weight divided by that of the loss map, on training and on held-out images.
    """
    rows = rows.copy()
    for place in ("train", "held_out"):
        columns = [f"{of}_total_variation/{place}" for of in ("hardness", "loss")]
        if set(columns) <= set(rows):
            rows[f"movement/{place}"] = rows[columns[0]] / rows[columns[1]]
    numbers = [name for name in rows.select_dtypes("number") if name not in grid.axes]
    found = []
    for key, group in rows.groupby(["data", grid.compared], sort=False):
        data, variant = cast("tuple[str, str]", key)
        for name in numbers:
            values = group[name].dropna().to_numpy()
            if len(values):
                mean, low, high = estimate_mean(values)
                found.append([data, variant, len(values), name, mean, low, high])
    return pd.DataFrame(found, columns=["data", "variant", "seeds", "measure", "value", "low", "high"])
