"""The hardness loss as a module, for your own training loops."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from hlcore.errors import InvalidInputError
from hlcore.training.losses import hardness_weight
from hlcore.types import IGNORE_INDEX


class HardnessTerms(NamedTuple):
    """The terms of one batch, as scalars without gradient."""

    segmentation: Tensor
    """L_seg: the weighted mean cross entropy, nats."""
    hardness: Tensor
    """L_hard: -lambda times the same."""
    mean_ce: Tensor
    """Mean cross entropy over the labelled pixels, nats."""
    hardness_lift: Tensor
    """L_seg / mean_ce: 1 if the weighting has no effect; NaN without a labelled pixel."""


class HardnessLoss(nn.Module):
    """The loss of a segmentation network and its hardness branch, in place of cross entropy.

    L_seg trains the network; L_hard trains the hardness branch alone, as long as the branch gets detached features, as
    `HardnessBranch` sees to. Computed in float32.

    The weights sum to 1 over the batch, so "mean" is a weighted mean. "none" gives a map whose mean over the labelled
    pixels is that mean, and "sum" the sum of the map.

    Args:
        ignore_index: Label of the pixels that do not count.
        reduction: "mean", "sum" or "none".
        c: Constant added to the hardness before normalisation; bounds the ratio of two weights to (1 + c) : c.
        hardness_lambda: Factor of L_hard.
        normalize: Whether weights sum to 1 over the "batch" (the authors' code) or over each "image" (the paper's
            figure).
        count_ignored: Give ignored pixels a share of the weights, as the authors' code does.

    Raises:
        InvalidInputError: a setting is not valid.

    Example:
        >>> criterion = HardnessLoss()
        >>> logits, hardness_logits = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
        >>> loss = criterion(logits, torch.ones(1, 4, 4, dtype=torch.int64), hardness_logits)
        >>> round(loss.item(), 4), round(criterion.terms.segmentation.item(), 4)
        (1.0876, 1.0986)

    Source: Xiao et al., IJCV 2025, section 3.2.
    """

    terms: HardnessTerms
    """The terms of the last batch; NaN before the first."""

    def __init__(
        self,
        *,
        ignore_index: int = IGNORE_INDEX,
        reduction: Literal["mean", "sum", "none"] = "mean",
        c: float = 0.1,
        hardness_lambda: float = 0.01,
        normalize: Literal["batch", "image"] = "batch",
        count_ignored: bool = False,
    ) -> None:
        super().__init__()
        _check_choice("reduction", reduction, ("mean", "sum", "none"))
        _check_choice("normalize", normalize, ("batch", "image"))
        if c < 0 or hardness_lambda <= 0:
            raise InvalidInputError(
                f"c must not be negative and hardness_lambda must be positive, got {c} and {hardness_lambda}"
            )
        self.ignore_index = ignore_index
        self.reduction = reduction
        self.c = c
        self.hardness_lambda = hardness_lambda
        self.normalize = normalize
        self.count_ignored = count_ignored
        self.terms = HardnessTerms(*[torch.tensor(torch.nan)] * 4)

    def forward(
        self,
        logits: Float[Tensor, "N C h w"],
        label_map: Int64[Tensor, "N H W"],
        hardness_logits: Float[Tensor, "N 1 k l"],
    ) -> Tensor:
        """L_seg + L_hard; `terms` then holds both.

        Args:
            logits: Output of the network. At another size than the label map, it is resized bilinearly.
            label_map: Class indices, or `ignore_index`.
            hardness_logits: Output of the hardness branch, before the sigmoid; resized as well.

        Returns:
            A scalar, or N H W with the reduction "none".

        Raises:
            InvalidInputError: the shapes do not fit.
        """
        size = label_map.shape[-2:]
        shapes = [tuple(one.shape) for one in (logits, label_map, hardness_logits)]
        fits = [len(shape) for shape in shapes] == [4, 3, 4] and len({shape[0] for shape in shapes}) == 1
        if not fits or shapes[2][1] != 1 or label_map.dtype != torch.int64:
            raise InvalidInputError(
                "expected logits N C h w, label_map N H W of int64 and hardness_logits N 1 h w, got "
                f"{shapes[0]}, {shapes[1]} of {label_map.dtype} and {shapes[2]}"
            )
        valid = label_map != self.ignore_index
        ce = F.cross_entropy(_resize(logits.float(), size), label_map, ignore_index=self.ignore_index, reduction="none")
        S = torch.sigmoid(_resize(hardness_logits.float(), size)[:, 0])
        w = hardness_weight(S, valid, c=self.c, normalize=self.normalize, count_ignored=self.count_ignored)
        L_seg, L_hard = w.detach() * ce, -self.hardness_lambda * w * ce.detach()
        pixels = valid.sum()
        mean_ce = (ce.sum() / pixels.clamp_min(1)).detach()
        weighted = L_seg.sum().detach()
        self.terms = HardnessTerms(weighted, L_hard.sum().detach(), mean_ce, weighted / mean_ce)
        match self.reduction:
            case "mean":
                return (L_seg + L_hard).sum()
            case "sum":
                return (L_seg + L_hard).sum() * pixels
            case _:
                return (L_seg + L_hard) * pixels

    def extra_repr(self) -> str:
        """The settings, as `print` shows them."""
        names = ("ignore_index", "reduction", "c", "hardness_lambda", "normalize", "count_ignored")
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in names)


def _resize(tensor: Tensor, size: torch.Size) -> Tensor:
    return tensor if tensor.shape[-2:] == size else F.interpolate(tensor, size=size, mode="bilinear")


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidInputError(f"{name} must be one of {', '.join(known)}, got {value!r}")
