"""Controls of the Data set page."""

from dataclasses import dataclass

import streamlit as st

from app import session
from app.components import definitions
from app.components.scope_picker import format_scope, make_analyze_command
from app.components.words import draw_needs, say, say_plainly
from app.loading.analyses import load_table
from hlcore.analysis.images import CLASS_RANKINGS, RANKINGS
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

TITLES = {
    "hardness": "Mean hardness",
    "loss": "Mean loss",
    "error": "Wrong pixels",
    "disagreement": "Disagreement",
    "iou": "Mean IoU",
    "entropy": "Mean entropy",
    "label_quality": "Label quality (softmin)",
    "dice": "Dice over training",
}
DEFINITIONS = {
    **dict.fromkeys(TITLES, "Means of an image"),
    "disagreement": "Disagreement",
    "label_quality": "Label quality",
    "dice": "Dice over training",
}
"""Ranking to its definition."""
FORMATS = {
    "hardness": "{:.3f}",
    "loss": "{:.3f} nats",
    "error": "{:.1%}",
    "disagreement": "{:.0%}",
    "iou": "{:.3f}",
    "entropy": "{:.3f} nats",
    "label_quality": "{:.3f}",
    "dice": "{:.3f}",
}
ALL = "all"
"""The value, in links, for all classes."""
ORDERS = {"highest": "Highest", "lowest": "Lowest"}
PICTURES, TABLE = "pictures", "table"
PAGE_IMAGES = 12


@dataclass(frozen=True)
class Ranking:
    """How the images are ranked and shown.

    Attributes:
        by: One of hlcore.analysis.images.RANKINGS.
        class_name: Only over the pixels of this class; "" for all pixels.
        highest_first: Highest values first, otherwise lowest.
        containing: Only images whose names contain this text.
        shown: "pictures" or "table".
    """

    by: str
    class_name: str
    highest_first: bool
    containing: str
    shown: str


def draw_instructions(run: Run) -> None:
    """Draw how to measure a data set with this run."""
    if run.record.imported is not None and not run.record.imported.has_labels:
        draw_needs("labels")
        return
    st.info(
        f"No data set has been measured with {session.escape_markdown(run.name)} yet. "
        "Measure one with this command, then reload this page:"
    )
    st.code(make_analyze_command(run), language="bash")


def select_analysis(analyses: dict[str, Analysis]) -> Analysis:
    """The selected analysis; the image pickers of the other pages follow it."""
    names = list(analyses)
    session.ensure_choice("data", names, default=session.get_choice_or_first("scope", names))
    if len(names) == 1:
        return analyses[names[0]]
    chosen = st.segmented_control(
        "Measured on",
        names,
        format_func=lambda name: format_scope(analyses[name]),
        key="data",
        required=True,
        persist_state="session",
    )
    return analyses[chosen or names[0]]


def select_ranking(analysis: Analysis) -> Ranking:
    """The selected ranking."""
    row = st.grid(5, min_column_width=160)
    classes = [ALL, *analysis.record.class_names]
    class_name = session.ensure_choice("rank_class", classes, default=ALL)
    measured = list_rankings(analysis)
    known = measured if class_name == ALL else [name for name in CLASS_RANKINGS if name in measured]
    before, by = (
        session.get_choice_or_first("rank", list(RANKINGS)),
        session.ensure_choice("rank", known, default=known[0]),
    )
    if class_name != ALL:
        st.caption(say(describe_class_ranking(class_name, before, by)))
    defined = definitions.list_links("Means of an image", "Disagreement", "Label quality", "Dice over training")
    by = row.selectbox("Rank by", known, format_func=format_ranking, key="rank", persist_state="session", help=defined)
    hint = "Measure only the pixels labelled as this class. Images without any are left out."
    row.selectbox("Over", classes, format_func=_format_class, key="rank_class", persist_state="session", help=hint)
    session.ensure_choice("order", list(ORDERS), default="highest")
    order = row.segmented_control(
        "First",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        key="order",
        required=True,
        persist_state="session",
    )
    find = row.text_input("Search", key="find", type="search", placeholder="Image name", persist_state="session")
    session.ensure_choice("form", [PICTURES, TABLE], default=PICTURES)
    shown = row.segmented_control(
        "View", [PICTURES, TABLE], format_func=str.capitalize, key="form", required=True, persist_state="session"
    )
    return Ranking(by, "" if class_name == ALL else class_name, order == "highest", find or "", shown or PICTURES)


def format_ranking(name: str) -> str:
    """A ranking on the page."""
    return say_plainly(TITLES[name])


def list_rankings(analysis: Analysis) -> list[str]:
    """The quantities that the analysis has measured."""
    measured = load_table(analysis, "images").dropna(axis="columns", how="all")
    return [name for name, column in RANKINGS.items() if column in measured]


def describe_class_ranking(class_name: str, before: str, by: str) -> str:
    """The measures available for one class, and which one replaces a ranking that is not available."""
    known = ", ".join(TITLES[name].lower() for name in CLASS_RANKINGS)
    text = f"Available for a single class: {known}."
    if before not in CLASS_RANKINGS:
        text += f" {TITLES[before]} is available for whole images only, so the images are "
        text += f"ranked by {TITLES[by].lower()} of {session.escape_markdown(class_name)}."
    return text


def _format_class(name: str) -> str:
    return "all pixels" if name == ALL else name
