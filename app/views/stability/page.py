"""Does hardness hold still over training while the loss fades?"""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions, image_viewer, picture_picker, run_picker
from app.loading import stability as stability_loading
from app.loading.stability import Series
from app.views.stability import controls
from app.views.stability.controls import FOLLOWED, MAPS, PAIRS, SENTENCES, VARIATION
from app.views.stability.scenes import controls_scene, of_snapshots, of_variation
from hlcore.figures.stability import SPLITS, level_figure, overlap_figure, pair_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

COLUMNS, HEIGHT_PX, MATRIX_PX = 3, 250, 420
LEVELS = ("relative_level", "edge_share")


def show(run: Run) -> None:
    """Draws the part of the page that was chosen."""
    scope_column, aspect_column = st.columns([7, 6], vertical_alignment="bottom")
    with scope_column:
        scope = controls.choose_scope(run)
    with aspect_column:
        aspect = controls.choose_aspect(scope)
    if isinstance(scope, Analysis):
        series, tables = [], stability_loading.analysed(scope)
    else:
        series = stability_loading.followed(run) if scope == FOLLOWED else picked(run)
        if not series:
            return
        tables = {}
    if aspect in {MAPS, VARIATION}:
        maps(run, series, aspect)
        return
    tables = tables or stability_loading.tables(series, c=run.record.config.loss.c)
    if aspect == PAIRS:
        pairs(tables)
        return
    measures(tables)


def picked(run: Run) -> list[Series]:
    """The picture chosen on the page; none while an upload is awaited."""
    picture = picture_picker.choose_picture(run)
    return [] if picture is None else [stability_loading.of_picture(run, picture)]


def maps(run: Run, series: list[Series], aspect: str) -> None:
    """Several images' maps beside each other, at one snapshot or their variation over the kept epochs."""
    images_column, scaled_column = st.columns([7, 6], vertical_alignment="bottom")
    with images_column:
        shown = controls.choose_images(series)
    if aspect == MAPS:
        session.choice("snapshot", shown[0].snapshots, default=shown[0].snapshots[-1])
        found = [of_snapshots(one) for one in shown]
    else:
        with scaled_column:
            scaled = controls.choose_scaled()
        found = [of_variation(one, scaled=scaled, c=run.record.config.loss.c) for one in shown]
    image_viewer.show(controls_scene(found[0]), key=f"stability_{aspect}_controls")
    for index, (column, one, scene) in enumerate(zip(st.columns(len(shown)), shown, found, strict=True)):
        with column:
            if len(shown) > 1:
                st.caption(session.literal(one.title))
            image_viewer.show(scene, key=f"stability_{aspect}_{index}")


def measures(tables: Mapping[str, pd.DataFrame]) -> None:
    """Every measure over the snapshots, with what it shows and does not show."""
    text_column, kind_column = st.columns([9, 4], vertical_alignment="center")
    with kind_column:
        kind = controls.choose_kind()
    with text_column:
        for sentence in controls.headline(tables):
            st.caption(f"{sentence}.")
        controls.legend(list(tables["levels"]["split"].unique()))
    columns = st.columns(COLUMNS)
    for index, measure in enumerate(SENTENCES):
        if measure in LEVELS:
            figure = level_figure(tables["levels"], measure=measure, legend=False)
        else:
            figure = pair_figure(tables["epoch_pairs"], measure=measure, kind=kind, legend=False)
        with columns[index % COLUMNS]:
            st.plotly_chart(figure, key=f"stability_{measure}", height=HEIGHT_PX)
            st.caption(controls.about(measure))
    controls.variation_table(tables["variation"])


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
show(run_picker.chosen_run())
