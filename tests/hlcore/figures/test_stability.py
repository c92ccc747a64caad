"""Figures of stability draw the values of their tables."""

import numpy as np
import pandas as pd
import pytest

from hlcore.figures.stability import (
    format_snapshot,
    make_level_figure,
    make_memorise_figure,
    make_overlap_figure,
    make_pair_figure,
)
from hlcore.figures.style import QUANTITIES

SNAPSHOTS = ("epoch-0000", "iteration-000010", "epoch-0003", "epoch-0006")


@pytest.fixture
def epoch_pairs():
    rows = []
    pairs = [(0, 1), (1, 2), (2, 3)]
    every = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    for kind, places in (("consecutive", pairs), ("last", [(0, 3), (1, 3), (2, 3)]), ("all", every)):
        for split in ("train", "val"):
            for m in ("hardness", "loss"):
                for a, b in places:
                    value = (a + b) / 10
                    rows.append((split, m, SNAPSHOTS[a], SNAPSHOTS[b], kind, "top10_iou", value, value - 0.1, 1.0, 2))
    columns = ["split", "map", "first", "second", "kind", "measure", "value", "low", "high", "images"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def levels():
    rows = [
        (split, m, snapshot, measure, float(k), np.nan, np.nan, 1)
        for split in ("train", "val")
        for m in ("hardness", "loss")
        for measure in ("relative_level", "edge_share")
        for k, snapshot in enumerate(SNAPSHOTS)
    ]
    return pd.DataFrame(rows, columns=["split", "map", "snapshot", "measure", "value", "low", "high", "images"])


def lines(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_both_maps_of_both_splits_are_told_apart_by_colour_and_dash(epoch_pairs):
    drawn = lines(make_pair_figure(epoch_pairs, measure="top10_iou", kind="consecutive"))
    assert list(drawn) == ["hardness, trained on", "loss, trained on", "hardness, held out", "loss, held out"]
    assert [trace.line.dash for trace in drawn.values()] == ["dash", "dash", "solid", "solid"]
    assert drawn["loss, held out"].line.color == QUANTITIES["loss"]
    assert list(drawn["loss, held out"].y) == pytest.approx([0.1, 0.3, 0.5])
    assert list(drawn["loss, held out"].x) == ["#10", "3", "6"]


def test_bands_are_drawn_only_where_there_is_an_interval(epoch_pairs, levels):
    with_bands = make_pair_figure(epoch_pairs, measure="top10_iou", kind="last")
    assert sum(trace.fill == "toself" for trace in with_bands.data) == 4
    assert not any(trace.fill for trace in make_level_figure(levels, measure="edge_share").data)


def test_the_level_relative_to_the_first_kept_epoch_begins_there(levels):
    drawn = lines(make_level_figure(levels, measure="relative_level"))
    assert list(drawn["loss, trained on"].x) == ["3", "6"]
    assert list(lines(make_level_figure(levels, measure="edge_share"))["loss, trained on"].x) == ["#0", "#10", "3", "6"]


def test_the_matrix_is_symmetric_with_ones_on_the_diagonal(epoch_pairs):
    heatmap = make_overlap_figure(epoch_pairs, split="val", of="loss").data[0]
    matrix = np.array(heatmap.z)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1).all()
    assert matrix[1, 3] == pytest.approx(0.4)
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)


def test_memorising_is_drawn_step_by_step():
    table = pd.DataFrame({"step": [0, 1] * 2, "map": ["hardness"] * 2 + ["loss"] * 2, "value": [1, 0.9, 1, 0.2]})
    drawn = lines(make_memorise_figure(table.assign(level=0.5)))
    assert list(drawn["loss"].y) == [1, 0.2]
    assert list(drawn["hardness"].x) == [0, 1]


@pytest.mark.parametrize(("name", "text"), [("epoch-0000", "#0"), ("iteration-000100", "#100"), ("epoch-0024", "24")])
def test_snapshots_have_short_names(name, text):
    assert format_snapshot(name) == text
