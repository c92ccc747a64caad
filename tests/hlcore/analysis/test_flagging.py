"""Flagging pixels of one image: the shares, and the outcome of each pixel."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlcore.analysis.flagging import (
    CAUGHT,
    FALSE_ALARM,
    FLAGGED,
    MISSED,
    outcome_map,
    region_mask,
    summarise_outcomes,
    threshold_for_share,
)
from hlcore.types import PredictionRecord

ROW = PredictionRecord(
    name="row",
    image=np.zeros((1, 6, 3), np.uint8),
    prediction=np.array([[0, 0, 0, 0, 0, 1]]),
    hardness_map=np.array([[0.9, 0.1, 0.8, 0.2, 0.7, 0.6]], np.float32),
    probabilities=np.full((2, 1, 6), 0.5, np.float32),
    class_names=("sky", "road"),
    label_map=np.array([[1, 1, 0, 0, 255, 1]]),
)
ALL = np.ones((1, 6), bool)


def test_every_pixel_is_caught_missed_a_false_alarm_or_nothing() -> None:
    where = region_mask(ROW, "all")
    outcome = outcome_map(ROW.hardness_map, where, error=ROW.error, threshold=0.5)
    assert outcome.tolist() == [[CAUGHT, MISSED, FALSE_ALARM, 0, 0, FALSE_ALARM]]
    assert summarise_outcomes(outcome, where) == (3 / 5, 1 / 2, 1 / 3)


def test_without_labels_pixels_are_flagged_and_nothing_is_measured() -> None:
    unlabelled = replace(ROW, label_map=None)
    where = region_mask(unlabelled, "all")
    assert where.all()
    outcome = outcome_map(ROW.hardness_map, where, error=None, threshold=0.75)
    assert outcome.tolist() == [[FLAGGED, 0, FLAGGED, 0, 0, 0]]
    shares = summarise_outcomes(outcome, where)
    assert shares.pixels_share == 1 / 3
    assert np.isnan([shares.errors_share, shares.precision]).all()


def test_only_the_pixels_of_the_region_count() -> None:
    assert region_mask(ROW, "edge").tolist() == [[False, False, True, True, False, True]]
    assert region_mask(ROW, "interior").tolist() == [[True, True, False, False, False, False]]
    outcome = outcome_map(ROW.hardness_map, region_mask(ROW, "edge"), error=ROW.error, threshold=0)
    assert outcome.tolist() == [[0, 0, FALSE_ALARM, FALSE_ALARM, 0, FALSE_ALARM]]


@given(values=st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6), share=st.floats(0, 1))
def test_a_threshold_flags_at_least_the_share_and_more_only_for_ties(values: list[float], share: float) -> None:
    score = np.array([values], np.float32)
    threshold = threshold_for_share(score, ALL, share=share)
    assert (score >= threshold).mean() >= share - 1e-9
    assert (score > threshold).mean() <= share


@pytest.mark.parametrize(("where", "share"), [(~ALL, 0.5), (ALL, 0.0)])
def test_nothing_to_flag_has_an_infinite_threshold(where: np.ndarray, share: float) -> None:
    assert threshold_for_share(ROW.hardness_map, where, share=share) == np.inf
    shares = summarise_outcomes(outcome_map(ROW.hardness_map, where, error=ROW.error, threshold=np.inf), where)
    assert np.isnan(shares.precision)
