"""The images of the Data set page: as small pictures or as a table, each a click from Inspect."""

import pandas as pd
import streamlit as st

from app import definitions, samples, state
from app.cache import dataset as dataset_cache
from app.dataset_controls import FORMATS, Ranking
from hlcore.storage.analyses import Analysis

COLUMNS = {
    "image": "image",
    "class_name": "class",
    "pixels": "pixels",
    "width": "width (px)",
    "height": "height (px)",
}
"""What the columns of the table are called that are no measures."""
MEASURES = {
    "hardness_mean": ("mean hardness", "%.3f", "Means of an image"),
    "hardness_p95": ("hardness, 95th pct.", "%.3f", "Hardness"),
    "loss_mean": ("mean loss (nats)", "%.3f", "Means of an image"),
    "error_share": ("wrong pixels", "percent", "Means of an image"),
    "entropy_mean": ("mean entropy (nats)", "%.3f", "Means of an image"),
    "mean_iou": ("mean IoU", "%.3f", "Means of an image"),
    "disagreement": ("disagreement", "percent", "Disagreement"),
}
"""Head, format and definition of those that are."""


def has_thumbnails(analysis: Analysis, part: pd.DataFrame) -> bool:
    """Whether there is a small picture of any of these images."""
    return any(dataset_cache.thumbnail(analysis, name) is not None for name in part["image"])


def show_pictures(analysis: Analysis, part: pd.DataFrame, ranking: Ranking) -> None:
    """A picture each, with its hardness map beside it; a click anywhere on it or on its name opens it on this tab."""
    grid = st.grid(min_column_width=250)
    for at, (name, value) in enumerate(part[["image", "value"]].itertuples(index=False)):
        with grid.cell(), st.container(key=f"opens_{at}"):  # style.css spreads the link over all of it
            if (picture := dataset_cache.thumbnail(analysis, name)) is not None:
                st.image(picture, width="stretch", alt=f"{name} and its hardness map")
            show_link(analysis, name, f"{name} · {FORMATS[ranking.by].format(value)}")


def show_table(analysis: Analysis, images: pd.DataFrame, table: pd.DataFrame) -> None:
    """All that is known of each image; a selected row leads to its image."""
    known = images[["image"]].merge(table, on="image")
    measures = {
        column: st.column_config.NumberColumn(head, format=form, help=definitions.text(name))
        for column, (head, form, name) in MEASURES.items()
    }
    chosen = st.dataframe(
        known,
        hide_index=True,
        column_config=COLUMNS | measures,
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
