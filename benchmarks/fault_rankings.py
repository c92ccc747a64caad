"""Rank pixels, regions and images by how likely their labels are faulty, and tabulate the results."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer

from hlcore.analysis.label_faults import KINDS, PlantedFaults
from hlcore.analysis.label_suspicion import SCORES
from hlcore.analysis.ranking import auroc, average_precision
from hlcore.analysis.statistics import Counts, Estimate, ImageSums, divide, draw_counts

KEYS = ["level", "method", "summary", "kind", "measure"]
PIXEL_METHODS = (*SCORES, "cleanlab quality", "cleanlab issues")
GAIN = "average precision minus that of loss"
"""Paired over the same resamplings, so the interval is narrower than the two separate ones suggest."""
RESAMPLINGS = 200
LOG_SCORES = np.linspace(-7, 2, 1201)
"""Bin edges of log10(score); a bin is 1.7 % wide."""
NUM_BINS = len(LOG_SCORES) + 1
LARGE_PX = 500
"""A fault that changes at least this number of pixels is large."""
GROUPS = tuple((kind, large) for kind in KINDS for large in (False, True))
"""Groups of faults, numbered from 1; 0 is unchanged pixels."""
SELECTIONS = {
    "all": [number for number, _ in enumerate(GROUPS, start=1)],
    **{kind: [number for number, group in enumerate(GROUPS, start=1) if group[0] == kind] for kind in KINDS},
    f"under {LARGE_PX} px": [number for number, group in enumerate(GROUPS, start=1) if not group[1]],
    f"{LARGE_PX} px and more": [number for number, group in enumerate(GROUPS, start=1) if group[1]],
}
"""Selection of faults to its groups; each is ranked against unchanged pixels, without the other faults."""


def group_faults(faults: PlantedFaults) -> Integer[np.ndarray, " n+1"]:
    """The group of each fault 1..n, and 0 for no fault."""
    pixels = np.bincount(faults.faults.ravel(), minlength=len(faults.kinds) + 1)
    groups = [1 + GROUPS.index((kind, bool(px >= LARGE_PX))) for kind, px in zip(faults.kinds, pixels[1:], strict=True)]
    return np.array([0, *groups])


def make_rows(pixels: ImageSums, regions: pd.DataFrame, images: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of the table, one per value."""
    for kind, groups in SELECTIONS.items():
        for method in PIXEL_METHODS:
            ratio = partial(_ranking, rank=average_precision, histograms=method, groups=groups)
            yield _row("pixel", method, "", kind, "average precision", pixels.estimate(ratio))
            gain = partial(_gain, histograms=method, groups=groups)
            yield _row("pixel", method, "", kind, GAIN, pixels.estimate(gain))
        chance = pixels.estimate(partial(_faulty_share, groups=groups))
        yield _row("pixel", "chance", "", kind, "average precision", chance)
        for method in ("1 - hardness", "loss"):
            ratio = partial(_ranking, rank=auroc, histograms=f"disputed {method}", groups=groups)
            yield _row("disputed pixel", method, "", kind, "auroc", pixels.estimate(ratio))
        yield from _exact_rows(regions.loc[regions["group"].isin([0, *groups])], "region", kind)
    for kind, groups in {"unchanged": [0], **SELECTIONS}.items():
        for level, which in (("pixel", ""), ("disputed pixel", "disputed ")):
            hardness = pixels.estimate(partial(_mean_hardness, which=which, groups=groups))
            yield _row(level, "hardness", "mean", kind, "hardness", hardness)
    yield from _exact_rows(images, "image", "all")


def _ranking(
    counts: Counts, *, rank: Callable[..., np.ndarray], histograms: str, groups: Sequence[int]
) -> Float[np.ndarray, "*axes"]:
    """How well a score ranks the pixels of these groups above unchanged pixels."""
    return rank(counts[histograms][..., 0, :], counts[histograms][..., list(groups), :].sum(axis=-2))


def _gain(counts: Counts, *, histograms: str, groups: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    """Average precision of a score minus that of the loss, on the same images."""
    own, plain = (_ranking(counts, rank=average_precision, histograms=h, groups=groups) for h in (histograms, "loss"))
    return own - plain


def _faulty_share(counts: Counts, *, groups: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    """Share of the ranked pixels that belong to these groups."""
    faulty = counts["pixels"][..., list(groups)].sum(axis=-1, keepdims=True)
    return divide(faulty, faulty + counts["pixels"][..., :1])[..., 0]


def _mean_hardness(counts: Counts, *, which: str, groups: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    hardness, pixels = (
        counts[f"{which}{of}"][..., list(groups)].sum(axis=-1, keepdims=True) for of in ("hardness", "pixels")
    )
    return divide(hardness, pixels)[..., 0]


def _exact_rows(table: pd.DataFrame, level: str, kind: str) -> Iterator[dict[str, Any]]:
    """Average precision of each score in a table of regions or images."""
    faulty = np.array(table["group"] > 0)
    drawn = {name: draw_counts(name, resamplings=RESAMPLINGS) for name in sorted(set(table["image"]))}
    weights = np.array([drawn[name] for name in table["image"]], float).reshape(-1, RESAMPLINGS).T
    ranked = {name: _rank_exactly(np.array(table[name], float), faulty, weights) for name in table.columns[2:]}
    for column, precisions in ranked.items():
        method, summary = column.split("/")
        yield _row(level, method, summary, kind, "average precision", _with_interval(precisions))
        if (plain := ranked.get(f"loss/{summary}")) is not None:
            yield _row(level, method, summary, kind, GAIN, _with_interval(precisions - plain))
    shares = divide((weights * faulty).sum(axis=1), weights.sum(axis=1))
    chance = _with_interval(np.array([faulty.mean(), *shares]))
    yield _row(level, "chance", "", kind, "average precision", chance)


def _rank_exactly(
    scores: Float[np.ndarray, " N"], faulty: Bool[np.ndarray, " N"], weights: Float[np.ndarray, "B N"]
) -> Float[np.ndarray, " B+1"]:
    """Exact average precision with ties: over all rows, then over each weighted resampling."""
    values, ranks = np.unique(scores, return_inverse=True)
    sums = np.zeros((2, len(weights) + 1, len(values)))
    all_and_resampled = np.vstack([np.ones(len(scores)), weights])
    for counts, chosen in zip(sums, (~faulty, faulty), strict=True):
        np.add.at(counts.T, ranks[chosen], all_and_resampled[:, chosen].T)
    return average_precision(sums[0], sums[1])


def _with_interval(values: Float[np.ndarray, " B+1"]) -> Estimate:
    """The first value, with the 95 % interval of the finite others; NaN without any."""
    known = values[1:][np.isfinite(values[1:])]
    return Estimate(values[0], *(np.quantile(known, [0.025, 0.975]) if len(known) else np.full(2, np.nan)))


def _row(level: str, method: str, summary: str, kind: str, measure: str, estimate: Estimate) -> dict[str, Any]:
    value, low, high = (float(end) for end in estimate)
    keys = dict(zip(KEYS, (level, method, summary, kind, measure), strict=True))
    return {**keys, "value": value, "low": low, "high": high}


def bin_scores(scores: Float[np.ndarray, " N"]) -> Integer[np.ndarray, " N"]:
    """The bin of each score, by its logarithm."""
    return np.digitize(np.log10(np.maximum(scores, 1e-9)), LOG_SCORES)


def count_by_group(group: Integer[np.ndarray, " N"], bins: Integer[np.ndarray, " N"]) -> Integer[np.ndarray, "G B"]:
    """Number of pixels by group (row; row 0 is unchanged) and bin."""
    rows = len(GROUPS) + 1
    return np.bincount(group * 2 * NUM_BINS + bins, minlength=rows * 2 * NUM_BINS).reshape(rows, -1)
