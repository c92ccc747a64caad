"""The equations of training: the hardness objective and the losses it is compared with.

Everything is computed in float32 whatever the network's precision. The names are the paper's
(Xiao et al., IJCV 2025, section 3.2):

    S      = sigmoid(D)
    w      = (S + c) / sum(S + c)
    L_seg  = sum_i detach(w_i) * ce_i                 trains encoder and segmentation branch
    L_hard = -lambda * sum_i w_i * detach(ce_i)       trains the hardness branch, which maximises the weighted loss

The learning rate of the branch is part of the method: L_hard is linear in S. With W = sum_j w_j ce_j, S_i moves along

    -dL_hard/dS_i = lambda * (ce_i - W) / sum_j (S_j + c)

so S_i tends to 1 wherever ce_i is above the weighted mean loss W and to 0 elsewhere. A branch that learns as fast as
the segmenter gets there within an epoch and then follows the current loss. Under SGD, lambda = 0.01 makes it a hundred
times slower, so S reflects the loss over many epochs and stays graded. AdamW cancels lambda. The branch therefore has
its own optimizer (OptimConfig).
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

from hlcore.config import LossConfig
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX


class LossTerms(NamedTuple):
    """The loss of one batch, as scalars; `total` carries the gradient, the others are for logging."""

    total: Tensor
    """L_seg + L_hard."""
    mean_ce: Tensor
    """Mean cross entropy over the labelled pixels, nats."""
    weighted_ce: Tensor
    """sum(w * ce), nats; NaN without hardness."""
    hardness_lift: Tensor
    """weighted_ce / mean_ce: 1 if the weighting has no effect, at most (1 + c) / c if w sums to 1 over the batch.
    NaN without hardness or without a labelled pixel."""


def training_loss(
    logits: Float[Tensor, "N C H W"],
    hardness: Float[Tensor, "N 1 H W"] | None,
    label_map: Int64[Tensor, "N H W"],
    config: LossConfig,
    *,
    class_weights: Float[Tensor, " C"] | None = None,
    fixed_hardness: Float[Tensor, "N H W"] | None = None,
) -> LossTerms:
    """The loss of one batch under any of the five objectives.

    Args:
        logits: Output of the segmentation branch.
        hardness: D, the output of the hardness branch, or None if the network has none.
        label_map: Class indices, 255 = ignored.
        config: The objective and its constants.
        class_weights: One weight per class, for `balanced_ce`.
        fixed_hardness: Saved hardness maps S, from which w is computed instead of from the network's own.

    Raises:
        InvalidInputError: the objective needs hardness or class weights that are missing.
    """
    if config.name == "hardness" and hardness is None and fixed_hardness is None:
        raise InvalidInputError("loss 'hardness' needs a network with a hardness branch, or saved hardness maps")
    valid = label_map != IGNORE_INDEX
    ce = cross_entropy_map(logits, label_map)
    mean_ce = _mean(ce, valid)
    w, L_hard = None, torch.zeros_like(mean_ce)
    if hardness is not None:
        S = torch.sigmoid(hardness.float().squeeze(1))
        w = hardness_weight(S, valid, c=config.c, normalize=config.normalize, count_ignored=config.count_ignored)
        L_hard = -config.hardness_lambda * (w * ce.detach()).sum()
    if fixed_hardness is not None:
        S = fixed_hardness.float()
        w = hardness_weight(S, valid, c=config.c, normalize=config.normalize, count_ignored=config.count_ignored)
    weighted_ce = torch.full_like(mean_ce, torch.nan) if w is None else (w.detach() * ce).sum()

    if config.name != "hardness":
        L_seg = _baseline(ce, valid, label_map, config, class_weights)
    elif config.with_ohem and w is not None:
        kept = torch.where(
            ohem_kept(ce, valid, threshold=config.ohem_threshold, keep=config.ohem_keep), w.detach(), 0.0
        )
        L_seg = (kept * ce).sum() / kept.sum().clamp_min(torch.finfo(ce.dtype).tiny)
    else:
        L_seg = weighted_ce
    lift = weighted_ce.detach() / mean_ce.detach()
    return LossTerms(L_seg + L_hard, mean_ce.detach(), weighted_ce.detach(), lift)


def cross_entropy_map(logits: Float[Tensor, "N C H W"], label_map: Int64[Tensor, "N H W"]) -> Float[Tensor, "N H W"]:
    """Cross entropy of each pixel in nats, float32; 0 where ignored."""
    return F.cross_entropy(logits.float(), label_map, ignore_index=IGNORE_INDEX, reduction="none")


def hardness_weight(
    S: Float[Tensor, "N H W"],
    valid: Bool[Tensor, "N H W"],
    *,
    c: float = 0.1,
    normalize: str = "batch",
    count_ignored: bool = False,
) -> Float[Tensor, "N H W"]:
    """The hardness weight of each pixel; it sums to 1 over the batch, or to 0 if no pixel counts.

    Args:
        S: Hardness map in (0, 1).
        valid: Where a pixel is labelled.
        c: Bounds the ratio of two weights in a batch, or in an image, to (1 + c) : c.
        normalize: `batch`: w sums to 1 over all pixels of the batch, as in the authors' code.
            `image`: w sums to the same over each labelled image, as in the paper's figure.
        count_ignored: Give ignored pixels a share of the weight, as the authors' code does.

    Source: Xiao et al., IJCV 2025, the normalisation of the hardness level.
    """
    counted = torch.ones_like(valid) if count_ignored else valid
    raw = torch.where(counted, S + c, 0.0)
    if normalize == "batch":
        return raw / raw.sum().clamp_min(torch.finfo(raw.dtype).tiny)
    per_image = raw.sum(dim=(1, 2), keepdim=True)
    images = (per_image > 0).sum().clamp_min(1)
    return raw / per_image.clamp_min(torch.finfo(raw.dtype).tiny) / images


def _baseline(ce: Tensor, valid: Tensor, label_map: Tensor, config: LossConfig, class_weights: Tensor | None) -> Tensor:
    match config.name:
        case "balanced_ce":
            if class_weights is None:
                raise InvalidInputError(
                    "balanced_ce needs class_weights; compute them with median_frequency_weights(...)"
                )
            return balanced_cross_entropy(ce, valid, label_map, class_weights)
        case "ohem":
            return ohem_cross_entropy(ce, valid, threshold=config.ohem_threshold, keep=config.ohem_keep)
        case "focal":
            return focal_loss(ce, valid, gamma=config.focal_gamma)
        case _:
            return _mean(ce, valid)


def balanced_cross_entropy(
    ce: Float[Tensor, "N H W"],
    valid: Bool[Tensor, "N H W"],
    label_map: Int64[Tensor, "N H W"],
    class_weights: Float[Tensor, " C"],
) -> Tensor:
    """Mean cross entropy weighted by class, nats."""
    weight = torch.where(valid, class_weights.to(ce)[torch.where(valid, label_map, 0)], 0.0)
    return (weight * ce).sum() / weight.sum().clamp_min(torch.finfo(ce.dtype).tiny)


def median_frequency_weights(pixel_counts: Int64[Tensor, " C"]) -> Float[Tensor, " C"]:
    """Weight of each class: the median class frequency divided by its own; 1 for a class that never occurs.

    Frequencies are shares of all pixels, not only of those in images that contain the class.

    Example:
        >>> median_frequency_weights(torch.tensor([8, 4, 1, 0]))
        tensor([0.5000, 1.0000, 4.0000, 1.0000])

    Source: Eigen & Fergus, ICCV 2015; used on CamVid by SegNet.
    """
    counts = pixel_counts.double()
    present = counts > 0
    median = counts[present].quantile(0.5) if bool(present.any()) else counts.new_ones(())
    return torch.where(present, median / counts.clamp_min(1), 1.0).float()


def ohem_cross_entropy(
    ce: Float[Tensor, "N H W"], valid: Bool[Tensor, "N H W"], *, threshold: float = 0.7, keep: float = 1 / 16
) -> Tensor:
    """Mean cross entropy of the pixels that `ohem_kept` keeps, nats.

    Source: online hard example mining, Shrivastava et al., CVPR 2016, in its usual form for segmentation.
    """
    return _mean(ce, ohem_kept(ce, valid, threshold=threshold, keep=keep))


def ohem_kept(
    ce: Float[Tensor, "N H W"], valid: Bool[Tensor, "N H W"], *, threshold: float, keep: float
) -> Bool[Tensor, "N H W"]:
    """The hard pixels: label probability up to `threshold`, and at least the share `keep` of the labelled ones."""
    losses = ce.detach()[valid]
    if losses.numel() == 0:
        return valid
    least_hard = torch.topk(losses, max(1, math.ceil(keep * losses.numel()))).values[-1]
    by_threshold = -math.log(max(threshold, torch.finfo(torch.float32).tiny))
    return valid & (ce.detach() >= least_hard.clamp_max(by_threshold))


def focal_loss(ce: Float[Tensor, "N H W"], valid: Bool[Tensor, "N H W"], *, gamma: float = 2.0) -> Tensor:
    """Mean of (1 - p)^gamma * ce over the labelled pixels, p the probability of the label.

    Source: Lin et al., ICCV 2017.
    """
    one_minus_p = -torch.expm1(-ce)
    # the floor keeps the gradient of a fractional power finite where p = 1
    return _mean(one_minus_p.clamp_min(torch.finfo(ce.dtype).tiny) ** gamma * ce, valid)


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid pixels; 0, with zero gradient, if there are none."""
    return torch.where(valid, values, 0.0).sum() / valid.sum().clamp_min(1)
