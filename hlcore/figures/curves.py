"""A curve with the band of its interval, shared by all curve figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.style import make_translucent


def add_curve(
    figure: go.Figure,
    table: pd.DataFrame,
    *,
    x: str,
    name: str,
    colour: str,
    hover: str,
    columns: Sequence[str] = (),
    **where: Any,
) -> None:
    """Draw column `value` over column `x`, with a band from `low` to `high` where they are known.

    Args:
        figure: The figure to draw into.
        table: One row per point, in order.
        x: Column of the horizontal axis.
        name: Name in the legend, which toggles band and line together.
        colour: Hexadecimal.
        hover: Plotly's hover template; its customdata are low, high, then `columns`.
        columns: Further columns for the hover text.
        where: `row` and `col` of a subplot; everything else is passed to the line.
    """
    place = {key: where.pop(key) for key in ("row", "col") if key in where}
    known = table[table["low"].notna() & table["high"].notna()]
    if len(known):
        low, high, at = (np.asarray(known[column]) for column in ("low", "high", x))
        band = go.Scatter(
            x=np.concatenate([at, at[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            fill="toself",
            fillcolor=make_translucent(colour),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
        figure.add_trace(band, **place)
    line = go.Scatter(
        x=table[x],
        y=table["value"],
        customdata=table[["low", "high", *columns]],
        mode="lines+markers",
        name=name,
        legendgroup=name,
        line={"color": colour, "width": 2},
        marker={"size": 7},
        hovertemplate=hover,
        **where,
    )
    figure.add_trace(line, **place)
