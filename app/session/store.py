"""What lives in the session and in no link: uploads, verdicts, results, and which epochs looked at a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from app.session.url import PAGE

T = TypeVar("T")
_UPLOADS = "_uploads"
_RESULTS = "_results"
_MAX_RESULTS = 4
"""Results that one session keeps; an older one makes room."""
_VERDICTS = "_verdicts"
_READY = "_ready"


@dataclass(frozen=True)
class Upload:
    """A file somebody dropped into the page."""

    name: str
    content: bytes


def get_upload(name: str) -> Upload | None:
    """The file uploaded under this name in this session."""
    return st.session_state.get(_UPLOADS, {}).get(name)


def save_upload(name: str, widget: str) -> None:
    """Keeps what an uploader holds now, so that it survives a change of page; another photograph drops the labels."""
    remove_upload(name)
    file = st.session_state[widget]
    if file is not None:
        st.session_state[_UPLOADS] |= {name: Upload(file.name, file.getvalue())}


def remove_upload(name: str) -> None:
    """Drops what was uploaded under this name; a photograph takes its labels along."""
    gone = {"photograph", "labels"} if name == "photograph" else {name}
    kept = st.session_state.get(_UPLOADS, {})
    st.session_state[_UPLOADS] = {name: upload for name, upload in kept.items() if name not in gone}
    st.session_state.pop(PAGE, None)  # the controls below it vanish and come back while a file is replaced


def get_verdict(place: str, region: str) -> dict[str, Any]:
    """What was said of a region of this place: `verdict` and `note`, both "" where nothing was."""
    return st.session_state.get(_VERDICTS, {}).get((place, region), {"verdict": "", "note": ""})


def list_verdicts(place: str) -> list[dict[str, Any]]:
    """Everything said of the regions of this place, with their facts."""
    return [row for (kept, _), row in st.session_state.get(_VERDICTS, {}).items() if kept == place]


def save_verdict(place: str, region: str, facts: dict[str, Any], part: str, widget: str) -> None:
    """Keeps what a widget says of a region as its `part`, "verdict" or "note"; both empty are forgotten."""
    row = {**get_verdict(place, region), **facts, part: st.session_state[widget] or ""}
    kept = {**st.session_state.get(_VERDICTS, {}), (place, region): row}
    if not row["verdict"] and not row["note"]:
        del kept[place, region]
    st.session_state[_VERDICTS] = kept


def get_result(identity: str) -> Any:
    """What was worked out under this identity in this session and is still kept, or None."""
    return st.session_state.get(_RESULTS, {}).get(identity)


def save_result(identity: str, value: T) -> T:
    """Keeps what is being worked out, so that it survives a stop, a change of page and a change of picture."""
    kept = {name: old for name, old in st.session_state.get(_RESULTS, {}).items() if name != identity}
    st.session_state[_RESULTS] = dict([*kept.items(), (identity, value)][-_MAX_RESULTS:])
    return value


def get_ready_epochs(identity: str) -> list[int]:
    """The epochs that have looked at a picture in this session, the latest last."""
    return list(st.session_state.get(_READY, {}).get(identity, []))


def set_ready_epochs(identity: str, epochs: Sequence[int]) -> None:
    """Notes which epochs have looked at a picture; those of another picture are forgotten."""
    st.session_state[_READY] = {identity: list(epochs)}
