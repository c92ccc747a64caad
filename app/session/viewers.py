"""What viewers tell of the reader's choices in them."""

from contextlib import suppress

import streamlit as st

from app.session.url import PARAMETERS, POINTED

_HEARD = "_heard"
_BEFORE = "_before"


def take(viewer: str) -> None:
    """Keeps what was chosen in a viewer; what it took back is forgotten, what cannot be is left out."""
    report = st.session_state[viewer]["view"]
    for name, text in (report or {}).items():
        if name == "heard":
            st.session_state[_HEARD] = {**st.session_state.get(_HEARD, {}), viewer: int(text)}
        elif name == "object":
            st.session_state["object"], st.session_state[POINTED] = text, pointed() + 1
        elif name in PARAMETERS and text == "":
            st.session_state[name] = None
        elif name in PARAMETERS:
            with suppress(ValueError):
                st.session_state[name] = PARAMETERS[name](text)


def pointed() -> int:
    """How often a click in a viewer or a link, the way back in the history too, chose what a table has selected."""
    return st.session_state.get(POINTED, 0)


def changed(name: str, value: object) -> bool:
    """Whether this differs from what it was when last asked."""
    before = st.session_state.get(_BEFORE, {})
    st.session_state[_BEFORE] = {**before, name: value}
    return before.get(name) != value


def heard(viewer: str) -> int:
    """Number of the last report of this viewer that was taken."""
    return st.session_state.get(_HEARD, {}).get(viewer, 0)
