"""One picture, one epoch: where the network finds it hard."""

from functools import partial

import streamlit as st

from app import cache, downloads, picking, scenes, state, widgets
from app.samples import Picture
from app.viewer import viewer
from hlcore.storage.runs import Run

KEY = "inspect_viewer"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of the picture and what belongs to them."""
    epoch_column, hardest_column, view_column = st.columns([5, 4, 2], vertical_alignment="bottom")
    with epoch_column:
        epoch = widgets.choose_epoch("epoch", "Epoch", run)
    with hardest_column:
        share = widgets.choose_hardest()
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look(labelled=picture.sample.label_map is not None)
        panels = widgets.choose_panels()
    maps = cache.maps(run, epoch, picture)
    look = widgets.with_hardest(look, maps, share)
    scene = scenes.inspected(run, picture, maps, look, show=panels)
    viewer(scene, key=KEY, point=state.point(*reversed(picture.size)), on_pinned=partial(state.pin, KEY))
    point_column, download_column = st.columns([9, 2], vertical_alignment="bottom")
    with point_column:
        widgets.point_values(run, picture, maps)
    with download_column, st.popover("Download", icon=":material/download:", width="stretch"):
        downloads.offer(picture, maps, look, epoch=epoch)
    widgets.notes(picture, look, share)


widgets.about()
chosen = widgets.chosen_run()
if (taken := picking.choose_picture(chosen)) is not None:
    show(chosen, taken)
