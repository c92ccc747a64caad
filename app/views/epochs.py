"""Two epochs of a run on the same picture: what moved, and what held still."""

from functools import partial

import numpy as np
import streamlit as st

from app import cache, scenes, state, widgets
from app.cache import Maps
from app.viewer import viewer
from hlcore.storage.runs import Run

KEY, STRIP_KEY = "epochs_viewer", "strip_viewer"


def show(run: Run) -> None:
    """Draws the page."""
    picture = widgets.choose_picture(run)
    if picture is None:
        return
    first_column, second_column, view_column = st.columns([5, 4, 2], vertical_alignment="bottom")
    with first_column:
        first = widgets.choose_epoch("other", "First epoch", run, default=run.epochs[len(run.epochs) // 3])
    with second_column:
        second = widgets.choose_epoch("epoch", "Second epoch", run, default=run.epochs[-1])
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look()
    a, b = cache.maps(run, first, picture), cache.maps(run, second, picture)
    titles = (f"epoch {first}", f"epoch {second}")
    scene = scenes.compared(picture, a, b, look, titles=titles, notes=_notes(a, b))
    place = state.point(*reversed(picture.size))
    viewer(scene, key=KEY, point=place, on_pinned=partial(state.pin, KEY))
    widgets.size_note(picture)
    st.subheader("Every kept epoch")
    every = {epoch: cache.maps(run, epoch, picture) for epoch in run.epochs}
    viewer(scenes.strip(picture, every, look), key=STRIP_KEY, point=place, on_pinned=partial(state.pin, STRIP_KEY))


def _notes(a: Maps, b: Maps) -> list[str]:
    """The numbers of each panel: three of hardness, then three of loss."""
    hardness = [f"mean {m.hardness_map.mean():.3f}, {(m.hardness_map > 0.5).mean():.1%} above 0.5" for m in (a, b)]
    hardness.append(f"Spearman {cache.correlation(a, b, 'hardness'):.3f}")
    if a.loss_map is None or b.loss_map is None:
        return hardness
    loss = [f"mean {np.nanmean(m.loss_map):.3f} nats" for m in (a, b)]
    return [*hardness, *loss, f"Spearman {cache.correlation(a, b, 'loss'):.3f}"]
