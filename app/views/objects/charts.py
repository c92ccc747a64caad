"""Charts of the Objects page, and the sentence above them."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st

from app.components import definitions
from app.components.words import draw_figure, say
from app.loading.objects import Objects, load_size_curve
from app.views.objects.controls import SIZES, Choice, format_object_name
from hlcore.figures.objects import EDGE_MATCHED, MEASURES, make_edge_matched_figure, make_objects_figure

MAX_POINTS = 3000
"""More points would make the page slow; the curve and all numbers use every object."""
CHART_HEIGHT_PX = 360
DEFINITIONS = ("Object", "Spearman on size", "Mean by size", "Over edge", "Edge pixels and interior", "Interval")
"""The definitions that the sentence and the charts use."""


def draw_charts(objects: Objects, table: pd.DataFrame, choice: Choice) -> str | None:
    """Draw the correlations, all objects over their size, and the edge-matched curves; return the object clicked."""
    size, quantity = choice.bins.size, choice.quantity
    curve, correlations = load_size_curve(objects, choice.classes, quantity=quantity, bins=choice.bins)
    st.markdown(say(summarise_correlations(correlations, table, choice, labelled=objects.labelled)))
    drawn = table if len(table) <= MAX_POINTS else table.sample(MAX_POINTS, random_state=0)
    left, right = st.columns([6, 5])
    points = make_objects_figure(drawn, curve, size=size, quantity=quantity, class_names=objects.class_names)
    with left:
        event = draw_figure(
            points, height=CHART_HEIGHT_PX, on_select="rerun", selection_mode="points", key="objects_points"
        )
    edge_matched = make_edge_matched_figure(curve, size=size)
    draw_figure(edge_matched, place=right, height=CHART_HEIGHT_PX, key="objects_edge_matched")
    if len(drawn) < len(table):
        st.caption(
            f"{len(drawn):,} of {len(table):,} objects are drawn, chosen at random; all numbers use every object."
        )
    st.caption(definitions.list_links(*DEFINITIONS))
    clicked = event["selection"]["points"]
    return format_object_name(*clicked[0]["customdata"][:2]) if clicked else None


def summarise_correlations(correlations: pd.DataFrame, table: pd.DataFrame, choice: Choice, *, labelled: bool) -> str:
    """Spearman's rho of the quantity and the edge-matched hardness with size, with intervals."""
    rho = correlations.set_index("quantity").to_dict("index")
    names = {choice.quantity: MEASURES[choice.quantity].name}
    names |= {name: f"hardness, {EDGE_MATCHED[name].name}," for name in EDGE_MATCHED if name != choice.quantity}
    texts = [f"{text} {_format_correlation(rho[name], of=len(table))}" for name, text in names.items()]
    images = len(set(table["image"]))
    counted = f"{len(table):,} objects" if len(table) > 1 else "one object"
    counted += f" in {images:,} images" if images > 1 else ""
    counted += "" if labelled else ", taken from the prediction because there is no label map"
    return f"Spearman correlation with {SIZES[choice.bins.size].lower()} over {counted}: " + " · ".join(texts)


def _format_correlation(row: dict[Hashable, Any], *, of: int) -> str:
    """A correlation with its interval and, if some objects have no value, their number; – for NaN."""
    if math.isnan(row["value"]):
        return "–"
    interval = "" if math.isnan(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
    some = f"{row['objects']:,} objects" if row["objects"] < of else ""
    notes = ", ".join(filter(None, (interval, some)))
    return f"**{row['value']:.2f}** ({notes})".replace(" ()", "").replace("-", "−")
