"""What a hardness branch learns from, if the network does not change: features and loss, computed once per image."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hlcore.data.samples import Sample
from hlcore.errors import InvalidInputError, NotFiniteError
from hlcore.evaluation import Scores, score_logits
from hlcore.inference import WHOLE_PX
from hlcore.models.hardness import HardnessBranch, HardnessSegmenter, flatten_features
from hlcore.training.losses import cross_entropy_map
from hlcore.types import IGNORE_INDEX

LARGEST = torch.finfo(torch.float16).max
"""Features and losses beyond this are kept as this."""


@dataclass(frozen=True)
class FrozenImage:
    """The features and the loss of one image."""

    features: tuple[Float[Tensor, "_ _ _"], ...]
    """The features that the branch uses, each C h w, the finest first; of the image padded to `padded`."""
    ce: Float[Tensor, "H W"]
    """Cross entropy in nats; negative where ignored."""
    padded: tuple[int, int]
    """Height and width that the features belong to."""

    @property
    def megabytes(self) -> float:
        """Memory it takes."""
        return sum(tensor.element_size() * tensor.nelement() for tensor in (*self.features, self.ce)) / 1e6

    @property
    def strides(self) -> list[tuple[float, float]]:
        """Vertical and horizontal distance of neighbouring positions of each feature, px."""
        height, width = self.padded
        return [(height / feature.shape[1], width / feature.shape[2]) for feature in self.features]

    def crop(self, size: tuple[int, int], generator: torch.Generator) -> "FrozenImage":
        """A random window of this size, (H, W), at a position of the coarsest feature.

        Raises:
            InvalidInputError: the features have no common positions.
        """
        if size == tuple(self.ce.shape):
            return self
        starts = []
        for axis in (0, 1):
            strides = [stride[axis] for stride in self.strides]
            coarsest = max(strides)
            if any(not stride.is_integer() or coarsest % stride for stride in strides) or size[axis] % coarsest:
                raise InvalidInputError(
                    f"images of different sizes need features whose strides divide one another, got {strides}; "
                    "use a batch size of 1"
                )
            room = int((self.ce.shape[axis] - size[axis]) // coarsest)
            starts.append(int(coarsest) * int(torch.randint(room + 1, (), generator=generator)))
        top, left = starts
        cut = []
        for feature, strides in zip(self.features, self.strides, strict=True):
            y, x, h, w = (int(v // s) for v, s in zip((top, left, *size), (*strides, *strides), strict=True))
            cut.append(feature[:, y : y + h, x : x + w])
        return FrozenImage(tuple(cut), self.ce[top : top + size[0], left : left + size[1]], size)


@dataclass
class FrozenImages:
    """The frozen images of a data set, of which those that fit into `limit_mb` are kept in memory.

    Others are computed again each time.
    """

    compute: Callable[[int], FrozenImage]
    count: int
    limit_mb: float
    has_room: bool = True
    """Whether all images so far have found room."""
    _kept: dict[int, FrozenImage] = field(default_factory=dict, repr=False)
    _kept_mb: float = 0.0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> FrozenImage:
        """The image at `index`."""
        if index in self._kept:
            return self._kept[index]
        image = self.compute(index)
        self.keep(index, image)
        return image

    def keep(self, index: int, image: FrozenImage) -> None:
        """Keep the image at `index` if there is room for it."""
        if self._kept_mb + image.megabytes <= self.limit_mb:
            self._kept[index] = image
            self._kept_mb += image.megabytes
        else:
            self.has_room = False

    @property
    def kept(self) -> list[FrozenImage]:
        """The images that are in memory."""
        return list(self._kept.values())


def measure_variety(images: Iterable[FrozenImage]) -> float:
    """Share of the variance of the features that lies between images, 0 to 1; NaN for fewer than two images.

    Mean over channels and features. Photographs of many places reach 0.02 to 0.04, frames of one drive 0.002 to 0.01.
    """
    means, variances = [], []
    for image in images:
        flat = [feature.float().flatten(1) for feature in image.features]
        means.append(torch.cat([feature.mean(1) for feature in flat]))
        variances.append(torch.cat([feature.var(1) for feature in flat]))
    if len(means) < 2:
        return math.nan
    between, within = torch.stack(means).var(0), torch.stack(variances).mean(0)
    shares = between / (between + within).clamp_min(torch.finfo(torch.float32).tiny)
    return float(shares.mean())


@dataclass(frozen=True)
class FrozenBatch:
    """Images of one size."""

    features: list[Float[Tensor, "N _ _ _"]]
    ce: Float[Tensor, "N H W"]
    """Cross entropy in nats; 0 where ignored."""
    valid: Tensor
    """N H W; where a pixel is labelled."""
    padded: tuple[int, int]
    """Height and width that the features belong to."""

    @property
    def megabytes(self) -> float:
        """Memory it takes."""
        tensors = (*self.features, self.ce, self.valid)
        return sum(tensor.element_size() * tensor.nelement() for tensor in tensors) / 1e6


def make_batch(
    images: Sequence[FrozenImage], *, device: torch.device, generator: torch.Generator | None = None
) -> FrozenBatch:
    """The images as a batch; those of different sizes are cropped to what all of them have, by positions of features.

    Args:
        images: The images.
        device: Where the batch goes.
        generator: Chooses the crops; not needed for images of one size.

    Raises:
        InvalidInputError: they cannot be cropped to one size.
    """
    sizes = {tuple(image.ce.shape) for image in images}
    if len(sizes) > 1:
        assert generator is not None
        coarsest = [int(max(stride[axis] for stride in images[0].strides)) for axis in (0, 1)]
        height, width = (min(size[axis] for size in sizes) // coarsest[axis] * coarsest[axis] for axis in (0, 1))
        if not height or not width:
            raise InvalidInputError("an image is smaller than one position of the network's coarsest feature")
        images = [image.crop((height, width), generator) for image in images]
    features = [torch.stack(level).to(device).float() for level in zip(*(i.features for i in images), strict=True)]
    ce = torch.stack([image.ce for image in images]).to(device).float()
    return FrozenBatch(features, ce.clamp_min(0), ce >= 0, images[0].padded)


def freeze_sample(network: HardnessSegmenter, sample: Sample) -> tuple[FrozenImage, Scores]:
    """The features that the hardness branch uses, the loss, and the scores, of one labelled image.

    Of an image of more than WHOLE_PX, a random window of that size is used.
    """
    sample = _cut_large(sample)
    assert sample.label_map is not None
    device = network.mean.device
    pixels = torch.from_numpy(np.ascontiguousarray(sample.image.transpose(2, 0, 1)))[None].to(device)
    labels = torch.from_numpy(sample.label_map.astype(np.int64))[None].to(device)
    with torch.no_grad():
        features = network.encode(pixels)
        logits = network.decode(network.segmentation_branch, features, pixels.shape[-2:]).float()
        ce = cross_entropy_map(logits, labels)
    if not torch.isfinite(logits.sum()):
        raise NotFiniteError(f"the network's output for {sample.name} is not finite; its weights may be damaged")
    maps = flatten_features(features)
    branch = network.hardness_branch
    assert isinstance(branch, HardnessBranch)
    image = FrozenImage(
        tuple(maps[level][0].clamp(-LARGEST, LARGEST).half().cpu() for level in branch.levels),
        torch.where(labels == IGNORE_INDEX, -1.0, ce.clamp_max(LARGEST))[0].half().cpu(),
        network.padded_size(*sample.image.shape[:2]),
    )
    return image, score_logits(logits.cpu(), sample)


def _cut_large(sample: Sample) -> Sample:
    """The sample, or a window of an image that the network would not run on at once; the same each time."""
    height, width = sample.image.shape[:2]
    if height * width <= WHOLE_PX:
        return sample
    assert sample.label_map is not None  # `freeze_sample` asked for labels
    side = math.isqrt(WHOLE_PX)
    chance = np.random.default_rng(list(sample.name.encode()))
    top, left = (int(chance.integers(max(length - side, 0) + 1)) for length in (height, width))
    window = slice(top, top + side), slice(left, left + side)
    return Sample(sample.name, sample.image[window], sample.label_map[window])
