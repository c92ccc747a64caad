"""The only place that knows session keys and URL parameters.

A choice lives in the session under the name of its URL parameter, which is also its widget's key. `read_url` takes
the link over when a session begins or the reader goes back in the history; `write_url` puts every choice into the
link after a page has run. All values in the URL are plain strings. An uploaded photograph lives in the session only.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

import streamlit as st

T = TypeVar("T")


@dataclass(frozen=True)
class Upload:
    """A file somebody dropped into the page."""

    name: str
    content: bytes


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
_PARAMETERS: dict[str, Callable[[str], Any]] = {
    name: parse
    for names, parse in ((_TEXTS, str), (_NUMBERS, int), (_LISTS, _names), (_FLAGS, _flag))
    for name in names.split()
}
"""Name of each choice in a link, to what reads it from its text."""
_PAGE = "_page"
_ARRIVED = "_arrived"
_AGAIN = "_again"
_URL = "_url"
_COMPLAINTS = "_complaints"
_LINKED = "_linked"
_UPLOADS = "_uploads"
_RESULTS = "_results"
_MOST_RESULTS = 4
"""Results that one session keeps; an older one makes room."""
_VERDICTS = "_verdicts"
_HEARD = "_heard"
_POINTED = "_pointed"
_BEFORE = "_before"
_READY = "_ready"
_CHOSEN = "_chosen"
_WRITTEN = "_written"
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
    for name, parse in _PARAMETERS.items():
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
    st.session_state[_ARRIVED] = st.session_state.get(_PAGE) != page
    if not st.session_state[_ARRIVED]:
        return
    for name in _PARAMETERS:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def stay(page: str) -> None:
    """Notes that a page has been drawn to its end, so that its controls hold their choices themselves."""
    st.session_state[_PAGE] = page
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
    """A value of a link as a sentence shows it: letter by letter, so that it brings no picture and no further link."""
    text = " ".join(str(value).split())[:100]
    return text if re.fullmatch(r"[\w #>|,-]*", text) else f"`{text.replace('`', ' ')}`"


def chosen(name: str) -> Any:
    """The choice of this name, made before."""
    return st.session_state[name]


def choice(name: str, options: Sequence[T], *, default: T) -> T:
    """The choice of this name, made one of the options; to be called before its widget, whose key is the name."""
    value = _made(name, default)
    if value not in options:
        _complain(name, f"there is no {name} '{literal(value)}' here; showing '{default}'")
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


def link(**choices: str) -> dict[str, str]:
    """The parameters of a link to this view with other choices."""
    return _texts() | choices


def run_query() -> str:
    """What a link to another page has after its name so that it opens with this run; "" where none was chosen."""
    run = st.session_state.get("run")
    return f"?{urlencode({'run': run})}" if run else ""


def choices(name: str, options: Sequence[str], *, default: Sequence[str]) -> list[str]:
    """The choices of this name, those that are not among the options left out; of none, the default."""
    chosen = list(st.session_state.get(name) or default)
    kept = [value for value in chosen if value in options] or list(default)
    if missing := [value for value in chosen if value not in options]:
        _complain(name, f"there is no {', '.join(map(literal, missing))} to show here")
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
        _complain(name, f"{name} must lie in {low}..{high}, got {value}; showing {inside}")
    if st.session_state.get(name) != inside:
        st.session_state[name] = inside
    return inside


def point(width: int, height: int) -> tuple[int, int] | None:
    """The pinned pixel (x, y), or None where none is pinned; one outside the image is forgotten."""
    for name, size in (("x", width), ("y", height)):
        value = st.session_state.get(name)
        if value is not None and not 0 <= value < size:
            _complain(name, f"{name} must lie in 0..{size - 1}, got {value}; no point is kept")
            st.session_state.update(x=None, y=None)
    x, y = st.session_state.get("x"), st.session_state.get("y")
    return None if x is None or y is None else (x, y)


def known(name: str, options: Sequence[str]) -> None:
    """Says so where the link's choice of this name has some that are not among the options; keeps the choice."""
    if missing := [value for value in st.session_state.get(name) or [] if value not in options]:
        _complain(name, f"there is no {', '.join(map(literal, missing))} to show here")


def take(viewer: str) -> None:
    """Keeps what was chosen in a viewer; what it took back is forgotten, what cannot be is left out."""
    report = st.session_state[viewer]["view"]
    for name, text in (report or {}).items():
        if name == "heard":
            st.session_state[_HEARD] = {**st.session_state.get(_HEARD, {}), viewer: int(text)}
        elif name == "object":
            st.session_state["object"], st.session_state[_POINTED] = text, pointed() + 1
        elif name in _PARAMETERS and text == "":
            st.session_state[name] = None
        elif name in _PARAMETERS:
            with suppress(ValueError):
                st.session_state[name] = _PARAMETERS[name](text)


def pointed() -> int:
    """How often an object was clicked in a viewer."""
    return st.session_state.get(_POINTED, 0)


def changed(name: str, value: object) -> bool:
    """Whether this differs from what it was when last asked."""
    before = st.session_state.get(_BEFORE, {})
    st.session_state[_BEFORE] = {**before, name: value}
    return before.get(name) != value


def heard(viewer: str) -> int:
    """Number of the last report of this viewer that was taken."""
    return st.session_state.get(_HEARD, {}).get(viewer, 0)


def texts(names: Iterable[str]) -> dict[str, str]:
    """The choices of these names as they stand in a link; one that was not made is left out."""
    made = _texts()
    return {name: made[name] for name in names if made.get(name)}


def ready(identity: str) -> list[int]:
    """The epochs that have looked at a picture in this session, the latest last."""
    return list(st.session_state.get(_READY, {}).get(identity, []))


def note_ready(identity: str, epochs: Sequence[int]) -> None:
    """Notes which epochs have looked at a picture; those of another picture are forgotten."""
    st.session_state[_READY] = {identity: list(epochs)}


def upload(name: str) -> Upload | None:
    """The file uploaded under this name in this session."""
    return st.session_state.get(_UPLOADS, {}).get(name)


def keep_upload(name: str, widget: str) -> None:
    """Keeps what an uploader holds now, so that it survives a change of page; another photograph drops the labels."""
    forget_upload(name)
    file = st.session_state[widget]
    if file is not None:
        st.session_state[_UPLOADS] |= {name: Upload(file.name, file.getvalue())}


def forget_upload(name: str) -> None:
    """Drops what was uploaded under this name; a photograph takes its labels along."""
    gone = {"photograph", "labels"} if name == "photograph" else {name}
    kept = st.session_state.get(_UPLOADS, {})
    st.session_state[_UPLOADS] = {name: upload for name, upload in kept.items() if name not in gone}
    st.session_state.pop(_PAGE, None)  # the controls below it vanish and come back while a file is replaced


def verdict(place: str, region: str) -> dict[str, Any]:
    """What was said of a region of this place: `verdict` and `note`, both "" where nothing was."""
    return st.session_state.get(_VERDICTS, {}).get((place, region), {"verdict": "", "note": ""})


def verdicts(place: str) -> list[dict[str, Any]]:
    """Everything said of the regions of this place, with their facts."""
    return [row for (kept, _), row in st.session_state.get(_VERDICTS, {}).items() if kept == place]


def keep_verdict(place: str, region: str, facts: dict[str, Any], part: str, widget: str) -> None:
    """Keeps what a widget says of a region as its `part`, "verdict" or "note"; both empty are forgotten."""
    row = {**verdict(place, region), **facts, part: st.session_state[widget] or ""}
    kept = {**st.session_state.get(_VERDICTS, {}), (place, region): row}
    if not row["verdict"] and not row["note"]:
        del kept[place, region]
    st.session_state[_VERDICTS] = kept


def _choices() -> dict[str, Any]:
    return {name: st.session_state.get(name) for name in _PARAMETERS}


def _texts() -> dict[str, str]:
    """Every choice made, as it stands in a link."""
    choices = {name: st.session_state.get(name) for name in _PARAMETERS}
    return {name: _text(value) for name, value in choices.items() if value is not None}


def _text(value: Any) -> str:
    """A choice as it stands in a link."""
    if isinstance(value, list):
        return ",".join(str(name).replace("%", "%25").replace(",", "%2C") for name in value)
    return str(int(value) if isinstance(value, bool) else value)


def result(identity: str) -> Any:
    """What was worked out under this identity in this session and is still kept, or None."""
    return st.session_state.get(_RESULTS, {}).get(identity)


def keep_result(identity: str, value: T) -> T:
    """Keeps what is being worked out, so that it survives a stop, a change of page and a change of picture."""
    kept = {name: old for name, old in st.session_state.get(_RESULTS, {}).items() if name != identity}
    st.session_state[_RESULTS] = dict([*kept.items(), (identity, value)][-_MOST_RESULTS:])
    return value


def _made(name: str, default: T) -> T:
    """The choice of this name, or the default where none was made or the link has undone it."""
    value = st.session_state.get(name)
    return default if value is None else value


def _complain(name: str, sentence: str) -> None:
    """Only the link's choices are worth a sentence: one that another choice made impossible is replaced silently."""
    if name in st.session_state[_LINKED] and sentence not in st.session_state[_COMPLAINTS]:
        st.session_state[_COMPLAINTS].append(sentence)
