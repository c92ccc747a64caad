"""Run a network on one image, whole or in a sliding window."""

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, Integer
from torch import Tensor
from torch.nn.modules.dropout import _DropoutNd  # the base class of torch's dropout layers

from hlcore.errors import InvalidInputError, NotFiniteError
from hlcore.models.hardness import HardnessSegmenter, SegmentationOutput
from hlcore.types import Image, LabelMap, PredictionRecord

WHOLE_PX = 4_000_000
"""Pixels of the largest image that is run at once by default: twice a Cityscapes image."""
WINDOW_SIDE_PX = 768
"""Side of the windows of larger images; larger windows take more memory and, on CPUs, more time."""
OVERLAPPED_VALUES = 80_000_000
"""Probabilities (pixels x classes x epochs) up to which an image is predicted while another is measured: 320 MB."""
_ROWS = 256
OVERLAP = 4
"""Neighbouring windows share at least one part in this many of their side."""


def predict(
    network: HardnessSegmenter,
    image: Image,
    *,
    class_names: tuple[str, ...],
    name: str = "image",
    label_map: LabelMap | None = None,
    window: int | None = None,
    mc_dropout: int = 0,
) -> PredictionRecord:
    """Prediction, hardness map and probabilities of one image, at the image's own size.

    The network runs in evaluation mode and is then put back into its previous mode.

    Args:
        network: With a hardness branch.
        image: H W 3 uint8 RGB.
        class_names: Names of the network's classes.
        name: Name of the image.
        label_map: H W class indices with 255 = ignored, if there is one.
        window: Side of a sliding window in px; windows overlap by at least a quarter. None runs images of up to
            WHOLE_PX at once, and larger ones in windows of WINDOW_SIDE_PX, so that memory stays bounded.
        mc_dropout: Number of Monte Carlo dropout passes for `mc_entropy`; 0 for none.

    Raises:
        InvalidInputError: the image is not H W 3 uint8, the network has no hardness branch, or `mc_dropout` is set and
            it has no dropout.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InvalidInputError(f"image must be H W 3 uint8, got shape {image.shape} of {image.dtype}")
    output = run_network(network, image, window=window)
    if output.hardness is None:
        raise InvalidInputError(
            "the network has no hardness branch, so it has no hardness map; learn one with hlcore fit"
        )
    return PredictionRecord(
        name=name,
        image=image,
        prediction=predicted_classes(output.logits)[0]
        .to(torch.uint8 if len(class_names) < 256 else torch.int32)
        .numpy(),
        hardness_map=torch.sigmoid(output.hardness[0, 0]).numpy(),
        probabilities=_softmax_in_place(output.logits[0]).numpy(),
        class_names=class_names,
        label_map=label_map,
        mc_entropy=mc_dropout_entropy(network, image, passes=mc_dropout, window=window) if mc_dropout else None,
    )


@torch.inference_mode()
def run_network(network: HardnessSegmenter, image: Image, *, window: int | None = None) -> SegmentationOutput:
    """Logits 1 C H W and D 1 1 H W of one image, float32 on the CPU.

    Raises:
        NotFiniteError: some of them are not finite.
    """
    with _evaluation_mode(network):
        outputs = _run_windows(lambda pixels: _drop_none(network(pixels)), network, image, window)
    logits, hardness = (*outputs, None)[:2]
    assert logits is not None  # every network has logits
    if not torch.isfinite(logits.sum() + (0 if hardness is None else hardness.sum())):
        raise NotFiniteError("the network's output is not finite; its weights may be damaged, so try another epoch")
    return SegmentationOutput(logits.float().cpu(), None if hardness is None else hardness.float().cpu())


def predicted_classes(logits: Float[Tensor, "N C H W"]) -> Int64[Tensor, "N H W"]:
    """The class with the largest logit at each pixel, the first of equal ones; on CPUs much faster than `argmax`."""
    return logits.max(dim=1).indices


@torch.inference_mode()
def _softmax_in_place(logits: Float[Tensor, "C H W"]) -> Float[Tensor, "C H W"]:
    """Softmax over the classes, row by row, so that a large image needs no second tensor of its size."""
    for rows in logits.split(_ROWS, dim=1):
        rows.copy_(torch.softmax(rows, dim=0))
    return logits


def has_dropout(network: HardnessSegmenter) -> bool:
    """Whether the encoder or the segmentation branch has a dropout layer that is active in training."""
    return any(_dropout_layers(network))


@torch.inference_mode()
def mc_dropout_entropy(
    network: HardnessSegmenter,
    image: Image,
    *,
    passes: int = 20,
    window: int | None = None,
    seed: int = 0,
    targets: Integer[np.ndarray, " C"] | None = None,
) -> Float32[np.ndarray, "H W"]:
    """Entropy of the mean distribution over Monte Carlo dropout passes, in nats, 0 to log(C).

    Only the dropout layers of encoder and segmentation branch are in training mode: batch normalisation and drop-path
    stay in evaluation mode. Features are computed once if the encoder has no dropout. Overlapping windows
    average their distributions. The same seed gives the same map on the same machine. `targets` maps each class of
    the network to a merged class, or to -1 to leave it out; the entropy is then taken over the merged classes.

    Raises:
        InvalidInputError: the network has no dropout, or `passes` is below 1.

    Source: Gal and Ghahramani, ICML 2016.
    """
    if passes < 1:
        raise InvalidInputError(f"Monte Carlo dropout needs at least one pass, got {passes}")
    in_encoder, in_branch = _dropout_layers(network)
    if not has_dropout(network):
        raise InvalidInputError(
            "the network has no dropout, so Monte Carlo dropout would give the same result on every pass; "
            "train one with dropout (such as decoder_aspp_dropout) or leave mc_dropout at 0"
        )

    def mean_distribution(pixels: Tensor) -> list[Tensor]:
        features = network.encode(pixels)
        total = torch.zeros((), device=pixels.device)
        for number in range(passes):
            if in_encoder and number:
                features = network.encode(pixels)
            logits = network.decode(network.segmentation_branch, features, pixels.shape[-2:])
            total = total + torch.softmax(logits.float(), dim=1)
        return [total / passes]

    device = network.mean.device
    with _evaluation_mode(network), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for layer in (*in_encoder, *in_branch):
            layer.train()
        (mean,) = _run_windows(mean_distribution, network, image, window)
    distribution = mean[0]
    if targets is not None:
        kept = torch.from_numpy(targets >= 0).to(device)
        into = torch.from_numpy(targets).to(device)[kept]
        distribution = distribution.new_zeros(distribution.shape).index_add(0, into, distribution[kept])
        if not kept.all():
            total = distribution.sum(dim=0)
            distribution = torch.where(total > 0, distribution / total, 1 / len(distribution))
    return torch.special.entr(distribution).sum(dim=0).clamp_min(0).cpu().numpy()


@contextmanager
def _evaluation_mode(network: HardnessSegmenter) -> Iterator[None]:
    """Put the network into evaluation mode, and each module back into its previous mode afterwards."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


def _dropout_layers(network: HardnessSegmenter) -> tuple[list[_DropoutNd], list[_DropoutNd]]:
    """Dropout layers of the encoder, and of the segmentation branch."""
    encoder, branch = (
        [module for module in part.modules() if isinstance(module, _DropoutNd) and module.p > 0]
        for part in (network.encoder, network.segmentation_branch)
    )
    return encoder, branch


def _drop_none(output: SegmentationOutput) -> list[Tensor]:
    return [tensor for tensor in output if tensor is not None]


def _run_windows(
    run: Callable[[Tensor], list[Tensor]], network: HardnessSegmenter, image: Image, window: int | None
) -> list[Tensor]:
    """Tensors 1 K H W from `run`, on the whole image or averaged over the windows that cover each pixel.

    A window counts less towards its edges, where it sees less of the surroundings, so that no seam shows.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].to(network.mean.device)
    height, width = pixels.shape[-2:]
    if window is None and height * width > WHOLE_PX:
        window = WINDOW_SIDE_PX
    if window is None or max(height, width) <= window:
        return run(pixels)
    if window < network.stride:
        raise InvalidInputError(f"window must be at least the network's stride {network.stride} px, got {window}")
    sums: list[Tensor] = []
    weight_sum = torch.zeros(1, 1, height, width, device=pixels.device)
    slices = (_window_slices(length, window, network.stride) for length in (height, width))
    for rows, columns in itertools.product(*slices):
        parts = run(pixels[..., rows, columns])
        sums = sums or [weight_sum.new_zeros((1, part.shape[1], height, width)) for part in parts]
        weight = _window_weight(parts[0], window)
        for total, part in zip(sums, parts, strict=True):
            total[..., rows, columns] += weight * part
        weight_sum[..., rows, columns] += weight
    return [total.div_(weight_sum) for total in sums]


def _window_weight(part: Tensor, window: int) -> Tensor:
    """Weight of each pixel of a window, (h, w): 1 in the middle, falling linearly over the overlap to the edges."""
    ramps = []
    for length in part.shape[-2:]:
        at = torch.arange(length, device=part.device) + 0.5
        ramps.append((torch.minimum(at, length - at) / (window / OVERLAP)).clamp_max(1))
    return ramps[0][:, None] * ramps[1]


def _window_slices(length: int, window: int, stride: int) -> Iterator[slice]:
    """Slices of at most `window` px that cover `length` px and overlap by at least a quarter.

    They start at multiples of the network's stride, where it samples the whole image too.
    """
    step = max(stride, int(window - window / OVERLAP) // stride * stride)
    last = max(0, math.ceil((length - window) / stride) * stride)
    for start in (*range(0, last, step), last):
        yield slice(start, min(start + window, length))
