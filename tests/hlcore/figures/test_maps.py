import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlcore.errors import InvalidInputError
from hlcore.figures.maps import apply_colour_scale, resize_map
from hlcore.figures.style import HARDNESS_SCALES, LOSS_SCALE, colour_scale


@pytest.mark.parametrize("name", [*HARDNESS_SCALES, LOSS_SCALE])
def test_a_map_scale_gets_steadily_lighter(name):
    luma = colour_scale(name) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luma) > -1).all()
    assert luma[-1] - luma[0] > 120


def test_the_difference_scale_is_light_in_the_middle_and_dark_at_both_ends():
    luma = colour_scale("difference") @ np.array([0.2126, 0.7152, 0.0722])
    assert luma[127] > 240
    assert luma[[0, 255]].max() < 60
    assert colour_scale("difference")[0, 2] > colour_scale("difference")[0, 0], "what fell is blue"


def test_loss_and_hardness_never_share_a_scale():
    assert LOSS_SCALE not in HARDNESS_SCALES


def test_a_colour_scale_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        colour_scale("inferno")[0] = 0


def test_an_unknown_scale_names_the_known_ones():
    with pytest.raises(InvalidInputError, match="unknown colour scale 'jet'; known are inferno"):
        colour_scale("jet")


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_harder_pixel_is_never_darker(first, second):
    easy, hard = sorted([first, second])
    pair = apply_colour_scale(np.array([[easy, hard]]), scale="grey", low=0, high=1)[0, :, 0]
    assert pair[0] <= pair[1]


def test_an_empty_range_is_refused():
    with pytest.raises(InvalidInputError, match="high must be above low"):
        apply_colour_scale(np.zeros((1, 1)), scale="grey", low=1, high=1)


def test_a_resized_map_stays_within_its_range():
    values = np.random.default_rng(0).random((7, 9)).astype(np.float32)
    resized = resize_map(values, (20, 31))
    assert resized.shape == (20, 31)
    assert values.min() <= resized.min()
    assert resized.max() <= values.max()
