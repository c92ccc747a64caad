"""Choices that the widgets of the pages make: each made one of those there are, or a sentence says why not."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

from app.session.url import came_from_link, escape_markdown, warn_about_link

T = TypeVar("T")
_OWNERS = "_owners"


def get_choice(name: str) -> Any:
    """The choice of this name, made before."""
    return st.session_state[name]


def ensure_choice(name: str, options: Sequence[T], *, default: T) -> T:
    """The choice of this name, made one of the options; to be called before its widget, whose key is the name."""
    value = _get_or_default(name, default)
    if value not in options:
        warn_about_link(
            name, f"there is no {name} '{escape_markdown(value)}' here; showing '{escape_markdown(default)}'"
        )
        value = default
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value
    return value


def get_choice_or_first(name: str, options: Iterable[T]) -> T:
    """The choice of this name made on another page if it is one of the options, else the first of them."""
    known = list(options)
    return next((option for option in known if option == st.session_state.get(name)), known[0])


def set_choice(name: str, value: T) -> T:
    """Makes this the choice of this name, for a widget that cannot take it from the session."""
    st.session_state[name] = value
    return value


def ensure_choices(name: str, options: Sequence[str], *, default: Sequence[str]) -> list[str]:
    """The choices of this name, those that are not among the options left out; of none, the default."""
    chosen = list(st.session_state.get(name) or default)
    kept = [value for value in chosen if value in options] or list(default)
    if missing := [value for value in chosen if value not in options]:
        warn_about_link(name, f"there is no {', '.join(map(escape_markdown, missing))} to show here")
    if st.session_state.get(name) != kept:
        st.session_state[name] = kept
    return kept


def ensure_text(name: str, *, default: str) -> str:
    """The text of this name; to be called before its widget, whose key is the name."""
    if st.session_state.get(name) is None:
        st.session_state[name] = default
    return st.session_state[name]


def ensure_number(name: str, low: int, high: int, *, default: int) -> int:
    """The number of this name, brought into low..high."""
    value = _get_or_default(name, default)
    inside = min(high, max(low, value))
    if inside != value:
        warn_about_link(name, f"{name} must lie in {low}..{high}, got {value}; showing {inside}")
    if st.session_state.get(name) != inside:
        st.session_state[name] = inside
    return inside


def ensure_pinned_pixel(width: int, height: int) -> tuple[int, int] | None:
    """The pinned pixel (x, y), or None where none is pinned; one outside the image is forgotten."""
    for name, size in (("x", width), ("y", height)):
        value = st.session_state.get(name)
        if value is not None and not 0 <= value < size:
            warn_about_link(name, f"{name} must lie in 0..{size - 1}, got {value}; no point is kept")
            st.session_state.update(x=None, y=None)
    x, y = st.session_state.get("x"), st.session_state.get("y")
    return None if x is None or y is None else (x, y)


def reset_choices_on_change(names: Sequence[str], identity: str) -> None:
    """Forgets the choices of these names where they were made of something else, unless the link has brought them."""
    before = st.session_state.get(_OWNERS, {})
    for name in names:
        if before.get(name, identity) != identity and not came_from_link(name):
            st.session_state[name] = None
    st.session_state[_OWNERS] = {**before, **dict.fromkeys(names, identity)}


def report_unknown_choices(name: str, options: Sequence[str]) -> None:
    """Says so where the link's choice of this name has some that are not among the options; keeps the choice."""
    if missing := [value for value in st.session_state.get(name) or [] if value not in options]:
        warn_about_link(name, f"there is no {', '.join(map(escape_markdown, missing))} to show here")


def drop_malformed_choice(name: str, form: str) -> None:
    """Drops the text of this name, and says so, where it does not look like this regular expression."""
    text = st.session_state.get(name)
    if text and not re.fullmatch(form, text):
        warn_about_link(name, f"{name} cannot be '{escape_markdown(text)}'")
        st.session_state[name] = None


def _get_or_default(name: str, default: T) -> T:
    """The choice of this name, or the default where none was made or the link has undone it."""
    value = st.session_state.get(name)
    return default if value is None else value
