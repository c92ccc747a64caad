"""Which epochs have looked at a picture: the chosen ones at once, all others while the reader looks."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from app import session
from app.loading import planes as plane_loading
from app.loading.pictures import Picture
from app.viewer.planes import Plane
from hlcore.errors import HlcoreError
from hlcore.storage.runs import Run

MOST = 32
"""Epochs that are kept ready of one picture, those nearest to the chosen one; others are looked at when chosen."""
PATIENCE_S = 1.0
"""After so long what is ready by then is shown."""


def planes(run: Run, picture: Picture, *chosen: int) -> dict[int, Mapping[str, Plane]]:
    """The packed maps of the chosen epochs and of all others that have looked at the picture, in order.

    Raises:
        CheckpointError: a checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    before = session.ready(_identity(run, picture))
    ready = [epoch for epoch in _kept(run, chosen) if epoch in chosen or epoch in before]
    session.note_ready(_identity(run, picture), ready)
    return {epoch: plane_loading.planes(run, epoch, picture) for epoch in sorted(ready)}


def known(run: Run, picture: Picture) -> list[int]:
    """The epochs that have looked at the picture, in order."""
    return sorted(epoch for epoch in session.ready(_identity(run, picture)) if epoch in run.epochs)


def finish(run: Run, picture: Picture, *chosen: int) -> None:
    """Lets further epochs look at the picture, the nearest first, and draws the page again with them.

    To be called at the end of a page, with the epochs `planes` got; what the reader does meanwhile goes first. An epoch
    that cannot look at it holds up no other.

    Raises:
        CheckpointError: none is left but those whose checkpoint cannot be read.
    """
    identity, began = _identity(run, picture), time.monotonic()
    before = session.ready(identity)
    waiting = [epoch for epoch in _kept(run, chosen) if epoch not in before]
    if not waiting:
        return
    broken: list[HlcoreError] = []
    more = "1 more epoch is" if len(waiting) == 1 else f"{len(waiting)} more epochs are"
    with st.spinner(f"{more} looking at the picture …"):
        for epoch in waiting:
            try:
                plane_loading.planes(run, epoch, picture)
            except HlcoreError as error:
                broken.append(error)
                continue
            session.note_ready(identity, [*session.ready(identity), epoch])
            if time.monotonic() - began > PATIENCE_S:
                break
    if session.ready(identity) != before:
        session.draw_again()
    if broken:
        raise broken[0]


def _kept(run: Run, chosen: Sequence[int]) -> list[int]:
    """The chosen epochs and those nearest to the last of them, the nearest first."""
    at = run.epochs.index(chosen[-1])
    nearest = sorted(range(len(run.epochs)), key=lambda index: abs(index - at))
    return list(dict.fromkeys([*chosen, *(run.epochs[index] for index in nearest)]))[:MOST]


def _identity(run: Run, picture: Picture) -> str:
    return f"{run.path}:{picture.digest}"
