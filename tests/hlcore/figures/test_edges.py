"""Figures of edges draw the values of their table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hlcore.errors import InvalidInputError
from hlcore.figures.edges import ALL_CLASSES, make_hardness_by_distance_figure, make_hardness_by_pair_figure
from hlcore.figures.style import QUANTITIES

DISTANCES = ("0", "1", "2", "3–4")


def profile(*, quantities=("hardness", "loss", "error_rate"), classes=("",), interval=0.1):
    rows = [
        {"class_name": name, "distance": distance, "quantity": quantity, "pixels": 1000, "value": 0.5 / (at + 1)}
        for quantity in quantities
        for name in classes
        for at, distance in enumerate(DISTANCES)
    ]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - interval, high=table["value"] + interval)


def lines(figure):
    return [trace for trace in figure.data if trace.mode == "lines+markers"]


def bands(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def axis_titles(figure):
    return [axis.title.text for axis in figure.select_yaxes()]


def test_each_quantity_has_a_panel_with_its_unit_a_line_and_a_band():
    figure = make_hardness_by_distance_figure(profile())
    assert axis_titles(figure) == ["Mean hardness", "Mean loss, nats", "Error rate"]
    assert [line.line.color for line in lines(figure)] == list(QUANTITIES.values())
    assert len(bands(figure)) == 3
    assert figure.layout.xaxis.title.text == "Distance to the edge, px"
    assert not any(line.showlegend for line in lines(figure))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_line_holds_the_values_and_its_band_the_ends(values):
    table = profile(quantities=("hardness",)).assign(value=values)
    table = table.assign(low=table["value"] / 2, high=table["value"] * 2)
    figure = make_hardness_by_distance_figure(table)
    (line,), (band,) = lines(figure), bands(figure)
    assert list(line.x) == list(DISTANCES)
    assert list(line.y) == values
    assert list(band.y) == [2 * value for value in values] + [value / 2 for value in reversed(values)]


def test_without_labels_there_is_one_panel_and_without_intervals_no_band():
    table = profile(interval=np.nan)
    table.loc[table["quantity"] != "hardness", "value"] = np.nan
    figure = make_hardness_by_distance_figure(table)
    assert axis_titles(figure) == ["Mean hardness"]
    assert not bands(figure)
    assert lines(figure)[0].customdata[0][2] == "<b>0.500</b><br>of 1,000 pixels"


def test_several_classes_have_colours_and_one_legend_for_all_panels():
    figure = make_hardness_by_distance_figure(profile(classes=("", "road", "car")))
    assert len({line.line.color for line in lines(figure)}) == 3
    assert [line.name for line in lines(figure) if line.showlegend] == [ALL_CLASSES, "road", "car"]


def test_distances_keep_their_order_where_the_first_class_lacks_some():
    table = profile(quantities=("hardness",), classes=("road", "car"))
    table.loc[(table["class_name"] == "road") & (table["distance"] == "0"), "value"] = np.nan
    assert list(make_hardness_by_distance_figure(table).layout.xaxis.categoryarray) == list(DISTANCES)


def test_a_profile_without_any_value_is_refused():
    with pytest.raises(InvalidInputError, match="no value"):
        make_hardness_by_distance_figure(profile().assign(value=np.nan))


def pairs(values):
    rows = [
        {"first": "sky", "second": f"class {i}", "quantity": "hardness", "pixels": 10, "value": value}
        for i, value in enumerate(values)
    ]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_pairs_are_ranked_with_their_intervals(values):
    (dots,) = make_hardness_by_pair_figure(pairs(values)).data
    assert list(dots.x) == sorted(values)
    assert dots.error_x.array == pytest.approx([0.2] * len(values))
    assert dots.error_x.arrayminus == pytest.approx([0.1] * len(values))
    named = dict(zip(dots.y, dots.x, strict=True))
    assert [named[f"sky | class {i}"] for i in range(len(values))] == values


def test_pairs_of_one_image_have_no_interval_and_an_empty_table_is_refused():
    table = pairs([0.25]).assign(low=np.nan, high=np.nan)
    (dots,) = make_hardness_by_pair_figure(table).data
    assert list(dots.error_x.array) == [0]
    assert list(dots.customdata) == ["<b>0.250</b><br>of 10 pixels"]
    with pytest.raises(InvalidInputError, match="nothing to rank"):
        make_hardness_by_pair_figure(table.assign(value=np.nan))
