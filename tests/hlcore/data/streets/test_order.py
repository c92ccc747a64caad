"""The painting order of a street scene, checked against rays from the camera."""

import math

import numpy as np
import pytest

from hlcore.data.streets.order import painting_order
from hlcore.data.streets.solids import Footprint, Spot

PARKED_CAR = ((-3.0, 8.0), (-1.0, 8.0), (-1.0, 12.0), (-3.0, 12.0))


def test_a_post_behind_a_car_is_painted_before_it_though_it_is_nearer_than_the_far_end():
    assert painting_order([PARKED_CAR, [(-3.3, 9.0)]]) == [1, 0]


def test_a_post_in_front_of_a_car_is_painted_after_it():
    assert painting_order([[(-0.8, 11.0)], PARKED_CAR]) == [1, 0]


def test_a_person_behind_a_railing_is_painted_before_it():
    railing = [(2.0, 5.0), (2.0, 8.0)]
    assert painting_order([railing, [(2.5, 6.0)], [(1.5, 6.0)]]) == [1, 0, 2]


def test_objects_that_do_not_overlap_in_the_image_are_ordered_by_depth():
    assert painting_order([[(-5.0, 6.0)], [(5.0, 20.0)], PARKED_CAR]) == [1, 2, 0]


def test_three_objects_in_a_cycle_are_each_painted_once():
    overlapping = [Footprint(0, 10, heading, 1, 8).corners for heading in (0.0, 1.0, 2.0)]
    assert sorted(painting_order(overlapping)) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(20))
def test_along_every_ray_farther_objects_are_painted_first(seed: int):
    rng = np.random.default_rng(seed)
    things = disjoint_rectangles(rng)
    place = {index: number for number, index in enumerate(painting_order(things))}
    met = 0
    for direction in np.linspace(-2, 2, 400).tolist():
        hits = [(first_hit(ring, direction), index) for index, ring in enumerate(things)]
        along = [index for depth, index in sorted(hits) if depth < math.inf]
        met += len(along) > 1
        assert [place[index] for index in along] == sorted((place[index] for index in along), reverse=True)
    assert met > 100


def disjoint_rectangles(rng: np.random.Generator) -> list[tuple[Spot, ...]]:
    """Long thin rectangles that do not touch, each in its own cell."""
    rings = []
    for x, z in [(x, z) for x in range(-18, 19, 6) for z in range(5, 42, 6)]:
        turned = Footprint(x, z, rng.uniform(-1.5, 1.5), rng.uniform(0.2, 1.5), rng.uniform(1, 5))
        rings.append(turned.corners)
    return rings


def first_hit(ring: tuple[Spot, ...], direction: float) -> float:
    """Depth z at which the ray x = direction * z meets the ring first; infinite if it does not."""
    depths = []
    for (x0, z0), (x1, z1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        off0, off1 = x0 - direction * z0, x1 - direction * z1
        if (off0 > 0) != (off1 > 0):
            depths.append(z0 + (z1 - z0) * off0 / (off0 - off1))
    return min(depths, default=math.inf)
