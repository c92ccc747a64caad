"""Turn samples into the tensors a network takes: augmented for training, plain for evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from hlcore.data.images.decoding import describe_turn
from hlcore.data.samples import Sample
from hlcore.errors import InvalidInputError
from hlcore.models import torchvision_cpu  # noqa: F401 - must come before torchvision
from hlcore.types import IGNORE_INDEX, HardnessMap

from torchvision import tv_tensors  # isort: skip
from torchvision.transforms import v2  # isort: skip
from torchvision.transforms.v2 import functional  # isort: skip

ImageTensor = UInt8[Tensor, "3 H W"]
LabelTensor = Int64[Tensor, "H W"]

PADDING_COLOUR = (124, 116, 104)
"""Colour outside the image, where labels are ignored: the mean of ImageNet."""

_SMALLEST = 2  # px: torch 2.13 fails an internal check when it resizes uint8 to 1 x 1


class AugmentedSample(NamedTuple):
    """One training example."""

    image: ImageTensor
    label_map: LabelTensor
    hardness_map: Float32[Tensor, "H W"] | None
    """The given hardness map, cropped like the image; None if none was given."""


def to_tensors(sample: Sample) -> tuple[ImageTensor, LabelTensor]:
    """Unchanged image and label map as tensors, for evaluation.

    Raises:
        InvalidInputError: the sample has no label map.
    """
    image, label_map = _wrap(sample)
    return _unwrap(image, label_map)


@dataclass(frozen=True)
class TrainingAugmentation:
    """Random resize, crop, flip and colour jitter, deterministic for a seed, epoch and index.

    The random numbers depend on nothing else, so the number of loading processes does not matter. An image smaller than
    the crop after resizing is placed at random on `PADDING_COLOUR`, with ignored labels. The window is cropped before
    it is resized, so the cost does not depend on the size of the image.

    Attributes:
        size: (H, W) of the crop, px.
        scale: Range of the resize factor, relative to the image's own size.
        flip: Probability of a horizontal flip.
        colour: Brightness, contrast and saturation are each multiplied by 1 - colour to 1 + colour.

    Raises:
        InvalidInputError: a setting is out of range.
    """

    size: tuple[int, int]
    scale: tuple[float, float] = (0.5, 2.0)
    flip: float = 0.5
    colour: float = 0.3

    def __post_init__(self) -> None:
        if min(self.size) < _SMALLEST:
            raise InvalidInputError(f"size must be (H, W) of at least {_SMALLEST} px each, got {self.size}")
        if not 0 < self.scale[0] <= self.scale[1]:
            raise InvalidInputError(f"scale must be (low, high) with 0 < low <= high, got {self.scale}")
        if not (0 <= self.flip <= 1 and 0 <= self.colour <= 1):
            raise InvalidInputError(f"flip and colour must lie in 0 to 1, got {self.flip} and {self.colour}")

    def __call__(
        self, sample: Sample, *, seed: int, epoch: int, index: int, hardness_map: HardnessMap | None = None
    ) -> AugmentedSample:
        """Augmented image and label map, and hardness map if given, at the size of the crop.

        Args:
            sample: A labelled sample of any size.
            seed: Seed of the run, at least 0.
            epoch: The epoch, at least 0.
            index: Index of the sample in its data set.
            hardness_map: Map of the sample's size to crop, resize and flip with it; 0 in the padding.

        Raises:
            InvalidInputError: the sample has no label map, or the hardness map has another size.
        """
        rng = np.random.default_rng((seed, epoch, index))
        tensors: list[Tensor] = [*_wrap(sample)]
        if hardness_map is not None:
            if hardness_map.shape != sample.image.shape[:2]:
                expected = sample.image.shape[:2]
                raise InvalidInputError(
                    f"{sample.name}: hardness_map must be {expected}, got {hardness_map.shape}"
                    f"{describe_turn(hardness_map.shape, expected)}"
                )
            tensors.append(torch.from_numpy(np.ascontiguousarray(hardness_map))[None])
        (image, label_map, *hardness), padding = self._cropped(tensors, rng)
        if rng.random() < self.flip:
            image, label_map, *hardness = map(functional.horizontal_flip, (image, label_map, *hardness))
        brightness, contrast, saturation = rng.uniform(1 - self.colour, 1 + self.colour, size=3)
        image = functional.adjust_brightness(image, brightness)
        image = functional.adjust_contrast(image, contrast)
        image = functional.adjust_saturation(image, saturation)
        padded_hardness = functional.pad(hardness[0], padding)[0] if hardness else None
        pad = v2.Pad(padding, fill={tv_tensors.Image: PADDING_COLOUR, tv_tensors.Mask: IGNORE_INDEX})
        return AugmentedSample(*_unwrap(*pad(image, label_map)), padded_hardness)

    def _cropped(self, tensors: Sequence[Tensor], rng: np.random.Generator) -> tuple[list[Tensor], list[int]]:
        """The same resized window of each tensor, and its padding (left, top, right, bottom) up to the crop size."""
        factor = rng.uniform(*self.scale)
        height, width = tensors[0].shape[1:]
        rows = _choose_axis_crop(height, self.size[0], factor, rng)
        columns = _choose_axis_crop(width, self.size[1], factor, rng)

        def cut_and_resize(tensor: Tensor) -> Tensor:
            window = functional.crop(tensor, rows.start, columns.start, rows.cut, columns.cut)
            size = [rows.resized, columns.resized]
            if isinstance(window, tv_tensors.Mask):  # torchvision's default shifts labels by half a pixel
                exact = v2.InterpolationMode.NEAREST_EXACT
                plain = window.as_subclass(Tensor)[None]
                return tv_tensors.Mask(functional.resize(plain, size, interpolation=exact)[0])
            return functional.resize(window, size, antialias=True)

        padding = [columns.before, rows.before, columns.after, rows.after]
        return [cut_and_resize(tensor) for tensor in tensors], padding


class _AxisCrop(NamedTuple):
    """Crop along one axis, px: the window in the image, its resized length, and the padding around it."""

    start: int
    cut: int
    resized: int
    before: int
    after: int


def _choose_axis_crop(length: int, crop: int, factor: float, rng: np.random.Generator) -> _AxisCrop:
    cut = min(length, max(1, round(crop / factor)))
    resized = crop if cut < length else min(crop, max(_SMALLEST, round(cut * factor)))
    before = int(rng.integers(crop - resized + 1))
    return _AxisCrop(int(rng.integers(length - cut + 1)), cut, resized, before, crop - resized - before)


def _wrap(sample: Sample) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
    if sample.label_map is None:
        raise InvalidInputError(
            f"{sample.name} has no label map; only labelled images can be used for training or scoring"
        )
    image = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))
    return tv_tensors.Image(image), tv_tensors.Mask(torch.from_numpy(sample.label_map.astype(np.uint8)))


def _unwrap(image: Tensor, label_map: Tensor) -> tuple[ImageTensor, LabelTensor]:
    return image.as_subclass(Tensor), label_map.as_subclass(Tensor).long()
