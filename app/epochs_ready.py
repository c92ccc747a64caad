"""Which epochs have looked at a picture: the chosen ones at once, all others while the reader looks."""

import time
from collections.abc import Mapping

import streamlit as st

from app import cache, state
from app.samples import Picture
from app.viewer.planes import Plane
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
    others = [epoch for epoch in known(run, picture) if epoch not in chosen]
    ready = [*others, *dict.fromkeys(chosen)][-MOST:]
    state.note_ready(_identity(run, picture), ready)
    return {epoch: cache.planes(run, epoch, picture) for epoch in sorted(ready)}


def known(run: Run, picture: Picture) -> list[int]:
    """The epochs that have looked at the picture, in order."""
    return sorted(epoch for epoch in state.ready(_identity(run, picture)) if epoch in run.epochs)


def finish(run: Run, picture: Picture, chosen: int) -> None:
    """Lets further epochs look at the picture, the nearest first, and draws the page again with them.

    To be called at the end of a page; what the reader does meanwhile goes first.

    Raises:
        CheckpointError: a checkpoint cannot be read.
    """
    identity, began = _identity(run, picture), time.monotonic()
    nearest = sorted(run.epochs, key=lambda epoch: abs(run.epochs.index(epoch) - run.epochs.index(chosen)))
    waiting = [epoch for epoch in nearest[:MOST] if epoch not in state.ready(identity)]
    if not waiting:
        return
    with st.spinner(f"{len(waiting)} more epochs are looking at the picture …"):
        for epoch in waiting:
            cache.planes(run, epoch, picture)
            state.note_ready(identity, [*state.ready(identity), epoch])
            if time.monotonic() - began > PATIENCE_S:
                break
    st.rerun()


def _identity(run: Run, picture: Picture) -> str:
    return f"{run.path}:{picture.digest}"
