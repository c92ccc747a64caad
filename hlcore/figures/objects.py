"""Objects as points over their size, and curves that separate size from nearness to edges."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.curves import add_curve
from hlcore.figures.style import GRID, OVERLAID, QUANTITIES, SERIES, escape_name, make_template


class Measure(NamedTuple):
    """A column: its name, axis title with unit, and colour."""

    name: str
    title: str
    colour: str


SIZES = {"area_px": "Area (px, log scale)", "thickness_px": "Thickness (px, log scale)"}
MEASURES = {
    "hardness_mean": Measure("hardness", "Mean hardness of the object (0 to 1)", QUANTITIES["hardness"]),
    "loss_mean": Measure("loss", "Mean loss of the object (nats)", QUANTITIES["loss"]),
    "error_share": Measure("wrong pixels", "Share of wrong pixels (0 to 1)", QUANTITIES["error_rate"]),
    "iou": Measure("IoU", "IoU of the object (0 to 1)", SERIES[3]),
}
"""Quantities to draw over size."""
EDGE_MATCHED = {
    "hardness_mean": Measure("all pixels", "Mean hardness", QUANTITIES["hardness"]),
    "hardness_interior": Measure("interior only, > 2 px from an edge", "Mean hardness", SERIES[0]),
    "hardness_over_edge": Measure("minus what its edges predict", "Mean hardness", SERIES[2]),
}
"""Three versions of an object's hardness, from plain to edge-matched."""

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")


def make_objects_figure(
    objects: pd.DataFrame, curve: pd.DataFrame, *, size: str, quantity: str, class_names: Sequence[str]
) -> go.Figure:
    """Every object as a point coloured by class, and the mean of each size bin with its interval.

    The customdata of a point start with image and object.

    Args:
        objects: image, object, class_name, area_px, thickness_px, edge_share and the quantity.
        curve: quantity, the size's columns (such as area_low_px, area_high_px, area_px), objects, value, low, high.
        size: A key of SIZES.
        quantity: A key of MEASURES.
        class_names: All classes, so that a class keeps its colour if others are left out.
    """
    measure, columns = MEASURES[quantity], ["image", "object", "area_px", "thickness_px", "edge_share", "shown"]
    figure = go.Figure(layout={"template": make_template(), "hovermode": "closest"})
    for index, name in enumerate(class_names):
        of_class = objects.loc[(objects["class_name"] == name) & objects[quantity].notna()]
        if of_class.empty:
            continue
        points = go.Scatter(
            x=of_class[size],
            y=of_class[quantity],
            customdata=of_class.assign(shown=of_class["image"].map(escape_name))[columns],
            mode="markers",
            name=escape_name(name),
            opacity=0.6,
            marker={
                "size": 6,
                "color": SERIES[index % len(SERIES)],
                "symbol": _SYMBOLS[index // len(SERIES) % len(_SYMBOLS)],
            },
            hovertemplate=f"<b>{escape_name(name)}</b> %{{y:.3f}}<br>%{{customdata[5]}}, object %{{customdata[1]}}<br>"
            "%{customdata[2]:,} px, %{customdata[3]:.1f} px thick<br>%{customdata[4]:.0%} within 2 px of an edge"
            "<extra></extra>",
        )
        figure.add_trace(points)
    _add_size_curve(figure, curve, size=size, quantity=quantity, name="mean by size", colour=OVERLAID)
    figure.update_traces(line={"width": 4}, selector={"name": "mean by size"})
    return _set_size_axis(figure, size, measure.title)


def make_edge_matched_figure(curve: pd.DataFrame, *, size: str) -> go.Figure:
    """Hardness by size in three curves: all pixels, interior pixels, and minus what edges predict.

    Where the last curve is flat at 0, small objects are hard only because of their edges.

    Args:
        curve: quantity (the keys of CONTROLS), the size's columns (such as area_low_px, area_high_px, area_px),
            objects, value, low, high.
        size: A key of SIZES.
    """
    figure = go.Figure(layout={"template": make_template(), "hovermode": "closest"})
    figure.add_hline(y=0, line={"color": GRID, "width": 2})
    for quantity, control in EDGE_MATCHED.items():
        _add_size_curve(figure, curve, size=size, quantity=quantity, name=control.name, colour=control.colour)
    return _set_size_axis(figure, size, "Mean hardness of the objects")


def _add_size_curve(
    figure: go.Figure, curve: pd.DataFrame, *, size: str, quantity: str, name: str, colour: str
) -> None:
    stem = size.removesuffix("_px")
    rows = curve[(curve["quantity"] == quantity) & curve["value"].notna()]
    ends = zip(rows[f"{stem}_low_px"], rows[f"{stem}_high_px"], strict=True)
    rows = rows.assign(
        bin=[f"{low:g} to {high:g} px" if high < float("inf") else f"≥ {low:g} px" for low, high in ends]
    )
    add_curve(
        figure,
        rows,
        x=size,
        name=name,
        colour=colour,
        hover=f"<b>{name}</b> %{{y:.3f}} (95 %: %{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})<br>"
        "%{customdata[2]}, %{customdata[3]:,} objects<extra></extra>",
        columns=("bin", "objects"),
    )


def _set_size_axis(figure: go.Figure, size: str, title: str) -> go.Figure:
    figure.update_xaxes(title=SIZES[size], type="log", dtick=1 if size == "area_px" else "D2", tickformat=",d")
    figure.update_yaxes(title=title)
    return figure
