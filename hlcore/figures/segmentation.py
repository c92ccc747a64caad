"""Segmentation scores of several runs: by class, by metric, and the gain of one run over another."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.runs import run_colour
from hlcore.figures.style import SERIES, escape_name, make_template

METRICS = {
    "iou": "mIoU",
    "boundary_iou": "boundary IoU",
    "iou_small": "small objects",
    "iou_medium": "medium objects",
    "iou_large": "large objects",
    "accuracy": "pixel accuracy",
}
"""Label of each metric under its bars."""
GAIN, LOSS = SERIES[0], SERIES[1]
INTERVAL = "#9a9a9a"
"""Visible on the bars, on white and on black."""


def make_scores_figure(table: pd.DataFrame, *, runs: Sequence[str], height_px: int = 320) -> go.Figure:
    """Scores of each run side by side, one group of bars per metric, with intervals.

    Args:
        table: run, metric (of METRICS), value, low, high.
        runs: All compared runs; the position in this list decides the colour.
        height_px: Height of the figure.
    """
    figure = go.Figure(layout={"template": make_template(), "height": height_px, "barmode": "group"})
    for run, rows in table.groupby("run", sort=False):
        bars = go.Bar(
            x=[METRICS[metric] for metric in rows["metric"]],
            y=rows["value"],
            name=escape_name(run),
            marker={"color": run_colour(str(run), runs)},
            error_y=_error_bars(rows),
            text=[f"{value:.2f}" for value in rows["value"]],
            textposition="inside",
            insidetextanchor="start",
            customdata=_hover_texts(rows),
            hovertemplate=f"%{{x}}: <b>%{{customdata}}</b><extra>{escape_name(run)}</extra>",
        )
        figure.add_trace(bars)
    return figure.update_yaxes(title="Score (0 to 1)", range=[0, 1])


def make_class_iou_figure(table: pd.DataFrame, *, runs: Sequence[str]) -> go.Figure:
    """IoU of each class, with a bar per run, and intervals if any.

    Args:
        table: run, class_name, value, low, high; classes are drawn from top to bottom.
        runs: All compared runs; the position in this list decides the colour.
    """
    bars_a_class = len(set(table["run"]))
    rows_high = len(set(table["class_name"])) * (0.6 * bars_a_class + 0.4)
    figure = go.Figure(layout={"template": make_template(), "height": _height_px(rows_high)})
    for run, rows in table.groupby("run", sort=False):
        bars = go.Bar(
            x=rows["value"],
            y=rows["class_name"].map(escape_name),
            orientation="h",
            name=escape_name(run),
            marker={"color": run_colour(str(run), runs)},
            error_x=_error_bars(rows),
            customdata=_hover_texts(rows),
            hovertemplate=f"%{{y}}: <b>%{{customdata}}</b><extra>{escape_name(run)}</extra>",
        )
        figure.add_trace(bars)
    figure.update_xaxes(title="IoU (0 to 1)", range=[0, 1])
    return figure.update_yaxes(autorange="reversed", automargin=True, dtick=1)


def make_gain_figure(table: pd.DataFrame, *, baseline: str, compared: str) -> go.Figure:
    """Gain in IoU of one run over another in each class; losses have another colour.

    Args:
        table: class_name, value (IoU of `compared` minus IoU of `baseline`), from top to bottom.
        baseline: The run that is subtracted.
        compared: The run it is subtracted from.
    """
    bars = go.Bar(
        x=table["value"],
        y=table["class_name"].map(escape_name),
        orientation="h",
        marker={"color": [GAIN if value >= 0 else LOSS for value in table["value"]]},
        hovertemplate="%{y}: <b>%{x:+.3f}</b><extra></extra>",
    )
    figure = go.Figure(bars, layout={"template": make_template(), "height": _height_px(len(table))})
    figure.update_xaxes(title=f"IoU of {escape_name(compared)} minus IoU of {escape_name(baseline)}", zeroline=True)
    return figure.update_yaxes(autorange="reversed", automargin=True, dtick=1)


def make_gain_by_class_figure(table: pd.DataFrame, *, title: str, height_px: int = 360) -> go.Figure:
    """Gain in IoU of each class over several runs, with the interval over runs; one colour per data set.

    Args:
        table: data, class_name (in the order drawn from the top), value, low, high; points of IoU.
        title: Title of the axis.
        height_px: Height of the figure.
    """
    figure = go.Figure(layout={"template": make_template(), "height": height_px, "scattermode": "group"})
    for index, (data, rows) in enumerate(table.groupby("data", sort=False)):
        points = go.Scatter(
            x=rows["value"],
            y=rows["class_name"].map(escape_name),
            mode="markers",
            name=escape_name(data),
            marker={"color": SERIES[index % len(SERIES)], "size": 9},
            error_x=_error_bars(rows),
            customdata=rows[["low", "high"]],
            hovertemplate="%{y}: <b>%{x:+.1f}</b> (%{customdata[0]:.1f} to %{customdata[1]:.1f})"
            "<extra>%{fullData.name}</extra>",
        )
        figure.add_trace(points)
    figure.update_xaxes(title=title, zeroline=True, zerolinewidth=2)
    return figure.update_yaxes(autorange="reversed", automargin=True, dtick=1)


def _error_bars(rows: pd.DataFrame) -> dict[str, object]:
    """Error bars from low to high, if there is an interval."""
    ends = {"array": rows["high"] - rows["value"], "arrayminus": rows["value"] - rows["low"]}
    style = {"thickness": 1.5, "width": 3, "color": INTERVAL, "visible": bool(rows["low"].notna().any())}
    return {name: values.fillna(0) for name, values in ends.items()} | style


def _hover_texts(rows: pd.DataFrame) -> list[str]:
    """Hover text of each value, with its interval, if any."""
    return [
        f"{value:.3f}" + (f" (95 %: {low:.3f} to {high:.3f})" if low == low else "")  # noqa: PLR0124  NaN is not itself
        for value, low, high in rows[["value", "low", "high"]].itertuples(index=False)
    ]


def _height_px(rows: float) -> int:
    return round(110 + 24 * rows)
