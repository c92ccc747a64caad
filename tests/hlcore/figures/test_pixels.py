"""The figure of one pixel over the epochs draws the values of its table."""

import numpy as np
import pandas as pd

from hlcore.figures.pixels import make_pixel_history_figure
from hlcore.figures.style import QUANTITIES

HISTORY = pd.DataFrame(
    {
        "epoch": [0, 2, 5],
        "hardness": [0.5, 0.75, 0.25],
        "loss": [2.0, 1.0, 0.1],
        "class_name": ["Sky", "Road", "Road"],
        "error": [True, False, False],
    }
)


def lines(table):
    return {trace.name: trace for trace in make_pixel_history_figure(table).data}


def test_hardness_and_loss_are_lines_over_the_epochs_in_their_own_colours():
    drawn = lines(HISTORY)
    assert set(drawn) == {"hardness", "loss"}
    for name, line in drawn.items():
        assert (list(line.x), list(line.y)) == ([0, 2, 5], HISTORY[name].tolist())
        assert line.line.color == QUANTITIES[name]
    assert drawn["hardness"].line.dash != drawn["loss"].line.dash, "distinguishable without colour"


def test_each_has_its_own_axis_with_its_unit_and_hardness_has_the_full_range():
    figure = make_pixel_history_figure(HISTORY)
    axes = {trace.name: trace.yaxis for trace in figure.data}
    assert axes["hardness"] != axes["loss"]
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("hardness", "loss, nats")
    assert tuple(figure.layout.yaxis.range) == (0, 1)
    assert figure.layout.yaxis2.rangemode == "tozero"


def test_a_wrong_epoch_is_a_cross_that_names_the_prediction():
    for line in lines(HISTORY).values():
        assert list(line.marker.symbol) == ["x", "circle", "circle"]
        assert list(line.customdata) == ["Sky", "Road", "Road"]
        assert "predicted %{customdata}" in line.hovertemplate


def test_without_labels_or_at_an_unlabelled_pixel_there_is_only_hardness():
    assert set(lines(HISTORY.drop(columns="loss"))) == {"hardness"}
    assert set(lines(HISTORY.assign(loss=np.nan))) == {"hardness"}
