"""Labels: review the regions whose labels are most likely wrong, and download the verdicts."""

from functools import partial

import pandas as pd
import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.messages import draw_size_note, report_errors
from app.components.picture_picker import select_picture
from app.components.run_picker import load_selected_run, select_epoch
from app.components.scope_picker import select_scope
from app.components.table_picker import select_page
from app.components.words import draw_needs_network
from app.loading.analyses import load_table
from app.loading.labels import load_dataset_evidence, load_evidence, load_planted_picture, load_suspects
from app.loading.pictures import Picture
from app.views.labels import cards, controls
from app.views.labels.controls import Review
from app.views.labels.scenes import make_picture_scene
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "labels_viewer"


def draw_dataset(run: Run, analysis: Analysis) -> None:
    """Draw the suspects of a data set."""
    about, suspects = analysis.record, load_table(analysis, "suspects")
    if sentence := controls.describe_labels(analysis, regions=len(suspects)):
        st.info(sentence, icon=":material/info:")
    pair_column, order_column = st.columns(2, vertical_alignment="bottom")
    evidence = partial(load_dataset_evidence, run, analysis)
    review = Review(f"{run.name}/{analysis.name}", suspects, about.class_names, about.palette, evidence)
    draw_regions(review, controls.select_suspects(suspects, pair_column, order_column))


def draw_picture(run: Run, picture: Picture) -> None:
    """Draw the suspects of one picture, with or without planted faults."""
    label_map, faults = picture.sample.label_map, None
    if label_map is None:
        st.info("This image has no labels. Choose a scene, or add a label map to your photo.")
        return
    epoch_column, pair_column, order_column, *planting_columns = st.columns(
        [7, 8, 8, 6, 5], vertical_alignment="bottom"
    )
    with epoch_column:
        epoch = select_epoch(run)
    seed = controls.select_fault_seed(*planting_columns)
    if seed is not None:
        picture, faults = load_planted_picture(run, picture, label_map, seed)
    suspects = load_suspects(run, epoch, picture, faults)
    evidence = load_evidence(run, epoch, picture)
    place = f"{run.name}/{epoch}/{picture.digest}"
    review = Review(place, suspects, run.record.class_names, run.record.palette, lambda _: evidence, faults)
    draw_regions(review, controls.select_suspects(suspects, pair_column, order_column))
    draw_viewer(make_picture_scene(run, picture, evidence, faults), key=KEY)
    draw_size_note(picture)


def draw_regions(review: Review, suspects: pd.DataFrame) -> None:
    """Draw one page of suspects."""
    summary_column, page_column, file_column = st.columns([5, 5, 3], vertical_alignment="center")
    with page_column:
        identity = f"{review.place} {session.get_link_texts(['dispute', 'ranking'])}"
        part = select_page("sheet", suspects, size=controls.REGIONS_PER_PAGE, identity=identity)
    summary_column.markdown(cards.summarise_verdicts(review, suspects))
    with file_column:
        cards.draw_verdict_download(review)
    if part.empty:
        st.info("No region has a label that differs from its prediction.")
        return
    rows = part.to_dict("records")
    available = False
    with report_errors("The maps of these regions"):
        draw_viewer(cards.make_tools_scene(review, rows[0]), key="labels_tools")
        available = True
    for index, suspect in enumerate(rows):
        cards.draw_card(review, suspect, index=index, available=available)


def draw_page(run: Run) -> None:
    """Draw the suspects of a data set, or of the selected image."""
    st.caption(controls.ABOUT)
    if (analysis := select_scope(run, table="suspects")) is not None:
        draw_dataset(run, analysis)
    elif (picture := select_picture(run)) is not None:
        draw_picture(run, picture)


run = load_selected_run()
if run.record.imported is None:
    draw_page(run)
else:
    draw_needs_network()
