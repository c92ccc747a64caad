"""One row for each image and for each class of an image."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hlcore.analysis.images import describe_classes, describe_image, disagreement, label_quality, mean_dice
from hlcore.types import PredictionRecord

LABELS = hnp.arrays(np.uint8, (4, 6), elements=st.sampled_from([0, 1, 2, 255]))
FEW = settings(max_examples=40, deadline=None)


def record(label_map: np.ndarray | None, seed: int = 0) -> PredictionRecord:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), (4, 6)).transpose(2, 0, 1).astype(np.float32)
    hardness_map = rng.uniform(0.01, 0.99, (4, 6)).astype(np.float32)
    image, prediction = np.zeros((4, 6, 3), np.uint8), probabilities.argmax(0).astype(np.uint8)
    return PredictionRecord("a", image, prediction, hardness_map, probabilities, ("sky", "road", "car"), label_map)


@FEW
@given(LABELS, st.integers(0, 9))
def test_the_row_of_an_image_equals_a_loop_over_its_pixels(label_map, seed):
    seen = record(label_map, seed)
    row = describe_image(seen).iloc[0]
    labelled = [place for place in np.ndindex(4, 6) if label_map[place] != 255]
    losses = [-math.log(seen.probabilities[(label_map[place], *place)]) for place in labelled]
    wrong = [seen.prediction[place] != label_map[place] for place in labelled]
    mean = sum(losses) / len(losses) if losses else math.nan
    assert row["loss_mean"] == pytest.approx(mean, rel=1e-5, nan_ok=True)
    assert row["error_share"] == pytest.approx(sum(wrong) / len(wrong) if wrong else math.nan, nan_ok=True)
    assert row["hardness_mean"] == pytest.approx(sum(map(float, seen.hardness_map.flat)) / 24)
    entropy = -sum(float(p) * math.log(p) for p in seen.probabilities.flat) / 24
    assert row["entropy_mean"] == pytest.approx(entropy, rel=1e-5)
    assert (row["image"], row["width"], row["height"]) == ("a", 6, 4)


@FEW
@given(LABELS, st.integers(0, 9))
def test_the_classes_of_an_image_add_up_to_the_image(label_map, seed):
    seen = record(label_map, seed)
    row, classes = describe_image(seen).iloc[0], describe_classes(seen)
    assert classes["pixels"].sum() == (label_map != 255).sum()
    assert 0 not in classes["pixels"].tolist()
    for column in ("loss_mean", "error_share") if len(classes) else ():
        assert np.average(classes[column], weights=classes["pixels"]) == pytest.approx(row[column], rel=1e-5)


@FEW
@given(st.integers(0, 99))
def test_disagreement_counts_the_highest_pixels_of_the_loss_that_are_not_the_hardest(seed):
    seen = record(np.random.default_rng(seed).integers(0, 3, (4, 6)), seed)
    order = {
        name: np.argsort(-values.ravel())[:3] for name, values in (("loss", seen.loss_map), ("hard", seen.hardness_map))
    }
    assert disagreement(seen) == pytest.approx(len(set(order["loss"]) - set(order["hard"])) / 3)


def test_an_image_without_labels_has_hardness_and_no_loss():
    row = describe_image(record(None)).iloc[0]
    assert np.isfinite([row["hardness_mean"], row["hardness_p95"], row["entropy_mean"]]).all()
    assert np.isnan([row["loss_mean"], row["error_share"], row["mean_iou"], row["disagreement"]]).all()
    assert describe_classes(record(None)).empty


def test_the_tables_have_the_columns_that_are_stored():
    label_map = np.array([[0, 0, 1, 1, 255, 255]] * 4)
    assert list(describe_image(record(label_map)).columns) == [
        *("image", "width", "height", "hardness_mean", "hardness_p95", "loss_mean", "error_share"),
        *("entropy_mean", "mean_iou", "disagreement", "label_quality"),
    ]
    classes = describe_classes(record(label_map))
    assert list(classes.columns) == ["image", "class_name", "pixels", "hardness_mean", "loss_mean", "error_share"]
    assert classes["class_name"].tolist() == ["sky", "road"]
    assert classes["pixels"].tolist() == [8, 8]


@settings(max_examples=60)
@given(hnp.arrays(np.float32, st.integers(1, 30), elements=st.floats(0, 12, width=32)))
def test_label_quality_lies_between_the_lowest_probability_and_the_mean(losses: np.ndarray) -> None:
    probability = np.exp(-losses.astype(float))
    quality = label_quality(losses)
    assert probability.min() - 1e-9 <= quality <= probability.mean() + 1e-9
    assert label_quality(losses, temperature=1e6) == pytest.approx(probability.mean(), abs=1e-4)
    assert label_quality(losses, temperature=2e-3) == pytest.approx(probability.min(), abs=0.02)


def test_label_quality_is_cleanlabs_softmin() -> None:
    cleanlab = pytest.importorskip("cleanlab.segmentation.rank")
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([0.3, 0.3, 0.3], (4, 8, 9)).transpose(0, 3, 1, 2).astype(np.float32)
    labels = generator.integers(0, 3, (4, 8, 9))
    expected, _ = cleanlab.get_label_quality_scores(labels, probabilities, method="softmin", verbose=False)
    chosen = np.take_along_axis(probabilities, labels[:, None], 1)[:, 0]
    found = [label_quality(-np.log(np.maximum(one, 1e-38)).ravel()) for one in chosen]
    assert found == pytest.approx(expected.tolist(), abs=1e-5)


def test_mean_dice_is_over_the_classes_that_are_labelled_or_predicted() -> None:
    labels, prediction = np.array([[0, 0, 0, 1, 255]]), np.array([[0, 0, 1, 1, 2]])
    probabilities = np.full((4, 1, 5), 0.25, np.float32)
    shape = np.zeros((1, 5, 3), np.uint8)
    record = PredictionRecord(
        "a", shape, prediction, np.full((1, 5), 0.5, np.float32), probabilities, tuple("abcd"), labels
    )
    assert mean_dice(record) == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)
    assert math.isnan(mean_dice(record.with_label_map(np.full((1, 5), 255))))
