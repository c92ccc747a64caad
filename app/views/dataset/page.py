"""Data set: the images of an analysed data set, ranked."""

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.run_picker import load_selected_run
from app.components.scope_picker import draw_ranges
from app.components.table_picker import select_page
from app.components.words import say
from app.loading.dataset import load_image_table, load_listed_analyses
from app.views.dataset import controls, gallery
from app.views.dataset.controls import DEFINITIONS, FORMATS, TABLE, TITLES, Ranking
from hlcore.analysis.images import rank_images
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def draw_ranked_images(run: Run, analysis: Analysis) -> None:
    """Draw the ranked images and the selected one."""
    ranking = controls.select_ranking(analysis)
    table = load_image_table(analysis, ranking.class_name)
    images = rank_images(table, by=ranking.by, highest_first=ranking.highest_first, containing=ranking.containing)
    if images.empty:
        st.info("No image matches. Search for something else.")
        return
    summary_column, part_column = st.columns([5, 3], vertical_alignment="center")
    summary_column.caption(summarise_ranking(analysis, images, ranking))
    name = gallery.get_selected_image(analysis, images)
    with st.container(key="ranked"):  # style.css keeps the selected image visible
        list_column, image_column = st.columns([1, 1])
    if ranking.shown == TABLE or not gallery.has_thumbnails(analysis, images.head()):
        with list_column:
            name = gallery.select_in_table(analysis, images, table, ranking, shown=name)
    else:
        with part_column:
            identity = f"{analysis.path} {ranking}"
            at = images["image"].tolist().index(name)
            part = select_page("part", images, size=controls.PAGE_IMAGES, identity=identity, first=at)
        with list_column:
            gallery.draw_thumbnails(analysis, part, ranking, shown=name)
    with image_column:
        gallery.draw_image(run, analysis, name)


def summarise_ranking(analysis: Analysis, images: pd.DataFrame, ranking: Ranking) -> str:
    """The range of the ranking, in one sentence."""
    values, form = images["value"].dropna(), FORMATS[ranking.by]
    reach = f" from {form.format(values.iloc[0])} to {form.format(values.iloc[-1])}" if len(values) else " unknown"
    where = f" over pixels labelled {session.escape_markdown(ranking.class_name)}" if ranking.class_name else ""
    record, measure = analysis.record, TITLES[ranking.by].lower()
    of_all = f"{len(images)} of the {record.images} images of {record.dataset} {record.split}, epoch {record.epoch}"
    if record.imported is not None:
        step = record.imported.steps[record.epoch - 1]
        of_all = f"{len(images)} of the {record.images} imported images"
        of_all += f", {session.escape_markdown(step)}" if step else ""
    classes = ", ".join(record.class_names)
    merged = "" if record.merged is None else f" Scored in these classes: {session.escape_sentence(classes)}."
    return say(f"{of_all}: {measure}{where}{reach}.{merged} {definitions.list_links(DEFINITIONS[ranking.by])}")


run = load_selected_run()
if run.record.imported is None:
    st.caption("Which images are hard, which are segmented badly, and where do hardness and loss disagree?")
else:
    st.caption(say("Which images have the highest hardness, and which are segmented badly?"))
    draw_ranges(run.record.imported)
if analyses := load_listed_analyses(run):
    draw_ranked_images(run, controls.select_analysis(analyses))
else:
    controls.draw_instructions(run)
