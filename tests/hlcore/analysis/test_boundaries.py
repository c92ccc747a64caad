"""Edges and distances, against slow literal references."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hlcore.analysis.boundaries import (
    boundary,
    boundary_distance,
    distance_to,
    edge_distance,
    edge_map,
    edge_sources,
    gradient_edges,
    nearest_edge,
)
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, PredictionRecord

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=7)
LABEL_MAPS = arrays.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 1, 2, IGNORE_INDEX]))
EDGES = arrays.arrays(np.bool_, SHAPES)


def reference_boundary(label_map):
    height, width = label_map.shape
    edge = np.zeros(label_map.shape, bool)
    for y, x in itertools.product(range(height), range(width)):
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < height and 0 <= u < width and IGNORE_INDEX not in (label_map[y, x], label_map[v, u]):
                edge[y, x] |= label_map[y, x] != label_map[v, u]
    return edge


def reference_distance(edge):
    distance = np.full(edge.shape, math.inf)
    for (y, x), _ in np.ndenumerate(edge):
        for v, u in np.argwhere(edge):
            distance[y, x] = min(distance[y, x], math.hypot(y - v, x - u))
    return distance


def record(label_map=None, *, shape=(6, 9), seed=0):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1, 1, 1], shape).astype(np.float32).transpose(2, 0, 1)
    return PredictionRecord(
        name="small",
        image=random.integers(0, 256, (*shape, 3)).astype(np.uint8),
        prediction=probabilities.argmax(0).astype(np.uint8),
        hardness_map=random.random(shape).astype(np.float32),
        probabilities=probabilities,
        class_names=("a", "b", "c"),
        label_map=label_map,
    )


@given(LABEL_MAPS)
def test_the_boundary_is_the_literal_one(label_map):
    assert np.array_equal(boundary(label_map), reference_boundary(label_map))


@given(LABEL_MAPS)
def test_the_distance_is_the_literal_one_and_undefined_exactly_where_ignored(label_map):
    distance = boundary_distance(label_map)
    ignored = label_map == IGNORE_INDEX
    assert np.array_equal(np.isnan(distance), ignored)
    assert distance[~ignored] == pytest.approx(reference_distance(reference_boundary(label_map))[~ignored])


@given(EDGES)
def test_the_nearest_edge_is_an_edge_at_the_given_distance(edge):
    distance, index = nearest_edge(edge)
    assert np.array_equal(distance, distance_to(edge))
    if not edge.any():
        assert (index == -1).all()
        return
    rows, columns = np.divmod(index, edge.shape[1])
    y, x = np.indices(edge.shape)
    assert edge[rows, columns].all()
    assert np.hypot(rows - y, columns - x) == pytest.approx(distance)


def test_the_nearest_edge_may_be_far_away():
    edge = np.zeros((1, 100_000), bool)
    edge[0, 0] = True
    distance, index = nearest_edge(edge)
    assert np.array_equal(distance[0], np.arange(100_000))
    assert np.array_equal(distance, distance_to(edge))
    assert not index.any()


@given(LABEL_MAPS)
def test_a_turned_map_has_a_turned_boundary(label_map):
    assert np.array_equal(boundary(np.rot90(label_map)), np.rot90(boundary(label_map)))


def test_classes_that_meet_only_at_a_corner_have_no_boundary_there():
    assert not boundary(np.array([[0, IGNORE_INDEX], [IGNORE_INDEX, 1]])).any()


def test_without_a_boundary_every_distance_is_infinite():
    assert np.isposinf(boundary_distance(np.zeros((3, 4), np.uint8))).all()
    assert np.isnan(boundary_distance(np.full((2, 2), IGNORE_INDEX, np.uint8))).all()


def test_class_255_of_a_prediction_is_a_class():
    of_many_classes = np.array([[255, 255, 7, 7]], np.uint8)
    assert boundary(of_many_classes, ignore_index=-1).tolist() == [[False, True, True, False]]


def test_brightness_edges_lie_where_the_brightness_steps():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 255
    edge = gradient_edges(image)
    assert edge[5:-5, 29:31].any(axis=1).all()
    assert not edge[:, :28].any()
    assert not edge[:, 32:].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3)])
def test_the_smallest_images_have_brightness_edges_or_none(shape):
    assert gradient_edges(np.zeros((*shape, 3), np.uint8)).shape == shape
    assert not gradient_edges(np.zeros((*shape, 3), np.uint8)).any()


def test_a_record_without_labels_has_the_edges_that_need_none():
    unlabelled = record()
    assert edge_sources(unlabelled) == ("prediction", "gradient")
    assert np.array_equal(edge_map(unlabelled, "prediction"), reference_boundary(unlabelled.prediction))
    assert np.array_equal(edge_distance(unlabelled, "gradient"), distance_to(gradient_edges(unlabelled.image)))
    with pytest.raises(InvalidInputError, match="no label map"):
        edge_distance(unlabelled, "label")


@given(arrays.arrays(np.uint8, (6, 9), elements=st.sampled_from([0, 1, IGNORE_INDEX])))
def test_label_edges_of_a_record_are_undefined_where_ignored(label_map):
    labelled = record(label_map)
    assert edge_sources(labelled) == ("label", "prediction", "gradient")
    assert np.array_equal(edge_distance(labelled, "label"), boundary_distance(label_map), equal_nan=True)
    assert np.array_equal(edge_distance(labelled, "prediction"), edge_distance(record(), "prediction"))
