"""The words of the selected run: the name of its imported score wherever a page says hardness."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session
from app.components.definitions import make_anchor
from app.components.run_picker import load_selected_run
from hlcore.figures.words import name_score, name_score_in_figure
from hlcore.storage.maps import ImportedScore
from hlcore.storage.runs import Run


def find_score(run: Run | None = None) -> ImportedScore | None:
    """The score that takes the place of hardness in a run, by default the selected one; None if that is hardness."""
    run = run or (load_selected_run() if session.has_choice("run") else None)
    return None if run is None or run.record.imported is None else run.record.imported.score


def say(text: str) -> str:
    """Markdown with the selected run's score in place of hardness, also in links to definitions."""
    score = find_score()
    if score is None:
        return text
    linked = text.replace(f"#{make_anchor('Hardness')})", f"#{make_anchor('Imported score')})")
    return name_score(linked, session.escape_markdown(score.title))


def say_plainly(text: str) -> str:
    """The same for texts that are not markdown, such as names of layers."""
    score = find_score()
    return text if score is None else name_score(text, score.title)


def draw_figure(figure: go.Figure, *, place: DeltaGenerator | None = None, **options: Any) -> Any:
    """Draw a figure in the words of the selected run; arguments and result are those of `st.plotly_chart`."""
    score = find_score()
    named = figure if score is None else name_score_in_figure(figure, score.title)
    return (place or st).plotly_chart(named, **options)


def draw_needs(what: str, *, one: str = "them") -> None:
    """Draw what a page needs and a run of imported maps does not have, such as "predictions"; `one` stands for it."""
    st.info(f"This page needs {what}. The imported maps of this run came without {one}.", icon=":material/info:")


def lacks_steps(run: Run) -> bool:
    """Whether imported maps have a single step; if so, says that the page needs several."""
    if run.record.imported is None or len(run.epochs) > 1:
        return False
    draw_needs("the maps of several steps, such as epochs or methods")
    return True


def lacks_network(run: Run) -> bool:
    """Whether a run has no network; if so, says that the page needs one."""
    if run.record.imported is not None:
        draw_needs("a network", one="one")
    return run.record.imported is not None
