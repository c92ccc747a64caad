"""Charts of the Stability page: every measure over the snapshots, and every pair of snapshots."""

from collections.abc import Mapping
from typing import Literal, get_args

import pandas as pd
import streamlit as st

from app.components import definitions
from app.components.words import draw_figure, say
from app.views.stability import controls
from app.views.stability.controls import SENTENCES
from hlcore.figures.stability import SPLITS, make_level_figure, make_overlap_figure, make_pair_figure

MapName = Literal["hardness", "loss"]
COLUMNS, HEIGHT_PX, MATRIX_PX = 3, 250, 420
LEVELS = ("relative_level", "edge_share")


def draw_measures(tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw every measure over the snapshots, with what it shows and does not show."""
    text_column, kind_column = st.columns([9, 4], vertical_alignment="center")
    with kind_column:
        kind = controls.select_comparison()
    with text_column:
        for sentence in controls.summarise_tables(tables):
            st.caption(say(f"{sentence}."))
        controls.draw_legend(list(tables["levels"]["split"].unique()), list_maps(tables))
    columns = st.columns(COLUMNS)
    for index, measure in enumerate(SENTENCES):
        if measure in LEVELS:
            figure = make_level_figure(tables["levels"], measure=measure, legend=False)
        else:
            figure = make_pair_figure(tables["epoch_pairs"], measure=measure, kind=kind, legend=False)
        with columns[index % COLUMNS]:
            draw_figure(figure, key=f"stability_{measure}", height=HEIGHT_PX)
            st.caption(controls.describe_measure(measure))
    controls.draw_variation_table(tables["variation"])


def list_maps(tables: Mapping[str, pd.DataFrame]) -> list[MapName]:
    """The maps that were measured: hardness and, with labels and a network, the loss."""
    measured = set(tables["levels"].dropna(subset=["value"])["map"])
    return [name for name in get_args(MapName) if name in measured or name == "hardness"]


def draw_pairs(tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw the IoU of the hardest 10 % for every pair of snapshots."""
    defined = definitions.list_links("Top tenth IoU", "Snapshot")
    st.caption(
        say(f"IoU of the hardest 10 % for every pair of snapshots: 1 means the same pixels, 0.05 is chance. {defined}")
    )
    for split in tables["levels"]["split"].unique():
        for column, name in zip(st.columns(2), list_maps(tables), strict=False):
            with column:
                st.caption(say(f"{name}, {SPLITS.get(split, split)}"))
                figure = make_overlap_figure(tables["epoch_pairs"], split=split, of=name)
                draw_figure(figure, key=f"stability_{split}_{name}", height=MATRIX_PX)
