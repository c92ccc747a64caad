"""The record of one image."""

import math
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord, kept_with_record


def record(**changes: Any) -> PredictionRecord:
    """Two pixels, three classes: 0.5, 0.25, 0.25 and 0, 0, 1."""
    probabilities = np.array([[[0.5, 0.0]], [[0.25, 0.0]], [[0.25, 1.0]]], np.float32)
    fields: dict[str, Any] = {
        "name": "street",
        "image": np.zeros((1, 2, 3), np.uint8),
        "prediction": np.array([[0, 2]], np.uint8),
        "hardness_map": np.full((1, 2), 0.5, np.float32),
        "probabilities": probabilities,
        "class_names": ("sky", "road", "car"),
        "label_map": np.array([[1, 255]], np.uint8),
    }
    return PredictionRecord(**fields | changes)


def test_loss_is_minus_the_logarithm_of_the_labels_probability_and_undefined_exactly_where_ignored() -> None:
    np.testing.assert_allclose(record().loss_map, [[math.log(4), np.nan]], rtol=1e-6)
    assert record().loss_map.dtype == np.float32


def test_loss_of_an_impossible_label_is_large_and_finite() -> None:
    loss = record(label_map=np.array([[0, 0]])).loss_map
    assert loss[0, 1] == pytest.approx(87.3, abs=0.1)


def test_error_is_a_wrong_prediction_on_a_labelled_pixel() -> None:
    assert record().error.tolist() == [[True, False]]
    assert record(label_map=np.array([[0, 1]])).error.tolist() == [[False, True]]


def test_entropy_runs_from_zero_to_the_logarithm_of_the_classes() -> None:
    np.testing.assert_allclose(record().entropy, [[1.5 * math.log(2), 0]], rtol=1e-6)
    even = np.full((3, 1, 2), 1 / 3, np.float32)
    np.testing.assert_allclose(record(probabilities=even).entropy, math.log(3), rtol=1e-6)


def test_labelling_a_record_recomputes_its_loss_and_does_not_change_the_first() -> None:
    first = record()
    before = first.loss_map.copy()
    second = first.with_label_map(np.array([[0, 2]]))
    np.testing.assert_allclose(second.loss_map, [[math.log(2), 0]], atol=1e-6)
    np.testing.assert_array_equal(first.loss_map, before)


@pytest.mark.parametrize("quantity", ["valid", "loss_map", "error"])
def test_quantities_that_need_labels_say_so_without_them(quantity: str) -> None:
    with pytest.raises(InvalidInputError, match=r"street has no label map; give one with record\.with_label_map"):
        getattr(record(label_map=None), quantity)


@pytest.mark.parametrize("labels", [[[255, 255]], [[0, 2]], [[255, 1]]])
def test_any_label_map_of_known_classes_is_accepted(labels: list[list[int]]) -> None:
    assert record(label_map=np.array(labels)).valid.tolist() == [[label != 255 for label in labels[0]]]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image", np.zeros((1, 2), np.uint8), r"image must have shape \(H, W, 3\), got \(1, 2\)"),
        ("image", np.zeros((1, 2, 4), np.uint8), r"image must have shape \(H, W, 3\), got \(1, 2, 4\)"),
        ("prediction", np.zeros((2, 1), int), r"prediction must have the image's shape \(1, 2\), got \(2, 1\)"),
        ("hardness_map", np.zeros((1, 3), np.float32), r"hardness_map must have the image's shape"),
        ("mc_entropy", np.zeros((2, 2), np.float32), r"mc_entropy must have the image's shape \(1, 2\), got \(2, 2\)"),
        ("label_map", np.zeros((1, 1, 2), int), r"label_map must have the image's shape \(1, 2\), got \(1, 1, 2\)"),
        ("probabilities", np.zeros((2, 1, 2), np.float32), r"must have shape \(3, 1, 2\), got \(2, 1, 2\)"),
        ("label_map", np.array([[0, 3]]), r"label_map of street must hold 0\.\.2 or 255 \(ignored\), got 0\.\.3"),
        ("label_map", np.array([[-1, 0]]), r"got -1\.\.0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_record_refuses_invalid_arrays(field: str, value: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        record(**{field: value})


def test_what_is_kept_with_a_record_is_computed_once_and_not_for_another() -> None:
    calls = []

    @kept_with_record
    def scale(one: PredictionRecord, factor: int) -> np.ndarray:
        calls.append(factor)
        return one.hardness_map * factor

    one = record()
    assert scale(one, 2) is scale(one, 2)
    assert scale(one, factor=3) is scale(one, factor=3)
    assert calls == [2, 3]
    with pytest.raises(ValueError, match="read-only"):
        scale(one, 2)[0, 0] = 9
    scale(replace(one, label_map=None), 2)
    scale(pickle.loads(pickle.dumps(one)), 2)
    assert calls == [2, 3, 2, 2]
