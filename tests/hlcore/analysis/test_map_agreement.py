import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import spearmanr

from hlcore.analysis.map_agreement import hardest_overlap, hardest_threshold, rank_correlation
from hlcore.errors import InvalidInputError

MAPS = arrays.arrays(np.float32, (4, 5), elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]))


@given(MAPS, MAPS)
def test_rank_correlation_is_scipys_with_ties(first, second):
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert np.isnan(rank_correlation(first, second))
    else:
        expected = spearmanr(first.ravel(), second.ravel()).statistic
        assert rank_correlation(first, second) == pytest.approx(expected, abs=1e-9)


def test_ignored_pixels_change_nothing():
    first = np.array([[0.1, 0.9, 0.4, np.nan]])
    second = np.array([[0.2, 0.8, 0.9, 0.0]])
    assert rank_correlation(first, second) == rank_correlation(first[:, :3], second[:, :3])


def test_maps_of_two_shapes_are_refused():
    with pytest.raises(InvalidInputError, match="the same shape"):
        rank_correlation(np.zeros((2, 2)), np.zeros((2, 3)))


@given(MAPS, st.floats(0.01, 1))
def test_a_map_overlaps_fully_with_itself_and_with_half_of_it(hardness_map, share):
    assert hardest_overlap(hardness_map, hardness_map, share=share) == 1
    assert hardest_overlap(hardness_map, hardness_map / 2, share=share) == 1


@given(MAPS, MAPS)
def test_overlap_is_symmetric(first, second):
    assert hardest_overlap(first, second) == hardest_overlap(second, first)


def test_maps_without_a_common_pixel_have_no_overlap():
    nothing = np.full((2, 2), np.nan)
    assert np.isnan(hardest_overlap(nothing, np.zeros((2, 2))))
    assert np.isnan(rank_correlation(nothing, np.zeros((2, 2))))


@given(MAPS, st.floats(0.01, 1))
def test_at_least_the_share_reaches_the_threshold(hardness_map, share):
    threshold = hardest_threshold(hardness_map, share=share)
    assert (hardness_map >= threshold).mean() >= share - 1 / hardness_map.size
    assert (hardness_map > threshold).mean() <= share


def test_a_share_above_one_is_refused():
    with pytest.raises(InvalidInputError, match="0..1, got 10"):
        hardest_threshold(np.zeros((2, 2)), share=10)
