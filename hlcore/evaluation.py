"""Score a network on a data set, with one confusion matrix over all pixels."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from hlcore.analysis.segmentation import class_iou, confusion_matrix, mean_iou, pixel_accuracy
from hlcore.data.samples import Sample
from hlcore.errors import DatasetError
from hlcore.inference import predicted_classes, run_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.types import IGNORE_INDEX


@dataclass(frozen=True)
class Scores:
    """Counts that add up: the scores of two halves of a data set sum to those of the whole."""

    confusion_matrix: Integer[np.ndarray, "C C"]
    """Pixels, label in the row and prediction in the column."""
    loss_sum: float
    """Cross entropy summed over the labelled pixels, nats."""
    images: int

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(
            self.confusion_matrix + other.confusion_matrix, self.loss_sum + other.loss_sum, self.images + other.images
        )

    @classmethod
    def zero(cls, num_classes: int) -> "Scores":
        """Scores of an empty set of images."""
        return cls(np.zeros((num_classes, num_classes), np.int64), 0.0, 0)

    def table(self, class_names: tuple[str, ...]) -> dict[str, float]:
        """mean_iou and pixel_accuracy (0 to 1), val_ce (nats) and iou/<class>; NaN for an absent class."""
        pixels = int(self.confusion_matrix.sum())
        row = {
            "mean_iou": mean_iou(self.confusion_matrix),
            "pixel_accuracy": pixel_accuracy(self.confusion_matrix),
            "val_ce": self.loss_sum / pixels if pixels else float("nan"),
        }
        iou = class_iou(self.confusion_matrix)
        return row | {f"iou/{name}": float(value) for name, value in zip(class_names, iou, strict=True)}


def score_images(
    network: HardnessSegmenter, samples: Iterable[Sample], *, num_classes: int, window: int | None = None
) -> Generator[Scores]:
    """Scores of each image, one at a time; their sum is the score of the data set.

    Raises:
        DatasetError: a sample has no label map, or a label outside the network's classes.
    """
    for sample in samples:
        check_labels(sample, num_classes)
        yield score_logits(run_network(network, sample.image, window=window).logits, sample)


def check_labels(sample: Sample, num_classes: int) -> None:
    """Raise DatasetError if a sample cannot be scored: it has no label map, or a label outside the classes."""
    if sample.label_map is None:
        raise DatasetError(f"{sample.name} has no label map, so it cannot be scored")
    labels = sample.label_map
    unknown = labels[((labels < 0) | (labels >= num_classes)) & (labels != IGNORE_INDEX)]
    if len(unknown):
        raise DatasetError(f"{sample.name} has label {unknown[0]}, but the network has {num_classes} classes")


def score_logits(logits: Float[Tensor, "1 C H W"], sample: Sample) -> Scores:
    """Scores of the logits of one labelled image."""
    assert sample.label_map is not None
    labels = torch.from_numpy(sample.label_map.astype(np.int64))
    counts = confusion_matrix(sample.label_map, predicted_classes(logits)[0].numpy(), num_classes=logits.shape[1])
    loss = F.cross_entropy(logits, labels[None], ignore_index=IGNORE_INDEX, reduction="sum")
    return Scores(counts, float(loss), 1)
