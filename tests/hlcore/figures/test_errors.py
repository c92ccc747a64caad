"""Figures of error prediction draw the values of their tables."""

import numpy as np
import pandas as pd
import pytest

from hlcore.figures.errors import (
    COLOURS,
    SCORES,
    make_risk_coverage_figure,
    make_roc_figure,
    make_score_figure,
    make_threshold_figure,
)


def curves(*, interval: bool = True) -> pd.DataFrame:
    one = {
        "pixels_share": [0, 0.25, 1],
        "errors_share": [0, 0.8, 1],
        "precision": [np.nan, 0.32, 0.1],
        "false_positive_share": [0, 0.19, 1],
        "risk": [0.1, 0.03, np.nan],
        "threshold": [np.inf, 0.5, -np.inf],
        "low": [0.08, 0.02, np.nan] if interval else np.nan,
        "high": [0.12, 0.05, np.nan] if interval else np.nan,
    }
    return pd.concat([pd.DataFrame({"score": score, **one}) for score in ("hardness", "entropy")], ignore_index=True)


def scores() -> pd.DataFrame:
    rows = [
        (score, region, metric, 0.7, 0.6, 0.75) if metric != "error_rate" else (score, region, metric, 0.1, 0.08, 0.12)
        for score in ("entropy", "hardness")
        for region in ("all", "edge")
        for metric in ("auroc", "ap", "fpr95", "error_rate")
    ]
    return pd.DataFrame(rows, columns=["score", "region", "metric", "value", "low", "high"])


def test_risk_is_drawn_over_coverage_in_percent_with_a_band() -> None:
    band, line, *_ = make_risk_coverage_figure(curves()).data
    assert list(line.x) == [100, 75]
    assert list(line.y) == [10, 3]
    assert line.name == "hardness"
    assert list(band.y) == [12, 5, 2, 8]
    assert make_risk_coverage_figure(curves()).layout.xaxis.ticksuffix == " %"


def test_without_an_interval_there_is_no_band() -> None:
    assert [trace.fill for trace in make_risk_coverage_figure(curves(interval=False)).data] == [None, None]


def test_roc_runs_from_nothing_to_everything() -> None:
    figure = make_roc_figure(curves())
    assert [trace.name for trace in figure.data] == ["hardness", "entropy"]
    assert list(figure.data[0].x) == [0, 19, 100]
    assert list(figure.data[0].y) == [0, 80, 100]
    assert figure.layout.shapes[0].type == "line"


def test_bars_carry_value_interval_and_chance() -> None:
    figure = make_score_figure(scores())
    assert len(figure.data) == 4
    bars = figure.data[0]
    assert list(bars.y) == ["hardness", "entropy"]
    assert list(bars.x) == [0.7, 0.7]
    assert list(bars.error_x.array) == pytest.approx([0.05] * 2)
    assert list(bars.error_x.arrayminus) == pytest.approx([0.1] * 2)
    assert [shape.x0 for shape in figure.layout.shapes] == [0.5, 0.1, 0.5, 0.1]
    assert [note.text for note in figure.layout.annotations] == [
        "All labelled pixels",
        "Within 2 px of a predicted edge",
    ]
    assert [figure.layout[axis].title.text for axis in ("xaxis", "xaxis2")] == ["AUROC", "AP"]


def test_threshold_figure_marks_the_current_threshold() -> None:
    figure = make_threshold_figure(curves().query("score == 'hardness'"), flagged=0.25)
    assert {trace.name: list(trace.y)[1:] for trace in figure.data} == {
        "errors caught": [80, 100],
        "precision": [32, 10],
    }
    assert figure.layout.shapes[0].x0 == 25


def test_every_score_has_its_own_name_and_colour() -> None:
    assert list(SCORES) == list(COLOURS)
    assert len(set(COLOURS.values())) == len(set(SCORES.values())) == len(SCORES)


def test_every_measured_score_has_a_name() -> None:
    from hlcore.analysis.scores import SCORES as MEASURED

    assert list(SCORES) == list(MEASURED)
