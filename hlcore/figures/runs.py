"""Runs side by side over their epochs."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.curves import add_curve
from hlcore.figures.style import SERIES, make_template


def run_colour(run: str, runs: Sequence[str]) -> str:
    """The colour of a run, by its place among all that are compared."""
    return SERIES[list(runs).index(run) % len(SERIES)]


def runs_by_epoch_figure(
    table: pd.DataFrame, *, runs: Sequence[str], title: str, log: bool = False, height_px: int = 320
) -> go.Figure:
    """A line for each run over its epochs, with a band where there is one.

    Args:
        table: run, epoch (in order), value, low, high.
        runs: All that are compared; a run's place among them decides its colour.
        title: Of the vertical axis, with its unit.
        log: Whether the vertical axis is logarithmic; else it begins at 0.
        height_px: Of the figure.
    """
    figure = go.Figure(layout={"template": make_template(), "height": height_px, "hovermode": "closest"})
    for run, rows in table.groupby("run", sort=False):
        add_curve(
            figure,
            rows,
            x="epoch",
            name=str(run),
            colour=run_colour(str(run), runs),
            hover=f"epoch %{{x}}: <b>%{{y:.4~g}}</b><extra>{run}</extra>",
            showlegend=len(runs) > 1,
        )
    figure.update_xaxes(title="Epoch")
    if log:
        figure.update_yaxes(tickformat=",")  # else 200 is written as 2
    return figure.update_yaxes(title=title, rangemode="tozero", type="log" if log else "linear")
