"""Hardness, loss and errors by distance to the edge: of a data set, or of one picture."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cache, looks, picking, scenes, widgets
from app import edge_controls as controls
from app.cache import edges as edge_cache
from app.cache import packed
from app.edge_controls import QUANTITIES, Measured
from app.edge_scene import edge_scene
from app.samples import Picture
from hlcore.analysis.boundaries import EdgeSource
from hlcore.figures.edges import hardness_by_distance_figure, hardness_by_pair_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "edges_viewer"


def show_profile(measured: Measured, source_column: DeltaGenerator, classes_column: DeltaGenerator) -> EdgeSource:
    """Draws each quantity by distance below its contrast, and returns the edge source that was chosen."""
    with source_column:
        source = controls.choose_source(measured)
    profile = controls.filter_rows(measured.edges, source=source)
    with classes_column:
        classes = controls.choose_classes(profile)
    shown = profile.loc[profile["class_name"].isin(classes)]
    quantities = list(QUANTITIES) if measured.labelled else ["hardness"]
    for quantity, column in zip(quantities, st.columns(len(quantities)), strict=True):
        with column:
            controls.contrast(measured, source, quantity, classes)
            rows = controls.filter_rows(shown, quantity=quantity)
            figure = hardness_by_distance_figure(rows, height_px=300 if len(classes) == 1 else 360)
            st.plotly_chart(figure, key=f"{quantity}_by_distance")
    return source


def show_pairs(measured: Measured, source: EdgeSource) -> None:
    """Draws the pairs of classes, ranked, and one of them by distance."""
    st.markdown("##### By pair of classes")
    if source not in set(measured.pairs["source"]):
        st.caption("Here no two classes meet: edges of the image part no classes, and a single class has no edge.")
        return
    ranked_column, profile_column = st.columns(2)
    with ranked_column:
        quantity = controls.choose_quantity(measured)
        ranked = controls.frequent_pairs(measured.pairs, source, quantity)
        st.plotly_chart(hardness_by_pair_figure(ranked), key="pairs")
    with profile_column:
        pair = controls.choose_pair(ranked)
        profile = controls.pair_profile(measured.pairs, source, quantity, pair)
        if profile.empty:
            st.caption("Of so many classes only the edges of a pair are kept.")
        else:
            st.plotly_chart(hardness_by_distance_figure(profile, name=pair), key="pair_by_distance")


def show_picture(run: Run, picture: Picture) -> None:
    """Measures one picture and draws its edges."""
    epoch_column, source_column, classes_column = st.columns(3, vertical_alignment="bottom", gap="medium")
    with epoch_column:
        epoch = widgets.choose_epoch(run)
    measured = Measured.of(edge_cache.tables(run, epoch, picture), f"{picture.sample.name}-epoch{epoch}")
    maps_place = st.container()
    source = show_profile(measured, source_column, classes_column)
    st.caption(controls.about(measured, None))
    with maps_place:
        edges, hardness = edge_cache.maps(run, epoch, picture, source), packed.planes(run, epoch, picture)["hardness"]
        looks.show(edge_scene(picture, hardness, edges, caption=scenes.caption(run, picture)), key=KEY)
        widgets.notes(picture)
    show_pairs(measured, source)
    controls.downloads(measured)


def show_data(analysis: Analysis) -> None:
    """Draws what was measured on a data set."""
    measured = Measured.of({name: cache.table(analysis, name) for name in controls.TABLES}, analysis.name)
    source = show_profile(measured, *st.columns([5, 7], vertical_alignment="bottom"))
    st.caption(controls.about(measured, analysis))
    show_pairs(measured, source)
    controls.downloads(measured)


st.caption("How hard are the pixels at an edge, how far does it reach, and do loss and errors lie there too?")
chosen = widgets.chosen_run()
if (analysis := widgets.choose_scope(chosen)) is not None:
    show_data(analysis)
elif (taken := picking.choose_picture(chosen)) is not None:
    show_picture(chosen, taken)
