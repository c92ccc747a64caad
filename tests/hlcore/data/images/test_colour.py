import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hlcore.data.images.colour import rgb_from_array, turn_upright
from hlcore.errors import InvalidInputError

pictures = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=6).map(lambda s: (*s[:2], 3)))


@given(pictures)
def test_every_depth_gives_back_the_8_bit_picture_it_was_made_from(picture):
    np.testing.assert_array_equal(rgb_from_array(picture), picture)
    np.testing.assert_array_equal(rgb_from_array(picture.astype(np.uint16) * 257), picture)
    picture[0, 0] = 255
    np.testing.assert_array_equal(rgb_from_array(picture / np.float32(255)), picture)
    np.testing.assert_array_equal(rgb_from_array(picture.astype(np.float64)), picture)
    np.testing.assert_array_equal(rgb_from_array(picture.astype(np.int32) * 257), picture)


@given(st.integers(0, 65535))
def test_16_bits_are_divided_by_257_and_rounded(value):
    assert rgb_from_array(np.array([[value]], dtype=np.uint16))[0, 0, 0] == round(value / 257)


def test_numbers_out_of_range_are_black_or_white():
    grey = np.array([[np.nan, -np.inf, -3.0, 0.0, 1.0, np.inf]])
    assert rgb_from_array(grey)[0, :, 0].tolist() == [0, 0, 0, 0, 255, 255]


def test_above_65535_the_largest_number_is_white():
    assert rgb_from_array(np.array([[0.0, 1e6, 2e6]]))[0, :, 0].tolist() == [0, 128, 255]


def test_an_array_without_finite_numbers_is_black():
    assert not rgb_from_array(np.full((2, 2), np.nan)).any()


def test_transparent_numbers_are_blended_with_white():
    red = np.array([[[1, 0, 0, 1], [1, 0, 0, 0.5], [1, 0, 0, 0]]], dtype=np.float32)
    assert rgb_from_array(red)[0].tolist() == [[255, 0, 0], [255, 128, 128], [255, 255, 255]]
    assert rgb_from_array(np.array([[[0, 0]]], dtype=np.uint8))[0, 0].tolist() == [255, 255, 255]


def test_five_channels_are_refused():
    with pytest.raises(InvalidInputError, match="1 to 4 channels, got 5"):
        rgb_from_array(np.zeros((2, 2, 5)))


@given(pictures, st.integers(1, 8))
def test_turning_upright_moves_pixels_and_changes_none(picture, orientation):
    turned = turn_upright(picture, orientation)
    assert turned.shape[:2] == (picture.shape[:2] if orientation <= 4 else picture.shape[1::-1])
    assert sorted(map(tuple, turned.reshape(-1, 3))) == sorted(map(tuple, picture.reshape(-1, 3)))


@given(pictures, st.sampled_from([1, 2, 3, 4, 5, 7]))
def test_mirrored_and_half_turned_orientations_undo_themselves(picture, orientation):
    np.testing.assert_array_equal(turn_upright(turn_upright(picture, orientation), orientation), picture)


@given(pictures)
def test_orientations_6_and_8_undo_each_other(picture):
    np.testing.assert_array_equal(turn_upright(turn_upright(picture, 6), 8), picture)
