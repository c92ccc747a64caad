"""Reading and validating choices before their widgets are drawn; invalid ones from a link give a warning."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

from app.session.url import came_from_link, escape_markdown, warn_about_link

T = TypeVar("T")
_OWNERS = "_owners"


def get_choice(name: str) -> Any:
    """A choice that is already in the session."""
    return st.session_state[name]


def has_choice(name: str) -> bool:
    """Whether a choice has been made, by the user, a link or a default."""
    return st.session_state.get(name) is not None


def ensure_choice(name: str, options: Sequence[T], *, default: T) -> T:
    """The choice, replaced by the default if it is not an option. Call it before the widget, whose key is the name."""
    value = _get_or_default(name, default)
    if value not in options:
        warn_about_link(
            name, f"{name} '{escape_markdown(value)}' is not available; showing '{escape_markdown(default)}'"
        )
        value = default
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value
    return value


def get_choice_or_first(name: str, options: Iterable[T]) -> T:
    """The choice if it is an option, otherwise the first option; the session does not change."""
    known = list(options)
    return next((option for option in known if option == st.session_state.get(name)), known[0])


def set_choice(name: str, value: T) -> T:
    """Store a choice, for widgets whose key is not its name."""
    st.session_state[name] = value
    return value


def ensure_choices(name: str, options: Sequence[str], *, default: Sequence[str]) -> list[str]:
    """The choices that are options, or the default if there are none; the session is updated."""
    chosen = list(st.session_state.get(name) or default)
    kept = [value for value in chosen if value in options] or list(default)
    if missing := [value for value in chosen if value not in options]:
        warn_about_link(name, f"{name} {', '.join(map(escape_markdown, missing))} is not available")
    if st.session_state.get(name) != kept:
        st.session_state[name] = kept
    return kept


def ensure_text(name: str, *, default: str) -> str:
    """The text, set to the default if there is none. Call it before the widget, whose key is the name."""
    if st.session_state.get(name) is None:
        st.session_state[name] = default
    return st.session_state[name]


def ensure_number(name: str, low: int, high: int, *, default: int) -> int:
    """The number, clipped to low..high; the session is updated."""
    value = _get_or_default(name, default)
    inside = min(high, max(low, value))
    if inside != value:
        warn_about_link(name, f"{name} must be between {low} and {high}, got {value}; showing {inside}")
    if st.session_state.get(name) != inside:
        st.session_state[name] = inside
    return inside


def ensure_pinned_pixel(width: int, height: int) -> tuple[int, int] | None:
    """The pinned pixel (x, y), or None; a pixel outside the image is unpinned."""
    for name, size in (("x", width), ("y", height)):
        value = st.session_state.get(name)
        if value is not None and not 0 <= value < size:
            warn_about_link(name, f"{name} must be between 0 and {size - 1}, got {value}; no pixel is pinned")
            st.session_state.update(x=None, y=None)
    x, y = st.session_state.get("x"), st.session_state.get("y")
    return None if x is None or y is None else (x, y)


def reset_choices_on_change(names: Sequence[str], identity: str) -> None:
    """Reset these choices if they were made for another identity, unless they came from the link."""
    before = st.session_state.get(_OWNERS, {})
    for name in names:
        if before.get(name, identity) != identity and not came_from_link(name):
            st.session_state[name] = None
    st.session_state[_OWNERS] = {**before, **dict.fromkeys(names, identity)}


def report_unknown_choices(name: str, options: Sequence[str]) -> None:
    """Warn about choices from the link that are not options, without changing them."""
    if missing := [value for value in st.session_state.get(name) or [] if value not in options]:
        warn_about_link(name, f"{name} {', '.join(map(escape_markdown, missing))} is not available")


def drop_malformed_choice(name: str, pattern: str) -> None:
    """Reset a text that does not match the regular expression, and warn if it came from the link."""
    text = st.session_state.get(name)
    if text and not re.fullmatch(pattern, text):
        warn_about_link(name, f"{name} '{escape_markdown(text)}' is not valid")
        st.session_state[name] = None


def _get_or_default(name: str, default: T) -> T:
    """The choice, or the default if there is none."""
    value = st.session_state.get(name)
    return default if value is None else value
