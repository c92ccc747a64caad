"""One kind of map of one image, followed from snapshot to snapshot: each map is ranked once and then let go."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Float32

from hlcore.analysis.map_agreement import MEASURES, PreparedMap, measure_agreement, prepare_map
from hlcore.analysis.statistics import divide
from hlcore.errors import InvalidInputError

VARIATIONS = ("coefficient_of_variation", "coefficient_of_variation_normalised")
"""Of the maps as they are (sigmoid, nats), and of the maps scaled to sum 1 (the hardness weight, loss over sum)."""


class MapTrack:
    """Follows one kind of map through all its snapshots; the last of them is known from the start.

    Args:
        last: The map at the last snapshot, N pixels; of none, nothing is known.
        snapshots: How many there are.
        floor: As in `prepare_map`.
        edge: Which pixels lie at an edge; None where nobody knows.
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
        """Takes the next snapshot in; a kept one counts for the variation."""
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
        """What `stability.compare_snapshots` gives of one map; NaN where a measure is not known."""
        hardest = self._hardest
        common = np.stack([np.bitwise_count(hardest & one).sum(1, dtype=float) for one in hardest])
        either = np.stack([np.bitwise_count(hardest | one).sum(1, dtype=float) for one in hardest])
        variation = np.array([_mean_of_finite(spread.coefficient()) for spread in self._spreads])
        return {**self._measured, "overlap": divide(common, either), "variation": variation}


class RunningSpread:
    """Mean and variance of each pixel over maps that come one at a time."""

    def __init__(self) -> None:
        self.maps = 0
        self._mean: np.ndarray = np.zeros(())
        self._squares: np.ndarray = np.zeros(())

    def add(self, values: Float[np.ndarray, "*shape"]) -> None:
        """Takes another map in.

        Raises:
            InvalidInputError: it has another shape than those before.
        """
        if self.maps and values.shape != self._mean.shape:
            raise InvalidInputError(f"all maps must have one shape, got {self._mean.shape} and {values.shape}")
        self.maps += 1
        change = values - self._mean
        self._mean = self._mean + change / self.maps
        self._squares = self._squares + change * (values - self._mean)

    def coefficient(self) -> Float[np.ndarray, "*shape"]:
        """Standard deviation over mean of each pixel; NaN where the mean is 0 and where there are fewer than two maps.

        Source: Welford 1962, the running form of both.
        """
        if self.maps < 2:
            return np.full(self._mean.shape, np.nan)
        deviation = np.sqrt(self._squares / self.maps)
        return np.divide(deviation, self._mean, out=np.full(deviation.shape, np.nan), where=self._mean > 0)


def variation_map(maps: Iterable[Float[np.ndarray, "H W"]]) -> Float32[np.ndarray, "H W"]:
    """Coefficient of variation of each pixel over maps: standard deviation over mean, 0 where nothing moved.

    NaN where a pixel has no value or is 0 in every map. Over K maps it is at most sqrt(K - 1), where a pixel has a
    value once and is 0 otherwise; a pixel near 0 has a high one however little it moves.

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
        raise InvalidInputError(f"how much a pixel varies takes at least two maps, got {spread.maps}")
    return spread.coefficient().astype(np.float32)


def _mean_of_finite(values: Float[np.ndarray, "*shape"]) -> float:
    known = np.isfinite(values)
    return float(values[known].mean()) if known.any() else float("nan")
