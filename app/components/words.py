"""The words of the selected run: the name of its imported score wherever a page says hardness."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session
from app.components.definitions import get_text, make_anchor
from app.components.run_picker import load_selected_run
from hlcore.figures.words import replace_hardness, replace_hardness_in_figure
from hlcore.storage.maps import ImportedScore


def find_score() -> ImportedScore | None:
    """The score that takes the place of hardness in the selected run; None if that is hardness."""
    imported = load_selected_run().record.imported if session.has_choice("run") else None
    return None if imported is None else imported.score


def say(text: str) -> str:
    """Markdown with the selected run's score in place of hardness, also in links to definitions."""
    score = find_score()
    if score is None:
        return text
    linked = text.replace(f"#{make_anchor('Hardness')})", f"#{make_anchor('Imported score')})")
    return replace_hardness(linked, session.escape_markdown(score.title))


def say_plainly(text: str) -> str:
    """The same for texts that are not markdown, such as names of layers."""
    score = find_score()
    return text if score is None else replace_hardness(text, score.title)


def explain(name: str) -> str:
    """A definition for a tooltip; that of hardness is that of imported scores where one takes its place."""
    return say(get_text("Imported score" if name == "Hardness" and find_score() is not None else name))


def draw_figure(figure: go.Figure, *, place: DeltaGenerator | None = None, **options: Any) -> Any:
    """Draw a figure in the words of the selected run; options and result are those of `st.plotly_chart`."""
    score = find_score()
    named = figure if score is None else replace_hardness_in_figure(figure, score.title)
    return (place or st).plotly_chart(named, **options)


def draw_needs(what: str, *, one: str = "them") -> None:
    """Draw what a page needs and a run of imported maps does not have, such as "predictions"; `one` stands for it."""
    st.info(f"This page needs {what}. The imported maps of this run came without {one}.", icon=":material/info:")


def draw_needs_network() -> None:
    """Draw that a page needs a network."""
    draw_needs("a network", one="one")


def draw_needs_steps() -> None:
    """Draw that a page compares steps, of which imported maps may have only one."""
    st.info(
        "This page compares steps, such as epochs or methods. The imported maps of this run have only one.",
        icon=":material/info:",
    )
