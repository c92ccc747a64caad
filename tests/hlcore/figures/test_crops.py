"""Cut-outs around a region: whole pixels, in place, outlined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlcore.errors import InvalidInputError
from hlcore.figures.crops import GAP_PX, TILE_PX, Box, crop_strip, window


@given(
    height=st.integers(20, 400),
    width=st.integers(20, 400),
    ends=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_a_window_holds_its_box_and_stays_inside_the_image(height, width, ends):
    top, bottom = sorted((int(ends[0] * (height - 1)), int(ends[1] * (height - 1))))
    left, right = sorted((int(ends[2] * (width - 1)), int(ends[3] * (width - 1))))
    rows, columns = window(Box(left, top, right + 1, bottom + 1), (height, width))
    assert 0 <= rows.start <= top < bottom + 1 <= rows.stop <= height
    assert 0 <= columns.start <= left < right + 1 <= columns.stop <= width
    side = max(rows.stop - rows.start, columns.stop - columns.start)
    assert TILE_PX % side == 0 or side % TILE_PX == 0 or side in (height, width)


def test_a_pixel_becomes_a_square_of_its_own_colour_and_the_region_is_outlined():
    image = np.random.default_rng(0).integers(1, 255, (27, 27, 3), dtype=np.uint8)
    inside = np.zeros((27, 27), bool)
    inside[13, 13] = True
    strip = crop_strip([image, image], inside, Box(13, 13, 14, 14))
    assert strip.shape == (TILE_PX, 2 * TILE_PX + GAP_PX, 4)
    assert np.array_equal(strip[:, :TILE_PX], strip[:, TILE_PX + GAP_PX :])
    enlarged = image.repeat(4, axis=0).repeat(4, axis=1)
    own = np.zeros((TILE_PX, TILE_PX), bool)
    own[52:56, 52:56] = True
    ring = np.zeros_like(own)
    ring[51:57, 52:56] = ring[52:56, 51:57] = True
    ring &= ~own
    inner = own.copy()
    inner[53:55, 53:55] = False
    tile = strip[:, :TILE_PX]
    assert (tile[inner] == 255).all()
    assert (tile[ring] == (0, 0, 0, 255)).all()
    untouched = ~inner & ~ring
    assert np.array_equal(tile[untouched][:, :3], enlarged[untouched])
    assert (strip[:, TILE_PX : TILE_PX + GAP_PX, 3] == 0).all()


def test_a_region_larger_than_a_tile_is_thinned_and_not_blurred():
    image = np.zeros((300, 300, 3), np.uint8)
    image[::2] = 200
    strip = crop_strip([image], np.ones((300, 300), bool), Box(0, 0, 300, 300))
    assert strip.shape == (TILE_PX, TILE_PX, 4)
    seen = strip[strip[..., 3] > 0]
    assert {int(value) for value in np.unique(seen[:, 0])} <= {0, 200, 255}


def test_what_an_image_smaller_than_the_window_leaves_is_transparent():
    strip = crop_strip([np.full((20, 54, 3), 9, np.uint8)], np.zeros((20, 54), bool), Box(0, 0, 30, 10))
    assert (strip[:40, :, 3] == 255).all()
    assert (strip[40:, :, 3] == 0).all()


def test_pictures_of_another_size_are_refused(unchecked):
    with pytest.raises(InvalidInputError) as caught:
        crop_strip([np.zeros((3, 4, 3), np.uint8)], np.zeros((4, 4), bool), Box(0, 0, 1, 1))
    assert str(caught.value) == "pictures must have the region's size (4, 4), got (3, 4)"
