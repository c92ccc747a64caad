"""Disputed regions of a label map and how suspicious they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hlcore.analysis.label_faults import PlantedFaults, plant_faults
from hlcore.analysis.label_suspicion import (
    SCORES,
    SUMMARIES,
    find_disagreements,
    find_suspects,
    match_faults,
    score_map,
    score_regions,
)
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord

CLASSES = ("Sky", "Road", "Car")


def record_of(label_map, prediction, *, hardness=0.25, sure=0.8) -> PredictionRecord:
    """A network that gives its prediction a probability of `sure` everywhere."""
    probabilities = np.where(
        np.arange(len(CLASSES))[:, None, None] == prediction, sure, (1 - sure) / (len(CLASSES) - 1)
    ).astype(np.float32)
    shape = prediction.shape
    hardness_map = np.broadcast_to(np.float32(hardness), shape).astype(np.float32)
    return PredictionRecord(
        "street", np.zeros((*shape, 3), np.uint8), prediction, hardness_map, probabilities, CLASSES, label_map
    )


def slow_regions(label_map: np.ndarray, prediction: np.ndarray, smallest_px: int) -> list[set[tuple[int, int]]]:
    """The regions pixel by pixel, in reading order of their first pixels."""
    left = {(y, x) for y, x in np.ndindex(label_map.shape) if label_map[y, x] not in (255, prediction[y, x])}
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        region, border = set(), [start]
        while border:
            y, x = border.pop()
            if (y, x) not in left:
                continue
            if (label_map[y, x], prediction[y, x]) != (label_map[start], prediction[start]):
                continue
            left.discard((y, x))
            region.add((y, x))
            border += [(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        if len(region) >= smallest_px:
            found.append(region)
    return found


@given(
    label_map=arrays(np.uint8, (6, 7), elements=st.sampled_from([0, 1, 2, 255])),
    prediction=arrays(np.uint8, (6, 7), elements=st.sampled_from([0, 1, 2])),
    smallest_px=st.integers(1, 4),
)
def test_regions_are_those_found_pixel_by_pixel(label_map, prediction, smallest_px):
    regions = find_disagreements(label_map, prediction, smallest_px=smallest_px)
    expected = slow_regions(label_map, prediction, smallest_px)
    found = [
        {*zip(*map(np.ndarray.tolist, np.nonzero(regions == n)), strict=True)} for n in range(1, regions.max() + 1)
    ]
    assert found == expected


@given(
    regions=arrays(np.int64, (4, 5), elements=st.integers(0, 3)),
    scores=arrays(np.float32, (4, 5), elements=st.floats(0, 9, width=32)),
)
def test_a_summary_uses_only_the_pixels_of_its_region(regions, scores):
    regions = np.unique(regions, return_inverse=True)[1].reshape(regions.shape)  # no number is left out
    reference = {"p95": lambda v: np.quantile(v, 0.95), "max": max, "mean": lambda v: sum(v) / len(v), "sum": sum}
    assert set(reference) == set(SUMMARIES)
    for name, of_pixels in reference.items():
        expected = [of_pixels(scores[regions == n].astype(float)) for n in range(1, regions.max() + 1)]
        np.testing.assert_allclose(score_regions(regions, scores, name), expected, atol=1e-12)


def test_the_row_of_a_region_by_hand():
    prediction = np.zeros((5, 6), np.uint8)
    label_map = prediction.copy()
    label_map[1:3, 2:5] = 2
    label_map[1, 2] = 255
    table = find_suspects(record_of(label_map, prediction), smallest_px=5)
    loss = -np.log(0.1)
    assert table.to_dict("records") == [
        {
            "image": "street",
            "region": 1,
            "class_name": "Car",
            "predicted": "Sky",
            "area_px": 5,
            "score": pytest.approx(0.75 * loss, rel=1e-6),
            "loss_mean": pytest.approx(loss, rel=1e-6),
            "hardness_mean": 0.25,
            "label_quality": pytest.approx(0.1, rel=1e-6),
            "left": 2,
            "top": 1,
            "right": 5,
            "bottom": 3,
        }
    ]
    assert find_suspects(record_of(label_map, prediction), smallest_px=6).empty


def test_the_easier_of_two_equal_disputes_comes_first():
    prediction = np.zeros((3, 9), np.uint8)
    label_map = prediction.copy()
    label_map[:, :2], label_map[:, 7:] = 1, 2
    hardness = np.tile(np.linspace(0.9, 0.1, 9, dtype=np.float32), (3, 1))
    table = find_suspects(record_of(label_map, prediction, hardness=hardness), smallest_px=1)
    assert table["class_name"].tolist() == ["Car", "Road"]
    assert table["region"].tolist() == [2, 1]
    assert len(set(table["loss_mean"])) == 1


def test_an_image_without_a_dispute_has_an_empty_table_with_the_same_columns():
    prediction = np.zeros((8, 8), np.uint8)
    none = find_suspects(record_of(prediction, prediction))
    some = find_suspects(record_of(prediction + 1, prediction))
    assert none.empty
    assert not some.empty
    assert none.dtypes.to_dict() == some.dtypes.to_dict()


def test_the_scores_of_a_pixel():
    label_map = np.array([[1, 255]], np.uint8)
    record = record_of(label_map, np.zeros((1, 2), np.uint8))
    loss = -np.log(0.1)
    values = {score: score_map(record, score)[0] for score in SCORES}
    assert [value for value, _ in values.values()] == pytest.approx([0.75 * loss, loss, 0.8 * loss], rel=1e-6)
    assert all(np.isnan(ignored) for _, ignored in values.values())


def test_a_record_without_labels_has_no_suspects(unchecked):
    record = record_of(None, np.zeros((4, 4), np.uint8))
    with pytest.raises(InvalidInputError, match="street has no label map"):
        find_suspects(record)


@given(label_map=arrays(np.uint8, (9, 9), elements=st.sampled_from([0, 1, 2, 255])), seed=st.integers(0, 99))
def test_a_network_that_knows_the_labels_finds_every_planted_fault(label_map, seed):
    planted = plant_faults(label_map, num_classes=3, seed=seed, area_px=(2, 30), shift_px=(1, 3))
    truth = np.where(label_map == 255, 0, label_map)
    regions = find_disagreements(planted.label_map, truth, smallest_px=1)
    assert np.array_equal(regions > 0, planted.faults > 0)


@given(
    regions=arrays(np.int64, (5, 6), elements=st.integers(0, 3)),
    faults=arrays(np.int32, (5, 6), elements=st.integers(0, 2)),
)
def test_a_region_shows_the_fault_that_changed_half_of_it(regions, faults):
    regions = np.unique(regions, return_inverse=True)[1].reshape(regions.shape)
    planted = PlantedFaults(np.zeros((5, 6), np.uint8), faults, ("swapped", "dropped"))
    expected = []
    for number in range(1, regions.max() + 1):
        inside = faults[regions == number].tolist()
        expected.append(next((fault for fault in (1, 2) if 2 * inside.count(fault) >= len(inside)), 0))
    assert match_faults(regions, planted).tolist() == expected
