"""How well each score finds wrong pixels: risk-coverage and ROC curves, AUROC, AP, and the effect of a threshold."""

from collections.abc import Iterable, Mapping
from zlib import crc32

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hlcore.figures.curves import add_curve
from hlcore.figures.style import QUANTITIES, SERIES, make_template
from hlcore.figures.words import keep_word
from hlcore.types import IMPORTED_PREFIX

SCORES: Mapping[str, str] = {
    "hardness": "hardness",
    "max_softmax": "1 − max softmax",
    "entropy": "entropy",
    "edge_distance": "distance to the predicted edge",
    "mc_entropy": "entropy under MC dropout",
    "hardness_x_max_softmax": "hardness × (1 − max softmax)",
    "margin": "1 − margin",
    "error_suspicion": "suspicion of error",
}
"""Display name of each score."""
COLOURS: Mapping[str, str] = {
    "hardness": QUANTITIES["hardness"],
    "max_softmax": SERIES[0],
    "entropy": SERIES[5],
    "edge_distance": SERIES[6],
    "mc_entropy": SERIES[3],
    "hardness_x_max_softmax": SERIES[4],
    "margin": SERIES[7],
    "error_suspicion": SERIES[2],
}
REGIONS: Mapping[str, str] = {
    "all": "all labelled pixels",
    "edge": "within 2 px of a predicted edge",
    "interior": "farther than 2 px from every predicted edge",
}
"""Display name of each region."""
METRICS: Mapping[str, str] = {"auroc": "AUROC", "ap": "AP"}

_CHANCE = {"color": "#7f7f7f", "width": 1, "dash": "dot"}


def order_scores(scores: Iterable[str]) -> list[str]:
    """These scores in the order of SCORES, then imported ones.

    Example:
        >>> order_scores(["imported: doubt", "edge_distance", "hardness", "hardness"])
        ['hardness', 'edge_distance', 'imported: doubt']
    """
    found = list(dict.fromkeys(scores))
    return [*(score for score in SCORES if score in found), *(score for score in found if score not in SCORES)]


def name_score(score: str) -> str:
    """Display name of a score in the tables; that of an imported one survives `replace_hardness`.

    Example:
        >>> name_score("max_softmax"), name_score("imported: doubt")
        ('1 − max softmax', 'doubt')
    """
    return SCORES.get(score) or keep_word(score.removeprefix(IMPORTED_PREFIX))


def choose_colour(score: str) -> str:
    """Colour of a score, the same in every figure."""
    known = [colour for colour in SERIES if colour not in (COLOURS["hardness"], COLOURS["edge_distance"])]
    return COLOURS.get(score, known[crc32(score.encode()) % len(known)])


def make_risk_coverage_figure(curves: pd.DataFrame, *, height_px: int = 340, legend: bool = True) -> go.Figure:
    """Error rate among the pixels kept, by the share kept, with a line per score; lower is better.

    Args:
        curves: Rows of one region: score, pixels_share, risk, threshold, low, high.
        height_px: Height of the figure.
        legend: Whether to show the legend.
    """
    figure = go.Figure()
    percents = curves[["risk", "low", "high"]] * 100
    table = curves.assign(
        kept=100 * (1 - curves["pixels_share"]), value=percents["risk"], low=percents["low"], high=percents["high"]
    ).dropna(subset=["value"])
    for score in _scores_in(table):
        add_curve(
            figure,
            table.loc[table["score"] == score],
            x="kept",
            name=name_score(score),
            colour=choose_colour(score),
            hover="%{x:.1f} % kept: <b>%{y:.2f} %</b> wrong (%{customdata[0]:.2f} to %{customdata[1]:.2f})"
            "<extra>%{fullData.name}</extra>",
        )
    figure.update_traces(mode="lines")
    figure.update_xaxes(title="Pixels kept (coverage)", range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(title="Wrong among the kept (risk)", ticksuffix=" %", rangemode="tozero")
    return _set_layout(figure, height_px, legend=legend)


def make_roc_figure(curves: pd.DataFrame, *, height_px: int = 340, legend: bool = True) -> go.Figure:
    """ROC curve of each score: wrong pixels flagged by right pixels flagged; the diagonal is chance.

    Args:
        curves: Rows of one region: score, pixels_share, errors_share, false_positive_share.
        height_px: Height of the figure.
        legend: Whether to show the legend.
    """
    figure = go.Figure()
    for score in _scores_in(curves):
        rows = curves[curves["score"] == score]
        figure.add_scatter(
            x=100 * rows["false_positive_share"],
            y=100 * rows["errors_share"],
            customdata=100 * rows[["pixels_share"]],
            mode="lines",
            name=name_score(score),
            line={"color": choose_colour(score), "width": 2},
            hovertemplate="%{customdata[0]:.1f} % of the pixels flagged: <b>%{y:.1f} %</b> of the wrong, "
            "%{x:.1f} % of the right<extra>%{fullData.name}</extra>",
        )
    figure.add_shape(type="line", x0=0, y0=0, x1=100, y1=100, layer="below", line=_CHANCE)
    figure.update_xaxes(title="Right pixels flagged", range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(title="Wrong pixels flagged", range=[0, 101], ticksuffix=" %")
    return _set_layout(figure, height_px, legend=legend)


def make_score_figure(scores: pd.DataFrame, *, row_px: int = 24) -> go.Figure:
    """AUROC and AP of each score with intervals, one region per row; dotted lines mark chance.

    Args:
        scores: Columns score, region, metric, value, low, high; the metric error_rate is the chance level of AP.
        row_px: Height of a bar with its margin.
    """
    known = scores.dropna(subset=["value"])
    regions = [region for region in REGIONS if region in set(known["region"])]
    names = _scores_in(known)
    titles = [title for region in regions for title in (REGIONS[region].capitalize(), "")]
    figure = make_subplots(
        rows=max(1, len(regions)),
        cols=len(METRICS),
        shared_yaxes=True,
        subplot_titles=titles,
        horizontal_spacing=0.04,
        vertical_spacing=0.5 / max(1, len(regions)),
    )
    for row, region in enumerate(regions, start=1):
        for column, metric in enumerate(METRICS, start=1):
            bars = known.query("region == @region and metric == @metric").set_index("score").reindex(names)
            figure.add_bar(
                x=bars["value"],
                y=[name_score(name) for name in names],
                error_x={
                    "array": bars["high"] - bars["value"],
                    "arrayminus": bars["value"] - bars["low"],
                    "thickness": 1.5,
                    "color": "#7f7f7f",
                },
                customdata=bars[["low", "high"]],
                orientation="h",
                marker={"color": [choose_colour(name) for name in names], "opacity": 0.7},
                hovertemplate="%{y}: <b>%{x:.3f}</b> (%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
                showlegend=False,
                row=row,
                col=column,
            )
            figure.update_xaxes(title={"text": METRICS[metric], "standoff": 4}, row=row, col=column)
            chance = 0.5 if metric == "auroc" else _error_rate(known, region)
            figure.add_shape(
                type="line", x0=chance, x1=chance, y0=0, y1=1, yref="y domain", line=_CHANCE, row=row, col=column
            )
    figure.update_xaxes(range=[0, 1], dtick=0.25)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    return figure.update_layout(
        template=make_template(), height=90 + len(regions) * (len(names) * row_px + 80), bargap=0.25
    )


def make_threshold_figure(curve: pd.DataFrame, *, flagged: float, height_px: int = 300) -> go.Figure:
    """Errors caught and precision by the share of pixels flagged, with a line at the current threshold.

    Args:
        curve: Rows of one score and region: pixels_share, errors_share, precision, threshold.
        flagged: Share of the pixels flagged at the current threshold, 0 to 1.
        height_px: Height of the figure.
    """
    figure = go.Figure()
    lines = {"errors_share": ("errors caught", SERIES[0], "solid"), "precision": ("precision", SERIES[1], "dash")}
    for column, (name, colour, dash) in lines.items():
        figure.add_scatter(
            x=100 * curve["pixels_share"],
            y=100 * curve[column],
            customdata=curve[["threshold"]],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2, "dash": dash},
            hovertemplate="%{x:.1f} % flagged (score ≥ %{customdata[0]:.3g}): <b>%{y:.1f} %</b>"
            "<extra>%{fullData.name}</extra>",
        )
    figure.add_vline(100 * flagged, line={"color": "#7f7f7f", "width": 1.5})
    figure.update_xaxes(title="Pixels flagged", range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(title="Share", range=[0, 101], ticksuffix=" %")
    return _set_layout(figure, height_px, legend=True)


def _scores_in(table: pd.DataFrame) -> list[str]:
    """The scores of a table, in the order of SCORES, then imported ones."""
    return order_scores(table["score"])


def _error_rate(scores: pd.DataFrame, region: str) -> float:
    return float(scores.loc[(scores["region"] == region) & (scores["metric"] == "error_rate"), "value"].iloc[0])


def _set_layout(figure: go.Figure, height_px: int, *, legend: bool) -> go.Figure:
    figure.update_xaxes(dtick=25)
    return figure.update_layout(template=make_template(), height=height_px, showlegend=legend)
