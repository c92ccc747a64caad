"""The URL of the app: reading choices from its parameters and writing them back.

`read_url` runs before each page and `write_url` after it. All values in the URL are plain strings.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlencode

import streamlit as st


def _parse_names(text: str) -> list[str]:
    """The names in a comma-separated text, in which a comma of a name is %2C."""
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
"""URL parameter to the function that parses it."""
PAGE = "_page"
SELECTIONS = "_selections"
_SELECTING = ("run", "data", "source", "sample", "object")
"""Parameters that change which row of a table is selected."""
_PAGE_CHANGED = "_page_changed"
_RERUN = "_rerun"
_URL = "_url"
_WARNINGS = "_warnings"
_LINKED = "_linked"
_CHOSEN = "_chosen"
_SAVED = "_saved"
_WRITTEN = "_written"
_MAX_LENGTH = 300
"""Characters shown of a value from a link; file names are shorter."""
_WORD = r"[^\W_](?:\w*[^\W_])?"
_MARKUP = r"[\\`*\[\]<>#|~$&]|(?<!\w)_|_(?!\w)|:(?=\S)|^[-+=]|(?<=^\d)[.)]"
"""Characters that markdown, or Streamlit's extensions of it, may read as markup."""
_PLAIN = rf"{_WORD}(?:[ #>|,(-]+{_WORD}\)?)*"
"""Text that markdown shows unchanged."""
_MAX_LINKS = 8
"""Recent links that a session remembers."""


def read_url() -> None:
    """Update the session with the parameters that changed since the URL was last read or written.

    A parameter that was removed resets its choice. Unchanged parameters are skipped, because a widget may have changed
    the choice in the same run.
    """
    given, written = st.query_params.to_dict(), st.session_state.get(_URL, {})
    chosen = _SAVED in st.session_state and st.session_state[_SAVED] != _collect_choices()
    st.session_state[_CHOSEN] = chosen or st.session_state.get(_CHOSEN, False)
    st.session_state[_SAVED] = None  # stays so if the user stops the run; the next one then counts as a new choice
    if not st.session_state.pop(_RERUN, False):
        st.session_state[_WARNINGS], st.session_state[_LINKED] = [], set()
    if not given or (chosen and given in st.session_state.get(_WRITTEN, [])):
        return  # an old URL that the browser sent with a new choice; going back in its history sends no choice
    st.session_state[_URL] = given
    if any(given.get(name) != written.get(name) for name in _SELECTING):
        st.session_state[SELECTIONS] = st.session_state.get(SELECTIONS, 0) + 1
    for name, parse in PARAMETERS.items():
        if given.get(name) == written.get(name):
            continue
        if name not in given:
            st.session_state[name] = None  # the widget then takes its default
            continue
        try:
            st.session_state[name] = parse(given[name])
            st.session_state[_LINKED].add(name)
        except ValueError:
            st.session_state[_WARNINGS].append(f"{name} must be a whole number, got '{escape_markdown(given[name])}'")


def restore_page_state(page: str) -> None:
    """Keep all choices when the page or photograph changes; Streamlit would drop those without a widget."""
    st.session_state[_PAGE_CHANGED] = st.session_state.get(PAGE) != page
    if not st.session_state[_PAGE_CHANGED]:
        return
    for name in PARAMETERS:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def save_page_state(page: str) -> None:
    """Records that a page has run to its end, so that its widgets hold their own state from now on."""
    st.session_state[PAGE] = page


def save_choices() -> None:
    """Records the choices at the end of a run, also of one that was interrupted, so that the next run sees new ones."""
    st.session_state[_SAVED] = _collect_choices()


def rerun_page() -> None:
    """Rerun the page and keep the warnings about the link."""
    st.session_state[_RERUN] = True
    st.rerun()


def write_url() -> None:
    """Write every choice into the URL, so that copying the address copies the view.

    A link that was just opened and applied in full stays as it is until something is chosen: replacing it would add an
    entry to the browser's history.
    """
    texts, given = _format_choices(), st.query_params.to_dict()
    chosen = st.session_state.pop(_CHOSEN)
    applied = st.session_state[_PAGE_CHANGED] and not chosen and given and given.items() <= texts.items()
    if texts != given and not applied:
        st.query_params.from_dict(texts)
    st.session_state[_URL] = st.query_params.to_dict()
    before = [link for link in st.session_state.get(_WRITTEN, []) if link != given]
    st.session_state[_WRITTEN] = [*before, given, st.session_state[_URL]][-_MAX_LINKS:]


def get_link_warnings() -> list[str]:
    """One sentence for each setting of the link that is not available."""
    return list(st.session_state[_WARNINGS])


def escape_markdown(value: object) -> str:
    """The value as markdown that shows it literally, so that text from a link or a file adds no image or link."""
    text = " ".join(str(value).split())[:_MAX_LENGTH]
    return text if re.fullmatch(_PLAIN, text) else f"`{text.replace('`', ' ')}`"


def escape_sentence(sentence: object) -> str:
    """A sentence, such as an error message, as markdown that shows it literally: it may quote names of files."""
    return re.sub(_MARKUP, r"\\\g<0>", " ".join(str(sentence).split()))


def make_link_parameters(**choices: str) -> dict[str, str]:
    """The URL parameters of the current view, with some choices replaced."""
    return _format_choices() | choices


def make_run_query() -> str:
    """The query string that opens another page with the same run; "" if no run is selected."""
    run = st.session_state.get("run")
    return f"?{urlencode({'run': run})}" if run else ""


def get_link_texts(names: Iterable[str]) -> dict[str, str]:
    """Name to URL text of these choices; those not made are left out."""
    made = _format_choices()
    return {name: made[name] for name in names if made.get(name)}


def came_by_link() -> bool:
    """Whether the link that was opened last says anything of what to show."""
    return bool(st.session_state[_LINKED])


def came_from_link(name: str) -> bool:
    """Whether this choice came from the link that was opened last."""
    return name in st.session_state[_LINKED]


def warn_about_link(name: str, sentence: str) -> None:
    """Add a warning if the choice came from the link; one that another choice made invalid is replaced silently."""
    if came_from_link(name) and sentence not in st.session_state[_WARNINGS]:
        st.session_state[_WARNINGS].append(sentence)


def _collect_choices() -> dict[str, Any]:
    return {name: st.session_state.get(name) for name in PARAMETERS}


def _format_choices() -> dict[str, str]:
    """Name to URL text of every choice made."""
    return {name: _format_choice(value) for name, value in _collect_choices().items() if value is not None}


def _format_choice(value: Any) -> str:
    """The URL text of a choice."""
    if isinstance(value, list):
        return ",".join(str(name).replace("%", "%25").replace(",", "%2C") for name in value)
    return str(int(value) if isinstance(value, bool) else value)
