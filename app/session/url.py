"""The link: every choice of a session under the name of its parameter, read from the address and written into it.

`read_url` takes the link over when a session begins or the reader goes back in the history; `write_url` puts every
choice into the link after a page has run. All values in the URL are plain strings.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlencode

import streamlit as st


def _parse_names(text: str) -> list[str]:
    """Names that `_text` has joined; a comma in a name is %2C there."""
    return [unquote(name) for name in text.split(",") if name]


def _parse_flag(text: str) -> bool:
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
    for names, parse in ((_TEXTS, str), (_NUMBERS, int), (_LISTS, _parse_names), (_FLAGS, _parse_flag))
    for name in names.split()
}
"""Name of each choice in a link, to what reads it from its text."""
PAGE = "_page"
SELECTIONS = "_selections"
_SELECTING = ("run", "data", "source", "sample", "object")
"""Choices of a link that say what a table has selected."""
_PAGE_CHANGED = "_page_changed"
_RERUN = "_rerun"
_URL = "_url"
_WARNINGS = "_warnings"
_LINKED = "_linked"
_SAVED = "_saved"
_WRITTEN = "_written"
_MAX_LENGTH = 300
"""Characters of a name that are shown: more than file names have."""
_WORD = r"[^\W_](?:\w*[^\W_])?"
_PLAIN = rf"{_WORD}(?:[ #>|,(-]+{_WORD}\)?)*"
"""Names in which nothing can be read as a mark of markdown."""
_MAX_LINKS = 8
"""Links of the session that it knows again."""


def read_url() -> None:
    """Takes over what differs in the link from the one this session knows; a choice that has gone from it is undone.

    What is alike in both may have been changed by a widget at the same moment, and stays as it is: so does what was
    chosen while a page was still being drawn.
    """
    given, written = st.query_params.to_dict(), st.session_state.get(_URL, {})
    if not st.session_state.pop(_RERUN, False):
        st.session_state[_WARNINGS], st.session_state[_LINKED] = [], set()
    if not given or _is_outdated(given):
        return
    st.session_state[_URL] = given
    if any(given.get(name) != written.get(name) for name in _SELECTING):
        st.session_state[SELECTIONS] = st.session_state.get(SELECTIONS, 0) + 1
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
            st.session_state[_WARNINGS].append(f"{name} must be a whole number, got '{escape_markdown(given[name])}'")


def _is_outdated(given: dict[str, str]) -> bool:
    """Whether the link is one this session has replaced, sent with a choice before the browser showed the new one.

    The reader who goes back in the history comes with an older link too, but without another choice.
    """
    chosen = st.session_state.get(_SAVED)
    return chosen is not None and chosen != _collect_choices() and given in st.session_state.get(_WRITTEN, [])


def restore_page_state(page: str) -> None:
    """Carries every choice over to another page or photograph, where sliders would else start at their lower ends."""
    st.session_state[_PAGE_CHANGED] = st.session_state.get(PAGE) != page
    if not st.session_state[_PAGE_CHANGED]:
        return
    for name in PARAMETERS:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def save_page_state(page: str) -> None:
    """Notes that a page has been drawn to its end, so that its controls hold their choices themselves."""
    st.session_state[PAGE] = page
    st.session_state[_SAVED] = _collect_choices()


def rerun_page() -> None:
    """Draws the page anew; what was said of the link stays."""
    st.session_state[_RERUN] = True
    st.rerun()


def write_url() -> None:
    """Puts every choice into the link, so that copying the address copies the view.

    A link that has just led here and was followed in all stays as it is: another would be one more step back.
    """
    texts, given = _format_choices(), st.query_params.to_dict()
    followed = st.session_state[_PAGE_CHANGED] and given and given.items() <= texts.items()
    if texts != given and not followed:
        st.query_params.from_dict(texts)
    st.session_state[_URL] = st.query_params.to_dict()
    before = [link for link in st.session_state.get(_WRITTEN, []) if link != given]
    st.session_state[_WRITTEN] = [*before, given, st.session_state[_URL]][-_MAX_LINKS:]


def get_link_warnings() -> list[str]:
    """What the link asked for and cannot have, as sentences."""
    return list(st.session_state[_WARNINGS])


def escape_markdown(value: object) -> str:
    """A value of a link, or a name, as a sentence shows it: letter by letter, so that it brings no picture or link."""
    text = " ".join(str(value).split())[:_MAX_LENGTH]
    return text if re.fullmatch(_PLAIN, text) else f"`{text.replace('`', ' ')}`"


def make_link_parameters(**choices: str) -> dict[str, str]:
    """The parameters of a link to this view with other choices."""
    return _format_choices() | choices


def make_run_query() -> str:
    """What a link to another page has after its name so that it opens with this run; "" where none was chosen."""
    run = st.session_state.get("run")
    return f"?{urlencode({'run': run})}" if run else ""


def get_link_texts(names: Iterable[str]) -> dict[str, str]:
    """The choices of these names as they stand in a link; one that was not made is left out."""
    made = _format_choices()
    return {name: made[name] for name in names if made.get(name)}


def came_from_link(name: str) -> bool:
    """Whether the link that was followed last has brought this choice."""
    return name in st.session_state[_LINKED]


def warn_about_link(name: str, sentence: str) -> None:
    """Only the link's choices are worth a sentence: one that another choice made impossible is replaced silently."""
    if came_from_link(name) and sentence not in st.session_state[_WARNINGS]:
        st.session_state[_WARNINGS].append(sentence)


def _collect_choices() -> dict[str, Any]:
    return {name: st.session_state.get(name) for name in PARAMETERS}


def _format_choices() -> dict[str, str]:
    """Every choice made, as it stands in a link."""
    return {name: _format_choice(value) for name, value in _collect_choices().items() if value is not None}


def _format_choice(value: Any) -> str:
    """A choice as it stands in a link."""
    if isinstance(value, list):
        return ",".join(str(name).replace("%", "%25").replace(",", "%2C") for name in value)
    return str(int(value) if isinstance(value, bool) else value)
