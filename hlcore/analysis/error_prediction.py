"""Which score finds the wrong pixels: AUROC, AP, FPR95, AURC and risk-coverage curves over all labelled pixels.

Each image adds histograms of its right and its wrong pixels by score, near predicted edges and away from them. Their
size is fixed, so any number of pixels takes the same memory; what the bins may change is said in the column `bound`.

The regions are cut at the PREDICTED edge (d <= 2 px): the question they answer is whether a score knows more than
where the prediction changes its class, so that knowledge is what must be held still. A thing that was overlooked has
no predicted edge and counts as interior, where only a score that knows more can find it; cut at the label's edge, it
would be all edge. And a reader without labels can tell the regions apart.
"""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from hlcore.analysis import ranking
from hlcore.analysis.boundaries import EDGE_PX, edge_distance
from hlcore.analysis.scores import BINS, SCORES
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.types import PredictionRecord

Histograms = Float[np.ndarray, "*axes S B"]
"""Pixels by score and bin."""
Region = Literal["all", "edge", "interior"]
REGIONS: tuple[Region, ...] = ("all", "edge", "interior")

BASELINE = "hardness"
METRICS = ("auroc", "ap", "fpr95", "aurc", "error_rate")
DIFFERENCES = {"auroc_minus_hardness": "auroc", "ap_minus_hardness": "ap"}
"""How much higher a score's metric is than that of hardness on the same images; its interval is paired, so that a
difference may be clear where both intervals overlap."""
STANDINGS = ("loses to", "beats", "cannot be told apart from")
"""How hardness stands against another score."""

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
"""Shares of the pixels at which a curve has points."""


def count(record: PredictionRecord) -> Counts:
    """What one image adds: its labelled pixels by score, edge or interior, right or wrong, and bin of the score.

    A score the record has not (Monte Carlo dropout) adds nothing.

    Raises:
        InvalidInputError: the record has no label map.
    """
    valid = record.valid
    near = edge_distance(record, "prediction")[valid] <= EDGE_PX
    group = (2 * ~near + record.error[valid]).astype(np.int32) * BINS
    pixels = np.zeros((len(SCORES), 2, 2, BINS))
    for counted, score in zip(pixels, SCORES.values(), strict=True):
        values = score.measure(record)
        if values is not None:
            at = group + score.bins.index(values[valid])
            counted[:] = np.bincount(at, minlength=4 * BINS).reshape(2, 2, BINS)
    return {"pixels": pixels}


def make_tables(sums: ImageSums) -> dict[str, pd.DataFrame]:
    """The tables "scores" and "risk_curves" of the images that were added.

    A score that not every image has, and a region without a pixel, has no row.

    Raises:
        InvalidInputError: no image was added.
    """
    return {"scores": score_table(sums), "risk_curves": risk_curves(sums)}


def score_table(sums: ImageSums) -> pd.DataFrame:
    """Columns score, region, metric, bound, value, low, high.

    `bound` is how far `value` may lie from the exact one because of the bins; `low` and `high` are the ends of the 95 %
    interval over images. Lower is better for fpr95 and aurc, higher for the other metrics.
    """
    rows = []
    for region in REGIONS:
        estimate = sums.estimate(lambda counts, region=region: _metrics(*_histograms(counts, region)))
        bounds = _bounds(*_histograms(sums.total, region))
        for at, name in _measured_scores(sums, region):
            numbers = zip((*METRICS, *DIFFERENCES), bounds[at], *(part[at] for part in estimate), strict=True)
            rows += [(name, region, *row) for row in numbers if name != BASELINE or row[0] not in DIFFERENCES]
    return pd.DataFrame(rows, columns=["score", "region", "metric", "bound", "value", "low", "high"])


def judge_standing(value: float, *, low: float, high: float, bound: float) -> str:
    """One of STANDINGS, by how much higher another score's AUROC is than that of hardness.

    A difference counts where its whole interval lies on one side of 0; where there is no interval, as of one image,
    where the value lies farther from 0 than its bins may have moved it: this says nothing about other images.

    Example:
        >>> judge_standing(0.02, low=-0.01, high=0.05, bound=0.001)
        'cannot be told apart from'
        >>> judge_standing(0.02, low=np.nan, high=np.nan, bound=0.001)
        'loses to'
    """
    if np.isnan(low) or np.isnan(high):
        low, high = value - bound, value + bound
    return STANDINGS[0 if low > 0 else 1 if high < 0 else 2]


def risk_curves(sums: ImageSums) -> pd.DataFrame:
    """What flagging every pixel from a threshold on does; one row a threshold, the highest first.

    Columns score, region, pixels_share (flagged), errors_share (wrong pixels flagged), precision (wrong among the
    flagged), false_positive_share (right pixels flagged), risk (error rate among the pixels kept), threshold (a pixel
    is flagged where its score is at least this), and low and high of the risk at this threshold. Every row is exact,
    for its thresholds lie between bins; the thresholds are the highest that flag at least one of SHARES.
    """
    curves = [_curve_table(sums, region, at, name) for region in REGIONS for at, name in _measured_scores(sums, region)]
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=list(CURVE_COLUMNS))


def _curve_table(sums: ImageSums, region: Region, at: int, name: str) -> pd.DataFrame:
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
        SCORES[name].bins.lower_end(begin),
        estimate.low,
        estimate.high,
    )
    return pd.DataFrame(dict(zip(CURVE_COLUMNS, columns, strict=True)))


def _histograms(counts: Counts, region: Region) -> tuple[Histograms, Histograms]:
    """Right and wrong pixels of a region by score and bin."""
    pixels = counts["pixels"]
    of_region = pixels.sum(axis=-3) if region == "all" else pixels[..., REGIONS.index(region) - 1, :, :]
    return of_region[..., 0, :], of_region[..., 1, :]


def _measured_scores(sums: ImageSums, region: Region) -> list[tuple[int, str]]:
    """Index and name of the scores that every image has, if the region has a pixel."""
    of_score = sums.total["pixels"].sum(axis=(1, 2, 3))
    in_region = np.add(*_histograms(sums.total, region)).sum(axis=-1)
    return [(at, name) for at, name in enumerate(SCORES) if of_score[at] == of_score[0] and in_region[at]]


def _metrics(right: Histograms, wrong: Histograms) -> Float[np.ndarray, "*resamplings S M"]:
    """METRICS, then DIFFERENCES."""
    values = [metric(right, wrong) for metric in (ranking.auroc, ranking.average_precision, ranking.fpr_at_tpr)]
    values += [ranking.aurc(right, wrong), ranking.error_rate(right, wrong)]
    values += [values[METRICS.index(of)] - values[METRICS.index(of)][..., :1] for of in DIFFERENCES.values()]
    return np.stack(values, axis=-1)


def _bounds(right: Histograms, wrong: Histograms) -> Float[np.ndarray, "S M"]:
    """Of METRICS, then of DIFFERENCES: a difference may be off by what both of its sides are."""
    single = np.stack([score.bins.single for score in SCORES.values()])
    bounds = [
        bound(right, wrong, single=single)
        for bound in (
            ranking.auroc_bound,
            ranking.average_precision_bound,
            ranking.fpr_at_tpr_bound,
            ranking.aurc_bound,
        )
    ]
    bounds.append(np.zeros(len(SCORES)))
    bounds += [bounds[METRICS.index(of)] + bounds[METRICS.index(of)][:1] for of in DIFFERENCES.values()]
    return np.stack(bounds, axis=-1)


def _pixels_from(pixels: Float[np.ndarray, "*axes B"]) -> np.ndarray:
    """Pixels in this bin and all above it, and at last the 0 above all bins."""
    above = np.cumsum(pixels[..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([above, np.zeros_like(above[..., :1])], axis=-1)
