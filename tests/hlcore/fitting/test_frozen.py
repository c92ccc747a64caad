"""Frozen images: what is kept, cropped and put into batches."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from hlcore.data.samples import Sample
from hlcore.errors import InvalidInputError
from hlcore.fitting.frozen import FrozenImage, FrozenImages, freeze_sample, make_batch, measure_variety
from hlcore.models.hardness import HardnessBranch, HardnessSegmenter

CPU = torch.device("cpu")


def make_image(height: int, width: int, *, strides: tuple[int, ...] = (4, 16), seed: int = 0) -> FrozenImage:
    """An image whose features and cross entropy hold the row and column of their position, in px."""
    padded = (height + -height % strides[-1], width + -width % strides[-1])
    grids = [
        torch.stack(torch.meshgrid(torch.arange(0.0, padded[0], s), torch.arange(0.0, padded[1], s), indexing="ij"))
        for s in strides
    ]
    ce = torch.arange(height)[:, None] * 1000.0 + torch.arange(width)
    ce[0, 0] = -1
    return FrozenImage(tuple(grid + seed for grid in grids), ce, padded)


def test_crops_of_features_and_loss_lie_at_the_same_place() -> None:
    image, positions = make_image(70, 90), set()
    for seed in range(30):
        cut = image.crop((32, 48), torch.Generator().manual_seed(seed))
        top, left = (int(value) for value in cut.features[1][:, 0, 0])
        assert cut.ce.shape == (32, 48)
        assert [feature.shape[1:] for feature in cut.features] == [(8, 12), (2, 3)]
        assert [int(value) for value in cut.features[0][:, 0, 0]] == [top, left]
        assert cut.ce[1, 1] == (top + 1) * 1000 + left + 1
        positions.add((top, left))
    assert {top for top, _ in positions} == {0, 16, 32}
    assert {left for _, left in positions} == {0, 16, 32}


def test_images_of_different_sizes_are_cropped_to_what_all_have() -> None:
    images = [make_image(70, 90), make_image(40, 120)]
    batch = make_batch(images, device=CPU, generator=torch.Generator().manual_seed(0))
    assert batch.ce.shape == (2, 32, 80)
    assert [feature.shape for feature in batch.features] == [(2, 2, 8, 20), (2, 2, 2, 5)]
    assert batch.padded == (32, 80)


def test_images_that_have_no_common_size_are_refused() -> None:
    generator = torch.Generator()
    with pytest.raises(InvalidInputError, match="smaller than one position of the network's coarsest feature"):
        make_batch([make_image(70, 90), make_image(10, 90)], device=CPU, generator=generator)
    odd = [make_image(48, 48, strides=(4, 6, 12)), make_image(24, 60, strides=(4, 6, 12))]
    make_batch(odd, device=CPU, generator=generator)
    odd = [make_image(60, 60, strides=(4, 6, 10)), make_image(20, 60, strides=(4, 6, 10))]
    with pytest.raises(InvalidInputError, match="use a batch size of 1"):
        make_batch(odd, device=CPU, generator=generator)


def test_ignored_pixels_have_no_loss_and_no_weight() -> None:
    batch = make_batch([make_image(32, 32)], device=CPU)
    assert not batch.valid[0, 0, 0]
    assert batch.ce[0, 0, 0] == 0
    assert batch.valid.sum() == 32 * 32 - 1


def test_images_are_kept_while_there_is_room_and_computed_again_otherwise() -> None:
    computed: list[int] = []

    def compute(index: int) -> FrozenImage:
        computed.append(index)
        return make_image(64, 64, seed=index)

    room = 2.5 * make_image(64, 64).megabytes
    images = FrozenImages(compute, 4, room)
    for _ in range(2):
        assert [int(images[index].features[0][0, 0, 0]) for index in range(4)] == [0, 1, 2, 3]
    assert computed == [0, 1, 2, 3, 2, 3]
    assert len(images.kept) == 2
    assert not images.has_room


def test_variety_tells_images_of_many_places_from_frames_of_one() -> None:
    generator = torch.Generator().manual_seed(0)

    def make(offset: float) -> FrozenImage:
        feature = torch.randn(4, 32, 32, generator=generator) + offset
        return FrozenImage((feature,), torch.zeros(128, 128), (128, 128))

    alike = measure_variety([make(0.0) for _ in range(20)])
    varied = measure_variety([make(0.3 * number) for number in range(20)])
    assert alike < 0.01
    assert 0.5 < varied < 1
    assert math.isnan(measure_variety([make(0.0)]))


def test_features_beyond_half_precision_stay_finite() -> None:
    network = HardnessSegmenter(
        nn.Conv2d(3, 2, 3, stride=4, padding=1), nn.Conv2d(2, 3, 1), HardnessBranch([2]), stride=4
    ).eval()
    with torch.no_grad():
        network.encoder.weight.fill_(1e6)  # pyright: ignore[reportCallIssue]  (a convolution)
    sample = Sample("a", np.full((32, 32, 3), 250, np.uint8), np.zeros((32, 32), np.uint8))
    image, _ = freeze_sample(network, sample)
    assert image.features[0].isfinite().all()
    assert image.features[0].abs().max() > 60_000
