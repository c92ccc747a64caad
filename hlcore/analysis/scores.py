"""Scores that predict errors, and the bins of their histograms.

Every score is high where an error is expected. Its bins have equal width after a strictly increasing transform, which
keeps the ranking and puts bins where pixels are dense: hardness and probabilities cluster at the ends of their range.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float32, Int16, Integer
from scipy.special import expit, logit

from hlcore.analysis.boundaries import edge_distance
from hlcore.types import IMPORTED_PREFIX, PredictionRecord

BINS = 1024
ScoreMap = Float32[np.ndarray, "H W"]
_CELL_BITS = 12
"""Numbers of type float32 that differ in their last 12 bits at most form a cell: 0.05 % of the number wide."""


@dataclass(frozen=True)
class Bins:
    """BINS bins of equal width from `low` to `high` of a transformed score; the outer two also hold values beyond.

    Attributes:
        transform: Strictly increasing function applied before binning.
        inverse: Its inverse.
        low: Lower end of the lowest bin.
        high: Upper end of the highest bin.
        single: Bins that hold a single value of the score.
    """

    transform: Callable[[np.ndarray], np.ndarray]
    inverse: Callable[[np.ndarray], np.ndarray]
    low: float
    high: float
    single: Bool[np.ndarray, " B"] = field(default_factory=lambda: np.zeros(BINS, bool))

    def index(self, score: Float[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
        """The bin of each value, 0 to BINS - 1.

        Most float32 values are looked up by their leading bits, which is much faster than the transform.
        """
        if score.dtype != np.float32:
            return self._compute_index(score)
        cells = np.abs(np.ascontiguousarray(score)).view(np.uint32)
        cells >>= _CELL_BITS
        index = self._index_of_cell[np.minimum(cells, len(self._index_of_cell) - 1, out=cells)]
        mixed = np.flatnonzero(index < 0)
        index.flat[mixed] = self._compute_index(score.ravel()[mixed])
        return index

    def lower_end(self, index: Integer[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """Lower end of a bin, as a score; minus infinity for the lowest bin, infinity for index BINS."""
        ends = self.inverse(self.low + index * ((self.high - self.low) / BINS))
        return np.where(index <= 0, -np.inf, np.where(index >= BINS, np.inf, ends))

    @cached_property
    def _index_of_cell(self) -> Int16[np.ndarray, " cells"]:
        """Bin of the numbers in each cell, -1 if they lie in several; the last entry stands for all larger cells."""
        farthest, nearest = self.inverse(np.array([self.low, self.high]))  # one of them is near 0
        sign, largest = (-1, -farthest) if farthest < 0 else (1, nearest)
        cells = np.arange(np.float32(largest).view(np.uint32) >> _CELL_BITS, dtype=np.uint32)
        starts, stops = (
            self._compute_index(sign * bits.view(np.float32))
            for bits in (cells << _CELL_BITS, (cells << _CELL_BITS) + (1 << _CELL_BITS) - 1)
        )
        return np.append(np.where(starts == stops, starts, -1), -1).astype(np.int16)

    def _compute_index(self, score: Float[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
        steps = (self.transform(score) - self.low) * (BINS / (self.high - self.low))
        return np.clip(steps, 0, BINS - 1).astype(np.int16)


@dataclass(frozen=True)
class Score:
    """A score of a record's pixels, high where an error is expected.

    Attributes:
        measure: The score of each pixel; None if the record lacks the input.
        bins: The bins of its histograms.
    """

    measure: Callable[[PredictionRecord], ScoreMap | None]
    bins: Bins


def max_softmax(record: PredictionRecord) -> ScoreMap | None:
    """1 minus the largest probability, 0 to 1 - 1 / C; None without probabilities.

    Source: Hendrycks and Gimpel, ICLR 2017.
    """
    if not record.has_probabilities:
        return None
    return np.maximum(1 - record.probabilities.max(axis=0), 0)  # rounding may make it negative


def margin(record: PredictionRecord) -> ScoreMap | None:
    """1 minus the difference of the two largest probabilities, 0 to 1; None without probabilities.

    Source: Scheffer et al., IDA 2001.
    """
    if not record.has_probabilities:
        return None
    first = record.probabilities[0].copy()
    second = np.zeros_like(first)
    for probability in record.probabilities[1:]:
        np.maximum(second, np.minimum(first, probability), out=second)
        np.maximum(first, probability, out=first)
    return np.maximum(1 - (first - second), 0)  # rounding may make it negative


def entropy(record: PredictionRecord) -> ScoreMap | None:
    """Entropy of the predicted distribution in nats, 0 to log(C); None without probabilities."""
    return np.maximum(record.entropy, 0) if record.has_probabilities else None


def negative_edge_distance(record: PredictionRecord) -> ScoreMap:
    """Minus the distance to the nearest predicted edge, in pixels; minus infinity without an edge."""
    return -edge_distance(record, "prediction")


def hardness_times_max_softmax(record: PredictionRecord) -> ScoreMap | None:
    """Hardness x (1 - largest probability), 0 to 1; None without probabilities."""
    doubt = max_softmax(record)
    return None if doubt is None else record.hardness_map * doubt


def _root_bins(degree: int, highest: float) -> Bins:
    """Bins of equal width in a root of the score, from 0 to its highest value; finer for low scores."""
    return Bins(
        lambda score: np.asarray(score, np.float64) ** (1 / degree), lambda p: p**degree, 0.0, highest ** (1 / degree)
    )


def _sigmoid_bins() -> Bins:
    """Bins of equal width in asinh(logit / 5): nearly uniform up to logits of 5, then wider.

    In float32 the sigmoid is 1 from a logit of 16.7; the highest bin holds nothing else.
    """
    return Bins(
        lambda score: np.arcsinh(logit(np.asarray(score, np.float64)) / 5),
        lambda position: expit(5 * np.sinh(position)),
        np.arcsinh(-32 / 5),
        np.arcsinh(17 / 5),
        single=np.arange(BINS) == BINS - 1,
    )


def _distance_bins() -> Bins:
    """A bin for each squared distance up to 511 px^2 (22.6 px), then bins whose width grows with it, up to 8192 px."""
    knee, farthest = 511.5, 2.0**26
    per_e_fold = (BINS - 0.5 - knee) / np.log(farthest / knee)

    def transform(score: np.ndarray) -> np.ndarray:
        squared = np.minimum(np.square(np.asarray(score, np.float64)), farthest)
        return -np.minimum(squared, knee) - per_e_fold * np.log(np.maximum(squared, knee) / knee)

    def inverse(position: np.ndarray) -> np.ndarray:
        close, far = np.clip(-position, 0, knee), np.maximum(-position - knee, 0)
        return -np.sqrt(close * np.exp(far / per_e_fold))

    return Bins(transform, inverse, 0.5 - BINS, 0.5, single=BINS - 1 - np.arange(BINS) < knee)


SCORES: Mapping[str, Score] = {
    "hardness": Score(lambda record: record.hardness_map, _sigmoid_bins()),
    "max_softmax": Score(max_softmax, _root_bins(3, 1.0)),
    "entropy": Score(entropy, _root_bins(3, 7.0)),
    "edge_distance": Score(negative_edge_distance, _distance_bins()),
    "mc_entropy": Score(lambda record: record.mc_entropy, _root_bins(3, 7.0)),
    "hardness_x_max_softmax": Score(hardness_times_max_softmax, _root_bins(6, 1.0)),
    "margin": Score(margin, _root_bins(3, 1.0)),
    "error_suspicion": Score(lambda record: record.error_suspicion, _sigmoid_bins()),
}
"""Name of a score in the tables to the score; hardness, the baseline, comes first."""


def list_scores(imported: Iterable[str] = ()) -> dict[str, Score]:
    """SCORES, and further imported scores of a record, 0 to 1, by their name in the tables."""
    further = {
        IMPORTED_PREFIX + name: Score(lambda record, name=name: record.scores.get(name), _root_bins(3, 1.0))
        for name in imported
    }
    return {**SCORES, **further}
