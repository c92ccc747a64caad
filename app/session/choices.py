"""Choices that the widgets of the pages make: each made one of those there are, or a sentence says why not."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

from app.session.url import complain, linked, literal

T = TypeVar("T")
_BELONGS = "_belongs"


def chosen(name: str) -> Any:
    """The choice of this name, made before."""
    return st.session_state[name]


def choice(name: str, options: Sequence[T], *, default: T) -> T:
    """The choice of this name, made one of the options; to be called before its widget, whose key is the name."""
    value = _made(name, default)
    if value not in options:
        complain(name, f"there is no {name} '{literal(value)}' here; showing '{literal(default)}'")
        value = default
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value
    return value


def met(name: str, options: Iterable[T]) -> T:
    """The choice of this name made on another page if it is one of the options, else the first of them."""
    known = list(options)
    return next((option for option in known if option == st.session_state.get(name)), known[0])


def keep(name: str, value: T) -> T:
    """Makes this the choice of this name, for a widget that cannot take it from the session."""
    st.session_state[name] = value
    return value


def choices(name: str, options: Sequence[str], *, default: Sequence[str]) -> list[str]:
    """The choices of this name, those that are not among the options left out; of none, the default."""
    chosen = list(st.session_state.get(name) or default)
    kept = [value for value in chosen if value in options] or list(default)
    if missing := [value for value in chosen if value not in options]:
        complain(name, f"there is no {', '.join(map(literal, missing))} to show here")
    if st.session_state.get(name) != kept:
        st.session_state[name] = kept
    return kept


def text(name: str, *, default: str) -> str:
    """The text of this name; to be called before its widget, whose key is the name."""
    if st.session_state.get(name) is None:
        st.session_state[name] = default
    return st.session_state[name]


def number(name: str, low: int, high: int, *, default: int) -> int:
    """The number of this name, brought into low..high."""
    value = _made(name, default)
    inside = min(high, max(low, value))
    if inside != value:
        complain(name, f"{name} must lie in {low}..{high}, got {value}; showing {inside}")
    if st.session_state.get(name) != inside:
        st.session_state[name] = inside
    return inside


def point(width: int, height: int) -> tuple[int, int] | None:
    """The pinned pixel (x, y), or None where none is pinned; one outside the image is forgotten."""
    for name, size in (("x", width), ("y", height)):
        value = st.session_state.get(name)
        if value is not None and not 0 <= value < size:
            complain(name, f"{name} must lie in 0..{size - 1}, got {value}; no point is kept")
            st.session_state.update(x=None, y=None)
    x, y = st.session_state.get("x"), st.session_state.get("y")
    return None if x is None or y is None else (x, y)


def belongs(names: Sequence[str], identity: str) -> None:
    """Forgets the choices of these names where they were made of something else, unless the link has brought them."""
    before = st.session_state.get(_BELONGS, {})
    for name in names:
        if before.get(name, identity) != identity and not linked(name):
            st.session_state[name] = None
    st.session_state[_BELONGS] = {**before, **dict.fromkeys(names, identity)}


def known(name: str, options: Sequence[str]) -> None:
    """Says so where the link's choice of this name has some that are not among the options; keeps the choice."""
    if missing := [value for value in st.session_state.get(name) or [] if value not in options]:
        complain(name, f"there is no {', '.join(map(literal, missing))} to show here")


def formed(name: str, form: str) -> None:
    """Drops the text of this name, and says so, where it does not look like this regular expression."""
    text = st.session_state.get(name)
    if text and not re.fullmatch(form, text):
        complain(name, f"{name} cannot be '{literal(text)}'")
        st.session_state[name] = None


def _made(name: str, default: T) -> T:
    """The choice of this name, or the default where none was made or the link has undone it."""
    value = st.session_state.get(name)
    return default if value is None else value
