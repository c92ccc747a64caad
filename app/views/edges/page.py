"""Edges: hardness, loss and errors by distance to the nearest edge."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components.image_viewer import draw_viewer
from app.components.layers import make_caption
from app.components.messages import draw_size_note
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run, select_epoch
from app.components.scope_picker import select_scope
from app.components.words import draw_figure, say
from app.loading.analyses import load_table
from app.loading.edges import load_edge_maps, load_edge_tables
from app.loading.pictures import Picture
from app.loading.planes import load_planes
from app.views.edges import controls
from app.views.edges.controls import EdgeTables
from app.views.edges.scenes import make_scene
from hlcore.analysis.boundaries import EdgeSource
from hlcore.figures.edges import make_hardness_by_distance_figure, make_hardness_by_pair_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "edges_viewer"


def draw_profile(tables: EdgeTables, source: EdgeSource, classes_column: DeltaGenerator) -> None:
    """Draw each quantity by distance below its contrast, for the classes selected in a column."""
    profile = controls.filter_rows(tables.edges, source=source)
    with classes_column:
        classes = controls.select_classes(profile)
    shown = profile.loc[profile["class_name"].isin(classes)]
    quantities = tables.quantities
    for quantity, column in zip(quantities, st.columns(len(quantities)), strict=True):
        with column:
            controls.draw_contrast(tables, source, quantity, classes)
            rows = controls.filter_rows(shown, quantity=quantity)
            figure = make_hardness_by_distance_figure(rows, height_px=300 if len(classes) == 1 else 360)
            draw_figure(figure, key=f"{quantity}_by_distance")


def draw_pairs(tables: EdgeTables, source: EdgeSource) -> None:
    """Draw the ranked pairs of classes, and one pair by distance."""
    st.markdown("##### By pair of classes")
    if source not in set(tables.pairs["source"]):
        st.caption("No two classes meet here: image edges do not separate classes, and a single class has no edge.")
        return
    ranked_column, profile_column = st.columns(2)
    with ranked_column:
        quantity = controls.select_quantity(tables)
        ranked = controls.find_frequent_pairs(tables.pairs, source, quantity)
        draw_figure(make_hardness_by_pair_figure(ranked), key="pairs")
    with profile_column:
        pair = controls.select_pair(ranked)
        profile = controls.filter_pair(tables.pairs, source, quantity, pair)
        if profile.empty:
            st.caption("With this many classes only the edge pixels of a pair are stored.")
        else:
            draw_figure(make_hardness_by_distance_figure(profile, name=pair), key="pair_by_distance")


def draw_picture(run: Run, picture: Picture) -> None:
    """Measure one picture and draw it with its edges."""
    epoch_column, source_column, classes_column = st.columns(3, vertical_alignment="bottom", gap="medium")
    with epoch_column:
        epoch = select_epoch(run)
    tables = EdgeTables.from_tables(load_edge_tables(run, epoch, picture), f"{picture.sample.name}-epoch{epoch}")
    with source_column:
        source = controls.select_source(tables)
    maps_place = st.container()
    draw_profile(tables, source, classes_column)
    st.caption(controls.describe_tables(tables, None))
    with maps_place:
        edges, hardness = (
            load_edge_maps(run, epoch, picture, source),
            load_planes(run, epoch, picture)["hardness"],
        )
        draw_viewer(make_scene(picture, hardness, edges, caption=make_caption(run, picture)), key=KEY)
        draw_size_note(picture)
    draw_pairs(tables, source)
    controls.draw_downloads(tables)


def draw_dataset(analysis: Analysis) -> None:
    """Draw the measures of a data set."""
    tables = EdgeTables.from_tables({name: load_table(analysis, name) for name in controls.TABLES}, analysis.name)
    source_column, classes_column = st.columns([5, 7], vertical_alignment="bottom")
    with source_column:
        source = controls.select_source(tables)
    draw_profile(tables, source, classes_column)
    st.caption(controls.describe_tables(tables, analysis))
    draw_pairs(tables, source)
    controls.draw_downloads(tables)


run = load_selected_run()
if run.record.imported is None:
    st.caption("How hard are pixels near edges, how far does the effect reach, and do loss and errors follow?")
else:
    follow = ", and do errors follow" if run.record.imported.has_predictions else ""
    st.caption(say(f"How high is hardness near edges, and how far does the effect reach{follow}?"))
if (analysis := select_scope(run, table="edges")) is not None:
    draw_dataset(analysis)
elif (picture := select_picture(run)) is not None:
    draw_picture(run, picture)
