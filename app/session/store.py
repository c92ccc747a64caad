"""What a session stores outside the URL: uploads, verdicts, results and which epochs are ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from app.session.url import PAGE

T = TypeVar("T")
_UPLOADS = "_uploads"
_COUNT = "_upload_count"
_RESULTS = "_results"
_MAX_RESULTS = 4
"""Results that a session keeps; the oldest is dropped first."""
_VERDICTS = "_verdicts"
_READY = "_ready"


@dataclass(frozen=True)
class Upload:
    """An uploaded file."""

    name: str
    content: bytes
    number: int = 0
    """Grows with every upload of the session."""


def decide_once(name: str, decision: bool) -> bool:  # noqa: FBT001 - the value that is stored
    """The decision of this name; the first one of a session stays."""
    return st.session_state.setdefault(f"_{name}", decision)


def get_upload(name: str) -> Upload | None:
    """The upload of this name, or None."""
    return st.session_state.get(_UPLOADS, {}).get(name)


def save_upload(name: str, widget: str) -> None:
    """Store the file of an upload widget, so that it survives a page change; a new photograph removes the labels.

    A file that the browser has replaced by another, or that never arrived, changes nothing.
    """
    file = st.session_state[widget]
    if isinstance(file, DeletedFile):
        return
    remove_upload(name)
    if file is not None:
        number = st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
        st.session_state[_UPLOADS] |= {name: Upload(file.name, file.getvalue(), number)}


def list_uploads() -> list[tuple[str, int]]:
    """File name and number of each upload."""
    return [(upload.name, upload.number) for upload in st.session_state.get(_UPLOADS, {}).values()]


def remove_upload(name: str) -> None:
    """Remove an upload; removing a photograph also removes its labels."""
    removed = {"photograph", "labels"} if name == "photograph" else {name}
    kept = st.session_state.get(_UPLOADS, {})
    st.session_state[_UPLOADS] = {name: upload for name, upload in kept.items() if name not in removed}
    st.session_state.pop(PAGE, None)  # widgets below disappear while a file is replaced


def get_verdict(place: str, region: str) -> dict[str, Any]:
    """The `verdict` and `note` on a region; both "" if there are none."""
    return st.session_state.get(_VERDICTS, {}).get((place, region), {"verdict": "", "note": ""})


def list_verdicts(place: str) -> list[dict[str, Any]]:
    """All verdicts of one review, with the facts about their regions."""
    return [row for (kept, _), row in st.session_state.get(_VERDICTS, {}).items() if kept == place]


def save_verdict(place: str, region: str, facts: dict[str, Any], part: str, widget: str) -> None:
    """Store the value of a widget as the "verdict" or "note" (`part`) of a region; empty ones are removed."""
    row = {**get_verdict(place, region), **facts, part: st.session_state[widget] or ""}
    kept = {**st.session_state.get(_VERDICTS, {}), (place, region): row}
    if not row["verdict"] and not row["note"]:
        del kept[place, region]
    st.session_state[_VERDICTS] = kept


def get_result(identity: str) -> Any:
    """A stored result, or None."""
    return st.session_state.get(_RESULTS, {}).get(identity)


def save_result(identity: str, value: T) -> T:
    """Store a result, finished or not, so that it survives a stop or a change of page or picture; return it."""
    kept = {name: old for name, old in st.session_state.get(_RESULTS, {}).items() if name != identity}
    st.session_state[_RESULTS] = dict([*kept.items(), (identity, value)][-_MAX_RESULTS:])
    return value


def get_ready_epochs(identity: str) -> list[int]:
    """The epochs whose maps of a picture are ready, in the order they were computed."""
    return list(st.session_state.get(_READY, {}).get(identity, []))


def set_ready_epochs(identity: str, epochs: Sequence[int]) -> None:
    """Records the epochs whose maps of a picture are ready; those of other pictures are dropped."""
    st.session_state[_READY] = {identity: list(epochs)}


def look_for_input() -> None:
    """End this run of the script if there is new input; Streamlit looks for it whenever a script uses its session."""
    _ = _UPLOADS in st.session_state
