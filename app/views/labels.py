"""The regions whose labels are most likely wrong: accept or dismiss each, and take the verdicts along."""

from functools import partial

import streamlit as st

from app import cache, picking, state, widgets
from app import label_controls as controls
from app.cache import labels as label_cache
from app.label_controls import Hunt
from app.label_scene import suspected
from app.samples import Picture
from app.scenes import Look
from app.viewer import viewer
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "labels_viewer"


def of_dataset(run: Run, analysis: Analysis) -> None:
    """Draws the suspects of all images of a data set."""
    about, suspects = analysis.record, cache.table(analysis, "suspects")
    evidence = partial(label_cache.evidence_of, run, analysis)
    show(Hunt(f"{run.name}/{analysis.name}", suspects, about.class_names, about.palette, evidence))


def of_picture(run: Run, picture: Picture) -> None:
    """Draws the suspects of one picture, with faults planted into its labels or as they are."""
    label_map = picture.sample.label_map
    if label_map is None:
        st.info("This picture has no labels that could be wrong. Choose a scene, or add a label map to your photo.")
        return
    epoch_column, planting_column = st.columns([6, 5], vertical_alignment="bottom")
    with epoch_column:
        epoch = widgets.choose_epoch("epoch", "Epoch", run)
    with planting_column:
        seed = controls.choose_planting()
    faults = None
    if seed is not None:
        picture, faults = label_cache.planted(run, picture, label_map, seed)
    suspects = label_cache.of_picture(run, epoch, picture, faults)
    evidence = label_cache.evidence(run, epoch, picture)
    place = f"{run.name}/{epoch}/{picture.digest}"
    look = show(Hunt(place, suspects, run.record.class_names, run.record.palette, lambda _: evidence, faults))
    scene = suspected(run, picture, evidence, look, faults)
    viewer(scene, key=KEY, point=state.point(*reversed(picture.size)), on_pinned=partial(state.pin, KEY))
    widgets.notes(picture, look)


def show(hunt: Hunt) -> Look:
    """Draws one page of the regions."""
    order_column, view_column = st.columns([9, 2], vertical_alignment="bottom")
    with order_column:
        suspects = controls.choose_order(hunt.suspects)
    with view_column, st.popover("View", icon=":material/tune:", width="stretch"):
        look = widgets.choose_look(labelled=True)
    summary_column, page_column, file_column = st.columns([5, 4, 2], vertical_alignment="center")
    with page_column:
        part = controls.choose_page(suspects)
    summary_column.markdown(controls.summary(hunt, suspects))
    if part.empty:
        st.info("No region with so different a label and prediction.")
    else:
        controls.tile_titles()
    for suspect in part.to_dict("records"):
        controls.card(hunt, suspect, look)
    with file_column:  # last, so that it holds the verdicts just given
        controls.offer_verdicts(hunt)
    return look


st.caption(controls.ABOUT)
chosen = widgets.chosen_run()
if (measured := widgets.choose_scope(chosen)) is not None:
    of_dataset(chosen, measured)
elif (taken := picking.choose_picture(chosen)) is not None:
    of_picture(chosen, taken)
