"""Hardness, loss and error rate by distance to the edge, and at the edges of each pair of classes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hlcore.errors import InvalidInputError
from hlcore.figures.curves import add_curve
from hlcore.figures.style import QUANTITIES, SERIES, escape_name, make_template

AXES = {
    "hardness": ("Mean hardness", ".2f"),
    "loss": ("Mean loss, nats", ".2f"),
    "error_rate": ("Error rate", ".0%"),
}
"""Axis of each quantity: title with unit, and number format."""
ALL_CLASSES = "all classes"


def make_hardness_by_distance_figure(
    table: pd.DataFrame, *, name: str = ALL_CLASSES, height_px: int = 300
) -> go.Figure:
    """Mean hardness, loss and error rate by distance to the nearest edge: a panel each, a line per class.

    Args:
        table: Rows of one edge source: class_name ("" = all), distance (in order), quantity, pixels, value, low, high.
            A quantity without values has no panel.
        name: Name of the line of class_name "".
        height_px: Height of the figure.

    Raises:
        InvalidInputError: no quantity has a value.
    """
    known = table.dropna(subset=["value"])
    quantities = [quantity for quantity in AXES if quantity in set(known["quantity"])]
    if not quantities:
        raise InvalidInputError("the table of edges has no values, so there is no profile to draw")
    figure = make_subplots(cols=len(quantities), horizontal_spacing=0.09)
    classes = list(dict.fromkeys(known["class_name"]))
    distances = list(dict.fromkeys(table["distance"]))
    for column, quantity in enumerate(quantities, start=1):
        title, digits = AXES[quantity]
        for number, class_name in enumerate(classes):
            rows = table.query("quantity == @quantity and class_name == @class_name")
            add_curve(
                figure,
                rows.assign(text=_hover_texts(rows, digits)),
                x="distance",
                name=escape_name(class_name or name),
                colour=QUANTITIES[quantity] if len(classes) == 1 else SERIES[number % len(SERIES)],
                hover="%{fullData.name}, %{x} px<br>%{customdata[2]}<extra></extra>",
                columns=("text",),
                row=1,
                col=column,
                showlegend=len(classes) > 1 and column == 1,
            )
        figure.update_xaxes(
            title={"text": "Distance to the edge, px", "standoff": 8},
            automargin=True,
            type="category",
            categoryorder="array",
            categoryarray=distances,
            tickangle=-45,
            col=column,
        )
        figure.update_yaxes(title=title, tickformat=_tick_format(digits), rangemode="tozero", col=column)
    return figure.update_layout(
        template=make_template(), height=height_px, margin={"t": 10}, legend={"y": -0.4, "yanchor": "top"}
    )


def make_hardness_by_pair_figure(table: pd.DataFrame) -> go.Figure:
    """One quantity at the edges of each pair of classes, highest on top, with intervals.

    Args:
        table: Rows of one edge source, quantity and distance: first, second, quantity, pixels, value, low, high.

    Raises:
        InvalidInputError: no pair has a value.
    """
    rows = table.dropna(subset=["value"]).sort_values(by="value", kind="stable")
    if rows.empty:
        raise InvalidInputError("no pair of classes has a value, so there is nothing to rank")
    quantity = rows["quantity"].iloc[0]
    title, digits = AXES[quantity]
    names = (rows["first"] + " | " + rows["second"]).map(escape_name)
    bars = go.Scatter(
        x=rows["value"],
        y=names,
        customdata=_hover_texts(rows, digits),
        mode="markers",
        marker={"size": 9, "color": QUANTITIES[quantity]},
        error_x={
            "array": (rows["high"] - rows["value"]).fillna(0),
            "arrayminus": (rows["value"] - rows["low"]).fillna(0),
            "thickness": 1.5,
            "width": 0,
        },
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )
    return go.Figure(bars).update_layout(
        template=make_template(),
        height=80 + 24 * len(rows),
        margin={"t": 10},
        xaxis={"title": f"{title} within 2 px of the edge", "tickformat": _tick_format(digits), "rangemode": "tozero"},
        yaxis={"automargin": True, "dtick": 1},
    )


def _hover_texts(rows: pd.DataFrame, digits: str) -> list[str]:
    """Hover text of each value, with its interval, if any, and its number of pixels."""
    digits = ".1%" if digits.endswith("%") else ".3f"
    texts = []
    for value, low, high, pixels in rows[["value", "low", "high", "pixels"]].itertuples(index=False):
        interval = f"<br>95 %: {low:{digits}} to {high:{digits}}" if np.isfinite([low, high]).all() else ""
        texts.append(f"<b>{value:{digits}}</b>{interval}<br>of {pixels:,.0f} pixels")
    return texts


def _tick_format(digits: str) -> str:
    """Number format of the axis ticks, with enough digits to tell small values apart."""
    return digits if "%" in digits else ".3~r"
