"""One picture, every epoch: where the network finds it hard."""

import streamlit as st

from app import downloads, epochs_ready, looks, picking, pixel_history, scenes, widgets
from app.samples import Picture
from hlcore.storage.runs import Run

KEY = "inspect_viewer"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of the picture and what belongs to them."""
    epoch = widgets.chosen_epoch("epoch", run)
    widgets.chosen_epoch("other", run, at=1 / 3)  # as on Epochs, for the maps of what changed
    looks.show(scenes.inspected(run, picture, epochs_ready.planes(run, picture, epoch)), key=KEY)
    point_column, download_column = st.columns([9, 2], vertical_alignment="top")
    with point_column:
        pixel_history.show(run, picture)
        widgets.notes(picture)
    with download_column, st.popover("Download", icon=":material/download:", width="stretch"):
        downloads.offer(run, picture, epoch=epoch)
    epochs_ready.finish(run, picture, epoch)


widgets.about()
chosen = widgets.chosen_run()
if (taken := picking.choose_picture(chosen)) is not None:
    show(chosen, taken)
