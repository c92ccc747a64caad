"""Does hardness hold still over training while the loss fades?"""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from app import definitions, picking, stability_controls, state, widgets
from app.cache import stability
from app.cache.stability import Series
from app.stability_controls import FOLLOWED, MAPS, PAIRS, SENTENCES, VARIATION
from app.stability_scenes import at_snapshot, of_variation
from app.viewer import viewer
from hlcore.figures.stability import SPLITS, level_figure, overlap_figure, pair_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

COLUMNS, HEIGHT_PX, MATRIX_PX = 3, 250, 420
LEVELS = ("relative_level", "edge_share")


def show(run: Run) -> None:
    """Draws the part of the page that was chosen."""
    scope_column, aspect_column = st.columns([7, 6], vertical_alignment="bottom")
    with scope_column:
        scope = stability_controls.choose_scope(run)
    with aspect_column:
        aspect = stability_controls.choose_aspect(scope)
    if isinstance(scope, Analysis):
        series, tables = [], stability.analysed(scope)
    else:
        series = stability.followed(run) if scope == FOLLOWED else picked(run)
        if not series:
            return
        tables = {}
    if aspect in {MAPS, VARIATION}:
        maps(run, series, aspect)
        return
    tables = tables or stability.tables(series, c=run.record.config.loss.c)
    if aspect == PAIRS:
        pairs(tables)
        return
    measures(tables)


def picked(run: Run) -> list[Series]:
    """The picture chosen on the page; none while an upload is awaited."""
    picture = picking.choose_picture(run)
    return [] if picture is None else [stability.of_picture(run, picture)]


def maps(run: Run, series: list[Series], aspect: str) -> None:
    """Several images' maps beside each other, at one snapshot or their variation over the kept epochs."""
    images_column, chosen_column, view_column = st.columns([5, 6, 2], vertical_alignment="bottom")
    with images_column:
        shown = stability_controls.choose_images(series)
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look(labelled=shown[0].picture.sample.label_map is not None)
    with chosen_column:
        if aspect == MAPS:
            draw = partial(at_snapshot, snapshot=stability_controls.choose_snapshot(series[0].snapshots), look=look)
        else:
            draw = partial(of_variation, scaled=stability_controls.choose_scaled(), c=run.record.config.loss.c)
    for index, (column, one) in enumerate(zip(st.columns(len(shown)), shown, strict=True)):
        with column:
            if len(shown) > 1:
                st.caption(one.title)
            key, place = f"stability_{aspect}_{index}", state.point(*reversed(one.picture.size))
            viewer(draw(one, legend=index == 0), key=key, point=place, on_pinned=partial(state.pin, key))


def measures(tables: Mapping[str, pd.DataFrame]) -> None:
    """Every measure over the snapshots, with what it shows and does not show."""
    text_column, kind_column = st.columns([9, 4], vertical_alignment="center")
    with kind_column:
        kind = stability_controls.choose_kind()
    with text_column:
        for sentence in stability_controls.headline(tables):
            st.caption(f"{sentence}.")
        stability_controls.legend(list(tables["levels"]["split"].unique()))
    columns = st.columns(COLUMNS)
    for index, measure in enumerate(SENTENCES):
        if measure in LEVELS:
            figure = level_figure(tables["levels"], measure=measure, legend=False)
        else:
            figure = pair_figure(tables["epoch_pairs"], measure=measure, kind=kind, legend=False)
        with columns[index % COLUMNS]:
            st.plotly_chart(figure, key=f"stability_{measure}", height=HEIGHT_PX)
            st.caption(stability_controls.about(measure))
    stability_controls.variation_table(tables["variation"])


def pairs(tables: Mapping[str, pd.DataFrame]) -> None:
    """IoU of the hardest 10 % of any two snapshots."""
    defined = definitions.listed("Top tenth IoU", "Snapshot")
    st.caption(f"IoU of the hardest 10 % of any two snapshots: 1 is the same tenth, 0.05 is chance. {defined}")
    for split in tables["levels"]["split"].unique():
        for column, name in zip(st.columns(2), ("hardness", "loss"), strict=True):
            with column:
                st.caption(f"{name}, {SPLITS.get(split, split)}")
                figure = overlap_figure(tables["epoch_pairs"], split=split, of=name)
                st.plotly_chart(figure, key=f"stability_{split}_{name}", height=MATRIX_PX)


st.caption("Does hardness hold still over training while the loss fades? Both maps of the same images, in step.")
show(widgets.chosen_run())
