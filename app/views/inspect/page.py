"""Inspect: all maps of one image at any epoch."""

import streamlit as st

from app.components.epoch_planes import make_ready_planes, prepare_remaining_epochs
from app.components.examples import draw_examples
from app.components.image_viewer import draw_viewer
from app.components.layers import EpochPlanes, choose_panels, make_caption, make_layers, make_steps
from app.components.messages import draw_about, draw_dark_note, draw_size_note
from app.components.picture_picker import select_picture
from app.components.pixel_history import draw_pixel_history
from app.components.reach import draw_reach_note
from app.components.run_picker import ensure_epoch, load_selected_run
from app.loading.pictures import Picture
from app.viewer.scene import Scene
from app.views.inspect import downloads
from hlcore.storage.runs import Run

KEY = "inspect_viewer"


def draw_picture(run: Run, picture: Picture) -> None:
    """Draw the maps of the picture, the pinned pixel over the epochs, and the downloads."""
    epoch = ensure_epoch("epoch", run)
    ensure_epoch("other", run, at=1 / 3)  # the epoch that change maps compare with, as on Epochs
    draw_viewer(make_scene(run, picture, make_ready_planes(run, picture, epoch)), key=KEY)
    point_column, download_column = st.columns([9, 2], vertical_alignment="top")
    with point_column:
        draw_pixel_history(run, picture)
        draw_size_note(picture)
        draw_dark_note(picture)
        draw_reach_note(run, epoch, picture)
    with download_column, st.popover("Download", icon=":material/download:", width="stretch"):
        downloads.draw_downloads(run, picture, epoch=epoch)
    prepare_remaining_epochs(run, picture, epoch)


def make_scene(run: Run, picture: Picture, planes: EpochPlanes) -> Scene:
    """All maps of one picture; users choose which panels show them and at which epoch."""
    layers = make_layers(run, picture, planes)
    return Scene(
        picture.size,
        layers,
        choose_panels(run, picture, layers),
        steps=make_steps(run),
        free=True,
        caption=make_caption(run, picture),
    )


run = load_selected_run()
draw_about(run.record.imported)
draw_examples()
if (picture := select_picture(run)) is not None:
    draw_picture(run, picture)
