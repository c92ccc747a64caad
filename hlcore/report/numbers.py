"""Numbers of a table as text, each with its 95 % interval over images."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Context
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hlcore.analysis.statistics import filter_rows


class Number(NamedTuple):
    """A value with the ends of its interval; NaN if there is none."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value_text} ({self.interval})" if self.interval else self.value_text

    @property
    def value_text(self) -> str:
        """The value, without its interval."""
        return "not known" if np.isnan(self.value) else format_number(self.value)

    @property
    def interval(self) -> str:
        """The interval, without the value; empty if there is none."""
        return "" if np.isnan(self.low) else f"{format_number(self.low)} to {format_number(self.high)}"


def compare_numbers(
    first: Number,
    second: Number,
    *,
    higher: str,
    lower: str,
    neither: str = "The intervals overlap, so neither is clearly higher.",
) -> str:
    """`higher` if the first's whole interval lies above the second's, `lower` if below, else `neither`.

    Example:
        >>> compare_numbers(Number(2, 1, 3), Number(0, 0, 0), higher="more", lower="less", neither="who knows")
        'more'
    """
    if np.isnan([*first, *second]).any():
        return "There is no interval, so this says nothing about other images."
    return higher if first.low > second.high else lower if first.high < second.low else neither


def round_up_largest(values: Iterable[float]) -> str:
    """The largest number that is not NaN, rounded up to two significant digits.

    Example:
        >>> round_up_largest([np.nan, 0.01, 0.01411]), round_up_largest([0.0]), round_up_largest([np.nan])
        ('0.015', '0', 'an unknown amount')
    """
    known = [float(value) for value in values if not np.isnan(value)]
    if not known:
        return "an unknown amount"
    return format(Context(prec=2, rounding=ROUND_CEILING).create_decimal(str(max(known))).normalize(), "f")


def format_number(value: float) -> str:
    """A number with about three significant digits.

    Example:
        >>> [format_number(value) for value in (0.0214, -0.5, 3.14159, 21.437, 1462.0)]
        ['0.021', '−0.500', '3.14', '21.4', '1462']
    """
    size = abs(value)
    places = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:.{places}f}".replace("-", "−")


def format_share(share: float) -> str:
    """A share as a percentage.

    Example:
        >>> [format_share(share) for share in (0.1, 0.0149, 0.734, np.nan)]
        ['10 %', '1.5 %', '73 %', 'an unknown share']
    """
    if np.isnan(share):
        return "an unknown share"
    return f"{100 * share:.{0 if share >= 0.0995 else 1}f} %"


def find_number(table: pd.DataFrame, **where: Any) -> Number:
    """The number in the one row where the columns have these values; all NaN unless there is exactly one.

    Example:
        >>> find_number(pd.DataFrame({"kind": ["a"], "value": [0.5], "low": [0.4], "high": [0.6]}), kind="a").high
        0.6
    """
    rows = filter_rows(table, **where)
    if len(rows) != 1:
        return Number(np.nan, np.nan, np.nan)
    row = rows.iloc[0]
    return Number(float(row["value"]), float(row["low"]), float(row["high"]))


def join_names(names: Sequence[str]) -> str:
    """Names joined by commas and "and".

    Example:
        >>> join_names(["a"]), join_names(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return names[-1] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
