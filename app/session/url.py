"""The link: every choice of a session under the name of its parameter, read from the address and written into it.

`read_url` takes the link over when a session begins or the reader goes back in the history; `write_url` puts every
choice into the link after a page has run. All values in the URL are plain strings.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlencode

import streamlit as st


def _names(text: str) -> list[str]:
    """Names that `_text` has joined; a comma in a name is %2C there."""
    return [unquote(name) for name in text.split(",") if name]


def _flag(text: str) -> bool:
    return bool(int(text))


_TEXTS = (
    "run scope data source sample scale object_size object_quantity area_cuts thickness_cuts object edge quantity "
    "pair rank rank_class order find form scores baseline compared aspect snapshot against scaled dispute ranking "
    "score region above zoom compare grey hidden outlines box step"
)
_NUMBERS = "epoch other side opacity nats x y part planting sheet flagged"
_LISTS = "show object_classes classes runs images"
_FLAGS = "planted dropout"
PARAMETERS: dict[str, Callable[[str], Any]] = {
    name: parse
    for names, parse in ((_TEXTS, str), (_NUMBERS, int), (_LISTS, _names), (_FLAGS, _flag))
    for name in names.split()
}
"""Name of each choice in a link, to what reads it from its text."""
PAGE = "_page"
POINTED = "_pointed"
_POINTING = ("run", "data", "source", "sample", "object")
"""Choices of a link that say what a table has selected."""
_ARRIVED = "_arrived"
_AGAIN = "_again"
_URL = "_url"
_COMPLAINTS = "_complaints"
_LINKED = "_linked"
_CHOSEN = "_chosen"
_WRITTEN = "_written"
_LONGEST = 300
"""Characters of a name that are shown: more than file names have."""
_WORD = r"[^\W_](?:\w*[^\W_])?"
_PLAIN = rf"{_WORD}(?:[ #>|,(-]+{_WORD}\)?)*"
"""Names in which nothing can be read as a mark of markdown."""
_LINKS_KEPT = 8
"""Links of the session that it knows again."""


def read_url() -> None:
    """Takes over what differs in the link from the one this session knows; a choice that has gone from it is undone.

    What is alike in both may have been changed by a widget at the same moment, and stays as it is: so does what was
    chosen while a page was still being drawn.
    """
    given, written = st.query_params.to_dict(), st.session_state.get(_URL, {})
    if not st.session_state.pop(_AGAIN, False):
        st.session_state[_COMPLAINTS], st.session_state[_LINKED] = [], set()
    if not given or _behind(given):
        return
    st.session_state[_URL] = given
    if any(given.get(name) != written.get(name) for name in _POINTING):
        st.session_state[POINTED] = st.session_state.get(POINTED, 0) + 1
    for name, parse in PARAMETERS.items():
        if given.get(name) == written.get(name):
            continue
        if name not in given:
            st.session_state[name] = None  # the default, once its widget asks
            continue
        try:
            st.session_state[name] = parse(given[name])
            st.session_state[_LINKED].add(name)
        except ValueError:
            st.session_state[_COMPLAINTS].append(f"{name} must be a whole number, got '{literal(given[name])}'")


def _behind(given: dict[str, str]) -> bool:
    """Whether the link is one this session has replaced, sent with a choice before the browser showed the new one.

    The reader who goes back in the history comes with an older link too, but without another choice.
    """
    chosen = st.session_state.get(_CHOSEN)
    return chosen is not None and chosen != _choices() and given in st.session_state.get(_WRITTEN, [])


def arrive(page: str) -> None:
    """Carries every choice over to another page or photograph, where sliders would else start at their lower ends."""
    st.session_state[_ARRIVED] = st.session_state.get(PAGE) != page
    if not st.session_state[_ARRIVED]:
        return
    for name in PARAMETERS:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def stay(page: str) -> None:
    """Notes that a page has been drawn to its end, so that its controls hold their choices themselves."""
    st.session_state[PAGE] = page
    st.session_state[_CHOSEN] = _choices()


def draw_again() -> None:
    """Draws the page anew; what was said of the link stays."""
    st.session_state[_AGAIN] = True
    st.rerun()


def write_url() -> None:
    """Puts every choice into the link, so that copying the address copies the view.

    A link that has just led here and was followed in all stays as it is: another would be one more step back.
    """
    texts, given = _texts(), st.query_params.to_dict()
    followed = st.session_state[_ARRIVED] and given and given.items() <= texts.items()
    if texts != given and not followed:
        st.query_params.from_dict(texts)
    st.session_state[_URL] = st.query_params.to_dict()
    before = [link for link in st.session_state.get(_WRITTEN, []) if link != given]
    st.session_state[_WRITTEN] = [*before, given, st.session_state[_URL]][-_LINKS_KEPT:]


def complaints() -> list[str]:
    """What the link asked for and cannot have, as sentences."""
    return list(st.session_state[_COMPLAINTS])


def literal(value: object) -> str:
    """A value of a link, or a name, as a sentence shows it: letter by letter, so that it brings no picture or link."""
    text = " ".join(str(value).split())[:_LONGEST]
    return text if re.fullmatch(_PLAIN, text) else f"`{text.replace('`', ' ')}`"


def link(**choices: str) -> dict[str, str]:
    """The parameters of a link to this view with other choices."""
    return _texts() | choices


def run_query() -> str:
    """What a link to another page has after its name so that it opens with this run; "" where none was chosen."""
    run = st.session_state.get("run")
    return f"?{urlencode({'run': run})}" if run else ""


def texts(names: Iterable[str]) -> dict[str, str]:
    """The choices of these names as they stand in a link; one that was not made is left out."""
    made = _texts()
    return {name: made[name] for name in names if made.get(name)}


def linked(name: str) -> bool:
    """Whether the link that was followed last has brought this choice."""
    return name in st.session_state[_LINKED]


def complain(name: str, sentence: str) -> None:
    """Only the link's choices are worth a sentence: one that another choice made impossible is replaced silently."""
    if linked(name) and sentence not in st.session_state[_COMPLAINTS]:
        st.session_state[_COMPLAINTS].append(sentence)


def _choices() -> dict[str, Any]:
    return {name: st.session_state.get(name) for name in PARAMETERS}


def _texts() -> dict[str, str]:
    """Every choice made, as it stands in a link."""
    return {name: _text(value) for name, value in _choices().items() if value is not None}


def _text(value: Any) -> str:
    """A choice as it stands in a link."""
    if isinstance(value, list):
        return ",".join(str(name).replace("%", "%25").replace(",", "%2C") for name in value)
    return str(int(value) if isinstance(value, bool) else value)
