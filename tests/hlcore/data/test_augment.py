import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from hlcore.data.augment import PADDING_COLOUR, TrainingAugmentation, to_tensors
from hlcore.data.samples import Sample
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX

sides, crops = st.integers(1, 40), st.integers(2, 40)
scales = st.tuples(st.floats(0.2, 3), st.floats(0.2, 3)).map(lambda pair: (min(pair), max(pair)))


def coded(height: int, width: int) -> Sample:
    """A sample whose red channel is 20 times its label, in blocks of 4 px: image and labels can be compared."""
    label_map = np.kron(np.arange(-(-height // 4) * -(-width // 4)).reshape(-(-height // 4), -1) % 11, np.ones((4, 4)))
    label_map = label_map[:height, :width].astype(np.uint8)
    image = np.stack([label_map * 20, np.full_like(label_map, 60), np.full_like(label_map, 200)], axis=-1)
    return Sample("coded", image, label_map)


@settings(deadline=None)
@given(sides, sides, crops, crops, scales, st.floats(0, 1), st.floats(0, 1), st.integers(0, 2**31))
def test_every_crop_has_the_requested_size_and_only_labels_of_the_sample(
    height, width, rows, columns, scale, flip, colour, seed
):
    sample = coded(height, width)
    augment = TrainingAugmentation((rows, columns), scale=scale, flip=flip, colour=colour)
    image, label_map, _ = augment(sample, seed=seed, epoch=0, index=0)
    assert image.shape == (3, rows, columns) and image.dtype == torch.uint8 and type(image) is torch.Tensor
    assert label_map.shape == (rows, columns) and label_map.dtype == torch.int64 and type(label_map) is torch.Tensor
    assert set(label_map.unique().tolist()) <= {*range(11), 255}


@settings(deadline=None)
@given(sides, sides, st.integers(0, 1000))
def test_padding_is_ignored_in_the_labels_and_of_one_colour_in_the_image(height, width, seed):
    augment = TrainingAugmentation((40, 40), scale=(0.5, 1.0), colour=1.0)
    image, label_map, _ = augment(coded(height, width), seed=seed, epoch=0, index=0)
    outside = image[:, label_map == 255]
    assert (outside == torch.tensor(PADDING_COLOUR, dtype=torch.uint8)[:, None]).all()
    inside = label_map != 255
    rows, columns = inside.any(dim=1).sum(), inside.any(dim=0).sum()
    assert inside.sum() == rows * columns  # the image is one rectangle
    for part, whole in ((rows, height), (columns, width)):
        assert max(2, round(whole * 0.5)) <= part <= max(2, whole)


@pytest.mark.parametrize("seed", range(20))
def test_image_and_labels_move_together(seed):
    augment = TrainingAugmentation((24, 32), scale=(1.0, 1.0), colour=0.0)
    image, label_map, _ = augment(coded(20, 44), seed=seed, epoch=0, index=0)
    inside = label_map != 255
    assert (image[0][inside] == label_map[inside] * 20).all()


@pytest.mark.parametrize("edge", range(2, 62))
def test_resizing_moves_no_label_off_its_image(edge):
    label_map = np.repeat((np.arange(63) >= edge)[None].astype(np.uint8), 63, axis=0)
    sample = Sample("edge", np.repeat(label_map[..., None] * 200, 3, axis=2), label_map)
    augment = TrainingAugmentation((21, 21), scale=(1 / 3, 1 / 3), flip=0.0, colour=0.0)
    image, resized, _ = augment(sample, seed=0, epoch=0, index=0)
    assert torch.equal(resized, (image[0] > 100).long())


def test_resized_image_and_labels_agree_away_from_block_edges():
    augment = TrainingAugmentation((64, 64), scale=(3.0, 3.0), flip=1.0, colour=0.0)
    image, label_map, _ = augment(coded(40, 40), seed=0, epoch=0, index=0)
    agree = (image[0] - label_map * 20).abs() <= 2
    assert agree.float().mean() > 0.4


def test_without_augmentation_the_sample_does_not_change():
    sample = coded(12, 16)
    image, label_map, _ = TrainingAugmentation((12, 16), scale=(1.0, 1.0), flip=0.0, colour=0.0)(
        sample, seed=5, epoch=2, index=9
    )
    plain_image, plain_label_map = to_tensors(sample)
    assert torch.equal(image, plain_image) and torch.equal(label_map, plain_label_map)
    np.testing.assert_array_equal(plain_image.numpy().transpose(1, 2, 0), sample.image)
    np.testing.assert_array_equal(plain_label_map.numpy(), sample.label_map)


def test_a_flip_with_probability_1_mirrors():
    sample = coded(12, 16)
    image, *_ = TrainingAugmentation((12, 16), scale=(1.0, 1.0), flip=1.0, colour=0.0)(sample, seed=5, epoch=2, index=9)
    np.testing.assert_array_equal(image.numpy().transpose(1, 2, 0), sample.image[:, ::-1])


def test_seed_epoch_and_index_each_change_the_crop_and_nothing_else_does():
    augment = TrainingAugmentation((24, 24))
    sample = coded(40, 40)
    first = augment(sample, seed=1, epoch=2, index=3)[0]
    torch.manual_seed(99)
    np.random.default_rng(7).random()
    assert torch.equal(first, augment(sample, seed=1, epoch=2, index=3)[0])
    for numbers in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (3, 2, 1)):
        seed, epoch, index = numbers
        assert not torch.equal(first, augment(sample, seed=seed, epoch=epoch, index=index)[0])


def test_augmenting_does_not_change_torchs_random_state():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    TrainingAugmentation((24, 24))(coded(40, 40), seed=1, epoch=2, index=3)
    assert torch.equal(torch.rand(3), expected)


class Crops(Dataset[torch.Tensor]):
    """Eight crops of one sample."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        return TrainingAugmentation((24, 24))(coded(40, 40), seed=0, epoch=0, index=index)[0]


def test_the_number_of_loading_processes_changes_no_crop():
    alone = torch.cat(list(DataLoader(Crops(), batch_size=2)))
    helped = torch.cat(list(DataLoader(Crops(), batch_size=2, num_workers=2, multiprocessing_context="fork")))
    assert torch.equal(alone, helped)


def test_colour_changes_the_image_and_never_the_labels():
    sample = coded(12, 16)
    plain = TrainingAugmentation((12, 16), scale=(1.0, 1.0), flip=0.0, colour=0.0)(sample, seed=0, epoch=0, index=0)
    bright = TrainingAugmentation((12, 16), scale=(1.0, 1.0), flip=0.0, colour=0.5)(sample, seed=0, epoch=0, index=0)
    assert not torch.equal(plain[0], bright[0]) and torch.equal(plain[1], bright[1])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": (1, 4)}, "size must be"),
        ({"size": (4, 4), "scale": (2.0, 1.0)}, "scale must be"),
        ({"size": (4, 4), "scale": (0.0, 1.0)}, "scale must be"),
        ({"size": (4, 4), "flip": 1.5}, "flip and colour must lie in 0 to 1"),
        ({"size": (4, 4), "colour": -0.1}, "flip and colour must lie in 0 to 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(options, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        TrainingAugmentation(**options)


def test_a_sample_without_a_label_map_is_refused():
    unlabelled = Sample("holiday", coded(4, 4).image, None)
    for transform in (to_tensors, lambda sample: TrainingAugmentation((4, 4))(sample, seed=0, epoch=0, index=0)):
        with pytest.raises(InvalidInputError, match="holiday has no label map"):
            transform(unlabelled)


@pytest.mark.parametrize("index", range(8))
def test_a_hardness_map_is_cropped_resized_flipped_and_padded_with_its_image(index: int) -> None:
    rows, columns = np.mgrid[0:40, 0:40]
    grey = (3 * rows + 2 * columns).astype(np.uint8)
    sample = Sample("ramp", np.repeat(grey[..., None], 3, axis=2), np.zeros((40, 40), np.uint8))
    augment = TrainingAugmentation((32, 32), scale=(0.5, 2.0), colour=0.0)
    image, label_map, hardness_map = augment(
        sample, seed=0, epoch=0, index=index, hardness_map=(grey / 255).astype(np.float32)
    )
    assert hardness_map is not None
    inside = label_map != IGNORE_INDEX
    assert (255 * hardness_map - image[0])[inside].abs().max() <= 1
    assert (hardness_map[~inside] == 0).all()


def test_a_hardness_map_of_another_size_is_refused() -> None:
    sample = Sample("small", np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(InvalidInputError, match=r"small: hardness_map must be \(8, 8\), got \(8, 9\)$"):
        TrainingAugmentation((8, 8))(sample, seed=0, epoch=0, index=0, hardness_map=np.zeros((8, 9), np.float32))


def test_a_quarter_turn_of_a_hardness_map_is_named_as_the_likely_cause() -> None:
    sample = Sample("small", np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint8))
    with pytest.raises(InvalidInputError, match="one of them may be rotated by 90°"):
        TrainingAugmentation((8, 8))(sample, seed=0, epoch=0, index=0, hardness_map=np.zeros((9, 8), np.float32))
