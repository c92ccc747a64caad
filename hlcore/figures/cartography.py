"""How pixels were learned: the plane of mean and spread, and the groups by epoch learned and by forgetting."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hlcore.figures.style import HARDNESS_SCALES, MISSING, colour_scale, make_plotly_scale, make_template

QUANTITIES = {
    "mean_probability": "mean probability",
    "spread": "spread",
    "forgetting": "forgetting events",
    "learned": "epoch learned",
}
"""Display name of each quantity."""
_LARGEST_PX, _SMALLEST_PX = 22.0, 3.0
_HARDNESS = {"colorscale": make_plotly_scale(HARDNESS_SCALES[0]), "cmin": 0, "cmax": 1}


def make_cartography_figure(cartography: pd.DataFrame, *, height_px: int = 420) -> go.Figure:
    """Mean of the true-class probability over its spread: a square per bin, its area the pixels, its colour hardness.

    Areas grow with the square root of the number of pixels, since most pixels are in one corner.

    Args:
        cartography: Columns mean_from, spread_from, pixels, hardness_mean.
        height_px: Height of the figure.
    """
    widths = [_find_width(cartography[column].to_numpy()) for column in ("spread_from", "mean_from")]
    share = cartography["pixels"] / cartography["pixels"].sum()
    size = np.maximum(_LARGEST_PX * (share / share.max()) ** 0.25, _SMALLEST_PX)
    figure = go.Figure(layout={"template": make_template(), "height": height_px})
    points = go.Scatter(
        x=cartography["spread_from"] + widths[0] / 2,
        y=cartography["mean_from"] + widths[1] / 2,
        mode="markers",
        marker={
            "symbol": "square",
            "size": size,
            "color": cartography["hardness_mean"],
            "line": {"width": 0},
            "opacity": 1,
            "colorbar": {"title": {"text": "mean hardness"}, "thickness": 12},
            **_HARDNESS,
        },
        customdata=np.stack([100 * share, cartography["hardness_mean"]], axis=1),
        hovertemplate=(
            "mean %{y:.3f}, spread %{x:.3f}<br>%{customdata[0]:.3f} % of the pixels, "
            "mean hardness %{customdata[1]:.3f}<extra></extra>"
        ),
        showlegend=False,
    )
    figure.add_trace(points)
    figure.update_xaxes(title="Spread of the true-class probability over the epochs", range=[0, 0.5])
    figure.update_yaxes(title="Its mean over the epochs", range=[0, 1])
    return figure


def make_learning_figure(learning: pd.DataFrame, *, height_px: int = 320) -> go.Figure:
    """Share of the pixels by the epoch they were learned at and by how often they were forgotten; colour: hardness.

    Args:
        learning: Columns quantity, group, measure, value, low, high.
        height_px: Height of the figure.
    """
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.04, column_widths=[0.66, 0.34])
    figure.update_layout(template=make_template(), height=height_px, showlegend=False)
    titles = {"learned": "Epoch learned", "forgetting": "Times forgotten"}
    for column, (quantity, title) in enumerate(titles.items(), start=1):
        rows = learning.loc[learning["quantity"] == quantity]
        shares = rows.loc[rows["measure"] == "share"]
        hardness = rows.loc[rows["measure"] == "hardness_mean", "value"]
        percents = shares[["value", "low", "high"]].to_numpy() * 100
        bars = go.Bar(
            x=shares["group"],
            y=percents[:, 0],
            error_y={
                "array": percents[:, 2] - percents[:, 0],
                "arrayminus": percents[:, 0] - percents[:, 1],
                "thickness": 1,
                "color": "#7f7f7f",
            },
            marker={"color": _find_colours(hardness.to_numpy()), "line": {"width": 1, "color": "#7f7f7f"}},
            customdata=np.stack([hardness], axis=1),
            hovertemplate="%{x}: %{y:.2f} % of the pixels, mean hardness %{customdata[0]:.3f}<extra></extra>",
        )
        figure.add_trace(bars, row=1, col=column)
        figure.update_xaxes(title=title, type="category", row=1, col=column)
    bar = {"color": [0], "colorbar": {"title": {"text": "mean hardness"}, "thickness": 12}, "showscale": True}
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", marker=bar | _HARDNESS), row=1, col=1)
    figure.update_yaxes(title="Share of the pixels (%)", rangemode="tozero", col=1)
    return figure


def _find_colours(hardness: np.ndarray) -> list[str]:
    """The colour of each number, grey for none; Plotly.js warns if bars are coloured by numbers."""
    indices = np.rint(255 * np.clip(np.nan_to_num(hardness), 0, 1)).astype(int)
    colours = np.where(np.isnan(hardness)[:, None], MISSING, colour_scale(HARDNESS_SCALES[0])[indices])
    return [f"rgb({red}, {green}, {blue})" for red, green, blue in colours.tolist()]


def _find_width(starts: np.ndarray) -> float:
    """Width of the bins, from their lower ends; 0 if there is only one."""
    steps = np.diff(np.unique(starts))
    return float(steps.min()) if len(steps) else 0.0
