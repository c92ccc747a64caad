"""Which epochs have looked at a picture: the chosen ones at once, all others while the reader looks."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from app import session
from app.loading.pictures import Picture
from app.loading.planes import load_planes
from app.viewer.planes import Plane
from hlcore.errors import HlcoreError
from hlcore.storage.runs import Run

MAX_EPOCHS = 32
"""Epochs that are kept ready of one picture, those nearest to the chosen one; others are looked at when chosen."""
REDRAW_AFTER_S = 1.0
"""After so long what is ready by then is shown."""


def load_ready_planes(run: Run, picture: Picture, *chosen: int) -> dict[int, Mapping[str, Plane]]:
    """The packed maps of the chosen epochs and of all others that have looked at the picture, in order.

    Raises:
        CheckpointError: a checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    before = session.get_ready_epochs(_identify(run, picture))
    ready = [epoch for epoch in _list_nearest_epochs(run, chosen) if epoch in chosen or epoch in before]
    session.set_ready_epochs(_identify(run, picture), ready)
    return {epoch: load_planes(run, epoch, picture) for epoch in sorted(ready)}


def list_ready_epochs(run: Run, picture: Picture) -> list[int]:
    """The epochs that have looked at the picture, in order."""
    return sorted(epoch for epoch in session.get_ready_epochs(_identify(run, picture)) if epoch in run.epochs)


def load_remaining_epochs(run: Run, picture: Picture, *chosen: int) -> None:
    """Lets further epochs look at the picture, the nearest first, and draws the page again with them.

    To be called at the end of a page, with the epochs `planes` got; what the reader does meanwhile goes first. An epoch
    that cannot look at it holds up no other.

    Raises:
        CheckpointError: none is left but those whose checkpoint cannot be read.
    """
    identity, began = _identify(run, picture), time.monotonic()
    before = session.get_ready_epochs(identity)
    waiting = [epoch for epoch in _list_nearest_epochs(run, chosen) if epoch not in before]
    if not waiting:
        return
    broken: list[HlcoreError] = []
    more = "1 more epoch is" if len(waiting) == 1 else f"{len(waiting)} more epochs are"
    with st.spinner(f"{more} looking at the picture …"):
        for epoch in waiting:
            try:
                load_planes(run, epoch, picture)
            except HlcoreError as error:
                broken.append(error)
                continue
            session.set_ready_epochs(identity, [*session.get_ready_epochs(identity), epoch])
            if time.monotonic() - began > REDRAW_AFTER_S:
                break
    if session.get_ready_epochs(identity) != before:
        session.rerun_page()
    if broken:
        raise broken[0]


def _list_nearest_epochs(run: Run, chosen: Sequence[int]) -> list[int]:
    """The chosen epochs and those nearest to the last of them, the nearest first."""
    at = run.epochs.index(chosen[-1])
    nearest = sorted(range(len(run.epochs)), key=lambda index: abs(index - at))
    return list(dict.fromkeys([*chosen, *(run.epochs[index] for index in nearest)]))[:MAX_EPOCHS]


def _identify(run: Run, picture: Picture) -> str:
    return f"{run.path}:{picture.digest}"
