"""Runs a network over one image, whole or in a sliding window, and returns a PredictionRecord."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from hlcore.errors import InvalidInputError
from hlcore.models.hardness import HardnessSegmenter, SegmentationOutput
from hlcore.types import Image, LabelMap, PredictionRecord


def predict(
    network: HardnessSegmenter,
    image: Image,
    *,
    class_names: tuple[str, ...],
    name: str = "image",
    label_map: LabelMap | None = None,
    window: int | None = None,
) -> PredictionRecord:
    """What the network says about one image, at the image's own size.

    The network is used in evaluation mode and left in the mode it was in.

    Args:
        network: With a hardness branch.
        image: H W 3 uint8 RGB.
        class_names: Names of the network's classes.
        name: Name of the image.
        label_map: H W class indices with 255 = ignored, where known.
        window: Side of a sliding window in px that overlaps by half; None runs the whole image at once.

    Raises:
        InvalidInputError: the image is not H W 3 uint8, or the network has no hardness branch.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
        raise InvalidInputError(f"image must be H W 3 uint8, got shape {image.shape} of {image.dtype}")
    output = run_network(network, image, window=window)
    if output.hardness is None:
        raise InvalidInputError(
            "the network has no hardness branch, so it has no hardness map; train it with loss.observe_hardness"
        )
    return PredictionRecord(
        name=name,
        image=image,
        prediction=output.logits[0].argmax(0).to(torch.uint8 if len(class_names) < 256 else torch.int32).numpy(),
        hardness_map=torch.sigmoid(output.hardness[0, 0]).numpy(),
        probabilities=torch.softmax(output.logits[0], dim=0).numpy(),
        class_names=class_names,
        label_map=label_map,
    )


@torch.inference_mode()
def run_network(network: HardnessSegmenter, image: Image, *, window: int | None = None) -> SegmentationOutput:
    """Logits 1 C H W and D 1 1 H W of one image, float32 on the CPU."""
    was_training = network.training
    network.eval()
    try:
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].to(network.mean.device)
        if window is None or max(image.shape[:2]) <= window:
            logits, hardness = network(pixels)
        else:
            logits, hardness = _sliding_window(network, pixels, window)
    finally:
        network.train(was_training)
    return SegmentationOutput(logits.float().cpu(), None if hardness is None else hardness.float().cpu())


def _sliding_window(network: HardnessSegmenter, pixels: Tensor, window: int) -> SegmentationOutput:
    """Logits and D averaged over the windows that cover a pixel."""
    if window < network.stride:
        raise InvalidInputError(f"window must be at least the network's stride {network.stride} px, got {window}")
    height, width = pixels.shape[-2:]
    logits = hardness = None
    covered = torch.zeros(1, 1, height, width, device=pixels.device)
    for rows, columns in itertools.product(_windows(height, window), _windows(width, window)):
        part = network(pixels[..., rows, columns])
        if logits is None:
            logits = pixels.new_zeros((1, part.logits.shape[1], height, width), dtype=torch.float32)
            hardness = None if part.hardness is None else torch.zeros_like(covered)
        logits[..., rows, columns] += part.logits
        if hardness is not None and part.hardness is not None:
            hardness[..., rows, columns] += part.hardness
        covered[..., rows, columns] += 1
    assert logits is not None  # an image has at least one window
    return SegmentationOutput(logits / covered, None if hardness is None else hardness / covered)


def _windows(length: int, window: int) -> Iterator[slice]:
    """Slices of `window` px that cover `length` px, evenly spaced and overlapping by at least half."""
    if length <= window:
        yield slice(0, length)
        return
    count = math.ceil((length - window) / (window / 2)) + 1
    for start in np.linspace(0, length - window, count).round().astype(int).tolist():
        yield slice(start, start + window)
