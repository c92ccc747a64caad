"""Names of classes, runs and images appear in figures as they are, never as markup."""

import re

import pandas as pd
import pytest

from hlcore.figures.edges import make_hardness_by_distance_figure, make_hardness_by_pair_figure
from hlcore.figures.objects import make_objects_figure
from hlcore.figures.pixels import make_pixel_history_figure
from hlcore.figures.runs import make_runs_by_epoch_figure
from hlcore.figures.segmentation import (
    make_class_iou_figure,
    make_gain_by_class_figure,
    make_gain_figure,
    make_scores_figure,
)

NAME = "<i>car</i> & van"
SHOWN = "&lt;i&gt;car&lt;/i&gt; &amp; van"
VALUES = {"value": [0.5], "low": [0.4], "high": [0.6]}
SCORES = pd.DataFrame({"run": [NAME], "class_name": [NAME], "data": [NAME], "metric": ["iou"], "epoch": [1], **VALUES})
EDGES = pd.DataFrame({"class_name": [NAME], "distance": ["0"], "quantity": ["hardness"], "pixels": [9], **VALUES})
PAIRS = pd.DataFrame({"first": [NAME], "second": ["road"], "quantity": ["hardness"], "pixels": [9], **VALUES})
OBJECTS = pd.DataFrame(
    {
        "image": [NAME],
        "object": [1],
        "class_name": [NAME],
        "area_px": [40],
        "thickness_px": [3.0],
        "edge_share": [0.5],
        "hardness_mean": [0.5],
    }
)
CURVE = pd.DataFrame(columns=["quantity", "area_low_px", "area_high_px", "area_px", "objects", "value", "low", "high"])
HISTORY = pd.DataFrame({"epoch": [0], "hardness": [0.5], "loss": [2.0], "class_name": [NAME], "error": [True]})


@pytest.mark.parametrize(
    "figure",
    [
        make_scores_figure(SCORES, runs=[NAME]),
        make_class_iou_figure(SCORES, runs=[NAME]),
        make_gain_figure(SCORES, baseline=NAME, compared=NAME),
        make_gain_by_class_figure(SCORES, title="Gain"),
        make_runs_by_epoch_figure(SCORES, runs=[NAME], title="IoU"),
        make_hardness_by_distance_figure(EDGES),
        make_hardness_by_pair_figure(PAIRS),
        make_objects_figure(OBJECTS, CURVE, size="area_px", quantity="hardness_mean", class_names=[NAME]),
        make_pixel_history_figure(HISTORY),
    ],
)
def test_a_name_is_escaped_wherever_plotly_would_read_it_as_markup(figure) -> None:
    drawn = [figure.layout.xaxis.title.text or ""]
    for trace in figure.data:
        customdata = (
            []
            if trace.customdata is None or not len(trace.customdata)
            else pd.DataFrame(trace.customdata).iloc[0].tolist()
        )
        where = {int(i) for i in re.findall(r"customdata\[(\d+)\]", trace.hovertemplate or "")}
        shown = [value for i, value in enumerate(customdata) if i in where or "%{customdata}" in trace.hovertemplate]
        drawn += map(
            str,
            [
                trace.name,
                trace.hovertemplate,
                *list([] if trace.x is None else trace.x),
                *list([] if trace.y is None else trace.y),
                *shown,
            ],
        )
    assert any(SHOWN in text for text in drawn)
    assert not any("<i>" in text for text in drawn)
