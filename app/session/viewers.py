"""What viewers tell of the reader's choices in them."""

from contextlib import suppress

import streamlit as st

from app.session.url import PARAMETERS, SELECTIONS

_LAST_REPORTS = "_last_reports"
_PREVIOUS = "_previous"


def apply_viewer_report(viewer: str) -> None:
    """Keeps what was chosen in a viewer; what it took back is forgotten, what cannot be is left out."""
    report = st.session_state[viewer]["view"]
    for name, text in (report or {}).items():
        if name == "revision":
            st.session_state[_LAST_REPORTS] = {**st.session_state.get(_LAST_REPORTS, {}), viewer: int(text)}
        elif name == "object":
            st.session_state["object"], st.session_state[SELECTIONS] = text, count_selections() + 1
        elif name in PARAMETERS and text == "":
            st.session_state[name] = None
        elif name in PARAMETERS:
            with suppress(ValueError):
                st.session_state[name] = PARAMETERS[name](text)


def count_selections() -> int:
    """How often a click in a viewer or a link, the way back in the history too, chose what a table has selected."""
    return st.session_state.get(SELECTIONS, 0)


def detect_change(name: str, value: object) -> bool:
    """Whether this differs from what it was when last asked."""
    before = st.session_state.get(_PREVIOUS, {})
    st.session_state[_PREVIOUS] = {**before, name: value}
    return before.get(name) != value


def get_last_report(viewer: str) -> int:
    """Number of the last report of this viewer that was taken."""
    return st.session_state.get(_LAST_REPORTS, {}).get(viewer, 0)
