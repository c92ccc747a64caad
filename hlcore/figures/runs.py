"""Runs compared over their epochs."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.curves import add_curve
from hlcore.figures.style import SERIES, escape_name, make_template


def run_colour(run: str, runs: Sequence[str]) -> str:
    """Colour of a run, by its position among the compared runs."""
    return SERIES[list(runs).index(run) % len(SERIES)]


def make_runs_by_epoch_figure(
    table: pd.DataFrame, *, runs: Sequence[str], title: str, log: bool = False, height_px: int = 320
) -> go.Figure:
    """A line per run over its epochs, with the band of its interval, if any.

    Args:
        table: run, epoch (in order), value, low, high.
        runs: All compared runs; the position in this list decides the colour.
        title: Title of the vertical axis, with its unit.
        log: Whether the vertical axis is logarithmic; otherwise it starts at 0.
        height_px: Height of the figure.
    """
    figure = go.Figure(layout={"template": make_template(), "height": height_px, "hovermode": "closest"})
    for run, rows in table.groupby("run", sort=False):
        add_curve(
            figure,
            rows,
            x="epoch",
            name=escape_name(run),
            colour=run_colour(str(run), runs),
            hover=f"epoch %{{x}}: <b>%{{y:.4~g}}</b><extra>{escape_name(run)}</extra>",
            showlegend=len(runs) > 1,
        )
    figure.update_xaxes(title="Epoch")
    if log:
        figure.update_yaxes(tickformat=",")  # otherwise 200 is labelled 2
    return figure.update_yaxes(title=title, rangemode="tozero", type="log" if log else "linear")
