"""Two epochs of a run on the same picture: what moved, and what held still."""

from functools import partial

import numpy as np
import streamlit as st

from app import cache, picking, scenes, state, widgets
from app.cache import Maps
from app.samples import Picture
from app.viewer import viewer
from hlcore.storage.runs import Run

KEY, STRIP_KEY = "epochs_viewer", "strip_viewer"
AGREEMENT = "Spearman {:.3f}, top 10 % IoU {:.2f}"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of both epochs, their difference, and the strip of all."""
    first_column, second_column, view_column = st.columns([5, 4, 2], vertical_alignment="bottom")
    with first_column:
        first = widgets.choose_epoch("other", "First epoch", run, at=1 / 3)
    with second_column:
        second = widgets.choose_epoch("epoch", "Second epoch", run)
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look(labelled=picture.sample.label_map is not None)
    a, b = cache.maps(run, first, picture), cache.maps(run, second, picture)
    scene = scenes.compared(picture, a, b, look, epochs=(first, second), notes=numbers(a, b))
    place = state.point(*reversed(picture.size))
    viewer(scene, key=KEY, point=place, on_pinned=partial(state.pin, KEY))
    widgets.notes(picture, look)
    st.markdown("##### Every kept epoch")
    every = {epoch: cache.maps(run, epoch, picture) for epoch in run.epochs}
    viewer(scenes.strip(picture, every, look), key=STRIP_KEY, point=place, on_pinned=partial(state.pin, STRIP_KEY))


def numbers(a: Maps, b: Maps) -> list[str]:
    """What stands beside each panel: three of hardness, then three of loss."""
    hardness = [f"mean {m.hardness_map.mean():.3f}, {(m.hardness_map > 0.5).mean():.0%} > 0.5" for m in (a, b)]
    hardness.append(AGREEMENT.format(*cache.agreement(a, b, "hardness_map")))
    if a.loss_map is None or b.loss_map is None:
        return hardness
    loss = [f"mean {np.nanmean(m.loss_map):.3f} nats" for m in (a, b) if m.loss_map is not None]
    return [*hardness, *loss, AGREEMENT.format(*cache.agreement(a, b, "loss_map"))]


st.caption("Two epochs of a run look at the same picture: what moved between them, and what held still?")
chosen = widgets.chosen_run()
if (taken := picking.choose_picture(chosen)) is not None:
    show(chosen, taken)
