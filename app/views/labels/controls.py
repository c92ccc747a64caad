"""The controls of the Labels page: order, filter, page, and the verdict on each region."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session
from app.components import definitions
from app.components.layers import Classes
from app.loading.dataset import is_synthetic
from app.loading.labels import MAX_FAULTS, Evidence
from hlcore.analysis.label_faults import PlantedFaults
from hlcore.figures.style import Colour
from hlcore.storage.analyses import Analysis

ABOUT = (
    "Where the network is sure of another class than the label's although the place is easy: is the label wrong, or "
    "the network?"
)
ALL = "all"
"""In links, the choice of no pair of classes."""
RANKINGS = {"score": "Loss × (1 − hardness)", "loss_mean": "Mean loss"}
"""Columns of the table of suspects that it may be sorted by."""
REGIONS_PER_PAGE = 5
"""Regions on a page."""
MAX_FAULT_SEED = 99


@dataclass(frozen=True)
class Review:
    """What the page goes through.

    Attributes:
        place: Where the regions were found; verdicts are kept by it.
        suspects: A row a region; with a column `fault` (its number, 0 for none) where faults were planted.
        names: The classes.
        palette: Their colours.
        evidence: What is seen on an image, by its name.
        faults: What was planted, if anything was.
    """

    place: str
    suspects: pd.DataFrame
    names: tuple[str, ...]
    palette: tuple[Colour, ...]
    evidence: Callable[[str], Evidence]
    faults: PlantedFaults | None = None

    @property
    def classes(self) -> Classes:
        """Names and colours of the classes, by index."""
        return tuple(zip(self.names, self.palette, strict=True))


def describe_labels(analysis: Analysis, *, regions: int) -> str:
    """What a list of regions means where no label can be wrong; empty where some may be."""
    if not is_synthetic(analysis):
        return ""
    return (
        f"Labels of scenes are drawn with them and are never wrong, so each of these {regions:,} regions is a mistake "
        "of the network: choose *This picture* and *Plant faults* to see wrong labels being found."
    )


def select_fault_seed(toggle_column: DeltaGenerator, seed_column: DeltaGenerator) -> int | None:
    """The seed of the faults to plant, or None for the labels as they are."""
    session.ensure_choice("planted", (False, True), default=False)
    with toggle_column:
        planted = st.toggle(
            "Plant faults",
            key="planted",
            persist_state="session",
            help=f"Changes the labels of up to {MAX_FAULTS} objects: another class, moved aside, or not drawn at all. "
            "Then you see whether they are found. Scenes have perfect labels: without faults, all that is listed "
            "are mistakes of the network. " + definitions.list_links("Planted faults"),
        )
    session.ensure_number("planting", 0, MAX_FAULT_SEED, default=0)
    with seed_column:
        seed = st.number_input(
            "Planting", 0, MAX_FAULT_SEED, key="planting", persist_state="session", disabled=not planted
        )
    return int(seed) if planted else None


def select_suspects(suspects: pd.DataFrame, pair_column: DeltaGenerator, order_column: DeltaGenerator) -> pd.DataFrame:
    """The suspects in the order chosen, of the pair of classes chosen."""
    pair_of = suspects["class_name"] + " > " + suspects["predicted"]
    counts = pair_of.value_counts()
    pairs = [ALL, *counts.index]
    session.ensure_choice("dispute", pairs, default=ALL)
    with pair_column:
        pair = st.selectbox(
            "Label > prediction",
            pairs,
            format_func=lambda pair: f"all pairs ({len(suspects):,})" if pair == ALL else f"{pair} ({counts[pair]:,})",
            key="dispute",
            persist_state="session",
        )
    session.ensure_choice("ranking", list(RANKINGS), default="score")
    with order_column:
        by = st.selectbox(
            "Highest first",
            list(RANKINGS),
            format_func=RANKINGS.__getitem__,
            key="ranking",
            persist_state="session",
            help="The loss of what is easy, or the loss alone. On planted faults the loss alone ranks better; "
            "on hard objects the product is near 0 whatever the label. "
            + definitions.list_links("Suspect", "Loss", "Hardness"),
        )
    kept = suspects if pair == ALL else suspects.loc[pair_of == pair]
    return kept.sort_values(by, ascending=False, kind="stable")
