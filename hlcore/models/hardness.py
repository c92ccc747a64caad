"""The hardness branch and the network around it (Xiao et al., IJCV 2025, section 3).

features = encoder(image)
logits   = segmentation_branch(features)
D        = hardness_branch(detach(features))        # detached: training the branch leaves the segmenter alone
S        = sigmoid(D)                               # the hardness map
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hlcore.errors import InvalidInputError


class SegmentationOutput(NamedTuple):
    """Output for a batch of images, at the size of the images."""

    logits: Float[Tensor, "N C H W"]
    hardness: Float[Tensor, "N 1 H W"] | None
    """D, before the sigmoid; None without a hardness branch."""


class HardnessSegmenter(nn.Module):
    """A segmentation network with a hardness branch that learns from its features without affecting it.

    Args:
        encoder: image N 3 H W -> features (a tensor, or any nesting of lists, tuples and dicts of tensors).
        segmentation_branch: features -> logits N C h w, at any resolution.
        hardness_branch: features -> D, N 1 h w; None for a plain segmenter.
        stride: images are padded to a multiple of this, and the outputs cropped.
        mean: per channel, on the scale 0..255.
        std: per channel, on the scale 0..255.
        channels_last: pass the image to the encoder in the memory format NHWC, which convolutions keep: faster on
            CPUs and with mixed precision on GPUs. The encoder and the branches must not call `.view` on their input.
    """

    mean: Tensor
    std: Tensor
    backend: str = "torch"
    """What runs the network in evaluation mode."""

    def __init__(
        self,
        encoder: nn.Module,
        segmentation_branch: nn.Module,
        hardness_branch: nn.Module | None,
        *,
        stride: int = 32,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.segmentation_branch = segmentation_branch
        self.hardness_branch = hardness_branch
        self.stride = stride
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> SegmentationOutput:
        """Logits and D of a batch of RGB images N 3 H W in 0..255 (uint8 or float), of any size."""
        features = self.encode(image)
        size = image.shape[-2:]
        logits = self.decode(self.segmentation_branch, features, size)
        if self.hardness_branch is None:
            return SegmentationOutput(logits, None)
        return SegmentationOutput(logits, self.decode(self.hardness_branch, detach_features(features), size))

    def encode(self, image: Tensor) -> Any:
        """Features of a batch of RGB images N 3 H W in 0..255."""
        return self.encoder(self.normalize(image).contiguous(memory_format=self.memory_format))

    def normalize(self, image: Tensor) -> Tensor:
        """The encoder's input for a batch of RGB images N 3 H W in 0..255: normalised, and padded to the stride."""
        return self._pad((image.float() - self.mean) / self.std)

    def decode(self, branch: nn.Module, features: Any, size: Sequence[int]) -> Tensor:
        """Output of a branch, resized to the image size (H, W)."""
        return self.resize(branch(features), size)

    def resize(self, output: Tensor, size: Sequence[int]) -> Tensor:
        """The output of a branch at the image size (H, W)."""
        height, width = size
        padded = self.padded_size(height, width)
        if output.shape[-2:] != padded:
            output = F.interpolate(output, size=padded, mode="bilinear", align_corners=False)
        return output[..., :height, :width]

    def segmenter_parameters(self) -> list[nn.Parameter]:
        """Parameters of the encoder and the segmentation branch."""
        return [*self.encoder.parameters(), *self.segmentation_branch.parameters()]

    def hardness_parameters(self) -> list[nn.Parameter]:
        """Parameters of the hardness branch; empty without one."""
        return [] if self.hardness_branch is None else list(self.hardness_branch.parameters())

    def padded_size(self, height: int, width: int) -> tuple[int, int]:
        """The size to which an image is padded.

        Multiples of the stride, and two strides in all, because norms refuse features of a single pixel.
        """
        padded = (height + -height % self.stride, width + -width % self.stride)
        return (self.stride, 2 * self.stride) if padded == (self.stride, self.stride) else padded

    def _pad(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        padded = self.padded_size(height, width)
        below, right = padded[0] - height, padded[1] - width
        return F.pad(image, (0, right, 0, below), mode="replicate") if below or right else image


def detach_features(features: Any) -> Any:
    """The same nested features, detached from the encoder's graph."""
    if isinstance(features, Tensor):
        return features.detach()
    if isinstance(features, dict):
        return {name: detach_features(feature) for name, feature in features.items()}
    if isinstance(features, tuple) and hasattr(features, "_fields"):
        return type(features)(*map(detach_features, features))
    if isinstance(features, list | tuple):
        return type(features)(map(detach_features, features))
    return features


def copy_branch(segmentation_branch: nn.Module, num_classes: int, *, output_layers: Sequence[str] = ()) -> nn.Module:
    """A deep copy of a segmentation branch with one output channel: the authors' hardness branch.

    Args:
        segmentation_branch: features -> logits.
        num_classes: channels of the logits.
        output_layers: names of the 2-d convolutions whose sum gives the logits. Default: the last
            convolution with `num_classes` output channels.

    Raises:
        InvalidInputError: the branch has no such convolution.
    """
    branch = copy.deepcopy(segmentation_branch)
    if not output_layers:
        output_layers = [
            name
            for name, module in branch.named_modules()
            if isinstance(module, nn.Conv2d) and module.out_channels == num_classes
        ][-1:]
    if not output_layers:
        raise InvalidInputError(
            f"no convolution of {type(segmentation_branch).__name__} has {num_classes} output channels, so it "
            "cannot be copied into a hardness branch; use hardness_branch='light'"
        )
    for name in output_layers:
        one_channel = _make_one_channel_conv(branch.get_submodule(name), name)
        if not name:
            return one_channel
        branch.set_submodule(name, one_channel)
    return branch


_GEOMETRY = ("kernel_size", "stride", "padding", "dilation", "padding_mode")


def _make_one_channel_conv(layer: nn.Module, name: str) -> nn.Conv2d:
    if not isinstance(layer, nn.Conv2d) or layer.groups != 1:
        raise InvalidInputError(f"output layer {name!r} must be an ungrouped Conv2d, got {layer}")
    geometry: dict[str, Any] = {key: getattr(layer, key) for key in _GEOMETRY}
    return nn.Conv2d(layer.in_channels, 1, bias=layer.bias is not None, **geometry)


class HardnessBranch(nn.Module):
    """A hardness branch of a few thousand parameters for the features of any network, which it does not affect.

    A 1x1 projection of each feature to `width` channels, summed at the size of the first, then one 3x3 convolution.

    Args:
        channels: Number of channels of each feature, the finest first; strides of 4, 8 or 16, and 32, say.
        levels: Position of each feature among those that `forward` gets. Default: 0, 1, ...
        norm: Batch norm after each projection; otherwise the level with the largest features, often the coarsest, blurs
            the map.
        width: Number of channels of the projections.

    Example:
        >>> branch = HardnessBranch([24, 320])
        >>> branch([torch.zeros(2, 24, 64, 64), torch.zeros(2, 320, 8, 8)]).shape
        torch.Size([2, 1, 64, 64])
    """

    def __init__(
        self, channels: Sequence[int], *, levels: Sequence[int] | None = None, norm: bool = True, width: int = 16
    ) -> None:
        super().__init__()
        if not channels:
            raise InvalidInputError("a hardness branch needs at least one feature, got no channels")
        self.levels = list(range(len(channels)) if levels is None else levels)
        if norm:
            projections = [nn.Sequential(nn.Conv2d(c, width, 1, bias=False), nn.BatchNorm2d(width)) for c in channels]
        else:
            projections = [nn.Conv2d(c, width, 1) for c in channels]
        self.project = nn.ModuleList(projections)
        self.fuse = nn.Conv2d(width, 1, 3, padding=1)

    @classmethod
    def for_features(
        cls, features: Any, *, image_size: Sequence[int], norm: bool = True, width: int = 16
    ) -> "HardnessBranch":
        """A branch for features like these, of which it uses up to three: finest from stride 4, middle, coarsest.

        Args:
            features: A tensor N C H W, or any nesting of lists, tuples and dicts of them.
            image_size: Height and width of the image that they belong to.
            norm: As above.
            width: As above.

        Raises:
            InvalidInputError: no feature has a stride of 4 or more.
        """
        shapes = [tuple(feature.shape[1:]) for feature in flatten_features(features)]
        levels = choose_levels(shapes, image_height=image_size[0])
        return cls([shapes[level][0] for level in levels], levels=levels, norm=norm, width=width)

    def forward(self, features: Any, size: Sequence[int] | None = None) -> Tensor:
        """D before the sigmoid, N 1 h w, at the resolution of the first feature, or resized to `size`."""
        maps = flatten_features(features)
        if len(maps) <= max(self.levels):
            raise InvalidInputError(
                f"expected at least {max(self.levels) + 1} features N C H W, as the hardness branch was made for, "
                f"got {len(maps)}"
            )
        finest = maps[self.levels[0]].detach()
        fused = self.project[0](finest)
        for level, project in zip(self.levels[1:], list(self.project)[1:], strict=True):
            coarse = project(maps[level].detach())
            fused = fused + F.interpolate(coarse, size=finest.shape[-2:], mode="bilinear")
        D = self.fuse(F.relu(fused))
        return D if size is None else F.interpolate(D, size=tuple(size), mode="bilinear", align_corners=False)


def choose_levels(shapes: Sequence[tuple[int, ...]], *, image_height: int) -> list[int]:
    """Positions of up to three of the features: the finest from stride 4, the middle and the coarsest.

    Args:
        shapes: (channels, height, width) of each feature.
        image_height: Height of the image that they belong to.

    Raises:
        InvalidInputError: no feature has a stride of 4 or more.
    """
    levels = [i for i, (channels, height, _) in enumerate(shapes) if channels and 4 * height <= image_height]
    if not levels:
        raise InvalidInputError(
            "a light hardness branch needs a feature of stride 4 or more; the features (channels, height, width) are "
            f"{list(shapes)}, of an image {image_height} px high"
        )
    levels.sort(key=lambda i: -shapes[i][1])  # finest first; equal sizes keep the encoder's order
    return sorted({levels[0], levels[len(levels) // 2], levels[-1]}, key=levels.index)


def light_branch(encoder: nn.Module, *, image_size: int, norm: bool = True) -> HardnessBranch:
    """A hardness branch for an encoder, whose features are found by running it once."""
    was_training = encoder.training
    encoder.eval()
    with torch.no_grad():
        features = encoder(torch.zeros(1, 3, image_size, image_size))
    encoder.train(was_training)
    try:
        return HardnessBranch.for_features(features, image_size=(image_size, image_size), norm=norm)
    except InvalidInputError as error:
        raise InvalidInputError(f"{error}; use hardness_branch='copy' to train this network") from error


def flatten_features(features: Any) -> list[Tensor]:
    """All N C H W tensors in nested features, in order."""
    if isinstance(features, Tensor):
        return [features] if features.ndim == 4 else []
    if isinstance(features, dict):
        features = list(features.values())
    if not isinstance(features, list | tuple):
        return []
    return [feature for nested in features for feature in flatten_features(nested)]
