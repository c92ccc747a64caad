"""What the labels of a data set cannot teach is said before training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hlcore.data.checks import LabelSummary, check_training_labels
from hlcore.data.labels import ClassTable, voc_palette
from hlcore.data.readers.folder import open_folder
from hlcore.data.samples import PairedFiles, Sample
from hlcore.errors import DatasetError

NAMES = ("sky", "road", "car")


class GivenData:
    """Samples of random images with the given label maps."""

    fingerprint = "0" * 64

    def __init__(self, label_maps: Sequence[Sequence[int] | None], *, seed: int = 0, names: Sequence[str] = NAMES):
        self.classes = ClassTable(tuple(names), voc_palette(len(names)))
        self.names = tuple(f"image{i}" for i in range(len(label_maps)))
        self.label_maps = label_maps
        self.images = np.random.default_rng(seed).integers(0, 255, (len(label_maps), 1, 4, 3), np.uint8)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        labels = self.label_maps[index]
        return Sample(
            self.names[index], self.images[index], None if labels is None else np.array([labels], dtype=np.int64)
        )


def check(train: GivenData | PairedFiles, val: GivenData | PairedFiles) -> list[str]:
    summaries = [LabelSummary.empty(data.classes) for data in (train, val)]
    for data, summary in zip((train, val), summaries, strict=True):
        errors = list(summary.read(data))
        assert len(errors) == len(data) == summary.samples
        for error in filter(None, errors):
            raise error
    return list(check_training_labels(*summaries, train.classes))


def test_labels_that_can_teach_raise_no_warning() -> None:
    assert check(GivenData([[0, 0, 1, 1], [1, 1, 2, 2]]), GivenData([[0, 1, 2, 2]], seed=1)) == []


def test_a_class_that_never_occurs_is_named() -> None:
    val = GivenData([[0, 1, 2, 2]], seed=1)
    assert check(GivenData([[0, 0, 1, 1]]), val) == ["never labelled in the training images, so never learned: car"]
    assert check(GivenData([[1, 1, 2, 2]]), val) == [
        "never labelled in the training images, so never learned: sky; class ids start at 0"
    ]


def test_the_share_of_ignored_pixels_is_stated() -> None:
    train = GivenData([[0, 1, 2, 255], [0, 1, 2, 2]])
    assert check(train, GivenData([[0, 1, 2, 2]], seed=1)) == ["12.5% of the training pixels are ignored"]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 0, 255, 255], r"only class .* is sky \(id 0\), beside 50.0% ignored.*write 1 for the object of a mask"),
        ([1, 1, 1, 1], r"only class .* is road \(id 1\), but training needs two; ids start at 0"),
        ([255, 255, 255, 255], "every pixel of the training images is ignored"),
    ],
)
def test_fewer_than_two_classes_are_refused_with_the_likely_cause(labels: list[int], sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        check(GivenData([labels]), GivenData([[0, 1, 2, 2]], seed=1))


def test_validation_without_a_labelled_pixel_is_announced() -> None:
    assert check(GivenData([[0, 1, 2, 2]]), GivenData([[255] * 4], seed=1)) == [
        "no pixel of the validation images is labelled, so there will be no mIoU and no best epoch"
    ]


@pytest.mark.parametrize(
    ("labels", "hint"), [([0, 0, 0, 0], ""), ([0, 0, 255, 255], "; 255 means ignored"), ([0, 0, 1, 1], "")]
)
def test_classes_that_validation_cannot_measure_are_named(labels: list[int], hint: str) -> None:
    first, *more = check(GivenData([[0, 1, 2, 2]]), GivenData([labels], seed=1))
    missing = "car" if 1 in labels else "road, car"
    assert first == f"never labelled in the validation images, so the mIoU says nothing about them: {missing}{hint}"
    assert more == (["50.0% of the validation pixels are ignored"] if 255 in labels else [])


def test_equal_images_in_both_splits_are_all_counted() -> None:
    train, val = GivenData([[0, 1, 2, 2]]), GivenData([[0, 1, 2, 2]] * 2)
    val.images[:] = train.images[0]
    (sentence,) = check(train, val)
    assert sentence.startswith("2 of the validation images are training images too")
    assert sentence.endswith("image0, image1")


@pytest.mark.parametrize(("ignored", "share"), [(9_998, "99.9%"), (1, "under 0.1%")])
def test_a_share_of_some_pixels_is_called_neither_all_nor_none(ignored: int, share: str) -> None:
    labels = [0, 1] * ((10_000 - ignored + 1) // 2) + [255] * ignored
    train = GivenData([[0, 1, 2, 2]])
    train.images, train.label_maps = np.zeros((1, 1, len(labels), 3), np.uint8), [labels]
    assert f"{share} of the training pixels are ignored" in check(train, GivenData([[0, 1, 2, 2]], seed=1))


def test_images_in_both_splits_are_counted_and_named() -> None:
    same = GivenData([[0, 1, 2, 2]] * 7)
    assert check(same, same) == [
        (
            "7 of the validation images are training images too, so their scores say nothing about new images: "
            "image0, image1, image2, image3, image4 and 2 more"
        )
    ]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([0, 1, 3, 3], "image0 has the label 3, but there are 3 classes, 0 to 2"),
        ([0, 1, -1, 0], "image0 has the label -1, but"),
        (None, "image0 has no label map"),
    ],
)
def test_a_sample_that_cannot_be_learned_from_is_named(labels: list[int] | None, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        check(GivenData([labels]), GivenData([[0, 1, 2, 2]], seed=1))


def test_a_folder_of_masks_of_0_and_255_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('["background", "object"]')
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "images" / "a.png")
    Image.fromarray(np.tile(np.array([0, 255], np.uint8), (4, 2))).save(tmp_path / "labels" / "a.png")
    data = open_folder(tmp_path, "train")
    with pytest.raises(DatasetError, match="255 means ignored: write 1 for the object of a mask of 0 and 255"):
        check(data, data)
