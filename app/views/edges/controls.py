"""Controls of the Edges page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.scope_picker import format_measured
from app.components.words import find_score, say, say_plainly
from hlcore.analysis.boundaries import EdgeSource
from hlcore.analysis.edges import AT_EDGE
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.edges import ALL_CLASSES
from hlcore.storage.analyses import Analysis

SOURCES: dict[EdgeSource, str] = {"label": "Labels", "prediction": "Prediction", "gradient": "Image"}
"""Edge source, as in tables and links, to its name on the page."""
QUANTITIES = {"hardness": "Hardness", "loss": "Loss", "error_rate": "Error rate"}
TABLES = ("edges", "edge_pairs", "edge_contrast")
MAX_CLASSES = 8
"""Lines in one figure whose colours can be told apart."""
MAX_PAIRS = 15
"""Pairs in the ranking: those with the most edge pixels."""


@dataclass(frozen=True)
class EdgeTables:
    """The tables of `analysis.edges` for a data set or one picture.

    Attributes:
        edges: By distance and class.
        pairs: By distance and pair of classes.
        contrast: By class.
        name: Name for downloads.
    """

    edges: pd.DataFrame
    pairs: pd.DataFrame
    contrast: pd.DataFrame
    name: str

    @staticmethod
    def from_tables(tables: Mapping[str, pd.DataFrame], name: str) -> "EdgeTables":
        """Take the tables named in TABLES."""
        edges, pairs, contrast = (tables[table] for table in TABLES)
        return EdgeTables(edges, pairs, contrast, name)

    @property
    def by_name(self) -> dict[str, pd.DataFrame]:
        """Table name to table."""
        return dict(zip(TABLES, (self.edges, self.pairs, self.contrast), strict=True))

    @property
    def quantities(self) -> list[str]:
        """Those of QUANTITIES that were measured: without labels there is no loss and no error."""
        measured = set(self.edges.dropna(subset=["value"])["quantity"])
        return [name for name in QUANTITIES if name in measured or name == "hardness"]

    @property
    def sources(self) -> list[EdgeSource]:
        """The edge sources that were measured."""
        return [source for source in SOURCES if source in set(self.edges["source"])]


def select_source(tables: EdgeTables) -> EdgeSource:
    """The selected edge source."""
    known = tables.sources
    chosen: EdgeSource = session.ensure_choice("edge", known, default=known[0])
    st.segmented_control(
        "Edges of",
        known,
        format_func=SOURCES.__getitem__,
        key="edge",
        required=True,
        persist_state="session",
        help="Edges between labelled classes, between predicted classes, or in the image itself (Canny). "
        "Images without labels have only the last two. " + definitions.list_links("Distance to the edge"),
    )
    return chosen


def select_classes(profile: pd.DataFrame) -> list[str]:
    """The selected classes, one line each; "" stands for all classes together."""
    with_pixels = set(profile.loc[profile["pixels"] > 0, "class_name"])
    names = [ALL_CLASSES, *(name for name in dict.fromkeys(profile["class_name"]) if name and name in with_pixels)]
    session.ensure_choices("classes", names, default=[ALL_CLASSES])
    chosen = st.multiselect(
        "Classes",
        names,
        key="classes",
        max_selections=MAX_CLASSES,
        persist_state="session",
        help="The class of a pixel is its label or, without labels, its prediction. "
        + definitions.list_links("By class and by pair"),
    )
    return ["" if name == ALL_CLASSES else name for name in chosen or [ALL_CLASSES]]


def select_quantity(tables: EdgeTables) -> str:
    """The quantity that ranks the pairs."""
    known = tables.quantities
    chosen = session.ensure_choice("quantity", known, default=known[0])
    st.segmented_control(
        "Rank by",
        known,
        format_func=lambda name: say_plainly(QUANTITIES[name]),
        key="quantity",
        required=True,
        persist_state="session",
        help=say("The mean within 2 px of an edge. " + definitions.list_links("Hardness", "Loss", "Error")),
    )
    return chosen


def select_pair(pairs: pd.DataFrame) -> str:
    """The selected pair, as "first | second"."""
    names = list(dict.fromkeys(pairs["pair"]))
    chosen = session.ensure_choice("pair", names, default=names[0])
    hint = definitions.list_links("By class and by pair", "Distance to the edge")
    st.selectbox("Pair shown by distance", names, key="pair", persist_state="session", help=hint)
    return chosen


def find_frequent_pairs(pairs: pd.DataFrame, source: str, quantity: str) -> pd.DataFrame:
    """The pairs with the most edge pixels for one source and quantity, with a column `pair`."""
    rows = filter_rows(pairs, source=source, quantity=quantity, distance=AT_EDGE).dropna(subset=["value"])
    return rows.nlargest(MAX_PAIRS, "pixels").assign(pair=lambda table: table["first"] + " | " + table["second"])


def filter_pair(pairs: pd.DataFrame, source: str, quantity: str, pair: str) -> pd.DataFrame:
    """One pair by distance; empty if only its edge pixels were stored."""
    rows = filter_rows(pairs, source=source, quantity=quantity)
    of_pair = rows["first"] + " | " + rows["second"] == pair
    return rows.loc[of_pair & (rows["distance"] != AT_EDGE)].assign(class_name="")


def describe_tables(tables: EdgeTables, analysis: Analysis | None) -> str:
    """What was measured, what the intervals mean, and what is missing without labels."""
    if analysis is None:
        text = "A single image has no interval, because intervals are over images."
    else:
        text = (
            f"{format_measured(analysis)}. Bands and ranges are 95 % "
            "intervals over images, because neighbouring pixels are not independent."
        )
    if find_score() is None and "label" not in tables.sources:
        text += " Without labels there is no loss, no error rate and no edge between labels."
    defined = {"hardness": "Hardness", "loss": "Loss", "error_rate": "Error"}
    names = [defined[quantity] for quantity in tables.quantities]
    return say(f"{text} {definitions.list_links(*names, 'Distance to the edge', 'Interval')}")


def draw_contrast(tables: EdgeTables, source: str, quantity: str, classes: Sequence[str]) -> None:
    """Draw the edge contrast of a quantity with its interval, for the selected class or for all together."""
    class_name = classes[0] if len(classes) == 1 else ""
    of = class_name or ("all classes" if len(classes) > 1 else "")
    rows = filter_rows(tables.contrast, source=source, quantity=quantity, class_name=class_name)
    value, low, high = rows[["value", "low", "high"]].to_numpy(float)[0]
    st.metric(
        say_plainly(f"Edge contrast of {QUANTITIES[quantity].lower()}{of and f', {of}'}"),
        f"{_format_three_digits(value)} ×" if np.isfinite(value) else "–",
        f"95 %: {_format_three_digits(low)} to {_format_three_digits(high)}"
        if np.isfinite([low, high]).all()
        else None,
        delta_color="off",
        delta_arrow="off",
        help="Mean within 2 px of an edge divided by the mean beyond 16 px; not available if no pixel is that far "
        "away or the mean there is 0. For all classes together unless one is selected. "
        + definitions.list_links("Edge contrast", "Interval"),
    )


def _format_three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def draw_downloads(tables: EdgeTables) -> None:
    """Draw a menu to download the tables as CSV."""
    with st.popover("Download", icon=":material/download:"):
        for name, table in tables.by_name.items():
            st.download_button(
                f"{name}.csv",
                lambda table=table: table.to_csv(index=False).encode(),
                f"{tables.name}-{name}.csv",
                "text/csv",
                on_click="ignore",
                width="stretch",
            )
