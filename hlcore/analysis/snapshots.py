"""Compare one kind of map of one image from snapshot to snapshot, ranking each map once."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Float32

from hlcore.analysis.map_agreement import MEASURES, PreparedMap, measure_agreement, prepare_map
from hlcore.analysis.statistics import divide
from hlcore.errors import InvalidInputError

VARIATIONS = ("coefficient_of_variation", "coefficient_of_variation_normalised")
"""Variation of the maps as they are (sigmoid, nats), and scaled to sum 1 (hardness weight, loss over its sum)."""


class MapTrack:
    """Measures one kind of map over all snapshots, added in order; the last one is given at the start.

    Args:
        last: The map at the last snapshot, N pixels; without pixels every measure is NaN.
        snapshots: Number of snapshots.
        floor: As in `prepare_map`.
        edge: The pixels at an edge; None if unknown.
    """

    def __init__(
        self, last: Float[np.ndarray, " N"], *, snapshots: int, floor: float, edge: Bool[np.ndarray, " N"] | None
    ) -> None:
        self.pixels, self._snapshots = len(last), snapshots
        self._floor, self._edge = floor, edge
        self._last = prepare_map(last, floor=floor) if self.pixels else None
        self._seen = 0
        self._before: PreparedMap | None = None
        self._hardest = np.zeros((snapshots, -(-self.pixels // 8)), np.uint8)
        self._spreads = (RunningSpread(), RunningSpread())
        shapes = {"consecutive": (len(MEASURES), snapshots - 1), "last": (len(MEASURES), snapshots - 1)}
        shapes |= {"level": (snapshots,), "edge_share": (snapshots,)}
        self._measured = {field: np.full(shape, np.nan) for field, shape in shapes.items()}

    def add(self, values: Float[np.ndarray, " N"], *, kept: bool) -> None:
        """Add the next snapshot; kept ones count for the variation."""
        at, self._seen = self._seen, self._seen + 1
        is_last = self._seen == self._snapshots
        now = self._last if is_last and self._last is not None else prepare_map(values, floor=self._floor)
        if self._before is not None:
            self._measured["consecutive"][:, at - 1] = measure_agreement(self._before, now)
        if not is_last and self._last is not None:
            self._measured["last"][:, at] = measure_agreement(now, self._last)
        self._before = now
        self._hardest[at] = np.packbits(now.hardest)
        self._measured["level"][at] = values.mean(dtype=np.float64)
        if self._edge is not None:
            self._measured["edge_share"][at] = now.share[self._edge].sum()
        if kept:
            self._spreads[0].add(values.astype(np.float64))
            self._spreads[1].add(now.share)

    def measured(self) -> dict[str, np.ndarray]:
        """The measures of `stability.compare_snapshots` for one map; NaN where undefined."""
        hardest = self._hardest
        common = np.stack([np.bitwise_count(hardest & one).sum(1, dtype=float) for one in hardest])
        either = np.stack([np.bitwise_count(hardest | one).sum(1, dtype=float) for one in hardest])
        variation = np.array([_mean_of_finite(spread.coefficient()) for spread in self._spreads])
        return {**self._measured, "overlap": divide(common, either), "variation": variation}


class RunningSpread:
    """Running mean and variance of each pixel over maps added one at a time."""

    def __init__(self) -> None:
        self.maps = 0
        self._mean: np.ndarray = np.zeros(())
        self._squares: np.ndarray = np.zeros(())

    def add(self, values: Float[np.ndarray, "*shape"]) -> None:
        """Add a map.

        Raises:
            InvalidInputError: its shape differs from earlier maps.
        """
        if self.maps and values.shape != self._mean.shape:
            raise InvalidInputError(f"all maps must have the same shape, got {self._mean.shape} and {values.shape}")
        self.maps += 1
        change = values - self._mean
        self._mean = self._mean + change / self.maps
        self._squares = self._squares + change * (values - self._mean)

    @property
    def mean(self) -> Float[np.ndarray, "*shape"]:
        """Mean of each pixel."""
        return self._mean

    def deviation(self) -> Float[np.ndarray, "*shape"]:
        """Standard deviation of each pixel, over the maps as they are (not an estimate for others).

        Source: Welford 1962.
        """
        return np.sqrt(self._squares / self.maps)

    def coefficient(self) -> Float[np.ndarray, "*shape"]:
        """Standard deviation divided by mean of each pixel; NaN where the mean is 0 and for fewer than two maps."""
        if self.maps < 2:
            return np.full(self._mean.shape, np.nan)
        deviation = self.deviation()
        return np.divide(deviation, self._mean, out=np.full(deviation.shape, np.nan), where=self._mean > 0)


def variation_map(maps: Iterable[Float[np.ndarray, "H W"]]) -> Float32[np.ndarray, "H W"]:
    """Coefficient of variation of each pixel over maps: standard deviation divided by mean, 0 if constant.

    NaN where a pixel is NaN in some map or 0 in all. Over K maps it is at most sqrt(K - 1), for a pixel that is nonzero
    once. Pixels near 0 have a high coefficient even if they hardly change.

    Raises:
        InvalidInputError: there are fewer than two maps, or they differ in shape.

    Example:
        >>> variation_map([np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 3.0, 0.0]])])
        array([[0. , 0.5, nan]], dtype=float32)
    """
    spread = RunningSpread()
    for values in maps:
        spread.add(values.astype(np.float64))
    if spread.maps < 2:
        raise InvalidInputError(f"the coefficient of variation needs at least two maps, got {spread.maps}")
    return spread.coefficient().astype(np.float32)


def _mean_of_finite(values: Float[np.ndarray, "*shape"]) -> float:
    known = np.isfinite(values)
    return float(values[known].mean()) if known.any() else float("nan")
