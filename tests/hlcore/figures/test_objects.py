"""Figures of objects: every point and every bin of the tables is drawn, with its interval."""

import numpy as np
import pandas as pd
import pytest

from hlcore.figures.objects import EDGE_MATCHED, MEASURES, make_edge_matched_figure, make_objects_figure
from hlcore.figures.style import SERIES, make_translucent

NAMES = ("Sky", "Road", "Pole", "Sign")


@pytest.fixture
def objects():
    return pd.DataFrame(
        {
            "image": ["a", "a", "b", "b"],
            "object": [1, 2, 1, 2],
            "class_name": ["Sky", "Pole", "Pole", "Road"],
            "area_px": [1000, 20, 30, 900],
            "thickness_px": [30.0, 2.0, 2.0, 20.0],
            "edge_share": [0.1, 1.0, 1.0, 0.2],
            **{name: [0.1, 0.9, np.nan, 0.3] for name in MEASURES},
        }
    )


@pytest.fixture
def curve():
    parts = [
        pd.DataFrame(
            {
                "area_low_px": [10, 100, 1000],
                "area_high_px": [100, 1000, np.inf],
                "area_px": [25.0, 900.0, np.nan],
                "quantity": quantity,
                "objects": [2, 1, 0],
                "value": [0.9, 0.2, np.nan],
                "low": [0.8, 0.1, np.nan],
                "high": [1.0, 0.3, np.nan],
            }
        )
        for quantity in {**MEASURES, **EDGE_MATCHED}
    ]
    return pd.concat(parts, ignore_index=True)


def traces(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


@pytest.mark.parametrize("quantity", MEASURES)
def test_every_object_that_has_the_quantity_is_a_point_of_its_class(objects, curve, quantity):
    drawn = traces(make_objects_figure(objects, curve, size="area_px", quantity=quantity, class_names=NAMES))
    assert list(drawn) == ["Sky", "Road", "Pole", "mean by size"]
    assert list(drawn["Pole"].x) == [20]
    assert list(drawn["Pole"].customdata[0][:2]) == ["a", 2]


def test_a_class_keeps_its_colour_if_others_are_left_out(objects, curve):
    choices = {"size": "area_px", "quantity": "hardness_mean", "class_names": NAMES}
    alone = traces(make_objects_figure(objects[objects["class_name"] == "Pole"], curve, **choices))
    assert alone["Pole"].marker == traces(make_objects_figure(objects, curve, **choices))["Pole"].marker


def test_two_classes_never_look_alike(objects, curve):
    names = [f"class {index}" for index in range(2 * len(SERIES))]
    many = pd.concat([objects.assign(class_name=name) for name in names])
    drawn = make_objects_figure(many, curve, size="area_px", quantity="iou", class_names=names).data
    marker_styles = {(trace.marker.color, trace.marker.symbol) for trace in drawn if trace.name in names}
    assert len(marker_styles) == len(names)


def test_the_curve_has_its_interval_and_leaves_empty_bins_out(objects, curve):
    figure = make_objects_figure(objects, curve, size="area_px", quantity="hardness_mean", class_names=NAMES)
    line = traces(figure)["mean by size"]
    assert list(line.x) == [25, 900]
    assert line.line.color not in {trace.marker.color for trace in figure.data if trace.name in NAMES}
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [band.fillcolor for band in bands] == [make_translucent(line.line.color)]
    assert [row[2] for row in line.customdata] == ["10 to 100 px", "100 to 1000 px"]


def test_an_open_bin_is_labelled_as_open(curve):
    curve["area_high_px"] = curve["area_high_px"].replace(1000, np.inf)
    line = traces(make_edge_matched_figure(curve, size="area_px"))["all pixels"]
    assert line.customdata[1][2] == "≥ 100 px"


def test_hardness_is_drawn_plain_and_edge_matched_over_one_log_axis(curve):
    figure = make_edge_matched_figure(curve, size="area_px")
    assert list(traces(figure)) == [control.name for control in EDGE_MATCHED.values()]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "Area (px, log scale)"


def test_thickness_has_its_own_axis(objects, curve):
    thick = curve.rename(columns=lambda name: name.replace("area", "thickness"))
    figure = make_objects_figure(objects, thick, size="thickness_px", quantity="loss_mean", class_names=NAMES)
    assert figure.layout.xaxis.title.text == "Thickness (px, log scale)"
    assert figure.layout.yaxis.title.text == "Mean loss of the object (nats)"
    assert list(traces(figure)["Sky"].x) == [30]
