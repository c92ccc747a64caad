"""Classes of a run merged into those of a data set."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlcore.analysis.merging import find_target_indices, merge_classes
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord

HOME = ("road", "car", "bus", "sky")
ABROAD = ("vehicle", "ground", "air")
MERGED = {"road": "ground", "car": "vehicle", "bus": "vehicle", "sky": "air"}


def look(probabilities: np.ndarray) -> PredictionRecord:
    """A record of a 2 x 2 image."""
    prediction = probabilities.argmax(0).astype(np.uint8)
    hardness_map = np.linspace(0.1, 0.4, 4, dtype=np.float32).reshape(2, 2)
    return PredictionRecord("one", np.zeros((2, 2, 3), np.uint8), prediction, hardness_map, probabilities, HOME)


def test_predictions_are_mapped_and_probabilities_are_summed() -> None:
    probabilities = np.array(
        [[[0.7, 0.4], [0.1, 0.0]], [[0.1, 0.3], [0.6, 0.1]], [[0.1, 0.3], [0.2, 0.0]], [[0.1, 0.0], [0.1, 0.9]]],
        np.float32,
    )
    merged = merge_classes(look(probabilities), find_target_indices(MERGED, HOME, ABROAD), ABROAD)
    assert merged.class_names == ABROAD
    assert merged.prediction.tolist() == [[1, 1], [0, 2]]
    np.testing.assert_allclose(merged.probabilities[0], [[0.2, 0.6], [0.8, 0.1]], rtol=1e-6)
    np.testing.assert_allclose(merged.probabilities[1], [[0.7, 0.4], [0.1, 0.0]], rtol=1e-6)
    labelled = merged.with_label_map(np.array([[1, 0], [255, 2]], np.uint8))
    np.testing.assert_allclose(labelled.loss_map[0], -np.log([0.7, 0.6]), rtol=1e-6)
    assert labelled.error.tolist() == [[False, True], [False, False]]


@given(st.permutations(range(4)), st.integers(0, 2**32 - 1))
def test_renaming_classes_one_to_one_only_moves_them(order, seed) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(4), (2, 2)).transpose(2, 0, 1).astype(np.float32)
    names = tuple(f"new {i}" for i in range(4))
    targets = find_target_indices({home: names[i] for home, i in zip(HOME, order, strict=True)}, HOME, names)
    merged = merge_classes(look(probabilities), targets, names)
    np.testing.assert_array_equal(merged.probabilities[targets], probabilities)
    np.testing.assert_array_equal(merged.prediction, merged.probabilities.argmax(0))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lorry": "vehicle"}, "the run has no class lorry"),
        ({"car": "vehicles"}, "the data set has no class vehicles"),
        (
            {"car": None, "bus": None},
            "the run's car, bus is not mapped; no class is mapped to the data set's vehicle",
        ),
        ({"sky": "ground"}, "no class is mapped to the data set's air"),
    ],
)
def test_a_class_missing_on_either_side_is_named(changes, sentence) -> None:
    merged = {name: target for name, target in (MERGED | changes).items() if target}
    with pytest.raises(InvalidInputError, match=r"map each class of the run to a class of the data set") as caught:
        find_target_indices(merged, HOME, ABROAD)
    assert sentence in str(caught.value)


def test_a_labelled_record_is_not_merged() -> None:
    labelled = look(np.full((4, 2, 2), 0.25, np.float32)).with_label_map(np.zeros((2, 2), np.uint8))
    with pytest.raises(InvalidInputError, match="one already has a label map"):
        merge_classes(labelled, find_target_indices(MERGED, HOME, ABROAD), ABROAD)


def test_the_entropy_over_the_networks_own_classes_is_dropped() -> None:
    record = replace(look(np.full((4, 2, 2), 0.25, np.float32)), mc_entropy=np.ones((2, 2), np.float32))
    assert merge_classes(record, find_target_indices(MERGED, HOME, ABROAD), ABROAD).mc_entropy is None
