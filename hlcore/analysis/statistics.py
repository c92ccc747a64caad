"""Sums over images, and confidence intervals from resampling images.

Everything measured on a data set is a ratio of sums over its images. The sums of an image are added to the total and,
multiplied by how often each resampling draws the image, to the sums of every resampling. The number of draws is
Poisson(1), seeded by the image's name: no image is kept in memory, the order does not matter, and sums over two parts
of a data set, computed on two machines, add up to the sums over the whole.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer, Real

from hlcore.errors import InvalidInputError

Counts: TypeAlias = Mapping[str, np.ndarray]
"""Named arrays of sums over an image or several: pixel counts, sums of hardness, histograms."""

LEVEL = 0.95
"""Confidence level of every interval."""
_AT_ONCE = 32
"""Images that are resampled together; their sums are in memory."""


class Estimate(NamedTuple):
    """A value or array with the ends of its 95 % interval over images; NaN without an interval."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


class ImageSums:
    """Sums of counts over images and over resamplings of the images; `a + b` adds two of them."""

    def __init__(
        self,
        resamplings: int = 200,
        images: int = 0,
        total: Mapping[str, np.ndarray] | None = None,
        resampled: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Sums over no image, unless others are given.

        Args:
            resamplings: Number of resamplings; memory grows with it, but not with the number of images.
            images: Number of images in the sums.
            total: Name to the sum over all images.
            resampled: Name to the sums over each resampling, with the resamplings along the first axis.
        """
        self.resamplings = resamplings
        self.images = images
        self.total = dict(total or {})
        self._resampled = {name: np.array(sums, float, order="C") for name, sums in (resampled or {}).items()}
        self._waiting: list[tuple[str, dict[str, np.ndarray]]] = []

    @property
    def resampled(self) -> dict[str, np.ndarray]:
        """Name to the sums over each resampling, with the resamplings along the first axis."""
        if self._waiting:
            self._resample()
        return self._resampled

    def add(self, name: str, counts: Counts) -> None:
        """Add one image, in place.

        Args:
            name: Name of the image, which seeds how often each resampling draws it.
            counts: Sums over the image; names and shapes must be the same for every image.

        Raises:
            InvalidInputError: the counts' names or shapes differ from those added before.
        """
        if self.images and (shapes := _shapes(counts)) != _shapes(self.total):
            raise InvalidInputError(f"the counts of {name} must be {_shapes(self.total)} as before, got {shapes}")
        for key, values in counts.items():
            self.total[key] = np.asarray(self.total.get(key, 0.0) + values)
        self._waiting.append((name, {key: np.array(values, float).ravel() for key, values in counts.items()}))
        self.images += 1
        if len(self._waiting) == _AT_ONCE:
            self._resample()

    def _resample(self) -> None:
        """Add the images that wait to the resamplings, all by one matrix product."""
        drawn = np.stack([draw_counts(name, resamplings=self.resamplings) for name, _ in self._waiting], axis=1)
        for key, total in self.total.items():
            values = np.stack([counts[key] for _, counts in self._waiting])
            some = np.flatnonzero(values.any(axis=0))  # most sums are 0: an image shows ten of 150 classes, say
            sums = self._resampled.setdefault(key, np.zeros((self.resamplings, *total.shape)))
            sums.reshape(self.resamplings, -1)[:, some] += drawn.astype(float) @ values[:, some]
        self._waiting = []

    def __add__(self, other: "ImageSums") -> "ImageSums":
        if self.resamplings != other.resamplings:
            raise InvalidInputError(
                f"cannot add sums over {self.resamplings} and over {other.resamplings} resamplings; use the same number"
            )
        if self.images and other.images and _shapes(self.total) != _shapes(other.total):
            raise InvalidInputError(
                f"cannot add sums of different counts: {_shapes(self.total)} and {_shapes(other.total)}"
            )
        return ImageSums(
            self.resamplings,
            self.images + other.images,
            _add(self.total, other.total),
            _add(self.resampled, other.resampled),
        )

    def estimate(self, ratio: Callable[[Counts], np.ndarray]) -> Estimate:
        """A ratio of the sums with its interval.

        Args:
            ratio: Function from the sums to a number or array, which keeps any leading axes of the sums.

        Returns:
            The ratio of the total, and quantiles of the ratios of the resamplings (percentile interval). The ends are
            NaN for fewer than two images, and if a quarter or more of the resamplings have no ratio. (What occurs in
            one image is missing from 37 % of them and constant in the others; what occurs in two, from 14 %.)

        Raises:
            InvalidInputError: no image was added.

        Source: Chamandy, Muralidharan, Najmi, Naidu 2012, "Estimating uncertainty for massive data streams".
        """
        if not self.images:
            raise InvalidInputError("no image was added, so there is nothing to estimate")
        value = np.asarray(ratio(self.total), dtype=float)
        nothing = np.full_like(value, np.nan)
        if self.images < 2:
            return Estimate(value, nothing, nothing)
        ratios = np.asarray(ratio(self.resampled), dtype=float)
        low, high = (_quantile(ratios, level) for level in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        return Estimate(value, low, high)


def draw_counts(name: str, *, resamplings: int) -> Integer[np.ndarray, " B"]:
    """How often each resampling draws an image: Poisson(1), deterministic for a name.

    Example:
        >>> draw_counts("0001TP_006690", resamplings=4)
        array([1, 1, 1, 0])
    """
    seed = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).poisson(1.0, resamplings)


def divide(part: Real[np.ndarray, "..."], whole: Real[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The ratio of two sums, with broadcasting; NaN where the whole is 0.

    Example:
        >>> divide(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
        array([0.5, nan])
    """
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.divide(part, whole, out=np.full(shape, np.nan), where=np.broadcast_to(whole, shape) > 0)


def filter_rows(table: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """Rows of a table where the columns have these values."""
    for column, value in where.items():
        table = table.loc[table[column] == value]
    return table


def _quantile(ratios: Float[np.ndarray, "B *shape"], level: float) -> Float[np.ndarray, "*shape"]:
    """Quantile of the finite ratios along the first axis; NaN if three quarters of them or fewer are finite.

    np.nanquantile gives the same, a hundred times slower.
    """
    known = np.isfinite(ratios)
    number = known.sum(axis=0, keepdims=True)
    ordered = np.sort(np.where(known, ratios, np.inf), axis=0)  # NaN last
    at = level * np.maximum(number - 1, 0)
    below = np.floor(at).astype(np.intp)
    lower, upper = (np.take_along_axis(ordered, i, axis=0) for i in (below, np.ceil(at).astype(np.intp)))
    enough = 4 * number > 3 * len(ratios)
    lower, upper = (np.where(enough, value, np.nan) for value in (lower, upper))
    return (lower + (at - below) * (upper - lower))[0, ...]


def _add(first: Counts, second: Counts) -> dict[str, np.ndarray]:
    """Sums of both, in new arrays; a missing name counts as 0."""
    return {name: np.add(first.get(name, 0.0), second.get(name, 0.0)) for name in {**first, **second}}


def _shapes(counts: Counts) -> dict[str, tuple[int, ...]]:
    return {name: values.shape for name, values in sorted(counts.items())}
