"""The images of the Data set page: thumbnails, a table, and the maps of the selected image."""

import pandas as pd
import streamlit as st

from app import session
from app.components.image_viewer import draw_viewer
from app.components.layers import choose_panels, make_caption, make_layers_of_epoch
from app.components.messages import report_errors
from app.components.table_picker import select_row
from app.components.words import explain, say_plainly
from app.loading.dataset import list_images, load_dataset_picture, load_thumbnail
from app.loading.pictures import DATA, IMPORTED, Picture
from app.viewer.scene import Scene
from app.views.dataset.controls import FORMATS, Ranking
from hlcore.analysis.images import RANKINGS
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "dataset_viewer"
COLUMNS = {
    "image": "image",
    "class_name": "class",
    "pixels": "pixels",
    "width": "width (px)",
    "height": "height (px)",
}
"""Columns that are not measures, and their headers."""
MEASURES = {
    "hardness_mean": ("mean hardness", "%.3f", "Means of an image"),
    "hardness_p95": ("hardness, 95th pct.", "%.3f", "Hardness"),
    "loss_mean": ("mean loss (nats)", "%.3f", "Means of an image"),
    "error_share": ("wrong pixels", "percent", "Means of an image"),
    "entropy_mean": ("mean entropy (nats)", "%.3f", "Means of an image"),
    "mean_iou": ("mean IoU", "%.3f", "Means of an image"),
    "disagreement": ("disagreement", "percent", "Disagreement"),
    "label_quality": ("label quality", "%.3f", "Label quality"),
    "dice_over_training": ("Dice over training", "%.3f", "Dice over training"),
}
"""Columns that are measures: header, format and definition."""


def get_selected_image(analysis: Analysis, images: pd.DataFrame) -> str:
    """Name of the selected image; the first until one is selected here or on Inspect."""
    names = images["image"].tolist()
    source = name_source(analysis)
    if session.get_choice_or_first("source", ["", source]) != source:
        return names[0]
    name = session.ensure_choice("sample", list_images(analysis), default=names[0])
    return name if name in names else names[0]


def has_thumbnails(analysis: Analysis, part: pd.DataFrame) -> bool:
    """Whether any of these images has a thumbnail."""
    return any(load_thumbnail(analysis, name) is not None for name in part["image"])


def draw_thumbnails(analysis: Analysis, part: pd.DataFrame, ranking: Ranking, *, shown: str) -> None:
    """Draw a thumbnail of each image beside its hardness map; clicking it or its name selects the image."""
    grid = st.grid(min_column_width=200)
    for at, (name, value) in enumerate(part[["image", "value"]].itertuples(index=False)):
        with grid.cell(), st.container(key=f"{'shown' if name == shown else 'shows'}_{at}"):  # for style.css
            if (picture := load_thumbnail(analysis, name)) is not None:
                st.image(
                    picture,
                    width="stretch",
                    alt=f"{name} and its {say_plainly('hardness')} map{', selected' * (name == shown)}",
                )
            st.button(
                f"{session.escape_markdown(name)} · {FORMATS[ranking.by].format(value)}",
                key=f"choose_{name}",
                icon=":material/visibility:" if name == shown else None,
                type="tertiary",
                on_click=set_selected_image,
                args=(name, name_source(analysis)),
            )


def select_in_table(
    analysis: Analysis, images: pd.DataFrame, table: pd.DataFrame, ranking: Ranking, *, shown: str
) -> str:
    """Draw a table of all measures, the ranking first; return the name of the selected image."""
    known = images[["image"]].merge(table, on="image")
    columns = {
        column: st.column_config.NumberColumn(say_plainly(head), format=form, help=explain(name))
        for column, (head, form, name) in MEASURES.items()
    } | {column: st.column_config.Column(head) for column, head in COLUMNS.items()}
    order = dict.fromkeys(
        ["image", RANKINGS[ranking.by], *(["pixels"] * bool(ranking.class_name)), *MEASURES, *COLUMNS]
    )
    first = known["image"].tolist().index(shown)
    at = select_row(
        known,
        first,
        columns={name: columns[name] for name in order if name in known and bool(known[name].notna().any())},
        key=f"images_table {analysis.path} {analysis.record.created} {ranking} {session.count_selections()}",
    )
    name = known["image"].iloc[at]
    if at != first:
        set_selected_image(name, name_source(analysis))
    return name


def name_source(analysis: Analysis) -> str:
    """The source of the images of an analysis: imported maps are measured on the images they came with."""
    return DATA if analysis.record.imported is None else IMPORTED


def set_selected_image(name: str, source: str) -> None:
    """Select an image of a source, here and on the other pages."""
    session.set_choice("source", source)
    session.set_choice("sample", name)


def draw_image(run: Run, analysis: Analysis, name: str) -> None:
    """Draw the maps of an image at the analysed epoch, and a link to all its epochs."""
    st.page_link(
        "views/inspect/page.py",
        label=f"Open {session.escape_markdown(name)}{' at every epoch' if len(run.epochs) > 1 else ''} in Inspect",
        icon=":material/search:",
        query_params=session.make_link_parameters(source=name_source(analysis), data=analysis.name, sample=name),
    )
    with report_errors("This image"):
        picture = load_dataset_picture(analysis, name)
        draw_viewer(make_scene(run, picture, analysis.record.epoch), key=KEY)


def make_scene(run: Run, picture: Picture, epoch: int) -> Scene:
    """All maps of one picture at the analysed epoch; users choose which panels show them."""
    layers = make_layers_of_epoch(run, picture, epoch)
    return Scene(
        picture.size,
        layers,
        choose_panels(run, picture, layers),
        free=True,
        caption=f"{make_caption(run, picture)}, {run.name_epoch(epoch)}",
    )
