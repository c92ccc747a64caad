"""Stability: does hardness stay stable over training while the loss fades?"""

import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run
from app.components.words import draw_needs_steps, say
from app.loading.stability import (
    Series,
    load_dataset_stability,
    load_followed_series,
    load_stability_tables,
    make_picture_series,
)
from app.views.stability import controls
from app.views.stability.controls import FOLLOWED, LEARNING, MAPS, PAIRS, VARIATION
from app.views.stability.learning import FITTED, draw_learned_dataset, draw_learned_picture
from app.views.stability.measures import draw_measures, draw_pairs
from app.views.stability.scenes import make_snapshot_scene, make_tools_scene, make_variation_scene
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def draw_stability(run: Run) -> None:
    """Draw a sentence with the numbers of the run, and the selected part of the page."""
    summary = st.container()
    scope_column, aspect_column = st.columns([7, 6], vertical_alignment="bottom")
    with scope_column:
        scope = controls.select_scope(run)
    with aspect_column:
        aspect = controls.select_aspect(scope)
    if aspect == LEARNING:
        draw_learning(run, scope)
        return
    if isinstance(scope, Analysis):
        series, tables = [], load_dataset_stability(scope)
    else:
        series = load_followed_series(run) if scope == FOLLOWED else select_series(run)
        if not series:
            return
        tables = load_stability_tables(series, c=run.record.config.loss.c)
    summary.markdown(say(controls.summarise_stability(tables)))
    if aspect in {MAPS, VARIATION}:
        draw_maps(run, series, aspect)
        return
    if aspect == PAIRS:
        draw_pairs(tables)
        return
    draw_measures(tables)


def draw_learning(run: Run, scope: str | Analysis) -> None:
    """Draw how the pixels of a data set, or of the selected image, were learned."""
    if run.record.fitted is not None:
        st.info(FITTED, icon=":material/info:")
    elif isinstance(scope, Analysis):
        draw_learned_dataset(scope)
    elif (picture := select_picture(run)) is not None:
        draw_learned_picture(run, picture)


def select_series(run: Run) -> list[Series]:
    """The selected image as a series; empty while waiting for an upload."""
    picture = select_picture(run)
    return [] if picture is None else [make_picture_series(run, picture)]


def draw_maps(run: Run, series: list[Series], aspect: str) -> None:
    """Draw the maps of several images side by side, at one snapshot or as variation over the kept epochs."""
    images_column, scaled_column = st.columns([7, 6], vertical_alignment="bottom")
    with images_column:
        shown = controls.select_images(series)
    if aspect == MAPS:
        session.ensure_choice("snapshot", shown[0].snapshots, default=shown[0].snapshots[-1])
        found = [make_snapshot_scene(one) for one in shown]
    else:
        with scaled_column:
            scaled = controls.select_scaling()
        found = [make_variation_scene(one, scaled=scaled, c=run.record.config.loss.c) for one in shown]
    draw_viewer(make_tools_scene(found[0]), key=f"stability_{aspect}_controls")
    for index, (column, one, scene) in enumerate(zip(st.columns(len(shown)), shown, found, strict=True)):
        with column:
            if len(shown) > 1:
                st.caption(session.escape_markdown(one.title))
            draw_viewer(scene, key=f"stability_{aspect}_{index}")


run = load_selected_run()
if run.record.imported is None:
    st.caption("Does hardness stay stable over training while the loss fades?")
    draw_stability(run)
elif len(run.epochs) > 1:
    steps = ", ".join(f"{epoch} {session.escape_markdown(run.name_epoch(epoch))}" for epoch in run.epochs)
    st.caption(f"{say('How much does hardness change from step to step?')} Steps: {steps}.")
    draw_stability(run)
else:
    draw_needs_steps()
