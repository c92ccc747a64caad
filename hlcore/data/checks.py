"""Check the labels of a data set before hours are spent on it."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import numpy as np
from jaxtyping import Integer

from hlcore.data.labels import ClassTable
from hlcore.data.samples import SegmentationData
from hlcore.errors import DatasetError, HlcoreError
from hlcore.overlap import map_in_threads
from hlcore.types import IGNORE_INDEX

NAMED = 5
"""Maximum number of images that a sentence names."""


@dataclass
class LabelSummary:
    """What the samples of a split hold, summed over those read so far.

    Attributes:
        class_pixels: Pixels of each class; shape (C,).
        ignored_pixels: Number of ignored pixels.
        samples: Number of samples.
        images: Digest of an image's pixels to the names of its samples.
    """

    class_pixels: Integer[np.ndarray, " C"]
    ignored_pixels: int = 0
    samples: int = 0
    images: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def empty(cls, classes: ClassTable) -> "LabelSummary":
        """The summary of no sample."""
        return cls(np.zeros(len(classes.names), np.int64))

    def read(self, data: SegmentationData, indices: Sequence[int] | None = None) -> Generator[HlcoreError | None]:
        """Add samples of a split (default: all); yields None after each of them, or why it cannot be used.

        It cannot be used if it cannot be read, has no label map, or has a label that is not a class.
        """
        indices = range(len(data)) if indices is None else indices
        with closing(map_in_threads(partial(_try_to_count, data), indices)) as all_counted:
            for counted in all_counted:
                self.samples += 1
                if isinstance(counted, HlcoreError):
                    yield counted
                    continue
                name, counts, digest = counted
                self.class_pixels += counts[: len(self.class_pixels)]
                self.ignored_pixels += int(counts[IGNORE_INDEX])
                self.images.setdefault(digest, []).append(name)
                yield None

    @property
    def ignored_share(self) -> float:
        """Share of ignored pixels, 0 to 1; 1 where there is no pixel."""
        labelled = int(self.class_pixels.sum())
        return self.ignored_pixels / (labelled + self.ignored_pixels) if labelled else 1.0


def check_training_labels(train: LabelSummary, val: LabelSummary, classes: ClassTable) -> Iterator[str]:
    """Sentences on what training cannot learn from these splits, or validation cannot measure.

    Raises:
        DatasetError: fewer than two classes occur in the training labels.
    """
    present = np.flatnonzero(train.class_pixels)
    if len(present) < 2:
        raise DatasetError(_describe_single_class(train, present, classes))
    if missing := [name for name, pixels in zip(classes.names, train.class_pixels, strict=True) if not pixels]:
        hint = "; class ids start at 0" if train.class_pixels[0] == 0 else ""
        yield f"never labelled in the training images, so never learned: {', '.join(missing)}{hint}"
    if train.ignored_pixels:
        yield f"{_format_share(train.ignored_share)} of the training pixels are ignored"
    if not val.class_pixels.any():
        yield "no pixel of the validation images is labelled, so there will be no mIoU and no best epoch"
    else:
        yield from _describe_validation(val, train, classes)
    if shared := [name for digest, names in val.images.items() if digest in train.images for name in names]:
        more = f" and {len(shared) - NAMED} more" if len(shared) > NAMED else ""
        yield (
            f"{len(shared)} of the validation images are training images too, so their scores say "
            f"nothing about new images: {', '.join(shared[:NAMED])}{more}"
        )


def _describe_validation(val: LabelSummary, train: LabelSummary, classes: ClassTable) -> Iterator[str]:
    """What the validation labels cannot measure of what the training labels teach."""
    known = zip(classes.names, train.class_pixels, val.class_pixels, strict=True)
    if unmeasured := [name for name, taught, measured in known if taught > 0 and measured == 0]:
        hint = "; 255 means ignored" if np.count_nonzero(val.class_pixels) == 1 and val.ignored_pixels else ""
        missing = ", ".join(unmeasured)
        yield f"never labelled in the validation images, so the mIoU says nothing about them: {missing}{hint}"
    if val.ignored_share > train.ignored_share + 0.1:
        yield f"{_format_share(val.ignored_share)} of the validation pixels are ignored"


def _format_share(share: float) -> str:
    """A share in percent; "100.0%" only if it is 1, and "0.0%" only if it is 0."""
    if 0 < share < 0.001:
        return "under 0.1%"
    return f"{min(share, 0.999) if share < 1 else share:.1%}"


def _try_to_count(data: SegmentationData, index: int) -> tuple[str, Integer[np.ndarray, " 256"], str] | HlcoreError:
    try:
        return _count(data, index)
    except HlcoreError as error:
        return error


def _count(data: SegmentationData, index: int) -> tuple[str, Integer[np.ndarray, " 256"], str]:
    """Name of a sample, pixels of each label value, and a digest of the image."""
    sample = data[index]
    if sample.label_map is None:
        raise DatasetError(f"{sample.name} has no label map; add it or remove the image from the split")
    values, pixels = np.unique(sample.label_map, return_counts=True)
    count = len(data.classes.names)
    if strays := [int(value) for value in values if not 0 <= value < count and value != IGNORE_INDEX]:
        raise DatasetError(f"{sample.name} has the label {strays[0]}, but there are {count} classes, 0 to {count - 1}")
    counts = np.zeros(IGNORE_INDEX + 1, np.int64)
    counts[values] = pixels
    return sample.name, counts, sha256(repr(sample.image.shape).encode() + sample.image.tobytes()).hexdigest()


def _describe_single_class(train: LabelSummary, present: Integer[np.ndarray, " K"], classes: ClassTable) -> str:
    if not len(present):
        return "every pixel of the training images is ignored; there is nothing to train on"
    found = f"the only class in the training labels is {classes.names[present[0]]} (id {present[0]})"
    ignored = f", beside {_format_share(train.ignored_share)} ignored pixels" if train.ignored_pixels else ""
    hint = (
        "255 means ignored: write 1 for the object of a mask of 0 and 255" if train.ignored_pixels else "ids start at 0"
    )
    return f"{found}{ignored}, but training needs two; {hint}"
