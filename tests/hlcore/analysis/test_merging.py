"""Classes of a run merged into those of a data set."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from hlcore.analysis.merging import (
    ClassMerge,
    check_mapping,
    count_ignored,
    merge_classes,
    merge_labels,
    tabulate_ignored,
)
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord

HOME = ("road", "car", "bus", "sky")
ABROAD = ("vehicle", "ground", "air")
MERGED = {"road": "ground", "car": "vehicle", "bus": "vehicle", "sky": "air"}


def merge_into(merged: dict[str, str], names: tuple[str, ...] = ABROAD) -> ClassMerge:
    return ClassMerge.from_names(merged, {name: name for name in names}, run_names=HOME, data_names=names)


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
    merged = merge_classes(look(probabilities), merge_into(MERGED))
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
    merge = merge_into({home: names[i] for home, i in zip(HOME, order, strict=True)}, names)
    merged = merge_classes(look(probabilities), merge)
    np.testing.assert_array_equal(merged.probabilities[merge.of_run], probabilities)
    np.testing.assert_array_equal(merged.prediction, merged.probabilities.argmax(0))


def test_a_class_that_is_left_out_cannot_be_predicted_and_its_probability_is_removed() -> None:
    probabilities = np.array(
        [[[0.7, 0.1], [0.1, 0.0]], [[0.1, 0.2], [0.2, 0.0]], [[0.1, 0.3], [0.1, 0.0]], [[0.1, 0.4], [0.6, 1.0]]],
        np.float32,
    )
    merge = merge_into({"road": "ground", "car": "vehicle", "bus": "vehicle"})
    merged = merge_classes(look(probabilities), merge)
    assert merge.names == ABROAD
    assert merged.prediction.tolist() == [[1, 0], [0, 1]]
    np.testing.assert_allclose(merged.probabilities[:, 0, 1], [5 / 6, 1 / 6, 0], rtol=1e-6)
    np.testing.assert_allclose(merged.probabilities.sum(0), 1, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.sets(st.sampled_from(HOME), min_size=2))
def test_leaving_out_classes_equals_a_softmax_over_the_others(seed, kept) -> None:
    logits = np.random.default_rng(seed).normal(size=(4, 2, 2)).astype(np.float32)
    names = [name for name in HOME if name in kept]
    merge = ClassMerge.from_names(
        {name: name for name in names}, {name: name for name in names}, run_names=HOME, data_names=HOME
    )
    merged = merge_classes(look(softmax(logits, axis=0).astype(np.float32)), merge)
    expected = softmax(logits[[HOME.index(name) for name in names]], axis=0)
    np.testing.assert_allclose(merged.probabilities, expected, rtol=1e-5)
    np.testing.assert_array_equal(merged.prediction, expected.argmax(0))


def test_ignored_pixels_are_counted_on_labelled_pixels_and_tabulated() -> None:
    merge = ClassMerge(("vehicle", "ground"), np.array([1, 0, 0, -1]), np.array([0, 1, -1]))
    prediction, label_map = np.array([[0, 3], [3, 3]], np.uint8), np.array([[0, 2], [1, 255]], np.uint8)
    assert merge_labels(label_map, merge).tolist() == [[0, 255], [1, 255]]
    sums = ImageSums()
    for name in ("a", "b"):
        sums.add(name, count_ignored(prediction, label_map, merge))
    table = tabulate_ignored(sums, {"run": ["sky"], "data": ["air"]})
    assert table.to_dict("records") == [
        {"side": "run", "class_name": "sky", "pixels": 4, "share": 4 / 6},
        {"side": "data", "class_name": "air", "pixels": 2, "share": 2 / 6},
    ]


@pytest.mark.parametrize(
    ("run", "data", "ignore", "sentence"),
    [
        ({"lorry": "vehicle"}, {}, (), "unknown classes of the run: lorry"),
        ({"car": "vehicles"}, {"vehicles": "vehicles"}, (), "unknown classes of the data set: vehicles"),
        (
            {"car": None, "bus": None},
            {},
            (),
            "classes of the run that are not mapped: car, bus; classes of the data set without a counterpart: vehicle",
        ),
        ({"sky": None}, {"air": None}, ("air",), "classes of the run that are not mapped: sky"),
        (
            {"sky": None},
            {"air": None},
            ("sky", "tree"),
            "classes of the data set that are not mapped: air; unknown classes to ignore: tree",
        ),
        (
            {"sky": None, "road": None},
            {"air": None, "ground": None},
            (*HOME, *ABROAD),
            "fewer than two classes are left",
        ),
        ({"sky": "heaven"}, {"air": None}, ("air",), "classes of the run without a counterpart: sky"),
    ],
)
def test_a_class_that_is_neither_merged_nor_left_out_is_named(run, data, ignore, sentence) -> None:
    run_merged = {name: target for name, target in (MERGED | run).items() if target}
    data_merged = {name: target for name, target in ({name: name for name in ABROAD} | data).items() if target}
    with pytest.raises(InvalidInputError, match=r"leave it out \(--ignore NAME\)") as caught:
        check_mapping(run_merged, data_merged, run_names=HOME, data_names=ABROAD, ignore=ignore)
    assert sentence in str(caught.value)


def test_a_labelled_record_is_not_merged() -> None:
    labelled = look(np.full((4, 2, 2), 0.25, np.float32)).with_label_map(np.zeros((2, 2), np.uint8))
    with pytest.raises(InvalidInputError, match="one already has a label map"):
        merge_classes(labelled, merge_into(MERGED))


def test_the_entropy_over_the_networks_own_classes_is_dropped() -> None:
    known = {"mc_entropy": np.ones((2, 2), np.float32), "error_suspicion": np.ones((2, 2), np.float32)}
    merged = merge_classes(replace(look(np.full((4, 2, 2), 0.25, np.float32)), **known), merge_into(MERGED))
    assert merged.mc_entropy is None
    assert merged.error_suspicion is None
