"""The scores of a record's pixels and the bins they are counted in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlcore.analysis.scores import BINS, SCORES
from hlcore.types import PredictionRecord

shares = st.floats(0, 1, width=32)
RANGES = {
    "hardness": shares,
    "max_softmax": shares,
    "entropy": st.floats(0, 7, width=32),
    "mc_entropy": st.floats(0, 7, width=32),
    "edge_distance": st.one_of(st.just(-np.inf), st.floats(-8192, 0, width=32)),
    "hardness_x_max_softmax": shares,
    "margin": shares,
    "error_suspicion": shares,
}


@pytest.mark.parametrize("name", SCORES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_bin_begins_at_or_below_its_values_and_ends_above_them(name: str, data: st.DataObject) -> None:
    bins = SCORES[name].bins
    value = np.array([data.draw(RANGES[name])], np.float32)
    index = bins.index(value)
    assert index == bins._compute_index(value), "the table gives what the transform gives"
    assert 0 <= index[0] < BINS
    slack = 1e-9 * (1 + abs(value[0])) if np.isfinite(value[0]) else 0
    assert bins.lower_end(index)[0] <= value[0] + slack
    assert value[0] < bins.lower_end(index + 1)[0] + slack


@pytest.mark.parametrize("name", SCORES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_higher_score_never_lies_in_a_lower_bin(name: str, data: st.DataObject) -> None:
    values = np.sort(np.array([data.draw(RANGES[name]) for _ in range(2)], np.float32))
    low, high = SCORES[name].bins.index(values)
    assert low <= high


@pytest.mark.parametrize("name", SCORES)
def test_nothing_lies_below_the_lowest_bin_or_above_the_highest(name: str) -> None:
    ends = SCORES[name].bins.lower_end(np.array([0, 1, BINS - 1, BINS]))
    assert ends[0] == -np.inf
    assert ends[-1] == np.inf
    assert np.all(np.diff(ends) > 0)


def test_every_short_distance_has_its_own_bin_and_its_threshold_lies_between_it_and_the_next() -> None:
    bins = SCORES["edge_distance"].bins
    distances = -np.sqrt(np.arange(512)).astype(np.float32)
    index = bins.index(distances)
    assert index.tolist() == list(range(BINS - 1, BINS - 513, -1))
    assert bins.single[index].all()
    assert bins.single.sum() == 512
    np.testing.assert_allclose(bins.lower_end(index)[:3], [-np.sqrt(0.5), -np.sqrt(1.5), -np.sqrt(2.5)])


def test_the_highest_bin_of_hardness_contains_only_1() -> None:
    bins = SCORES["hardness"].bins
    below = np.nextafter(np.float32(1), np.float32(0))
    assert bins.index(np.array([below])) < BINS - 1
    assert bins.index(np.ones(1, np.float32)) == BINS - 1
    assert np.flatnonzero(bins.single).tolist() == [BINS - 1]


def test_scores_of_a_pixel_by_hand() -> None:
    record = PredictionRecord(
        name="two",
        image=np.zeros((1, 4, 3), np.uint8),
        prediction=np.array([[0, 1, 1, 1]]),
        hardness_map=np.full((1, 4), 0.5, np.float32),
        probabilities=np.array([[[0.75, 0, 0, 0]], [[0.25, 1, 1, 1]]], np.float32),
        class_names=("sky", "road"),
    )
    of = {name: score.measure(record) for name, score in SCORES.items()}
    assert of["hardness"].tolist() == [[0.5] * 4]
    assert of["max_softmax"].tolist() == [[0.25, 0, 0, 0]]
    assert of["hardness_x_max_softmax"].tolist() == [[0.125, 0, 0, 0]]
    assert of["edge_distance"].tolist() == [[0, 0, -1, -2]]
    assert of["entropy"][0] == pytest.approx([-0.75 * np.log(0.75) - 0.25 * np.log(0.25), 0, 0, 0])
    assert of["mc_entropy"] is None
    assert of["margin"] == pytest.approx(np.array([[0.5, 0, 0, 0]]))


def test_rounding_above_one_gives_no_negative_score() -> None:
    record = PredictionRecord(
        name="one",
        image=np.zeros((1, 1, 3), np.uint8),
        prediction=np.zeros((1, 1), int),
        hardness_map=np.ones((1, 1), np.float32),
        probabilities=np.full((1, 1, 1), 1.0000001, np.float32),
        class_names=("sky",),
    )
    assert SCORES["max_softmax"].measure(record).tolist() == [[0]]
    assert SCORES["entropy"].measure(record).tolist() == [[0]]
    assert SCORES["margin"].measure(record).tolist() == [[0]]
