"""The images of an analysed data set, the hardest (or easiest, worst, best) first."""

import pandas as pd
import streamlit as st

from app import dataset_controls as controls
from app import dataset_images, definitions, state, widgets
from app.cache import dataset as dataset_cache
from app.dataset_controls import DEFINED, FORMATS, TABLE, TITLES, Ranking
from hlcore.analysis.images import rank_images
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def show(run: Run, analysis: Analysis) -> None:
    """Draws the ranked images."""
    ranking = controls.choose_ranking(analysis)
    table = dataset_cache.images(analysis, ranking.class_name)
    images = rank_images(table, by=ranking.by, highest_first=ranking.highest_first, containing=ranking.containing)
    if images.empty:
        st.info("No image of this data set fits; search for something else.")
        return
    summary_column, part_column = st.columns([5, 3], vertical_alignment="center")
    summary_column.caption(summary(analysis, images, ranking))
    name = dataset_images.chosen(analysis, images)
    with st.container(key="ranked"):  # style.css keeps the image in sight
        list_column, image_column = st.columns([1, 1])
    if ranking.shown == TABLE or not dataset_images.has_thumbnails(analysis, images.head()):
        with list_column:
            name = dataset_images.choose_in_table(analysis, images, table, ranking, shown=name)
    else:
        with part_column:
            identity = f"{analysis.path} {ranking}"
            at = images["image"].tolist().index(name)
            part = widgets.choose_page("part", images, size=controls.PAGE_IMAGES, identity=identity, first=at)
        with list_column:
            dataset_images.choose_picture(analysis, part, ranking, shown=name)
    with image_column:
        dataset_images.show_image(run, analysis, name)


def summary(analysis: Analysis, images: pd.DataFrame, ranking: Ranking) -> str:
    """What is in order here, in one sentence."""
    values, form = images["value"].dropna(), FORMATS[ranking.by]
    reach = f" from {form.format(values.iloc[0])} to {form.format(values.iloc[-1])}" if len(values) else " unknown"
    where = f" in the pixels of {state.literal(ranking.class_name)}" if ranking.class_name else ""
    record, measure = analysis.record, TITLES[ranking.by].lower()
    of_all = f"{len(images)} of the {record.images} images of {record.dataset} {record.split}, epoch {record.epoch}"
    merged = "" if record.merged is None else f" Predictions are merged into the classes of {record.dataset}."
    return f"{of_all}: {measure}{where}{reach}.{merged} {definitions.listed(DEFINED[ranking.by])}"


st.caption("Which images are hard, which go wrong, and where do hardness and loss disagree?")
run = widgets.chosen_run()
if analyses := dataset_cache.listed(run):
    show(run, controls.choose_analysis(analyses))
else:
    controls.say_how(run)
