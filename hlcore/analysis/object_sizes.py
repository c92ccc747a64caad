"""How quantities depend on object size: curves over size bins and rank correlations, from sums over images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from scipy.special import expit, logit

from hlcore.analysis.rank_histograms import binning_error, spearman
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.errors import InvalidInputError

Size = Literal["area_px", "thickness_px"]

SMALLEST_PX: dict[Size, float] = {"area_px": 10.0, "thickness_px": 2.0}
"""Smallest possible size of an object; the lower end of the first size bin."""
CUT_POINTS_PX: dict[Size, tuple[float, ...]] = {
    "area_px": (30, 100, 300, 1000, 3000, 10000, 30000),
    "thickness_px": (4, 6, 10, 20, 40, 80),
}
"""Default limits between size bins."""

_OWN_BIN_BELOW = 32
_SIZE_ENDS = (*range(1, _OWN_BIN_BELOW), *(float(2 ** (octave / 3)) for octave in range(15, 67)))
"""Lower ends of the rank histograms' bins over integer sizes (`_integer_sizes`): one bin for each number below 32, then
three per octave; the last is open."""
_VALUE_BINS = 60
"""Value bins of the rank histograms, between a first bin for exactly 0 and a last for exactly 1."""

_SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hardness_mean": lambda x: x / 2 + 1 / 4 + logit(x) / 72,
    "hardness_interior": lambda x: x / 2 + 1 / 4 + logit(x) / 72,
    "hardness_over_edge": lambda x: 0.2 * (1 + x) + 0.3 * (expit((x - 0.5) / 0.08) + expit((x + 0.5) / 0.08)),
    "loss_mean": lambda x: np.sqrt(x / (1 + x)),
    "error_share": lambda x: x,
    "iou": np.sqrt,
}
QUANTITIES = tuple(_SCALES)
"""Columns whose dependence on size is measured. Their bins have equal width on an increasing scale from 0 to 1 that is
finer where values are dense: for hardness near 0 and 1, hence for thin objects near 0.5 above and below what edges
predict. The scale does not affect ranks."""
SIZES: tuple[Size, ...] = tuple(SMALLEST_PX)


@dataclass(frozen=True)
class SizeBins:
    """Bins of area or thickness, from the smallest object; the last is open.

    Attributes:
        size: The column.
        cut_points: Increasing limits between bins, px; a limit belongs to the bin above it.

    Raises:
        InvalidInputError: the cut points do not increase or are not above the smallest object.
    """

    size: Size = "area_px"
    cut_points: tuple[float, ...] = CUT_POINTS_PX["area_px"]

    def __post_init__(self) -> None:
        smallest = SMALLEST_PX[self.size]
        ends = (smallest, *self.cut_points)
        if not all(low < high < np.inf for low, high in pairwise(ends)):
            given = ", ".join(f"{point:g}" for point in self.cut_points)
            raise InvalidInputError(
                f"cut points must be numbers above {smallest:g} px, each larger than the one before, "
                f"such as {', '.join(f'{point:g}' for point in CUT_POINTS_PX[self.size])}; got {given}"
            )

    @property
    def edges(self) -> tuple[float, ...]:
        """Lower ends of all bins, and infinity as the upper end of the last."""
        return (SMALLEST_PX[self.size], *self.cut_points, np.inf)


AREA = SizeBins()


def count(
    objects: pd.DataFrame,
    *,
    bins: SizeBins = AREA,
    quantities: Sequence[str] = QUANTITIES,
    sizes: Sequence[Size] = SIZES,
) -> Counts:
    """Sums by size bin and histograms of size against each quantity, over the objects of ONE image.

    An object without a quantity (NaN, or no such column) is left out for that quantity.

    Args:
        objects: The objects of one image, from `objects.measure_objects`.
        bins: Size bins of the curve.
        quantities: Some of QUANTITIES.
        sizes: Sizes to correlate.
    """
    size = objects[bins.size].to_numpy(float)
    curve_bin = np.searchsorted(bins.cut_points, size, side="right")
    size_bins = {each: np.searchsorted(_SIZE_ENDS, _integer_sizes(objects, each), side="right") - 1 for each in sizes}
    curve, ranks = (len(bins.cut_points) + 1,), (len(_SIZE_ENDS), _VALUE_BINS + 2)
    counts = {}
    for quantity in quantities:
        values = objects[quantity].to_numpy(float) if quantity in objects else np.full(len(objects), np.nan)
        known = ~np.isnan(values)
        at = (curve_bin[known],)
        counts[f"curve_objects {quantity}"] = _sum_by_cell(at, curve)
        counts[f"curve_log_size {quantity}"] = _sum_by_cell(at, curve, np.log(size[known]))
        counts[f"curve_sum {quantity}"] = _sum_by_cell(at, curve, values[known])
        value_bin = _value_bin(values[known], quantity)
        for each, size_bin in size_bins.items():
            counts[f"ranks {each} {quantity}"] = _sum_by_cell((size_bin[known], value_bin), ranks)
    return counts


def sum_objects(
    objects: pd.DataFrame,
    *,
    bins: SizeBins = AREA,
    quantities: Sequence[str] = QUANTITIES,
    sizes: Sequence[Size] = SIZES,
) -> ImageSums:
    """Sums over the images in a table of objects."""
    sums = ImageSums()
    for name, rows in objects.groupby("image", sort=False):
        sums.add(str(name), count(rows, bins=bins, quantities=quantities, sizes=sizes))
    return sums


def make_tables(sums: ImageSums, *, bins: SizeBins = AREA) -> dict[str, pd.DataFrame]:
    """The tables "size_curve" and "size_correlations" from sums of `count` with the same bins."""
    return {"size_curve": size_curve(sums, bins=bins), "size_correlations": size_correlations(sums)}


def size_curve(sums: ImageSums, *, bins: SizeBins = AREA) -> pd.DataFrame:
    """Each quantity over bins of size.

    Returns:
        One row per quantity and bin: area_low_px, area_high_px (or thickness_...; the last is infinite), area_px (the
        geometric mean of the objects' sizes), quantity, objects (how many have it), and the mean over these objects as
        value, low, high.
    """
    tables = []
    for quantity in (name for name in QUANTITIES if f"curve_sum {name}" in sums.total):
        objects = sums.total[f"curve_objects {quantity}"]
        value, low, high = sums.estimate(lambda s, q=quantity: divide(s[f"curve_sum {q}"], s[f"curve_objects {q}"]))
        stem = bins.size.removesuffix("_px")
        columns = {
            f"{stem}_low_px": bins.edges[:-1],
            f"{stem}_high_px": bins.edges[1:],
            bins.size: np.exp(divide(sums.total[f"curve_log_size {quantity}"], objects)),
            "quantity": quantity,
            "objects": objects.astype(int),
        }
        tables.append(pd.DataFrame({**columns, "value": value, "low": low, "high": high}))
    return pd.concat(tables, ignore_index=True)


def size_correlations(sums: ImageSums) -> pd.DataFrame:
    """Spearman's rho of each quantity and size.

    Returns:
        One row per size and quantity: size, quantity, objects (how many have it), rho as value, low, high, and `bound`,
        the largest error of rho from binning.
    """
    rows = []
    pairs = [(size, quantity, f"ranks {size} {quantity}") for size in SIZES for quantity in QUANTITIES]
    for size, quantity, name in (pair for pair in pairs if pair[2] in sums.total):
        value, low, high = sums.estimate(lambda s, name=name: spearman(s[name]))
        histogram = sums.total[name]
        bound = binning_error(histogram, exact_rows=tuple(range(_OWN_BIN_BELOW - 1)), exact_columns=(0, -1))
        row = {"size": size, "quantity": quantity, "objects": int(histogram.sum())}
        rows.append(row | {"value": float(value), "low": float(low), "high": float(high), "bound": bound})
    return pd.DataFrame(rows)


def _integer_sizes(objects: pd.DataFrame, size: Size) -> Integer[np.ndarray, " N"]:
    """Sizes as integers in the same order: area in px; for thickness the square of half of it, in px^2."""
    values = objects[size].to_numpy(float)
    return np.rint(values if size == "area_px" else (values / 2) ** 2).astype(np.int64)


def _value_bin(values: Float[np.ndarray, " N"], quantity: str) -> Integer[np.ndarray, " N"]:
    """Bin of each value: the first for 0, the last for 1, between them bins of equal width on the quantity's scale."""
    with np.errstate(divide="ignore"):  # a hardness of exactly 0 or 1 lies at infinity
        scaled = _SCALES[quantity](values)
    between = 1 + np.clip(scaled * _VALUE_BINS, 0, _VALUE_BINS - 1).astype(np.intp)
    lowest, highest = np.isin(scaled, (-np.inf, 0)), np.isin(scaled, (1, np.inf))
    return np.where(lowest, 0, np.where(highest, _VALUE_BINS + 1, between))


def _sum_by_cell(
    index: tuple[Integer[np.ndarray, " N"], ...], shape: tuple[int, ...], values: Float[np.ndarray, " N"] | None = None
) -> Float[np.ndarray, "*shape"]:
    """Sum of the values (default: their number) in each cell."""
    cells = np.ravel_multi_index(index, shape)
    return np.bincount(cells, values, minlength=int(np.prod(shape))).reshape(shape).astype(float)
