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
    grey = np.array([[value]], dtype=np.uint16)
    assert rgb_from_array(grey, white_level=65535)[0, 0, 0] == round(value / 257)


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


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float64])
def test_numbers_of_fewer_bits_in_a_larger_type_are_not_black(bits, dtype):
    numbers = np.linspace(0, 2**bits - 1, 1200).astype(dtype).reshape(20, 20, 3)
    np.testing.assert_allclose(rgb_from_array(numbers).ravel(), np.linspace(0, 255, 1200), atol=1)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_hot_pixel_changes_no_other(dtype):
    numbers = np.linspace(0, 4095, 1200).astype(dtype).reshape(20, 20, 3)
    before = rgb_from_array(numbers)
    numbers[3, 4, 1] = 65535
    after = rgb_from_array(numbers)
    assert after[3, 4, 1] == 255
    assert (before != after).sum() == 1


@given(st.floats(1, 2), st.floats(0.02, 1))
def test_floats_that_pass_1_are_clipped_and_the_others_do_not_jump(brightest, share):
    numbers = np.linspace(0, 1, 1200).reshape(20, 20, 3)
    before = rgb_from_array(numbers)
    numbers.ravel()[: int(1200 * share)] *= brightest
    after = rgb_from_array(numbers)
    np.testing.assert_array_equal(after, np.round(np.clip(numbers.astype(np.float32), 0, 1) * 255))
    assert after.max() == before.max() == 255


def test_a_given_white_level_is_taken_for_all_but_8_bits():
    ramp = np.array([[0, 100, 200, 400]], dtype=np.uint16)
    assert rgb_from_array(ramp, white_level=200)[0, :, 0].tolist() == [0, 128, 255, 255]
    assert rgb_from_array(ramp / 1.0, white_level=200)[0, :, 0].tolist() == [0, 128, 255, 255]
    assert rgb_from_array(ramp[:, :3].astype(np.uint8), white_level=1000)[0, :, 0].tolist() == [0, 100, 200]


def test_opacity_has_a_scale_of_its_own():
    colours = np.full((1, 2, 4), 4095, dtype=np.uint16)
    colours[..., 1:3] = 0
    colours[..., 3] = (65535, 0)
    assert rgb_from_array(colours)[0].tolist() == [[255, 0, 0], [255, 255, 255]]
    assert rgb_from_array(colours, white_level=8190)[0].tolist() == [[128, 0, 0], [255, 255, 255]]


def test_a_large_array_is_scaled_like_a_small_one():
    tall = np.linspace(0, 4095, 3_000 * 1_500).astype(np.uint16).reshape(3_000, 1_500)
    image = rgb_from_array(tall)
    np.testing.assert_array_equal(image[[0, 2666, 2999]], rgb_from_array(tall[[0, 2666, 2999]], white_level=4095))


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
