"""One picture, one epoch: where the network finds it hard."""

from functools import partial

import streamlit as st

from app import cache, scenes, state, widgets
from app.viewer import viewer
from hlcore.storage.runs import Run

KEY = "inspect_viewer"


def show(run: Run) -> None:
    """Draws the page."""
    widgets.about()
    picture = widgets.choose_picture(run)
    if picture is None:
        return
    epoch_column, hardest_column, view_column = st.columns([5, 4, 2], vertical_alignment="bottom")
    with epoch_column:
        epoch = widgets.choose_epoch("epoch", "Epoch", run, default=run.epochs[-1])
    with hardest_column:
        share = widgets.choose_hardest()
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look()
        show = widgets.choose_panels(labelled=picture.sample.label_map is not None)
    maps = cache.maps(run, epoch, picture)
    look = widgets.with_hardest(look, maps, share)
    place = state.point(*reversed(picture.size))
    viewer(scenes.inspected(run, picture, maps, look, show=show), key=KEY, point=place, on_pinned=partial(state.pin, KEY))
    point_column, download_column = st.columns([9, 2], vertical_alignment="bottom")
    with point_column:
        widgets.point_values(run, picture, maps)
    with download_column, st.popover("Download", icon=":material/download:", width="stretch"):
        widgets.downloads(picture, maps, look, epoch=epoch)
    widgets.size_note(picture)
