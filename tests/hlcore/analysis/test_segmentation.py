"""Segmentation scores from one confusion matrix."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hlcore.analysis.segmentation import class_iou, confusion_matrix, mean_iou, pixel_accuracy
from hlcore.errors import InvalidInputError

CLASSES = 4
PREDICTIONS = hnp.arrays(np.uint8, (5, 6), elements=st.integers(0, CLASSES - 1))
LABELS = hnp.arrays(np.uint8, (5, 6), elements=st.sampled_from([*range(CLASSES), 255]))


def counts(label_map: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return confusion_matrix(label_map, prediction, num_classes=CLASSES)


@given(LABELS, PREDICTIONS)
def test_counts_equal_a_loop_over_the_pixels(label_map: np.ndarray, prediction: np.ndarray) -> None:
    expected = np.zeros((CLASSES, CLASSES), int)
    for label, predicted in zip(label_map.flat, prediction.flat, strict=True):
        if label != 255:
            expected[label, predicted] += 1
    np.testing.assert_array_equal(counts(label_map, prediction), expected)


@given(LABELS, PREDICTIONS)
def test_scores_equal_sets_of_pixels_compared(label_map: np.ndarray, prediction: np.ndarray) -> None:
    valid = label_map != 255
    iou = class_iou(counts(label_map, prediction))
    for c in range(CLASSES):
        labelled, predicted = (label_map == c) & valid, (prediction == c) & valid
        union = int((labelled | predicted).sum())
        expected = int((labelled & predicted).sum()) / union if union else math.nan
        assert iou[c] == pytest.approx(expected, nan_ok=True)
    right = float((label_map == prediction)[valid].mean()) if valid.any() else math.nan
    assert pixel_accuracy(counts(label_map, prediction)) == pytest.approx(right, nan_ok=True)


@given(LABELS, PREDICTIONS, st.permutations(range(CLASSES)))
def test_mean_iou_does_not_depend_on_which_class_has_which_number(
    label_map: np.ndarray, prediction: np.ndarray, order: list[int]
) -> None:
    table = np.arange(256)
    table[:CLASSES] = order
    original = mean_iou(counts(label_map, prediction))
    assert mean_iou(counts(table[label_map], table[prediction])) == pytest.approx(original, nan_ok=True)


@given(LABELS, PREDICTIONS, PREDICTIONS)
def test_predictions_on_ignored_pixels_change_nothing(
    label_map: np.ndarray, prediction: np.ndarray, other: np.ndarray
) -> None:
    changed = np.where(label_map == 255, other, prediction)
    np.testing.assert_array_equal(counts(label_map, changed), counts(label_map, prediction))


@given(LABELS, PREDICTIONS, st.integers(0, 5))
def test_counts_of_the_parts_add_up_to_those_of_the_whole(
    label_map: np.ndarray, prediction: np.ndarray, row: int
) -> None:
    parts = counts(label_map[:row], prediction[:row]) + counts(label_map[row:], prediction[row:])
    np.testing.assert_array_equal(parts, counts(label_map, prediction))


def test_absent_class_is_undefined_and_does_not_affect_the_mean() -> None:
    matrix = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    np.testing.assert_allclose(class_iou(matrix), [3 / 4, 4 / 5, np.nan])
    assert mean_iou(matrix) == pytest.approx((3 / 4 + 4 / 5) / 2)


def test_class_that_is_only_predicted_scores_zero() -> None:
    assert class_iou(np.array([[3, 1], [0, 0]])).tolist() == [0.75, 0.0]


def test_scores_of_nothing_are_undefined() -> None:
    nothing = np.zeros((2, 2), int)
    assert math.isnan(mean_iou(nothing))
    assert math.isnan(pixel_accuracy(nothing))


@pytest.mark.parametrize(
    ("label_map", "prediction", "message"),
    [
        ([0, 4], [0, 0], r"label_map must lie in 0\.\.3, got 0\.\.4"),
        ([0, -1], [0, 0], r"label_map must lie in 0\.\.3, got -1\.\.0"),
        ([0, 1], [0, 9], r"prediction must lie in 0\.\.3, got 0\.\.9"),
        ([0, 1], [0], r"prediction must have the label map's shape \(2,\), got \(1,\)"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_invalid_classes_and_shapes_are_refused(label_map: list[int], prediction: list[int], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        counts(np.array(label_map), np.array(prediction))
