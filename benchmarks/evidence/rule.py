"""The rule that chooses the default learning rate of the hardness branch, as docs/decisions.md states it.

It was written before any of the runs it reads was made.
"""

from typing import NamedTuple, cast

import numpy as np
import pandas as pd

from benchmarks.evidence.compare import mean_with_interval, paired_differences
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
        variant: Name of the rate; None until every run the rule reads is there.
        reason: In a sentence.
    """

    variant: str | None
    reason: str


def judge_rates(rows: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """How each candidate stands to each condition of the rule.

    Columns: data, variant, seeds, mean_iou, below_best (paired difference to the best candidate) with low and high,
    lift, movement (total variation of the weight over that of the loss), fidelity, and whether the rate is
    within_noise, lifted and still.
    """
    found = []
    for data in DATA:
        of_data = rows[(rows["data"] == data) & rows[grid.compared].isin(CANDIDATES)]
        if of_data.empty:
            continue
        means = of_data.groupby(grid.compared)["mean_iou_last"].mean()
        best = str(means.idxmax())
        against = paired_differences(of_data, grid, measures=("mean_iou_last",), against=best)
        for variant in [name for name in CANDIDATES if name in means]:
            runs = of_data[of_data[grid.compared] == variant]
            row = {"data": data, "variant": variant, "seeds": len(runs), "mean_iou": means[variant]}
            row |= {"below_best": 0.0, "low": 0.0, "high": 0.0, "within_noise": True}
            for other in against.to_dict("records") if len(against) else []:
                if other[grid.compared] == variant:
                    row |= {"below_best": other["difference"], "low": other["low"], "high": other["high"]}
                    row["within_noise"] = not other["high"] < 0
            movement = runs[f"hardness_{MOVEMENT}"] / runs[f"loss_{MOVEMENT}"]
            row |= {"lift": runs["hardness_lift"].mean(), "movement": movement.mean()}
            row["fidelity"] = runs[FIDELITY].mean() if FIDELITY in runs and runs[FIDELITY].notna().all() else np.nan
            row |= {"lifted": row["lift"] >= LEAST_LIFT, "still": row["movement"] <= MOST_MOVEMENT}
            found.append(row)
    return pd.DataFrame(found)


def choose_rate(table: pd.DataFrame, *, seeds: int = 3) -> Choice:
    """The rate the rule chooses from what `judge_rates` gave."""
    wanted = len(CANDIDATES) * len(DATA)
    ready = len(table) == wanted and (table["seeds"] >= seeds).all() and table["fidelity"].notna().all()
    if not ready:
        return Choice(None, "some of the runs that the rule reads are not there yet")
    for conditions in (("within_noise", "lifted", "still"), ("within_noise", "still"), ("still",), ()):
        passed = [
            name
            for name in CANDIDATES
            if all(table.loc[table["variant"] == name, condition].all() for condition in conditions)
        ]
        if passed:
            break
    fidelity, movement = (
        {name: float(table.loc[table["variant"] == name, column].mean()) for name in passed}
        for column in ("fidelity", "movement")
    )
    close = [name for name in passed if fidelity[name] >= max(fidelity.values()) - SAME_FIDELITY]
    chosen = min(close, key=movement.__getitem__)
    met = ", ".join(conditions) or "no condition"
    return Choice(
        chosen, f"of {', '.join(passed)} (which meet: {met}) it has the highest fidelity, or within it holds stiller"
    )


def summarise(rows: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Mean over seeds of what was measured of each variant, with the ends of the interval over seeds.

    Columns: data, variant, seeds, measure, value, low, high. Measures: those of the rows, and movement, the total
    variation of the hardness weight over that of the loss map, on trained and on held-out images.
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
                mean, low, high = mean_with_interval(values)
                found.append([data, variant, len(values), name, mean, low, high])
    return pd.DataFrame(found, columns=["data", "variant", "seeds", "measure", "value", "low", "high"])
