"""Several runs side by side."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlcore.analysis.run_comparison import (
    class_iou_gains,
    find_last_and_best,
    last_class_iou,
    mean_iou_by_epoch,
    shared_classes,
    training_by_epoch,
)

EPOCHS = {
    "a": pd.DataFrame({"epoch": [1, 2, 3], "iou/sky": [0.2, 0.6, 0.4], "iou/car": [0.0, 0.2, np.nan]}),
    "b": pd.DataFrame({"epoch": [1], "iou/sky": [0.5], "iou/car": [0.3]}),
    "waiting": pd.DataFrame({"epoch": [], "iou/sky": [], "iou/car": []}),
}
COLUMNS = {"sky": "iou/sky", "car": "iou/car"}


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), min_size=1, max_size=4))
def test_shared_classes_are_in_every_run_and_in_the_order_of_the_first(runs):
    shared = shared_classes(runs)
    assert set(shared) == set.intersection(*map(set, runs))
    assert list(shared) == [name for name in runs[0] if name in shared]


def test_mean_iou_leaves_out_absent_classes_and_runs_without_an_epoch():
    table = mean_iou_by_epoch(EPOCHS, list(COLUMNS.values()))
    assert table["run"].tolist() == ["a", "a", "a", "b"]
    assert table["value"].tolist() == pytest.approx([0.1, 0.4, 0.4, 0.4])
    assert np.isnan(table[["low", "high"]].to_numpy(float)).all()


def test_mean_iou_over_some_classes_ignores_the_others():
    assert mean_iou_by_epoch(EPOCHS, ["iou/sky"])["value"].tolist() == [0.2, 0.6, 0.4, 0.5]


def test_runs_that_share_no_class_have_no_mean():
    assert mean_iou_by_epoch(EPOCHS, []).empty


def test_each_run_has_a_last_and_a_best_epoch():
    rows = find_last_and_best(mean_iou_by_epoch(EPOCHS, ["iou/sky"])).to_dict("records")
    assert rows[:2] == [
        {"run": "a", "which": "last", "epoch": 3, "value": 0.4},
        {"run": "a", "which": "best", "epoch": 2, "value": 0.6},
    ]
    assert [row["run"] for row in rows] == ["a", "a", "b", "b"]


def test_class_scores_are_those_of_the_last_epoch():
    table = last_class_iou(EPOCHS, COLUMNS)
    assert list(zip(table["run"], table["class_name"], strict=True)) == [
        *(("a", "sky"), ("a", "car"), ("b", "sky"), ("b", "car"))
    ]
    assert table["value"].tolist() == pytest.approx([0.4, math.nan, 0.5, 0.3], nan_ok=True)


def test_gains_are_differences_over_shared_classes_with_the_largest_first():
    iou = pd.DataFrame(
        {"run": ["a", "a", "a", "b", "b"], "class_name": ["x", "y", "z", "y", "x"], "value": [0.1, 0.5, 0.9, 0.4, 0.3]}
    )
    gain = class_iou_gains(iou, baseline="a", compared="b")
    assert gain["class_name"].tolist() == ["x", "y"]
    assert gain["value"].tolist() == pytest.approx([0.2, -0.1])


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.floats(0, 1), st.floats(0, 1)), unique_by=lambda row: row[0]))
def test_what_one_run_gains_the_other_loses(rows):
    columns = {run: [row[place] for row in rows] for place, run in enumerate(("class_name", "a", "b"))}
    iou = pd.DataFrame(columns).melt("class_name", ["a", "b"], var_name="run")
    if rows:
        there, back = (class_iou_gains(iou, baseline=one, compared=other) for one, other in (("a", "b"), ("b", "a")))
        lost = dict(zip(back["class_name"], -back["value"], strict=True))
        assert dict(zip(there["class_name"], there["value"], strict=True)) == lost


def test_steps_become_a_mean_lift_and_a_median_time_for_each_image():
    steps = pd.DataFrame(
        {"epoch": [1, 1, 1, 2], "hardness_lift": [1.0, 2.0, 3.0, np.nan], "images_per_s": [1.0, 100.0, 50.0, 20.0]}
    )
    table = training_by_epoch({"a": steps}).set_index(["epoch", "measure"])
    assert table.loc[(1, "hardness_lift"), "value"] == 2
    assert table.loc[(1, "image_ms"), "value"] == 20
    assert table.loc[(1, "image_ms"), "low"] == pytest.approx(np.quantile([1000, 10, 20], 0.1))
    assert table.loc[(1, "image_ms"), "high"] == pytest.approx(np.quantile([1000, 10, 20], 0.9))
    assert table.loc[(2, "image_ms"), "value"] == 50
    assert (2, "hardness_lift") not in table.index
