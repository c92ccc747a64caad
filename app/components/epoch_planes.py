"""Maps of all kept epochs: those of the selected epochs at once, the others in the background."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from app import session
from app.components.messages import list_received_uploads
from app.loading.pictures import Picture
from app.loading.planes import load_planes
from app.loading.worker import after_others
from app.viewer.planes import Plane
from hlcore.errors import HlcoreError
from hlcore.storage.runs import Run

MAX_EPOCHS = 32
"""Epochs prepared in the background, nearest to the selected one first; others are computed when selected."""
REDRAW_AFTER_S = 1.0
"""Time after which the page is redrawn with the epochs that are ready."""


def make_ready_planes(run: Run, picture: Picture, *selected: int) -> dict[int, Mapping[str, Plane]]:
    """Epoch to packed maps, for the selected epochs and all others that are ready, in order.

    Raises:
        CheckpointError: a checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    before = session.get_ready_epochs(_identify(run, picture))
    ready = [epoch for epoch in _list_nearest_epochs(run, selected) if epoch in selected or epoch in before]
    session.set_ready_epochs(_identify(run, picture), ready)
    return {epoch: load_planes(run, epoch, picture) for epoch in sorted(ready)}


def list_ready_epochs(run: Run, picture: Picture) -> list[int]:
    """The epochs whose maps of the picture are ready, in order."""
    return sorted(epoch for epoch in session.get_ready_epochs(_identify(run, picture)) if epoch in run.epochs)


def prepare_remaining_epochs(run: Run, picture: Picture, *selected: int) -> None:
    """Compute the maps of further epochs, nearest first, and redraw the page with them.

    Call it at the end of a page with the same epochs as `make_ready_planes`; any user input interrupts it. An epoch
    that fails does not stop the others.

    Raises:
        CheckpointError: a checkpoint cannot be read; raised once all other epochs are ready.
    """
    identity, began = _identify(run, picture), time.monotonic()
    before = session.get_ready_epochs(identity)
    waiting = [epoch for epoch in _list_nearest_epochs(run, selected) if epoch not in before]
    if not waiting:
        return
    list_received_uploads()  # their maps are on the page; the rest may take a while
    broken: list[HlcoreError] = []
    count = "1 more epoch" if len(waiting) == 1 else f"{len(waiting)} more epochs"
    with st.spinner(f"Preparing {count} …"):
        for epoch in waiting:
            try:
                with after_others():
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


def _list_nearest_epochs(run: Run, selected: Sequence[int]) -> list[int]:
    """The selected epochs and those nearest to the last of them, nearest first; at most MAX_EPOCHS."""
    at = run.epochs.index(selected[-1])
    nearest = sorted(range(len(run.epochs)), key=lambda index: abs(index - at))
    return list(dict.fromkeys([*selected, *(run.epochs[index] for index in nearest)]))[:MAX_EPOCHS]


def _identify(run: Run, picture: Picture) -> str:
    return f"{run.path}:{picture.digest}"
