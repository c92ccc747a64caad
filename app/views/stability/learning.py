"""How pixels were learned: maps, the plane of mean and spread, and the groups by epoch learned."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.components import definitions
from app.components.image_viewer import draw_viewer
from app.components.layers import make_caption, make_hardness_layer, make_image_layer
from app.loading.learning import LearnedPicture, has_learning_tables, load_learned_picture, load_learning_tables
from app.loading.pictures import Picture
from app.loading.planes import load_planes
from app.viewer.planes import Plane
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene, Step
from hlcore.analysis.cartography import FORGETTING, LARGEST_SPREAD, NEVER
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.cartography import QUANTITIES, make_cartography_figure, make_learning_figure
from hlcore.figures.style import ERROR, Colour, colour_scale
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

KEY = "learning_viewer"
PROBABILITY, MEAN, SPREAD, LEARNED, FORGOTTEN = (
    "True-class probability",
    "Mean probability",
    "Spread",
    "Epoch learned",
    "Forgotten",
)
WITHOUT_LABELS = (
    "This image has no labels, so it is not known when its pixels were right. Choose a scene, or upload a label map "
    "under *Your photo*, *Labels*."
)
FITTED = (
    "Only the hardness branch of this run was learned here: the network predicts the same at every epoch, so it is not "
    "known when its pixels were learned."
)
OLDER = (
    "This analysis was made before pixels were followed over the epochs, or with fewer than two of them; run "
    "`hlcore analyze --epochs all` again."
)
FORGOTTEN_GROUPS: dict[str, Colour] = {
    "never forgotten": (38, 38, 48),
    "forgotten once": (86, 180, 233),
    "forgotten more often": (204, 121, 167),
}
"""Name and colour of each of FORGETTING."""


def draw_learned_picture(run: Run, picture: Picture) -> None:
    """Draw how the pixels of a picture were learned."""
    if picture.sample.label_map is None:
        st.info(WITHOUT_LABELS, icon=":material/info:")
        return
    learned = load_learned_picture(run, picture)
    draw_viewer(make_learning_scene(run, picture, learned), key=KEY)
    _draw_tables(learned.tables)


def draw_learned_dataset(analysis: Analysis) -> None:
    """Draw how the pixels of a data set were learned."""
    if not has_learning_tables(analysis):
        st.info(OLDER, icon=":material/info:")
        return
    _draw_tables(load_learning_tables(analysis))


def make_learning_scene(run: Run, picture: Picture, learned: LearnedPicture) -> Scene:
    """The true-class probability at the selected epoch, and what all epochs make of it."""
    hardness = {str(epoch): load_planes(run, epoch, picture)["hardness"] for epoch in learned.epochs}
    probability = {str(epoch): plane for epoch, plane in learned.probabilities.items()}
    layers = (
        make_image_layer(picture),
        _make_values_layer(PROBABILITY, probability),
        _make_values_layer(MEAN, {ALL_STEPS: learned.courses["mean_probability"]}),
        _make_values_layer(SPREAD, {ALL_STEPS: learned.courses["spread"]}, high=LARGEST_SPREAD),
        _make_groups_layer(LEARNED, learned, "learned", list_epoch_colours(learned.epochs)),
        _make_groups_layer(FORGOTTEN, learned, "forgetting", list(FORGOTTEN_GROUPS.items())),
        make_hardness_layer(hardness),
    )
    return Scene(
        picture.size,
        layers,
        tuple(map(Panel, (PROBABILITY, MEAN, SPREAD, "Hardness", LEARNED, FORGOTTEN))),
        steps=tuple(Step(str(epoch), f"epoch {epoch}") for epoch in learned.epochs),
        columns=3,
        narrow_columns=1,
        free=True,
        caption=make_caption(run, picture),
    )


def list_epoch_colours(epochs: tuple[int, ...]) -> list[tuple[str, Colour]]:
    """Name and colour of each group: from dark for pixels learned first to bright, and one for those never learned."""
    at = np.linspace(20, 235, len(epochs)).round().astype(int)
    colours = [(int(red), int(green), int(blue)) for red, green, blue in colour_scale("viridis")[at]]
    return [*zip([f"epoch {epoch}" for epoch in epochs], colours, strict=True), ("not learned", ERROR)]


def summarise_learning(tables: Mapping[str, pd.DataFrame]) -> str:
    """When pixels were learned, how many were forgotten, and how both go with hardness, in two sentences."""
    learning, correlations = tables["learning"], tables["learning_correlations"]
    shares, hardness = (filter_rows(learning, measure=measure) for measure in ("share", "hardness_mean"))
    first = filter_rows(shares, quantity="learned")["group"].iloc[0]

    def find(table: pd.DataFrame, quantity: str, group: str) -> float:
        return float(filter_rows(table, quantity=quantity, group=group)["value"].iloc[0])

    texts = [
        f"**{100 * find(shares, 'learned', group):.1f} %** {what} "
        f"(mean hardness {find(hardness, 'learned', group):.3f})"
        for group, what in (
            (first, f"of the labelled pixels were right from epoch {first} on"),
            (NEVER, "were wrong at the last epoch"),
        )
    ]
    forgotten = 1 - find(shares, "forgetting", FORGETTING[0])
    rhos = [_format_correlation(row) for row in correlations.dropna(subset="value").to_dict("records")]
    spearman = definitions.link_text("Rank correlation", "Spearman")
    return (
        f"{texts[0]}; {texts[1]}. **{100 * forgotten:.1f} %** were forgotten at least once. "
        f"{spearman} with hardness: {', '.join(rhos)}."
    )


def _format_correlation(row: Mapping[Hashable, Any]) -> str:
    interval = f" ({row['low']:+.2f} to {row['high']:+.2f})" if np.isfinite(row["low"]) else ""
    return f"{QUANTITIES[row['quantity']]} **{row['value']:+.2f}**{interval}".replace("-", "−")


def _draw_tables(tables: Mapping[str, pd.DataFrame]) -> None:
    st.markdown(summarise_learning(tables))
    plane_column, groups_column = st.columns([5, 7])
    with plane_column:
        st.plotly_chart(make_cartography_figure(tables["cartography"]), key="cartography")
    with groups_column:
        st.plotly_chart(make_learning_figure(tables["learning"], height_px=420), key="learning")
    st.caption(
        "Left: pixels by the mean and the spread of the probability of their label; a larger square has more pixels. "
        "Top left: right early and surely; bottom left: wrong throughout; right: undecided. "
        + definitions.list_links("Mean and spread of the probability", "Epoch learned", "Forgetting event")
    )


def _make_values_layer(name: str, planes: Mapping[str, Plane], *, high: float = 1.0) -> Layer:
    link = definitions.make_link("Mean and spread of the probability")
    return Layer(name, "values", planes, scale="cividis", high=high, definition=link)


def _make_groups_layer(name: str, learned: LearnedPicture, quantity: str, groups: list[tuple[str, Colour]]) -> Layer:
    defined = definitions.make_link("Epoch learned" if quantity == "learned" else "Forgetting event")
    planes = {ALL_STEPS: learned.courses[quantity]}
    return Layer(name, "classes", planes, classes=tuple(groups), legend=True, definition=defined)
