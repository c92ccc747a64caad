"""The images of the Data set page: as small pictures or as a table, each a click from Inspect."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from app import samples, state
from app.cache import dataset as dataset_cache
from app.dataset_controls import FORMATS, Ranking
from hlcore.storage.analyses import Analysis

COLUMNS = {
    "image": "image",
    "class_name": "class",
    "pixels": "pixels",
    "width": st.column_config.NumberColumn("width (px)"),
    "height": st.column_config.NumberColumn("height (px)"),
    "hardness_mean": st.column_config.NumberColumn("mean hardness", format="%.3f"),
    "hardness_p95": st.column_config.NumberColumn("hardness, 95th pct.", format="%.3f"),
    "loss_mean": st.column_config.NumberColumn("mean loss (nats)", format="%.3f"),
    "error_share": st.column_config.NumberColumn("wrong pixels", format="percent"),
    "entropy_mean": st.column_config.NumberColumn("mean entropy (nats)", format="%.3f"),
    "mean_iou": st.column_config.NumberColumn("mean IoU", format="%.3f"),
    "disagreement": st.column_config.NumberColumn("disagreement", format="percent"),
}
"""What the columns of the table are called."""


def has_thumbnails(analysis: Analysis, part: pd.DataFrame) -> bool:
    """Whether there is a small picture of any of these images."""
    return any(dataset_cache.thumbnail(analysis, name) is not None for name in part["image"])


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
        column_config=COLUMNS,
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
