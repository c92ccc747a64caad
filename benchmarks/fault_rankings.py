"""Rankings of what may be faulty, and the rows of a table made of them."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer

from hlcore.analysis.label_faults import KINDS
from hlcore.analysis.label_suspicion import SCORES
from hlcore.analysis.ranking import auroc, average_precision
from hlcore.analysis.statistics import Counts, Estimate, ImageSums, divide, times_drawn

KEYS = ["level", "method", "summary", "kind", "measure"]
PIXEL_METHODS = (*SCORES, "cleanlab quality", "cleanlab issues")
GAIN = "average precision minus that of loss"
"""Measured on the same resamplings, so its interval is narrower than those of the two suggest."""
RESAMPLINGS = 200
LOG_SCORES = np.linspace(-7, 2, 3001)
"""Edges of the bins of log10(score) in which pixels are counted: a bin is 0.7 % wide."""
NUM_BINS = len(LOG_SCORES) + 1


def rows_of(pixels: ImageSums, regions: pd.DataFrame, images: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row a value."""
    for kind in ("all", *KINDS):
        kinds = range(1, len(KINDS) + 1) if kind == "all" else [1 + KINDS.index(kind)]
        for method in PIXEL_METHODS:
            ratio = partial(_ranking, rank=average_precision, histograms=method, kinds=kinds)
            yield _row("pixel", method, "", kind, "average precision", pixels.estimate(ratio))
            gain = partial(_gain, histograms=method, kinds=kinds)
            yield _row("pixel", method, "", kind, GAIN, pixels.estimate(gain))
        chance = pixels.estimate(partial(_faulty_share, kinds=kinds))
        yield _row("pixel", "chance", "", kind, "average precision", chance)
        for method in ("1 - hardness", "loss"):
            ratio = partial(_ranking, rank=auroc, histograms=f"disputed {method}", kinds=kinds)
            yield _row("disputed pixel", method, "", kind, "auroc", pixels.estimate(ratio))
        yield from _exact(regions if kind == "all" else regions.loc[regions["kind"].isin(["", kind])], "region", kind)
    for number, kind in enumerate(("unchanged", *KINDS)):
        for level, which in (("pixel", ""), ("disputed pixel", "disputed ")):
            hardness = pixels.estimate(partial(_mean_hardness, which=which, number=number))
            yield _row(level, "hardness", "mean", kind, "hardness", hardness)
    yield from _exact(images, "image", "all")


def _ranking(
    counts: Counts, *, rank: Callable[..., np.ndarray], histograms: str, kinds: Sequence[int]
) -> Float[np.ndarray, "*axes"]:
    """How well a score ranks the pixels of these kinds above the unchanged."""
    return rank(counts[histograms][..., 0, :], counts[histograms][..., list(kinds), :].sum(axis=-2))


def _gain(counts: Counts, *, histograms: str, kinds: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    """Average precision of a score minus that of the loss, on the same images."""
    own, plain = (_ranking(counts, rank=average_precision, histograms=h, kinds=kinds) for h in (histograms, "loss"))
    return own - plain


def _faulty_share(counts: Counts, *, kinds: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    """Share of the pixels ranked that are of these kinds."""
    faulty = counts["pixels"][..., list(kinds)].sum(axis=-1, keepdims=True)
    return divide(faulty, faulty + counts["pixels"][..., :1])[..., 0]


def _mean_hardness(counts: Counts, *, which: str, number: int) -> Float[np.ndarray, "*axes"]:
    return divide(counts[f"{which}hardness"], counts[f"{which}pixels"])[..., number]


def _exact(table: pd.DataFrame, level: str, kind: str) -> Iterator[dict[str, Any]]:
    """Average precision of each score of a table of regions or images."""
    faulty = np.array(table["kind"] != "")
    drawn = {name: times_drawn(name, resamplings=RESAMPLINGS) for name in sorted(set(table["image"]))}
    weights = np.array([drawn[name] for name in table["image"]], float).reshape(-1, RESAMPLINGS).T
    ranked = {name: _ranked(np.array(table[name], float), faulty, weights) for name in table.columns[2:]}
    for column, precisions in ranked.items():
        method, summary = column.split("/")
        yield _row(level, method, summary, kind, "average precision", _with_interval(precisions))
        if (plain := ranked.get(f"loss/{summary}")) is not None:
            yield _row(level, method, summary, kind, GAIN, _with_interval(precisions - plain))
    shares = divide((weights * faulty).sum(axis=1), weights.sum(axis=1))
    chance = _with_interval(np.array([faulty.mean(), *shares]))
    yield _row(level, "chance", "", kind, "average precision", chance)


def _ranked(
    scores: Float[np.ndarray, " N"], faulty: Bool[np.ndarray, " N"], weights: Float[np.ndarray, "B N"]
) -> Float[np.ndarray, " B+1"]:
    """Exact average precision, equal scores tied: of all, then of each resampling by its weights."""
    values, ranks = np.unique(scores, return_inverse=True)
    sums = np.zeros((2, len(weights) + 1, len(values)))
    all_and_resampled = np.vstack([np.ones(len(scores)), weights])
    for counts, chosen in zip(sums, (~faulty, faulty), strict=True):
        np.add.at(counts.T, ranks[chosen], all_and_resampled[:, chosen].T)
    return average_precision(sums[0], sums[1])


def _with_interval(values: Float[np.ndarray, " B+1"]) -> Estimate:
    """The first value, with the 95 % interval of the others that are known; NaN where none is."""
    known = values[1:][np.isfinite(values[1:])]
    return Estimate(values[0], *(np.quantile(known, [0.025, 0.975]) if len(known) else np.full(2, np.nan)))


def _row(level: str, method: str, summary: str, kind: str, measure: str, estimate: Estimate) -> dict[str, Any]:
    value, low, high = (float(end) for end in estimate)
    keys = dict(zip(KEYS, (level, method, summary, kind, measure), strict=True))
    return {**keys, "value": value, "low": low, "high": high}


def bins_of(scores: Float[np.ndarray, " N"]) -> Integer[np.ndarray, " N"]:
    """The bin of each score, by its logarithm."""
    return np.digitize(np.log10(np.maximum(scores, 1e-9)), LOG_SCORES)


def histograms_of(kind: Integer[np.ndarray, " N"], bins: Integer[np.ndarray, " N"]) -> Integer[np.ndarray, "K B"]:
    """Number of pixels by kind (row) and bin."""
    rows = len(KINDS) + 1
    return np.bincount(kind * 2 * NUM_BINS + bins, minlength=rows * 2 * NUM_BINS).reshape(rows, -1)
