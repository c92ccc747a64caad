"""Does hardness hold still over training while the loss fades?"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import definitions, looks, picking, stability_controls, state, widgets
from app.cache import stability
from app.cache.stability import Series
from app.stability_controls import FOLLOWED, MAPS, PAIRS, SENTENCES, VARIATION
from app.stability_scenes import controls, of_snapshots, of_variation
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
    images_column, scaled_column = st.columns([7, 6], vertical_alignment="bottom")
    with images_column:
        shown = stability_controls.choose_images(series)
    if aspect == MAPS:
        state.choice("snapshot", shown[0].snapshots, default=shown[0].snapshots[-1])
        found = [of_snapshots(one) for one in shown]
    else:
        with scaled_column:
            scaled = stability_controls.choose_scaled()
        found = [of_variation(one, scaled=scaled, c=run.record.config.loss.c) for one in shown]
    looks.show(controls(found[0]), key=f"stability_{aspect}_controls")
    for index, (column, one, scene) in enumerate(zip(st.columns(len(shown)), shown, found, strict=True)):
        with column:
            if len(shown) > 1:
                st.caption(state.literal(one.title))
            looks.show(scene, key=f"stability_{aspect}_{index}")


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
