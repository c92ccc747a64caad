"""The rule that chooses the hardness branch's default rate, on made-up tables for each condition."""

import pandas as pd
import pytest

from benchmarks.evidence.grid import Grid
from benchmarks.evidence.rule import CANDIDATES, DATA, choose_rate, judge_rates

GRID = Grid(
    base={},
    axes={
        "data": {name: {} for name in DATA},
        "seed": {f"seed{n}": {} for n in range(3)},
        "variant": {name: {} for name in ("ce", *CANDIDATES)},
    },
    compared="variant",
    against="ce",
    score_split=dict.fromkeys(DATA, "test"),
)
NOISE = (0.0, 0.01, -0.01)
GOOD = {"mean_iou": 0.55, "lift": 2.0, "movement": 0.3, "fidelity": 0.6}


def rows(**of_rate: dict[str, float]) -> pd.DataFrame:
    """Three seeds of every rate on both data sets: GOOD except for the given values; rates share each seed's noise."""
    found = []
    for data in DATA:
        for rate in CANDIDATES:
            values = GOOD | of_rate.get(rate.replace(".", "_"), {})
            for seed, noise in enumerate(NOISE):
                found.append(
                    {
                        "data": data,
                        "seed": f"seed{seed}",
                        "variant": rate,
                        "mean_iou_last": values["mean_iou"] + noise,
                        "hardness_lift": values["lift"],
                        "hardness_total_variation/held_out": values["movement"] * 0.2,
                        "loss_total_variation/held_out": 0.2,
                        "fidelity/hardness_spearman": values["fidelity"],
                    }
                )
    return pd.DataFrame(found)


def chosen(table: pd.DataFrame) -> str | None:
    return choose_rate(judge_rates(table, GRID)).variant


def test_the_most_faithful_rate_that_meets_all_conditions_is_chosen():
    assert chosen(rows(sgd_1={"fidelity": 0.65})) == "sgd_1"


@pytest.mark.parametrize("fault", [{"mean_iou": 0.50}, {"lift": 1.8}, {"movement": 0.51}])
def test_a_rate_that_misses_one_condition_is_left_out_however_faithful(fault):
    assert chosen(rows(sgd_1={"fidelity": 0.9, **fault}, sgd_0_1={"fidelity": 0.65})) == "sgd_0.1"


def test_a_rate_within_noise_of_the_best_stays_in():
    table = rows(sgd_1={"fidelity": 0.9})
    noisy = (table["variant"] == "sgd_1") & (table["seed"] == "seed0")
    table.loc[noisy, "mean_iou_last"] -= 0.05
    assert chosen(table) == "sgd_1"


def test_of_equally_faithful_rates_the_one_with_less_movement_is_chosen():
    assert chosen(rows(sgd_3={"fidelity": 0.605}, sgd_0_1={"movement": 0.2})) == "sgd_0.1"


def test_if_no_rate_meets_all_conditions_the_lift_is_dropped_first():
    low = {"lift": 1.0}
    assert chosen(rows(sgd_0_1=low, sgd_0_3=low | {"fidelity": 0.7}, sgd_1=low, sgd_3={"movement": 0.9})) == "sgd_0.3"


def test_there_is_no_choice_before_every_run_exists():
    assert chosen(rows().iloc[:-1]) is None
    assert chosen(rows().query("data == 'streets'")) is None
    assert chosen(rows().drop(columns="fidelity/hardness_spearman")) is None
