"""Objects: are small and thin things hard, and is that more than their edges?"""

import math
from collections.abc import Hashable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app import cache, object_controls, object_scenes, picking, widgets
from app.cache import dataset as dataset_cache
from app.cache import objects as object_cache
from app.cache.objects import Objects
from app.object_controls import SIZES, Choice
from app.object_scenes import Row
from app.samples import Picture, fit
from app.viewer import viewer
from hlcore.errors import DatasetError
from hlcore.figures.objects import CONTROLS, MEASURES, edge_matched_figure, objects_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

MOST_POINTS = 3000
"""More would make the page slow; the curve and every number are of all objects."""
CHART_HEIGHT_PX = 360


def show(run: Run, objects: Objects, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """Draws the objects, and the one that is selected on its image."""
    choice = object_controls.choose(objects)
    table = object_cache.of_classes(objects.table, choice.classes)
    if table.empty:
        st.info("There is no object of 10 px or more here; choose other classes or another picture.")
        return
    clicked = draw(objects, table, choice)
    table = table.sort_values(choice.quantity, ascending=False, na_position="last", kind="stable")
    table_column, image_column = st.columns([6, 5])
    with table_column:
        identity = f"{objects.identity} {choice.quantity} {choice.classes}"
        row = object_controls.choose_object(table, identity=identity, clicked=clicked)
        csv = partial(table.to_csv, index=False)
        name = f"{run.path.name}-objects.csv"
        st.download_button("Table, CSV", csv, name, "text/csv", on_click="ignore", icon=":material/download:")
    with image_column:
        show_object(run, row, analysis=analysis, epoch=epoch, picture=picture)


def draw(objects: Objects, table: pd.DataFrame, choice: Choice) -> str | None:
    """Draws the numbers, every object over its size and the edge-matched curves; returns the object that is clicked."""
    size, quantity = choice.bins.size, choice.quantity
    curve, correlations = object_cache.by_size(objects, choice.classes, quantity=quantity, bins=choice.bins)
    st.markdown(sentence(correlations, table, choice, labelled=objects.labelled))
    drawn = table if len(table) <= MOST_POINTS else table.sample(MOST_POINTS, random_state=0)
    left, right = st.columns([6, 5])
    points = objects_figure(drawn, curve, size=size, quantity=quantity, class_names=objects.class_names)
    with left:
        clicked = object_controls.clickable(points, height=CHART_HEIGHT_PX)
    right.plotly_chart(edge_matched_figure(curve, size=size), height=CHART_HEIGHT_PX, key="objects_edge_matched")
    if len(drawn) < len(table):
        st.caption(f"{len(drawn):,} of {len(table):,} objects are drawn, chosen at random; every number is of all.")
    return clicked


def sentence(correlations: pd.DataFrame, table: pd.DataFrame, choice: Choice, *, labelled: bool) -> str:
    """Spearman's rho of the quantity and of the edge-matched hardness on size, with intervals."""
    rho = correlations.set_index("quantity").to_dict("index")
    names = {choice.quantity: f"of {MEASURES[choice.quantity].name}"}
    names |= {name: f"of hardness, {CONTROLS[name].name}," for name in CONTROLS if name != choice.quantity}
    texts = [f"{text} {_number(rho[name], of=len(table))}" for name, text in names.items()]
    images = len(set(table["image"]))
    counted = f"{len(table):,} objects" if len(table) > 1 else "one object"
    counted += f" in {images:,} images" if images > 1 else ""
    counted += "" if labelled else ", which are parts of the prediction as there is no label map"
    return f"Spearman on {SIZES[choice.bins.size].lower()}, {counted}: " + " · ".join(texts)


def show_object(run: Run, row: Row, *, analysis: Analysis | None, epoch: int, picture: Picture | None) -> None:
    """The selected object outlined on its image, and a close-up; a sentence where its image is not at hand."""
    if analysis is not None:
        try:
            sample = dataset_cache.sample(analysis, row["image"])
        except DatasetError as error:
            st.info(f"This object cannot be shown: {error}")
            return
        picture = fit(sample, max(sample.image.shape))
    assert picture is not None
    maps = cache.maps(run, epoch, picture)
    classes = picture.sample.label_map if analysis or picture.sample.label_map is not None else maps.prediction
    of_object = object_scenes.inside(row, classes, size=picture.size)
    viewer(object_scenes.whole(row, picture, of_object), key="object_viewer")
    viewer(object_scenes.close_up(row, picture, maps, of_object), key="object_close_up")


def _number(row: dict[Hashable, Any], *, of: int) -> str:
    """A value with its interval and, where only some have it, the number of objects; a dash where there is none."""
    if math.isnan(row["value"]):
        return "–"
    interval = "" if math.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
    some = f"{row['objects']:,} objects" if row["objects"] < of else ""
    notes = ", ".join(filter(None, (interval, some)))
    return f"**{row['value']:.2f}** ({notes})".replace(" ()", "").replace("-", "−")


chosen = widgets.chosen_run()
scope = widgets.choose_scope(chosen)
if scope is not None:
    show(chosen, object_cache.of_analysis(scope), analysis=scope, epoch=scope.record.epoch, picture=None)
elif (taken := picking.choose_picture(chosen)) is not None:
    at = widgets.choose_epoch("epoch", "Epoch", chosen)
    show(chosen, object_cache.of_picture(chosen, at, taken), analysis=None, epoch=at, picture=taken)
