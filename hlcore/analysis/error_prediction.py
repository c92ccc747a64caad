"""How well each score finds wrong pixels: AUROC, AP, FPR95, AURC and risk-coverage curves over all labelled pixels.

Each image adds histograms of its right and wrong pixels by score, near predicted edges and away from them. The
histograms have a fixed size, so memory does not depend on the number of pixels; `bound` is the largest binning error.

The regions are separated by distance to the PREDICTED edge (d <= 2 px). They show whether a score contains more than
where the predicted class changes, so that distance is held fixed. A missed object has no predicted edge and counts as
interior, where only a score that contains more can find it; by the label's edge it would be all edge. The regions also
exist without labels.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from hlcore.analysis import ranking
from hlcore.analysis.boundaries import EDGE_PX, edge_distance
from hlcore.analysis.scores import BINS, SCORES, Bins, Score, list_scores
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.types import PredictionRecord

Histograms = Float[np.ndarray, "*axes S B"]
"""Pixels by score and bin."""
Region = Literal["all", "edge", "interior"]
REGIONS: tuple[Region, ...] = ("all", "edge", "interior")

BASELINE = "hardness"
METRICS = ("auroc", "ap", "fpr95", "aurc", "error_rate")
DIFFERENCES = {"auroc_minus_hardness": "auroc", "ap_minus_hardness": "ap"}
"""A score's metric minus that of hardness on the same images; the interval is paired, so a difference may be clear
although the two intervals overlap."""
STANDINGS = ("loses to", "beats", "cannot be told apart from")
"""How hardness compares with another score."""

CURVE_COLUMNS = (
    "score",
    "region",
    "pixels_share",
    "errors_share",
    "precision",
    "false_positive_share",
    "risk",
    "threshold",
    "low",
    "high",
)
SHARES = np.unique(np.concatenate([[0.001, 0.002, 0.005], np.arange(101) / 100]))
"""Shares of flagged pixels at which a curve has points."""


def count(record: PredictionRecord) -> Counts:
    """Labelled pixels of one image by score, edge or interior, right or wrong, and bin of the score.

    A score that the record lacks (Monte Carlo dropout) adds nothing. Imported scores follow those of SCORES.

    Raises:
        InvalidInputError: the record has no label map.
    """
    valid = record.valid
    near = edge_distance(record, "prediction")[valid] <= EDGE_PX
    group = (2 * ~near + record.error[valid]) * BINS
    known = list_scores(record.scores)
    pixels = np.zeros((len(known), 2, 2, BINS))
    for counted, score in zip(pixels, known.values(), strict=True):
        values = score.measure(record)
        if values is not None:
            at = group + score.bins.index(values[valid])
            counted[:] = np.bincount(at, minlength=4 * BINS).reshape(2, 2, BINS)
    return {"pixels": pixels}


def make_tables(sums: ImageSums, imported: Iterable[str] = ()) -> dict[str, pd.DataFrame]:
    """The tables "scores" and "risk_curves".

    Scores that some image lacks and regions without a pixel have no row.

    Args:
        sums: From `count`.
        imported: Names of the records' further `scores`; in the tables they follow IMPORTED_PREFIX.

    Raises:
        InvalidInputError: no image was added.
    """
    known = list_scores(imported)
    return {"scores": score_table(sums, known), "risk_curves": risk_curves(sums, known)}


def score_table(sums: ImageSums, known: Mapping[str, Score] = SCORES) -> pd.DataFrame:
    """Columns score, region, metric, bound, value, low, high.

    `bound` is the largest binning error of `value`; `low` and `high` are the ends of the 95 % interval over images.
    Lower is better for fpr95 and aurc, higher for auroc and ap.
    """
    rows = []
    for region in REGIONS:
        estimate = sums.estimate(lambda counts, region=region: _metrics(*_histograms(counts, region)))
        bounds = _bounds(*_histograms(sums.total, region), known)
        for at, name in _measured_scores(sums, region, known):
            numbers = zip((*METRICS, *DIFFERENCES), bounds[at], *(part[at] for part in estimate), strict=True)
            rows += [(name, region, *row) for row in numbers if name != BASELINE or row[0] not in DIFFERENCES]
    return pd.DataFrame(rows, columns=["score", "region", "metric", "bound", "value", "low", "high"])


def judge_standing(value: float, *, low: float, high: float, bound: float) -> str:
    """One of STANDINGS, from another score's AUROC minus that of hardness.

    A difference counts if its whole interval lies on one side of 0. Without an interval (one image) it counts if it is
    larger than the binning error, which says nothing about other images.

    Example:
        >>> judge_standing(0.02, low=-0.01, high=0.05, bound=0.001)
        'cannot be told apart from'
        >>> judge_standing(0.02, low=np.nan, high=np.nan, bound=0.001)
        'loses to'
    """
    if np.isnan(low) or np.isnan(high):
        low, high = value - bound, value + bound
    return STANDINGS[0 if low > 0 else 1 if high < 0 else 2]


def risk_curves(sums: ImageSums, known: Mapping[str, Score] = SCORES) -> pd.DataFrame:
    """Effect of flagging every pixel whose score reaches a threshold; one row per threshold, highest first.

    Columns score, region, pixels_share (flagged), errors_share (wrong pixels flagged), precision (wrong among the
    flagged), false_positive_share (right pixels flagged), risk (error rate among the pixels kept), threshold (a pixel
    is flagged if its score is at least this), and low and high of the risk at this threshold. Rows are exact, since
    thresholds lie between bins: for each of SHARES, the highest threshold that flags at least that share.
    """
    curves = [
        _curve_table(sums, region, at, name, known[name].bins)
        for region in REGIONS
        for at, name in _measured_scores(sums, region, known)
    ]
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=list(CURVE_COLUMNS))


def _curve_table(sums: ImageSums, region: Region, at: int, name: str, bins: Bins) -> pd.DataFrame:
    right, wrong = (part[at] for part in _histograms(sums.total, region))
    false, caught = _pixels_from(right), _pixels_from(wrong)
    flagged = false + caught
    enough = flagged >= SHARES[:, None] * flagged[0] * (1 - 1e-12)
    begin = np.unique(BINS - np.argmax(enough[:, ::-1], axis=1))[::-1]

    def risk(counts: Counts) -> np.ndarray:
        kept_right, kept_wrong = (
            part[..., at, :].sum(axis=-1, keepdims=True) - _pixels_from(part[..., at, :])[..., begin]
            for part in _histograms(counts, region)
        )
        return divide(kept_wrong, kept_right + kept_wrong)

    estimate = sums.estimate(risk)
    columns = (
        name,
        region,
        flagged[begin] / flagged[0],
        divide(caught[begin], caught[:1]),
        divide(caught[begin], flagged[begin]),
        divide(false[begin], false[:1]),
        estimate.value,
        bins.lower_end(begin),
        estimate.low,
        estimate.high,
    )
    return pd.DataFrame(dict(zip(CURVE_COLUMNS, columns, strict=True)))


def _histograms(counts: Counts, region: Region) -> tuple[Histograms, Histograms]:
    """Right pixels and wrong pixels of a region, by score and bin."""
    pixels = counts["pixels"]
    of_region = pixels.sum(axis=-3) if region == "all" else pixels[..., REGIONS.index(region) - 1, :, :]
    return of_region[..., 0, :], of_region[..., 1, :]


def _measured_scores(sums: ImageSums, region: Region, known: Mapping[str, Score]) -> list[tuple[int, str]]:
    """Index and name of each score that every image has, if the region has a pixel."""
    of_score = sums.total["pixels"].sum(axis=(1, 2, 3))
    in_region = np.add(*_histograms(sums.total, region)).sum(axis=-1)
    return [(at, name) for at, name in enumerate(known) if of_score[at] == of_score[0] and in_region[at]]


def _metrics(right: Histograms, wrong: Histograms) -> Float[np.ndarray, "*resamplings S M"]:
    """Values of METRICS, then DIFFERENCES."""
    values = [metric(right, wrong) for metric in (ranking.auroc, ranking.average_precision, ranking.fpr_at_tpr)]
    values += [ranking.aurc(right, wrong), ranking.error_rate(right, wrong)]
    values += [values[METRICS.index(of)] - values[METRICS.index(of)][..., :1] for of in DIFFERENCES.values()]
    return np.stack(values, axis=-1)


def _bounds(right: Histograms, wrong: Histograms, known: Mapping[str, Score]) -> Float[np.ndarray, "S M"]:
    """Bounds of METRICS, then of DIFFERENCES: the bound of a difference is the sum of its sides' bounds."""
    single = np.stack([score.bins.single for score in known.values()])
    bounds = [
        bound(right, wrong, single=single)
        for bound in (
            ranking.auroc_bound,
            ranking.average_precision_bound,
            ranking.fpr_at_tpr_bound,
            ranking.aurc_bound,
        )
    ]
    bounds.append(np.zeros(len(known)))
    bounds += [bounds[METRICS.index(of)] + bounds[METRICS.index(of)][:1] for of in DIFFERENCES.values()]
    return np.stack(bounds, axis=-1)


def _pixels_from(pixels: Float[np.ndarray, "*axes B"]) -> np.ndarray:
    """Pixels in each bin and all bins above, followed by a final 0."""
    above = np.cumsum(pixels[..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([above, np.zeros_like(above[..., :1])], axis=-1)
