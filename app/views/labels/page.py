"""The regions whose labels are most likely wrong: accept or dismiss each, and take the verdicts along."""

from functools import partial

import pandas as pd
import streamlit as st

from app import session
from app.components import image_viewer, messages, picture_picker, run_picker, scope_picker, table_picker
from app.loading import analyses as analysis_loading
from app.loading import labels as label_loading
from app.loading.pictures import Picture
from app.views.labels import cards, controls
from app.views.labels.controls import Hunt
from app.views.labels.scenes import suspected
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "labels_viewer"


def of_dataset(run: Run, analysis: Analysis) -> None:
    """Draws the suspects of all images of a data set."""
    about, suspects = analysis.record, analysis_loading.table(analysis, "suspects")
    if sentence := controls.about_labels(analysis, regions=len(suspects)):
        st.info(sentence, icon=":material/info:")
    pair_column, order_column = st.columns(2, vertical_alignment="bottom")
    evidence = partial(label_loading.evidence_of, run, analysis)
    hunt = Hunt(f"{run.name}/{analysis.name}", suspects, about.class_names, about.palette, evidence)
    show(hunt, controls.choose_order(suspects, pair_column, order_column))


def of_picture(run: Run, picture: Picture) -> None:
    """Draws the suspects of one picture, with faults planted into its labels or as they are."""
    label_map, faults = picture.sample.label_map, None
    if label_map is None:
        st.info("This picture has no labels that could be wrong. Choose a scene, or add a label map to your photo.")
        return
    epoch_column, pair_column, order_column, *planting_columns = st.columns(
        [7, 8, 8, 6, 5], vertical_alignment="bottom"
    )
    with epoch_column:
        epoch = run_picker.choose_epoch(run)
    seed = controls.choose_planting(*planting_columns)
    if seed is not None:
        picture, faults = label_loading.planted(run, picture, label_map, seed)
    suspects = label_loading.of_picture(run, epoch, picture, faults)
    evidence = label_loading.evidence(run, epoch, picture)
    place = f"{run.name}/{epoch}/{picture.digest}"
    hunt = Hunt(place, suspects, run.record.class_names, run.record.palette, lambda _: evidence, faults)
    show(hunt, controls.choose_order(suspects, pair_column, order_column))
    image_viewer.show(suspected(run, picture, evidence, faults), key=KEY)
    messages.notes(picture)


def show(hunt: Hunt, suspects: pd.DataFrame) -> None:
    """Draws one page of the regions."""
    summary_column, page_column, file_column = st.columns([5, 5, 3], vertical_alignment="center")
    with page_column:
        identity = f"{hunt.place} {session.texts(['dispute', 'ranking'])}"
        part = table_picker.choose_page("sheet", suspects, size=controls.SHOWN, identity=identity)
    summary_column.markdown(cards.summary(hunt, suspects))
    with file_column:
        cards.offer_verdicts(hunt)
    if part.empty:
        st.info("There is no region whose label and prediction differ here.")
        return
    rows = part.to_dict("records")
    seen = False
    with messages.or_said("What these regions look like"):
        image_viewer.show(cards.tools(hunt, rows[0]), key="labels_tools")
        seen = True
    for index, suspect in enumerate(rows):
        cards.card(hunt, suspect, index=index, seen=seen)


st.caption(controls.ABOUT)
chosen = run_picker.chosen_run()
if (measured := scope_picker.choose_scope(chosen)) is not None:
    of_dataset(chosen, measured)
elif (taken := picture_picker.choose_picture(chosen)) is not None:
    of_picture(chosen, taken)
