"""Faults planted into label maps: only the reported pixels change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hlcore.analysis.label_faults import KINDS, plant_faults
from hlcore.errors import InvalidInputError

MAPS = arrays(np.uint8, (12, 14), elements=st.sampled_from([0, 0, 0, 1, 2, 255]))


def square(size: int = 20, side: int = 5) -> np.ndarray:
    """A square of class 2 at row 8, column 6 on a background of class 0, with an ignored column at the right."""
    label_map = np.zeros((size, size), np.uint8)
    label_map[8 : 8 + side, 6 : 6 + side] = 2
    label_map[:, -1] = 255
    return label_map


def test_a_swapped_object_keeps_its_shape_and_gets_another_class():
    label_map = square()
    planted = plant_faults(label_map, num_classes=4, seed=1, kinds=["swapped"], area_px=(25, 25))
    assert np.array_equal(planted.faults > 0, label_map == 2)
    (new,) = np.unique(planted.label_map[label_map == 2])
    assert new in (0, 1, 3)


def test_a_swapped_object_may_get_every_other_class():
    swapped = [
        plant_faults(square(), num_classes=4, seed=seed, kinds=["swapped"], area_px=(25, 25)) for seed in range(30)
    ]
    assert {int(planted.label_map[8, 6]) for planted in swapped} == {0, 1, 3}


def test_a_dropped_object_takes_the_nearest_class_around_it():
    label_map = np.array([[0, 0, 0, 0, 0, 0], [0, 2, 2, 2, 2, 1], [1, 2, 2, 2, 2, 1], [1, 1, 1, 1, 1, 1]])
    planted = plant_faults(label_map, num_classes=3, seed=0, kinds=["dropped"], area_px=(8, 8))
    expected = [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]]
    assert planted.label_map[:, [0, 2, 3, 5]].tolist() == np.array(expected)[:, [0, 2, 3, 5]].tolist()
    assert not (planted.label_map == 2).any()


def test_a_shifted_object_keeps_its_shape_and_moves_by_the_requested_distance():
    label_map = square(size=40)
    for seed in range(20):
        planted = plant_faults(
            label_map, num_classes=3, seed=seed, kinds=["shifted"], area_px=(25, 25), shift_px=(3, 5)
        )
        (top, left), (bottom, right) = (
            np.argwhere(planted.label_map == 2).min(0),
            np.argwhere(planted.label_map == 2).max(0),
        )
        assert (bottom - top, right - left) == (4, 4)
        assert 3 - 0.8 <= np.hypot(top - 8, left - 6) <= 5 + 0.8  # whole pixels


def test_an_object_shifted_beyond_the_border_is_cropped():
    label_map = np.zeros((9, 9), np.uint8)
    label_map[:, :3] = 1
    kept = {
        int(
            (
                plant_faults(label_map, num_classes=2, seed=seed, kinds=["shifted"], area_px=(27, 27)).label_map == 1
            ).sum()
        )
        for seed in range(40)
    }
    assert min(kept) < 27


@given(label_map=MAPS, seed=st.integers(0, 10_000), kinds=st.lists(st.sampled_from(KINDS), min_size=1, unique=True))
def test_only_the_pixels_of_faults_change_and_ignored_pixels_stay(label_map, seed, kinds):
    before = label_map.copy()
    planted = plant_faults(label_map, num_classes=3, seed=seed, kinds=kinds, area_px=(2, 40), shift_px=(1, 4))
    assert np.array_equal(label_map, before)
    assert np.array_equal(planted.label_map != label_map, planted.faults > 0)
    assert np.array_equal(planted.label_map == 255, label_map == 255)
    assert set(planted.kinds) <= set(kinds)
    assert set(np.unique(planted.faults)) == {*range(len(planted.kinds) + 1)} - (
        {0} if (planted.faults > 0).all() else set()
    )
    assert planted.label_map.dtype == label_map.dtype


@given(label_map=MAPS, seed=st.integers(0, 10_000))
def test_the_same_seed_plants_the_same_faults_and_never_more_than_requested(label_map, seed):
    first, second = (plant_faults(label_map, num_classes=3, seed=seed, count=2, area_px=(2, 40)) for _ in range(2))
    assert np.array_equal(first.label_map, second.label_map)
    assert first.kinds == second.kinds
    assert len(first.kinds) <= 2


@given(label_map=MAPS, seed=st.integers(0, 10_000))
def test_the_kinds_partition_the_changed_pixels(label_map, seed):
    planted = plant_faults(label_map, num_classes=3, seed=seed, area_px=(2, 40), shift_px=(1, 4))
    assert np.array_equal(sum(planted.where(kind).astype(int) for kind in KINDS), (planted.faults > 0).astype(int))


def test_objects_outside_the_area_are_left_alone():
    planted = plant_faults(square(), num_classes=3, seed=0, area_px=(26, 300))
    assert planted.kinds == ()
    assert np.array_equal(planted.label_map, square())


def test_a_map_with_one_class_or_none_has_nothing_to_drop():
    for value in (1, 255):
        label_map = np.full((8, 8), value, np.uint8)
        planted = plant_faults(label_map, num_classes=3, seed=0, kinds=["dropped"], area_px=(1, 64))
        assert planted.kinds == ()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"num_classes": 1}, "faults need at least 2 classes, got 1"),
        ({"kinds": []}, "kinds must be among swapped, shifted, dropped, got none"),
        ({"kinds": ["torn"]}, "kinds must be among swapped, shifted, dropped, got torn"),
        ({"area_px": (9, 4)}, "area_px must be (smallest, largest) of at least 1 px, got (9, 4)"),
        ({"shift_px": (0, 4)}, "shift_px must be (smallest, largest) of at least 1 px, got (0, 4)"),
    ],
)
def test_invalid_settings_are_refused(unchecked, wrong, sentence):
    with pytest.raises(InvalidInputError) as caught:
        plant_faults(square(), **{"num_classes": 3, "seed": 0, **wrong})
    assert str(caught.value) == sentence
