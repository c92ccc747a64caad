"""Stability of hardness and loss maps over the snapshots of a training run."""

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hlcore.figures.curves import add_curve
from hlcore.figures.style import QUANTITIES, make_template

TITLES = {
    "spearman": "Spearman's rho",
    "pearson": "Pearson's r",
    "top10_iou": "IoU, hardest 10 %",
    "turnover": "Turnover, hardest 10 %",
    "total_variation": "Total variation",
    "level": "Mean level",
    "relative_level": "Level, first epoch = 1",
    "edge_share": "Share at edges",
}
"""Axis title of each measure; all but the level (sigmoid or nats) are unitless."""
SPLITS = {"train": "trained on", "val": "held out"}
"""Display names of the splits of a probe set; other splits keep their names."""
_FROM_ZERO = ("top10_iou", "turnover", "edge_share")
_HOVER = "%{x}<br>%{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}), %{customdata[2]} images"


def make_pair_figure(
    epoch_pairs: pd.DataFrame, *, measure: str, kind: Literal["consecutive", "last"], legend: bool = True
) -> go.Figure:
    """A measure of the agreement of consecutive snapshots, or of each snapshot with the last.

    Lines of training images are dashed, those of other splits solid.

    Args:
        epoch_pairs: Columns split, map, first, second, kind, measure, value, low, high, images.
        measure: The measure to draw.
        kind: The kind of pairs to draw.
        legend: Whether to show the legend.
    """
    rows = _select(epoch_pairs, measure=measure, kind=kind)
    where = rows["second" if kind == "consecutive" else "first"].map(format_snapshot)
    axis = "Snapshot, against the one before" if kind == "consecutive" else "Snapshot, against the last"
    return _figure(rows.assign(where=where), measure=measure, axis=axis, legend=legend)


def make_level_figure(levels: pd.DataFrame, *, measure: str, legend: bool = True) -> go.Figure:
    """A measure of each snapshot's maps, drawn as in `make_pair_figure`.

    Args:
        levels: Columns split, map, snapshot, measure, value, low, high, images.
        measure: The measure to draw.
        legend: Whether to show the legend.
    """
    rows = _select(levels, measure=measure)
    if measure == "relative_level":  # before the first kept epoch the network is hardly trained
        rows = rows.query("snapshot.str.startswith('epoch-') and snapshot != 'epoch-0000'")
    rows = rows.assign(where=rows["snapshot"].map(format_snapshot))
    return _figure(rows, measure=measure, axis="Snapshot", legend=legend)


def make_overlap_figure(epoch_pairs: pd.DataFrame, *, split: str, of: Literal["hardness", "loss"]) -> go.Figure:
    """IoU of the hardest 10 % of any two snapshots, as a symmetric matrix with 1 on its diagonal.

    Args:
        epoch_pairs: Columns split, map, first, second, kind (only "all" is used), value.
        split: The split of the images.
        of: The map.
    """
    rows = _select(epoch_pairs, kind="all", split=split, map=of)
    names = list(dict.fromkeys([*rows["first"], *rows["second"]]))
    place = {name: index for index, name in enumerate(names)}
    overlap = np.eye(len(names))
    for first, second in (("first", "second"), ("second", "first")):
        at = [[place[name] for name in rows[column]] for column in (first, second)]
        overlap[at[0], at[1]] = rows["value"]
    texts = [format_snapshot(name) for name in names]
    heatmap = go.Heatmap(
        x=texts,
        y=texts,
        z=overlap,
        zmin=0,
        zmax=1,
        colorscale="Cividis",
        colorbar={"title": {"text": "IoU"}, "thickness": 12},
        hovertemplate="%{y} and %{x}: IoU %{z:.3f}<extra></extra>",
    )
    figure = go.Figure(heatmap, {"template": make_template()})
    figure.update_xaxes(title="Snapshot", type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_layout(margin_t=10)
    return figure


def make_memorise_figure(table: pd.DataFrame) -> go.Figure:
    """Loss and hardness of one image while a network memorises it, each relative to its value at the first step.

    Args:
        table: Columns step, map (hardness, loss), value (relative to the first step), level (sigmoid or nats).
    """
    figure = go.Figure(layout={"template": make_template()})
    for name, colour in _colours().items():
        rows = _select(table, map=name)
        line = go.Scatter(
            x=rows["step"],
            y=rows["value"],
            customdata=rows[["level"]],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate="step %{x}: %{y:.3f} of the first, %{customdata[0]:.3f}",
        )
        figure.add_trace(line)
    figure.update_xaxes(title="Training step")
    figure.update_yaxes(title="Mean over the image, first step = 1", rangemode="tozero")
    return figure


def format_snapshot(snapshot: str) -> str:
    """Short name of a snapshot: the number of an epoch, or # and the number of a step.

    Example:
        >>> [format_snapshot(name) for name in ("epoch-0000", "iteration-000010", "epoch-0012")]
        ['#0', '#10', '12']
    """
    kind, _, number = snapshot.partition("-")
    return f"#{int(number)}" if kind == "iteration" or int(number) == 0 else f"{int(number)}"


def _figure(rows: pd.DataFrame, *, measure: str, axis: str, legend: bool) -> go.Figure:
    figure = go.Figure(layout={"template": make_template(), "showlegend": legend})
    for split, of_split in rows.groupby("split", sort=False):
        dash = "dash" if split == "train" else "solid"
        for name, colour in _colours().items():
            of_map = _select(of_split, map=name)
            title = f"{name}, {SPLITS.get(str(split), split)}"
            hover = f"{_HOVER}<extra>{title}</extra>"
            add_curve(
                figure, of_map, x="where", name=title, colour=colour, hover=hover, columns=["images"], line_dash=dash
            )
    figure.update_xaxes(title=axis, type="category", categoryarray=list(dict.fromkeys(rows["where"])))
    if not legend:
        figure.update_layout(margin_t=10)
    figure.update_yaxes(title=TITLES[measure], rangemode="tozero" if measure in _FROM_ZERO else "normal")
    return figure


def _colours() -> dict[str, str]:
    return {name: QUANTITIES[name] for name in ("hardness", "loss")}


def _select(table: pd.DataFrame, **values: str) -> pd.DataFrame:
    return table.query(" and ".join(f"{column} == {value!r}" for column, value in values.items()))
