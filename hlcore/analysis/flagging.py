"""Flag the pixels of one image whose score reaches a threshold: which errors are caught, which are missed."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8

from hlcore.analysis.boundaries import EDGE_PX, edge_distance
from hlcore.analysis.error_prediction import Region
from hlcore.analysis.scores import ScoreMap
from hlcore.types import PredictionRecord

CAUGHT, MISSED, FALSE_ALARM, FLAGGED = 1, 2, 3, 4
"""Values of an outcome map: a flagged wrong pixel, an unflagged wrong pixel, a flagged right pixel, and a flagged pixel
of an unlabelled image. All other pixels are 0."""


class FlaggingResult(NamedTuple):
    """Effect of flagging, as shares in 0..1; NaN for an empty denominator."""

    pixels_share: float
    """Share of the pixels that are flagged."""
    errors_share: float
    """Share of the wrong pixels that are flagged; NaN without labels."""
    precision: float
    """Share of the flagged pixels that are wrong; NaN without labels."""


def region_mask(record: PredictionRecord, region: Region) -> Bool[np.ndarray, "H W"]:
    """The labelled pixels of a region or, in an unlabelled image, all of its pixels."""
    where = np.ones(record.prediction.shape, bool) if record.label_map is None else record.valid
    if region == "all":
        return where
    near = edge_distance(record, "prediction") <= EDGE_PX
    return where & (near if region == "edge" else ~near)


def threshold_for_share(score: ScoreMap, where: Bool[np.ndarray, "H W"], *, share: float) -> float:
    """The threshold that flags at least `share` (0 to 1) of the pixels in `where`; infinity for none.

    Example:
        >>> threshold_for_share(np.array([[0.25, 1, 0.5, 0.75]], np.float32), np.ones((1, 4), bool), share=0.5)
        0.75
    """
    flagged = int(np.ceil(share * where.sum() - 1e-9))
    return float(np.sort(score[where])[-flagged]) if flagged else float("inf")


def outcome_map(
    score: ScoreMap,
    where: Bool[np.ndarray, "H W"],
    *,
    error: Bool[np.ndarray, "H W"] | None,
    threshold: float,
) -> UInt8[np.ndarray, "H W"]:
    """CAUGHT, MISSED or FALSE_ALARM (FLAGGED without labels) for each pixel in `where`, else 0.

    Args:
        score: High where an error is expected.
        where: The pixels that count, from `region_mask`.
        error: The wrong pixels; None for an unlabelled image.
        threshold: A pixel is flagged if its score is at least this.
    """
    flagged = (score >= threshold) & where
    if error is None:
        return (FLAGGED * flagged).astype(np.uint8)
    wrong = error & where
    return np.select([wrong & flagged, wrong, flagged], [CAUGHT, MISSED, FALSE_ALARM], default=0).astype(np.uint8)


def summarise_outcomes(outcome: UInt8[np.ndarray, "H W"], where: Bool[np.ndarray, "H W"]) -> FlaggingResult:
    """The shares in an outcome map, over the pixels in `where`.

    Example:
        >>> summarise_outcomes(np.array([[CAUGHT, MISSED, FALSE_ALARM, 0]], np.uint8), np.ones((1, 4), bool))
        FlaggingResult(pixels_share=0.5, errors_share=0.5, precision=0.5)
    """
    hits, misses, alarms, flagged = (int((outcome == kind).sum()) for kind in (CAUGHT, MISSED, FALSE_ALARM, FLAGGED))
    return FlaggingResult(
        _share(hits + alarms + flagged, int(where.sum())), _share(hits, hits + misses), _share(hits, hits + alarms)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
