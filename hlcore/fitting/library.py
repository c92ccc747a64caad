"""Fit a hardness branch from Python, to your own network and images."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hlcore.config import FitConfig
from hlcore.errors import InvalidInputError, NotFiniteError
from hlcore.fitting.frozen import FrozenBatch
from hlcore.fitting.steps import Fitter
from hlcore.models.hardness import HardnessBranch, choose_levels, flatten_features
from hlcore.models.hooks import FeatureHook
from hlcore.types import IGNORE_INDEX

log = logging.getLogger(__name__)


def fit_hardness(
    model: nn.Module,
    loader: Iterable[Any],
    *,
    modules: Sequence[str],
    steps: int = 600,
    lr: float = 1.0,
    c: float = 0.1,
    hardness_lambda: float = 0.01,
    ignore_index: int = IGNORE_INDEX,
    cache_mb: float = 2048.0,
) -> HardnessBranch:
    """Learn a hardness branch for a trained network, which does not change.

    The network runs once on each batch, if their features fit into `cache_mb`; otherwise the loader is read again for
    each pass, which shuffles and augments anew.

    Args:
        model: Returns logits N C h w, or an object or a dict with `logits` or `out`. It runs in evaluation mode.
        loader: Batches of images, as the model takes them, and label maps N H W (int64); or dicts of the model's
            arguments and `labels`. Variety matters more than whether the network has seen the images, so the training
            images do well.
        modules: Names of the modules whose outputs are the features, as in `FeatureHook`; strides of 4, 8 or 16, and 32
            do well.
        steps: Number of steps, each on one batch.
        lr: Peak learning rate of SGD.
        c: Constant added to the sigmoid before normalisation; bounds the ratio of two weights to (1 + c) : c.
        hardness_lambda: Factor of the loss.
        ignore_index: Label of the pixels that do not count.
        cache_mb: Memory for features, MB, where the model is: on its accelerator, if it has one.

    Returns:
        The branch, in evaluation mode: `branch(hook.features, size)` is the hardness before the sigmoid.

    Raises:
        InvalidInputError: a number or a batch is not valid, or there is no such module, no feature of stride 4 or more,
            or no batch.
        NotFiniteError: the model's output is NaN or infinite.
    """
    if not (steps >= 1 and 0 < lr < math.inf and c >= 0 and 0 < hardness_lambda < math.inf and cache_mb >= 0):
        raise InvalidInputError(
            "steps, lr and hardness_lambda must be positive, c and cache_mb not negative, got "
            f"{steps}, {lr}, {hardness_lambda}, {c} and {cache_mb}"
        )
    hook = FeatureHook(model, modules)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        batches = _Batches(model, hook, loader, ignore_index=ignore_index, cache_mb=cache_mb)
        endless = batches.repeat()
        first = next(endless)
        branch = HardnessBranch([feature.shape[1] for feature in first.features], levels=batches.levels)
        settings = FitConfig(lr=lr, c=c, hardness_lambda=hardness_lambda)
        fitter = Fitter(branch.to(first.ce.device), steps, settings)
        for batch in islice(chain([first], endless), steps):
            with torch.inference_mode(mode=False), torch.enable_grad():
                lift = fitter.step(batch)["hardness_lift"]
            if fitter.done % 100 == 0:
                log.info("step %d of %d: lift %.3f", fitter.done, steps, lift)
    finally:
        hook.remove()
        for module, training in modes:
            module.training = training
    return branch.eval()


class _Batches:
    """The frozen batches of a loader; `levels` are the features of the hook that they hold."""

    def __init__(
        self, model: nn.Module, hook: FeatureHook, loader: Iterable[Any], *, ignore_index: int, cache_mb: float
    ) -> None:
        self.model = model
        self.hook = hook
        self.loader = loader
        self.ignore_index = ignore_index
        self.cache_mb = cache_mb
        self.levels: list[int] = []

    def repeat(self) -> Iterator[FrozenBatch]:
        """Frozen batches without end: those of the first pass again, in another order, if all of them fit.

        Raises:
            InvalidInputError: the loader has no batch.
        """
        kept: list[FrozenBatch] = []
        fits, labelled, megabytes = True, False, 0.0
        for batch in map(self._freeze, self.loader):
            megabytes += batch.megabytes
            fits = fits and megabytes <= self.cache_mb
            labelled = labelled or bool(batch.valid.any())
            if fits:
                kept.append(batch)
            else:
                kept.clear()
            yield batch
        if megabytes and not labelled:
            raise InvalidInputError(f"no pixel of the batches is labelled: all are {self.ignore_index}")
        if not fits:
            log.info("the features of all batches do not fit into %g MB, so the network runs again", self.cache_mb)
        generator = torch.Generator().manual_seed(0)
        while True:
            count = 0
            order = torch.randperm(len(kept), generator=generator).tolist()
            for batch in (kept[index] for index in order) if fits else map(self._freeze, self.loader):
                count += 1
                yield batch
            if not count:
                raise InvalidInputError("the loader has no batches, or cannot be read twice")

    @torch.no_grad()
    def _freeze(self, batch: Any) -> FrozenBatch:
        weights = next(self.model.parameters(), torch.zeros(()))
        arguments, label_map = _split_batch(batch, weights.device)
        output = self.model(**arguments) if isinstance(arguments, dict) else self.model(arguments)
        size = label_map.shape[-2:]
        logits = F.interpolate(_find_logits(output).float(), size=size, mode="bilinear")
        if not torch.isfinite(logits.sum()):
            raise NotFiniteError("the model's output is not finite; its weights or an image may be damaged")
        labels = label_map[label_map != self.ignore_index]
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
            raise InvalidInputError(
                f"expected labels of 0 to {logits.shape[1] - 1}, or ignore_index={self.ignore_index}, got "
                f"{int(labels.min())} to {int(labels.max())}"
            )
        ce = F.cross_entropy(logits, label_map, ignore_index=self.ignore_index, reduction="none")
        maps = flatten_features(self.hook.features)
        if not self.levels:
            self.levels = choose_levels([tuple(feature.shape[1:]) for feature in maps], image_height=size[0])
        features = [maps[level].detach().float().clone() for level in self.levels]
        return FrozenBatch(features, ce, label_map != self.ignore_index, (size[0], size[1]))


def _split_batch(batch: Any, device: torch.device) -> tuple[Any, Tensor]:
    """What the model takes, and the label maps."""
    if isinstance(batch, Mapping) and "labels" in batch:
        arguments = {name: _move(value, device) for name, value in batch.items() if name != "labels"}
        return arguments, _check_labels(batch["labels"], device)
    if isinstance(batch, Sequence) and len(batch) == 2 and isinstance(batch[0], Tensor):
        images, label_map = batch[0].to(device), _check_labels(batch[1], device)
        if images.shape[-2:] != label_map.shape[-2:]:
            raise InvalidInputError(
                f"expected label maps of the images' size {tuple(images.shape[-2:])}, got {tuple(label_map.shape[-2:])}"
            )
        return images, label_map
    raise InvalidInputError(
        f"expected batches of two tensors, images and label maps, or dicts with 'labels', got a {type(batch).__name__}"
    )


def _move(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, Tensor) else value


def _check_labels(label_map: Any, device: torch.device) -> Tensor:
    """The label maps N H W as int64."""
    if not isinstance(label_map, Tensor) or label_map.ndim != 3 or label_map.is_floating_point():
        got = (
            f"shape {tuple(label_map.shape)} of {label_map.dtype}" if isinstance(label_map, Tensor) else type(label_map)
        )
        raise InvalidInputError(f"expected label maps N H W of integers, got {got}")
    return label_map.long().to(device)


def _find_logits(output: Any) -> Tensor:
    """The logits N C h w in what a model returns."""
    if not isinstance(output, Tensor):
        if not isinstance(output, Mapping):
            output = {name: getattr(output, name, None) for name in ("logits", "out")}
        output = output.get("logits") if output.get("logits") is not None else output.get("out")
    if not isinstance(output, Tensor) or output.ndim != 4:
        raise InvalidInputError("expected a model that returns logits N C h w, or an object with `logits` or `out`")
    return output
