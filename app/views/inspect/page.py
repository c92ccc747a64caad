"""One picture, every epoch: where the network finds it hard."""

import streamlit as st

from app.components import epoch_planes, image_viewer, messages, picture_picker, pixel_history, run_picker
from app.components.layers import LABELLED, UNLABELLED, EpochPlanes, caption, layers, steps
from app.loading.pictures import Picture
from app.viewer.scene import Panel, Scene
from app.views.inspect import downloads
from hlcore.storage.runs import Run

KEY = "inspect_viewer"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of the picture and what belongs to them."""
    epoch = run_picker.chosen_epoch("epoch", run)
    run_picker.chosen_epoch("other", run, at=1 / 3)  # as on Epochs, for the maps of what changed
    image_viewer.show(inspected(run, picture, epoch_planes.planes(run, picture, epoch)), key=KEY)
    point_column, download_column = st.columns([9, 2], vertical_alignment="top")
    with point_column:
        pixel_history.show(run, picture)
        messages.notes(picture)
    with download_column, st.popover("Download", icon=":material/download:", width="stretch"):
        downloads.offer(run, picture, epoch=epoch)
    epoch_planes.finish(run, picture, epoch)


def inspected(run: Run, picture: Picture, planes: EpochPlanes) -> Scene:
    """All maps of one picture; the reader chooses which and of which epoch."""
    names = UNLABELLED if picture.sample.label_map is None else LABELLED
    return Scene(
        picture.size,
        layers(run, picture, planes),
        tuple(Panel(name) for name in names),
        steps=steps(run),
        free=True,
        caption=caption(run, picture),
    )


messages.about()
chosen = run_picker.chosen_run()
if (taken := picture_picker.choose_picture(chosen)) is not None:
    show(chosen, taken)
