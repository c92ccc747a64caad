"""The scores of a data set: contours, sizes of objects, tables with intervals; each against a slow reference."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import binary_erosion

from hlcore.analysis import segmentation
from hlcore.analysis.boundary_iou import boundary_counts, contour_width, near_contour
from hlcore.analysis.size_bands import BAND_CUTS_PX, band_counts, size_band_map
from hlcore.analysis.statistics import ImageSums
from hlcore.types import PredictionRecord

CLASSES = ("sky", "road", "car")
LABELS = hnp.arrays(np.uint8, (7, 9), elements=st.sampled_from([0, 1, 2, 255]))
PREDICTIONS = hnp.arrays(np.uint8, (7, 9), elements=st.integers(0, 2))

FEW = settings(max_examples=40, deadline=None)


def record(label_map: np.ndarray, prediction: np.ndarray, name: str = "a") -> PredictionRecord:
    shape = label_map.shape
    probabilities = (np.arange(3)[:, None, None] == prediction).astype(np.float32)
    image, hardness_map = np.zeros((*shape, 3), np.uint8), np.full(shape, 0.5, np.float32)
    return PredictionRecord(name, image, prediction, hardness_map, probabilities, CLASSES, label_map)


def around(array: np.ndarray, y: int, x: int, reach: int) -> Iterator[int | None]:
    """The values up to `reach` px away, None for each pixel outside."""
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            inside = 0 <= y + dy < array.shape[0] and 0 <= x + dx < array.shape[1]
            yield int(array[y + dy, x + dx]) if inside else None


@FEW
@given(LABELS, st.integers(1, 3))
def test_contours_equal_a_search_around_each_pixel(label_map, width_px):
    expected = np.zeros(label_map.shape, bool)
    for y, x in np.ndindex(*label_map.shape):
        own = label_map[y, x]
        others = [value for value in around(label_map, y, x, width_px) if value not in (own, 255)]
        expected[y, x] = own != 255 and bool(others)
    np.testing.assert_array_equal(near_contour(label_map, width_px=width_px), expected)


@FEW
@given(LABELS, PREDICTIONS)
def test_contours_equal_eroded_masks(label_map, prediction):
    """The paper's code: a mask minus its erosion by 3 x 3 px, `width` times, with nothing around the image."""
    label_map = np.where(label_map == 255, 0, label_map)
    counts = boundary_counts(label_map, prediction, num_classes=3)
    width = contour_width(label_map.shape)
    for c in range(3):
        masks = [label_map == c, prediction == c]
        near = [mask > binary_erosion(mask, np.ones((3, 3)), iterations=width) for mask in masks]
        assert counts["boundary_label_px"][c] == near[0].sum()
        assert counts["boundary_prediction_px"][c] == near[1].sum()
        assert counts["boundary_hit_px"][c] == (near[0] & near[1]).sum()


def test_width_of_contours_is_two_percent_of_the_diagonal():
    assert contour_width((300, 400)) == 10
    assert contour_width((1024, 2048)) == 46
    assert contour_width((3, 4)) == 1


def test_a_mask_that_is_shifted_loses_more_boundary_iou_than_iou():
    label_map, prediction = np.zeros((60, 80), np.uint8), np.zeros((60, 80), np.uint8)
    label_map[20:40, 20:60] = 1
    prediction[21:41, 20:60] = 1
    table = of_one(label_map, prediction)
    assert value(table, "iou", "road") == pytest.approx(760 / 840)
    assert value(table, "boundary_iou", "road") < 0.8


@FEW
@given(LABELS)
def test_bands_equal_components_flooded_one_by_one(label_map):
    expected = np.full(label_map.shape, -1)
    for y, x in np.ndindex(*label_map.shape):
        if label_map[y, x] == 255 or expected[y, x] >= 0:
            continue
        part, frontier = set(), [(y, x)]
        while frontier:
            b, a = frontier.pop()
            inside = 0 <= b < label_map.shape[0] and 0 <= a < label_map.shape[1]
            if inside and (b, a) not in part and label_map[b, a] == label_map[y, x]:
                part.add((b, a))
                frontier += [(b + v, a + u) for v in (-1, 0, 1) for u in (-1, 0, 1)]
        for place in part:
            expected[place] = (len(part) >= 3) + (len(part) >= 8)
    np.testing.assert_array_equal(size_band_map(label_map, cuts_px=(3, 8)), expected)


@FEW
@given(LABELS, PREDICTIONS)
def test_bands_partition_the_pixels_of_the_union(label_map, prediction):
    counts = band_counts(label_map, prediction, num_classes=3, cuts_px=(3, 8))
    for c in range(3):
        labelled, predicted = label_map == c, (prediction == c) & (label_map != 255)
        assert counts["band_label_px"][:, c].sum() + counts["band_false_px"][:, c].sum() == (labelled | predicted).sum()
        assert counts["band_hit_px"][:, c].sum() == (labelled & predicted).sum()


def test_cut_points_are_those_of_coco():
    assert BAND_CUTS_PX == (1024, 9216)
    square = np.zeros((200, 200), np.uint8)
    square[:32, :32], square[:31, 100:132], square[100:196, 100:196] = 1, 1, 1
    assert [size_band_map(square)[y, x] for y, x in ((0, 0), (0, 100), (150, 150))] == [1, 0, 2]


def test_a_false_positive_lowers_the_score_of_its_own_size():
    label_map, prediction = np.zeros((100, 100), np.uint8), np.zeros((100, 100), np.uint8)
    label_map[:10, :10] = 1  # a small object, partly missed
    prediction[:10, :5] = 1
    prediction[50:90, 50:90] = 1  # a medium false positive
    table = of_one(label_map, prediction)
    assert value(table, "iou_small", "road") == 0.5
    assert value(table, "iou_medium", "road") == 0
    assert math.isnan(value(table, "iou_large", "road"))


@FEW
@given(LABELS, PREDICTIONS, PREDICTIONS)
def test_predictions_on_ignored_pixels_change_no_score(label_map, prediction, other):
    changed = np.where(label_map == 255, other, prediction)
    first, second = (segmentation.count(record(label_map, p)) for p in (prediction, changed))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


@FEW
@given(st.lists(st.tuples(LABELS, PREDICTIONS), min_size=2, max_size=5), st.data())
def test_a_data_set_split_in_any_way_gives_the_same_tables(images, data):
    where = data.draw(st.lists(st.integers(0, 2), min_size=len(images), max_size=len(images)))
    whole, parts = ImageSums(resamplings=20), [ImageSums(resamplings=20) for _ in range(3)]
    for index, (label_map, prediction) in enumerate(images):
        counts = segmentation.count(record(label_map, prediction))
        whole.add(f"image {index}", counts)
        parts[where[index]].add(f"image {index}", counts)
    together = segmentation.make_tables(parts[2] + parts[0] + parts[1], CLASSES)
    for name, table in segmentation.make_tables(whole, CLASSES).items():
        pd.testing.assert_frame_equal(together[name], table, rtol=1e-9)


def test_the_table_has_every_class_and_their_mean_in_every_metric():
    table = of_one(np.array([[0, 0, 1, 255]]), np.array([[0, 1, 1, 1]]))
    assert list(table.columns) == ["class_name", "metric", "value", "low", "high"]
    assert set(table["metric"]) == {"iou", "boundary_iou", "iou_small", "iou_medium", "iou_large", "accuracy"}
    assert value(table, "iou", "sky") == value(table, "iou", "road") == value(table, "iou", "") == 0.5
    assert math.isnan(value(table, "iou", "car"))
    assert value(table, "accuracy", "") == pytest.approx(2 / 3)
    assert value(table, "accuracy", "sky") == 0.5
    assert np.isnan(table["low"]).all(), "one image has no interval"


def test_the_confusion_table_has_a_row_per_pair_of_classes():
    sums = ImageSums()
    sums.add("a", segmentation.count(record(np.array([[0, 0, 1, 255]]), np.array([[0, 1, 1, 1]]))))
    confusion = segmentation.make_tables(sums, CLASSES)["confusion"]
    assert len(confusion) == 9
    assert confusion.to_dict("records")[:2] == [
        {"label": "sky", "prediction": "sky", "pixels": 1},
        {"label": "sky", "prediction": "road", "pixels": 1},
    ]


def of_one(label_map: np.ndarray, prediction: np.ndarray) -> pd.DataFrame:
    sums = ImageSums()
    sums.add("a", segmentation.count(record(label_map, prediction)))
    return segmentation.make_tables(sums, CLASSES)["segmentation"]


def value(table: pd.DataFrame, metric: str, class_name: str) -> float:
    return table[(table["metric"] == metric) & (table["class_name"] == class_name)]["value"].item()


def test_the_interval_of_the_mean_is_over_the_same_classes_in_every_resampling():
    """The third class is in one image and always wrong: leaving it out would raise the mean."""
    sums = ImageSums()
    for number in range(12):
        rare = 2 if number == 0 else 1
        label_map = np.array([[0, 0, 1, rare]], np.uint8)
        sums.add(f"{number}", segmentation.count(record(label_map, np.array([[0, 0, 1, 1]], np.uint8))))
    table = segmentation.make_tables(sums, CLASSES)["segmentation"]
    mean = table[(table["metric"] == "iou") & (table["class_name"] == "")].iloc[0]
    assert mean["value"] == pytest.approx((1 + 23 / 24 + 0) / 3)
    assert math.isnan(mean["low"])  # more than a quarter of the resamplings lack the class
    assert math.isnan(mean["high"])
