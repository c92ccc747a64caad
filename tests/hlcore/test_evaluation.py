"""Scores of a network on a data set."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchmetrics.classification import MulticlassJaccardIndex

from hlcore.data.samples import Sample
from hlcore.errors import DatasetError
from hlcore.evaluation import Scores, score_images
from hlcore.inference import run_network
from hlcore.models.hardness import HardnessSegmenter

NAMES = ("sky", "road", "car")


def samples(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    made = []
    for index in range(count):
        size = (5 + index, 7)
        label_map = rng.choice(np.array([0, 1, 2, 255], np.uint8), size)
        made.append(Sample(f"image-{index}", rng.integers(0, 256, (*size, 3), np.uint8), label_map))
    return made


def scored(network: HardnessSegmenter, data: list[Sample], **settings: int) -> Scores:
    return sum(score_images(network, data, num_classes=3, **settings), start=Scores.zero(3))


def test_counts_and_loss_equal_a_plain_count_over_all_pixels(pixel_network: HardnessSegmenter) -> None:
    data, expected, loss = samples(3), np.zeros((3, 3), int), 0.0
    for sample in data:
        logits = run_network(pixel_network, sample.image).logits
        valid = sample.label_map != 255
        np.add.at(expected, (sample.label_map[valid], logits[0].argmax(0).numpy()[valid]), 1)
        labels = torch.from_numpy(sample.label_map.astype(np.int64))[None]
        loss += float(F.cross_entropy(logits, labels, ignore_index=255, reduction="sum"))
    scores = scored(pixel_network, data)
    np.testing.assert_array_equal(scores.confusion_matrix, expected)
    assert scores.loss_sum == pytest.approx(loss)
    assert scores.images == 3


def test_scores_of_two_halves_add_up_to_those_of_the_whole(pixel_network: HardnessSegmenter) -> None:
    data = samples(5)
    whole = scored(pixel_network, data)
    for halves in ((data[:2], data[2:]), (data[2:], data[:2])):
        merged = scored(pixel_network, halves[0]) + scored(pixel_network, halves[1])
        np.testing.assert_array_equal(merged.confusion_matrix, whole.confusion_matrix)
        assert merged.loss_sum == pytest.approx(whole.loss_sum)
        assert merged.images == whole.images == 5


def test_mean_iou_is_that_of_torchmetrics_over_the_whole_data_set(pixel_network: HardnessSegmenter) -> None:
    metric = MulticlassJaccardIndex(num_classes=3, ignore_index=255)
    data = samples(4)
    for sample in data:
        prediction = run_network(pixel_network, sample.image).logits.argmax(1)
        metric.update(prediction, torch.from_numpy(sample.label_map.astype(np.int64))[None])
    assert scored(pixel_network, data).table(NAMES)["mean_iou"] == pytest.approx(float(metric.compute()))


def test_table_has_shares_nats_and_one_iou_per_class() -> None:
    table = Scores(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), loss_sum=4.0, images=1).table(NAMES)
    assert table == pytest.approx(
        {
            "mean_iou": (3 / 4 + 4 / 5) / 2,
            "pixel_accuracy": 7 / 8,
            "val_ce": 0.5,
            "iou/sky": 3 / 4,
            "iou/road": 4 / 5,
            "iou/car": math.nan,
        },
        nan_ok=True,
    )


def test_scores_of_no_image_are_undefined_and_add_nothing(pixel_network: HardnessSegmenter) -> None:
    assert all(math.isnan(value) for value in Scores.zero(3).table(NAMES).values())
    some = scored(pixel_network, samples(1))
    np.testing.assert_array_equal((some + Scores.zero(3)).confusion_matrix, some.confusion_matrix)


def test_image_without_a_labelled_pixel_counts_as_an_image_and_nothing_else(pixel_network: HardnessSegmenter) -> None:
    scores = scored(pixel_network, [Sample("blank", np.zeros((2, 2, 3), np.uint8), np.full((2, 2), 255, np.uint8))])
    assert (int(scores.confusion_matrix.sum()), scores.loss_sum, scores.images) == (0, 0.0, 1)


def test_windows_change_nothing_for_a_network_that_sees_single_pixels(pixel_network: HardnessSegmenter) -> None:
    whole, windowed = scored(pixel_network, samples(2)), scored(pixel_network, samples(2), window=3)
    np.testing.assert_array_equal(whole.confusion_matrix, windowed.confusion_matrix)


def test_image_without_a_label_map_is_refused_by_name(pixel_network: HardnessSegmenter) -> None:
    with pytest.raises(DatasetError, match="beach has no label map, so it cannot be scored"):
        scored(pixel_network, [Sample("beach", np.zeros((2, 2, 3), np.uint8), None)])


@pytest.mark.parametrize("label", [3, -1, 254])
def test_label_the_network_does_not_know_is_refused_by_name(pixel_network: HardnessSegmenter, label: int) -> None:
    with pytest.raises(DatasetError, match=f"beach has label {label}, but the network has 3 classes"):
        scored(pixel_network, [Sample("beach", np.zeros((1, 2, 3), np.uint8), np.array([[0, label]]))])
