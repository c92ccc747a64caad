"""Choices made inside the image viewers."""

from contextlib import suppress

import streamlit as st

from app.session.url import PARAMETERS, SELECTIONS

_LAST_REPORTS = "_last_reports"
_PREVIOUS = "_previous"


def apply_viewer_report(viewer: str) -> None:
    """Store the choices that a viewer reports; "" resets a choice, and invalid values are ignored."""
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
    """How often a viewer or a link (or going back in the history) has changed which row of a table is selected."""
    return st.session_state.get(SELECTIONS, 0)


def detect_change(name: str, value: object) -> bool:
    """Whether the value differs from that of the previous call."""
    before = st.session_state.get(_PREVIOUS, {})
    st.session_state[_PREVIOUS] = {**before, name: value}
    return before.get(name) != value


def get_last_report(viewer: str) -> int:
    """Number of the viewer's last report that was stored; 0 before the first."""
    return st.session_state.get(_LAST_REPORTS, {}).get(viewer, 0)
