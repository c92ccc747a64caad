"""Memorise: train a copy of the network on one image, and compare the loss map with the hardness map."""

import time

import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.layers import make_caption
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run, select_epoch
from app.components.words import draw_needs_network
from app.loading.memorise import STEPS, Progress, measure_progress, memorise_picture
from app.loading.pictures import Picture
from app.loading.predictions import identify_prediction, load_maps
from app.views.memorise.results import draw_results
from app.views.memorise.scenes import make_scene
from hlcore.storage.runs import Run

KEY = "memorise_viewer"
MAX_SIDE_PX = 768
"""Longest side in px for training, which needs several times the memory and time of a prediction."""
HIDE_STREAMLIT_STOP = '<style>[data-testid="stStatusWidget"] button { display: none; }</style>'
"""Hides Streamlit's own Stop button, which would leave a half-drawn page."""


def draw_memorise(run: Run, picture: Picture) -> None:
    """Draw the progress so far, and train when the button is pressed."""
    epoch_column, start_column = st.columns([7, 3], vertical_alignment="bottom")
    with epoch_column:
        epoch = select_epoch(run)
    if picture.sample.label_map is None:
        st.info(
            "Memorising needs labels in the run's classes, and this image has none. Choose a scene or a followed "
            "image, or upload a photo with its label map.",
            icon=":material/label_off:",
        )
        return
    identity = identify_prediction(run, epoch, picture)
    progress: Progress | None = session.get_result(identity)
    with start_column:
        text = "Memorise this image" if progress is None else "Memorise again"
        pressed = st.button(text, icon=":material/play_arrow:", type="primary", key="memorise_start", width="stretch")
    if pressed:
        train(run, epoch, picture)
        st.rerun()
    if progress is None or not progress.maps:
        maps = load_maps(run, epoch, picture)
        progress = Progress(identity, maps={0: (maps.hardness_map, maps.loss_map)})
        st.caption(
            f"Trains a copy of the network for {STEPS} steps on this image alone, with the run's loss and learning "
            "rates. The checkpoint on disk does not change."
        )
    elif progress.done < STEPS:
        st.caption(f"Stopped after {progress.done} of {STEPS} steps.")
    draw_maps(run, picture, progress, key=KEY)
    if progress.curve:
        draw_results(measure_progress(progress, picture, c=run.record.config.loss.c), progress)


def train(run: Run, epoch: int, picture: Picture) -> None:
    """Memorise the picture and draw the progress; Stop ends it and keeps the results so far."""
    progress = session.save_result(identity := identify_prediction(run, epoch, picture), Progress(identity))
    st.html(HIDE_STREAMLIT_STOP)
    bar_column, stop_column = st.columns([5, 1], vertical_alignment="bottom")
    bar = bar_column.progress(0.0, "Loading the network …")
    stop_column.button("Stop", icon=":material/stop:", key="memorise_stop", width="stretch")
    place, began = st.empty(), time.monotonic()
    for report in memorise_picture(run, epoch, picture):
        progress.add(report)
        if report.step == 0:
            began = time.monotonic()
        else:
            left = (time.monotonic() - began) / report.step * (report.steps - report.step)
            text = f"Step {report.step} of {report.steps}, loss {report.mean_loss:.3f} nats, about {left:.0f} s left"
            bar.progress(report.step / report.steps, text)
        if report.snapshot is not None:
            with place.container():
                draw_maps(run, picture, progress, key=f"{KEY}_{report.step}", quiet=True)


def draw_maps(run: Run, picture: Picture, progress: Progress, *, key: str, quiet: bool = False) -> None:
    """Draw the maps of the kept steps; `quiet` during training, which a choice in the viewer would interrupt."""
    table = measure_progress(progress, picture, c=run.record.config.loss.c)
    scene = make_scene(picture, progress, table, caption=make_caption(run, picture), quiet=quiet)
    draw_viewer(scene, key=key)


def draw_page(run: Run) -> None:
    """Draw the maps of the selected image while a network memorises it."""
    st.caption("Train a copy of the network on one image until it has memorised it: the loss fades, but does hardness?")
    if (picture := select_picture(run, max_px=MAX_SIDE_PX)) is not None:
        draw_memorise(run, picture)


run = load_selected_run()
if run.record.imported is None:
    draw_page(run)
else:
    draw_needs_network()
