"""The images of an analysed data set, the hardest (or easiest, worst, best) first."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from app import dataset_controls as controls
from app import samples, state, widgets
from app.cache import dataset as dataset_cache
from app.dataset_controls import FORMATS, TABLE, TITLES, Ranking
from hlcore.analysis.images import ranked
from hlcore.storage.analyses import Analysis


def show(analysis: Analysis) -> None:
    """Draws the ranked images."""
    ranking = controls.choose_ranking(analysis)
    table = dataset_cache.images(analysis, ranking.class_name)
    images = ranked(table, by=ranking.by, highest_first=ranking.highest_first, containing=ranking.containing)
    if images.empty:
        st.info("No image of this data set fits; search for something else.")
        return
    summary_column, part_column = st.columns([5, 3], vertical_alignment="center")
    summary_column.caption(summary(analysis, images, ranking))
    with part_column:
        part = images if ranking.shown == TABLE else controls.choose_part(images)
    if ranking.shown == TABLE or not controls.has_thumbnails(analysis, part):
        show_table(analysis, images, table)
    else:
        show_pictures(analysis, part, ranking)


def summary(analysis: Analysis, images: pd.DataFrame, ranking: Ranking) -> str:
    """What is in order here, in one sentence."""
    values, form = images["value"].dropna(), FORMATS[ranking.by]
    reach = f" from {form.format(values.iloc[0])} to {form.format(values.iloc[-1])}" if len(values) else " unknown"
    where = f" in the pixels of {ranking.class_name}" if ranking.class_name else ""
    record, measure = analysis.record, TITLES[ranking.by].lower()
    of_all = f"{len(images)} of the {record.images} images of {record.dataset} {record.split}, epoch {record.epoch}"
    merged = "" if record.merged is None else f" Predictions are merged into the classes of {record.dataset}."
    return f"{of_all}: {measure}{where}{reach}.{merged}"


def show_pictures(analysis: Analysis, part: pd.DataFrame, ranking: Ranking) -> None:
    """A picture each, with its hardness map beside it; the picture opens it in a new tab, its name in this one."""
    grid = st.grid(min_column_width=250)
    for name, value in part[["image", "value"]].itertuples(index=False):
        with grid.cell():
            if (picture := dataset_cache.thumbnail(analysis, name)) is not None:
                address = "./?" + urlencode(inspected(analysis, name))
                st.image(picture, width="stretch", link=address, alt=f"{name} and its hardness map")
            show_link(analysis, name, f"{name} · {FORMATS[ranking.by].format(value)}")


def show_table(analysis: Analysis, images: pd.DataFrame, table: pd.DataFrame) -> None:
    """All that is known of each image; a selected row leads to its image."""
    known = images[["image"]].merge(table, on="image")
    chosen = st.dataframe(
        known,
        hide_index=True,
        column_config=controls.COLUMNS,
        on_select="rerun",
        selection_mode="single-row",
        key="images_table",
    )
    if rows := chosen["selection"]["rows"]:
        name = known["image"].iloc[rows[0]]
        show_link(analysis, name, f"Inspect {name}")
    else:
        st.caption("Select a row to inspect its image.")


def show_link(analysis: Analysis, name: str, label: str) -> None:
    """A link to an image, on this tab."""
    link = inspected(analysis, name)
    st.page_link("views/inspect.py", label=label, icon=":material/search:", query_params=link)


def inspected(analysis: Analysis, name: str) -> dict[str, str]:
    """The link under which Inspect shows an image."""
    return state.link(source=samples.DATA, data=analysis.name, sample=name)


run = widgets.chosen_run()
if analyses := dataset_cache.listed(run):
    show(controls.choose_analysis(analyses))
else:
    controls.say_how(run)
