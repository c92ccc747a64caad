"""The table of claims: each verdict follows from the interval alone."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.claims import (
    DEFAULT,
    FAILS,
    HOLDS,
    OPEN,
    format_headline,
    judge_claim,
    list_memorising_claims,
    list_training_claims,
)
from benchmarks.evidence.grid import Grid
from hlcore.report.numbers import Number

GRID = Grid(
    base={},
    axes={
        "data": {"camvid_fpn": {}},
        "seed": {f"seed{n}": {} for n in range(3)},
        "variant": {"ce": {}, DEFAULT: {}},
    },
    compared="variant",
    against="ce",
    score_split={"camvid_fpn": "test"},
)


def rows(gain: float, *, seeds: int = 3, movement: float = 0.4, keeps: float = 0.95) -> pd.DataFrame:
    found = []
    for seed in range(seeds):
        for variant in ("ce", DEFAULT):
            noise = 0.001 * seed
            found.append(
                {
                    "data": "camvid_fpn",
                    "seed": f"seed{seed}",
                    "variant": variant,
                    "mean_iou_last": 0.5 + noise + (gain + noise) * (variant == DEFAULT),
                    "hardness_total_variation/held_out": movement * 0.2 + 0.1 * noise,
                    "loss_total_variation/held_out": 0.2,
                    "hardness_last_over_first/held_out": keeps + noise,
                    "loss_last_over_first/held_out": 0.2 + noise,
                }
            )
    return pd.DataFrame(found)


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    return {claim.claim.split(" (")[0]: claim.verdict for claim in list_training_claims(table, GRID)}


@pytest.mark.parametrize(
    ("found", "above", "verdict"),
    [
        (Number(1, 0.5, 1.5), True, HOLDS),
        (Number(1, 0.5, 1.5), False, FAILS),
        (Number(1, -0.5, 2.5), True, OPEN),
        (Number(-1, -1.5, -0.5), True, FAILS),
        (Number(1, np.nan, np.nan), True, OPEN),
    ],
)
def test_a_claim_holds_where_the_whole_interval_lies_on_its_side(found, above, verdict):
    assert judge_claim(found, 0, above=above) == verdict


def test_fewer_than_three_seeds_leave_a_claim_open():
    assert judge_claim(Number(1, 0.5, 1.5), 0, seeds=2) == OPEN
    assert set(verdicts(rows(0.02, seeds=2)).values()) == {OPEN}


def test_claims_hold_for_a_clear_gain_and_stable_maps():
    assert verdicts(rows(0.02)) == {
        "The hardness loss raises mIoU": HOLDS,
        "Hardness maps are stable between epochs, loss maps are not": HOLDS,
        "The loss fades during training, hardness does not": HOLDS,
    }


def test_claims_fail_for_a_clear_loss_and_unstable_maps():
    found = verdicts(rows(-0.02, movement=1.5, keeps=0.15))
    assert set(found.values()) == {FAILS}


def test_hardness_that_fades_less_than_the_loss_holds_in_part():
    found = verdicts(rows(0.02, keeps=0.5))
    assert found["The loss fades during training, hardness does not"] == "in part: it fades less"


def test_the_headline_has_both_numbers_with_their_intervals_once_all_seeds_exist():
    text = format_headline(rows(0.02), GRID)
    assert "**+2.10 (+1.85 to +2.35) points** of mIoU over cross entropy" in text
    assert "moves **0.401 (0.399 to 0.402) times** as much" in text
    assert "still in progress" in format_headline(rows(0.02, seeds=2), GRID)


@pytest.mark.parametrize(("moved", "verdict"), [(0.1, HOLDS), (0.5, FAILS)])
def test_figure_1_holds_where_hardness_moves_less_than_half_as_much_as_the_loss(moved, verdict):
    found = [
        {
            "run": "r",
            "split": "test",
            "image": name,
            "map": of,
            "step": step,
            "relative_level": level,
            "total_variation": tv,
        }
        for index, name in enumerate("abc")
        for of, level, tv in (("hardness", 0.9, moved + 0.01 * index), ("loss", 0.2, 0.5))
        for step in (0, 100)
    ]
    [claim] = list_memorising_claims(pd.DataFrame(found))
    assert claim.verdict == verdict
    assert "3 images, 100 steps: the mean loss ends at 0.200 (0.200 to 0.200) of its initial value" in claim.measured
