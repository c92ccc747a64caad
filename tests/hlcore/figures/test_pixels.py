"""The figure of one pixel over the epochs: what is drawn is what the table says."""

import numpy as np
import pandas as pd

from hlcore.figures.pixels import pixel_history_figure
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
    return {trace.name: trace for trace in pixel_history_figure(table).data}


def test_hardness_and_loss_are_lines_over_the_epochs_in_their_own_colours():
    drawn = lines(HISTORY)
    assert set(drawn) == {"hardness", "loss"}
    for name, line in drawn.items():
        assert (list(line.x), list(line.y)) == ([0, 2, 5], HISTORY[name].tolist())
        assert line.line.color == QUANTITIES[name]
    assert drawn["hardness"].line.dash != drawn["loss"].line.dash, "told apart without colours"


def test_the_two_have_an_axis_each_with_its_unit_and_hardness_its_whole_range():
    figure = pixel_history_figure(HISTORY)
    axes = {trace.name: trace.yaxis for trace in figure.data}
    assert axes["hardness"] != axes["loss"]
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("hardness", "loss, nats")
    assert tuple(figure.layout.yaxis.range) == (0, 1)
    assert figure.layout.yaxis2.rangemode == "tozero"


def test_an_epoch_that_is_wrong_is_a_cross_and_says_what_it_predicted():
    for line in lines(HISTORY).values():
        assert list(line.marker.symbol) == ["x", "circle", "circle"]
        assert list(line.customdata) == ["Sky", "Road", "Road"]
        assert "predicted %{customdata}" in line.hovertemplate


def test_without_labels_or_where_unlabelled_there_is_hardness_alone():
    assert set(lines(HISTORY.drop(columns="loss"))) == {"hardness"}
    assert set(lines(HISTORY.assign(loss=np.nan))) == {"hardness"}
