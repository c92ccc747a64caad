"""Fit a hardness branch from Python, to your own network and images."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hlcore.config import FitConfig
from hlcore.errors import InvalidInputError
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
            arguments and `labels`. Varied images count for more than unseen ones, so the training images do well.
        modules: Names of the modules whose outputs are the features, as in `FeatureHook`; strides of 4, 8 or 16, and 32
            do well.
        steps: Number of steps, each on one batch.
        lr: Peak learning rate of SGD.
        c: Constant added to the sigmoid before normalisation; bounds the ratio of two weights to (1 + c) : c.
        hardness_lambda: Factor of the loss.
        ignore_index: Label of the pixels that do not count.
        cache_mb: Memory for features, MB.

    Returns:
        The branch, in evaluation mode: `branch(hook.features, size)` is the hardness before the sigmoid.

    Raises:
        InvalidInputError: a number is not valid, or there is no such module, no feature of stride 4 or more, or no
            batch.
    """
    if steps < 1 or lr <= 0 or c < 0 or hardness_lambda <= 0:
        raise InvalidInputError(
            "steps, lr and hardness_lambda must be positive and c not negative, got "
            f"{steps}, {lr}, {hardness_lambda} and {c}"
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
        kept, fits, megabytes = [], True, 0.0
        for batch in map(self._freeze, self.loader):
            megabytes += batch.megabytes
            fits = fits and megabytes <= self.cache_mb
            kept = [*kept, batch] if fits else []
            yield batch
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
        arguments, label_map = _split_batch(batch, next(self.model.parameters()).device)
        output = self.model(**arguments) if isinstance(arguments, dict) else self.model(arguments)
        size = label_map.shape[-2:]
        logits = F.interpolate(_find_logits(output).float(), size=size, mode="bilinear")
        ce = F.cross_entropy(logits, label_map, ignore_index=self.ignore_index, reduction="none")
        maps = flatten_features(self.hook.features)
        if not self.levels:
            self.levels = choose_levels([tuple(feature.shape[1:]) for feature in maps], image_height=size[0])
        features = [maps[level].detach().float().clone() for level in self.levels]
        return FrozenBatch(features, ce, label_map != self.ignore_index, (size[0], size[1]))


def _split_batch(batch: Any, device: torch.device) -> tuple[Any, Tensor]:
    """What the model takes, and the label maps."""
    if isinstance(batch, Mapping) and "labels" in batch:
        return {name: value.to(device) for name, value in batch.items() if name != "labels"}, batch["labels"].to(device)
    if isinstance(batch, Sequence) and len(batch) == 2:
        return batch[0].to(device), batch[1].to(device)
    raise InvalidInputError(
        f"expected batches of images and label maps, or dicts with 'labels', got a {type(batch).__name__}"
    )


def _find_logits(output: Any) -> Tensor:
    """The logits N C h w in what a model returns."""
    if not isinstance(output, Tensor):
        named = output if isinstance(output, Mapping) else getattr(output, "__dict__", {})
        output = named.get("logits", named.get("out"))
    if not isinstance(output, Tensor) or output.ndim != 4:
        raise InvalidInputError("expected a model that returns logits N C h w, or an object with `logits` or `out`")
    return output
