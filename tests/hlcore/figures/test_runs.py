"""Figures of several runs draw the values of their table."""

import numpy as np
import pandas as pd
import pytest

from hlcore.figures.runs import make_runs_by_epoch_figure, run_colour
from hlcore.figures.segmentation import GAIN, LOSS, METRICS, make_class_iou_figure, make_gain_figure, make_scores_figure

RUNS = ["a", "b", "c"]
BY_EPOCH = pd.DataFrame(
    {
        "run": ["a", "a", "c"],
        "epoch": [1, 2, 1],
        "value": [0.1, 0.2, 0.3],
        "low": [0.0, 0.1, np.nan],
        "high": [0.2, 0.4, np.nan],
    }
)
SCORES = pd.DataFrame(
    {
        "run": ["a", "a", "c", "c"],
        "metric": ["iou", "boundary_iou"] * 2,
        "class_name": ["sky", "road"] * 2,
        "value": [0.5, 0.4, 0.6, np.nan],
        "low": [0.4, 0.3, np.nan, np.nan],
        "high": [0.7, 0.5, np.nan, np.nan],
    }
)


def test_a_run_is_a_line_in_its_colour_with_a_band_if_it_has_an_interval():
    figure = make_runs_by_epoch_figure(BY_EPOCH, runs=RUNS, title="Mean IoU (0 to 1)")
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [(line.name, list(line.x), list(line.y)) for line in lines] == [("a", [1, 2], [0.1, 0.2]), ("c", [1], [0.3])]
    assert [line.line.color for line in lines] == [run_colour("a", RUNS), run_colour("c", RUNS)]
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [band.legendgroup for band in bands] == ["a"]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Epoch", "Mean IoU (0 to 1)")


@pytest.mark.parametrize(("log", "kind"), [(False, "linear"), (True, "log")])
def test_the_axis_is_logarithmic_on_request(log, kind):
    assert make_runs_by_epoch_figure(BY_EPOCH, runs=RUNS, title="ms", log=log).layout.yaxis.type == kind


def test_a_run_keeps_its_colour_if_another_is_missing():
    assert run_colour("c", RUNS) != run_colour("b", RUNS)
    for figure in (make_scores_figure(SCORES, runs=RUNS), make_class_iou_figure(SCORES, runs=RUNS)):
        assert [bars.marker.color for bars in figure.data] == [run_colour("a", RUNS), run_colour("c", RUNS)]


def test_scores_have_intervals_if_known():
    a, c = make_scores_figure(SCORES, runs=RUNS).data
    assert list(a.x) == [METRICS["iou"], METRICS["boundary_iou"]]
    assert list(a.error_y.array) == pytest.approx([0.2, 0.1])
    assert list(a.error_y.arrayminus) == pytest.approx([0.1, 0.1])
    assert a.error_y.visible
    assert not c.error_y.visible
    assert a.customdata[0] == "0.500 (95 %: 0.400 to 0.700)"
    assert c.customdata[0] == "0.600"


def test_classes_are_listed_from_the_top():
    figure = make_class_iou_figure(SCORES, runs=RUNS)
    assert list(figure.data[0].y) == ["sky", "road"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.title.text == "IoU (0 to 1)"


def test_gains_and_losses_differ_in_colour_and_the_axis_says_which_is_subtracted():
    table = pd.DataFrame({"class_name": ["sky", "road"], "value": [0.1, -0.2]})
    figure = make_gain_figure(table, baseline="a", compared="c")
    assert list(figure.data[0].marker.color) == [GAIN, LOSS]
    assert list(figure.data[0].x) == [0.1, -0.2]
    assert figure.layout.xaxis.title.text == "IoU of c minus IoU of a"
