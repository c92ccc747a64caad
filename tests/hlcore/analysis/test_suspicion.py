"""The suspicion of error: a logistic regression on free scores and the predicted class."""

import numpy as np
import pytest

from hlcore.analysis.ranking import auroc
from hlcore.analysis.scores import BINS, SCORES
from hlcore.analysis.suspicion import INPUTS, PIXELS, apply_error_model, fit_error_model, sample_pixels, suspicion_map
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord

CLASSES = ("road", "car", "tree")


def make_record(seed: int, *, careless: int = 1, labelled: bool = True) -> PredictionRecord:
    """Random probabilities; the label is drawn from them, and predictions of the class `careless` are often wrong."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(3, 60, 80)) * 2
    probabilities = (np.exp(logits) / np.exp(logits).sum(0)).astype(np.float32)
    prediction = probabilities.argmax(0).astype(np.uint8)
    drawn = (probabilities.cumsum(0) < generator.random((60, 80))).sum(0).clip(0, 2)
    wrong = (prediction == careless) & (generator.random((60, 80)) < 0.5)
    labels = np.where(wrong, (prediction + 1) % 3, drawn).astype(np.uint8)
    labels[:5] = 255
    image = np.zeros((60, 80, 3), np.uint8)
    hardness = np.full((60, 80), 0.5, np.float32)
    return PredictionRecord("a", image, prediction, hardness, probabilities, CLASSES, labels if labelled else None)


def measure_auroc(score: np.ndarray, record: PredictionRecord) -> float:
    right, wrong = (
        np.histogram(score[record.valid & (record.error == is_wrong)], np.linspace(0, 1, 500))[0].astype(float)
        for is_wrong in (False, True)
    )
    return float(auroc(right, wrong))


def test_it_finds_more_errors_than_its_inputs_where_a_class_is_often_wrong() -> None:
    generator = np.random.default_rng(0)
    pixels = [sample_pixels(make_record(seed), generator) for seed in range(5)]
    model = fit_error_model(pixels, num_classes=3, learned_on="camvid train", epoch=7)
    assert (model.learned_on, model.epoch, model.images) == ("camvid train", 7, 5)
    unseen = make_record(99)
    suspicion = suspicion_map(unseen, model)
    assert measure_auroc(suspicion, unseen) > measure_auroc(SCORES["max_softmax"].measure(unseen), unseen) + 0.02
    rate = unseen.error[unseen.valid].mean()
    assert suspicion[unseen.valid].mean() == pytest.approx(rate, abs=0.03), "on such images it is a probability"
    likely = unseen.valid & (suspicion > 0.5)
    assert unseen.error[likely].mean() > 0.5


def test_the_map_is_that_of_the_regression_itself() -> None:
    from sklearn.linear_model import LogisticRegression

    record = make_record(3)
    pixels = sample_pixels(record, np.random.default_rng(0))
    model = fit_error_model([pixels], num_classes=3)
    inputs = np.stack([pixels.bins[name] / BINS for name in INPUTS], 1)
    inputs = np.concatenate([inputs, pixels.prediction[:, None] == np.arange(3)], 1)
    scaled = (inputs - inputs.mean(0)) / inputs.std(0)
    expected = LogisticRegression(max_iter=1000).fit(scaled, pixels.error).predict_proba(scaled)[:, 1]
    assert np.allclose(apply_error_model(pixels.bins, pixels.prediction, model), expected, atol=1e-4)


def test_an_image_gives_some_of_its_labelled_pixels_without_repeats() -> None:
    record = make_record(0)
    pixels = sample_pixels(record, np.random.default_rng(0))
    assert len(pixels.error) == PIXELS
    every = sample_pixels(
        record.with_label_map(np.where(np.arange(80) < 20, record.labels, 255)), np.random.default_rng(0)
    )
    labelled = (record.labels[:, :20] != 255).sum()
    assert len(every.error) == labelled, "with fewer labelled pixels than PIXELS, each of them once"
    assert every.error.sum() == (record.error[:, :20]).sum()
    labels = np.full((60, 80), 255, np.uint8)
    labels[0, :7] = 0
    assert len(sample_pixels(record.with_label_map(labels), np.random.default_rng(0)).error) == 7


def test_without_errors_or_labels_there_is_nothing_to_learn() -> None:
    record = make_record(0)
    right = record.with_label_map(record.prediction)
    pixels = sample_pixels(right, np.random.default_rng(0))
    with pytest.raises(InvalidInputError, match="none of the 2500 labelled pixels are wrong"):
        fit_error_model([pixels], num_classes=3)
    with pytest.raises(InvalidInputError, match="has no label map"):
        sample_pixels(make_record(0, labelled=False), np.random.default_rng(0))


def test_a_network_with_one_class_less_in_the_images_still_has_a_weight_for_it() -> None:
    record = make_record(1)
    seen = [
        pixels._replace(prediction=np.minimum(pixels.prediction, 1))
        for pixels in [sample_pixels(record, np.random.default_rng(0))]
    ]
    model = fit_error_model(seen, num_classes=3)
    assert len(model.class_weights) == 3
    assert np.isfinite(suspicion_map(record, model)).all()
