"""Controls of the Labels page, and the review they act on."""

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
    "Regions that hardness calls easy, where the network confidently contradicts the label. Which of the two is wrong?"
)
ALL = "all"
"""The value, in links, for all pairs of classes."""
RANKINGS = {"score": "Loss × (1 − hardness)", "loss_mean": "Mean loss", "label_quality": "Label quality (softmin)"}
"""Columns by which suspects can be sorted; older analyses lack the last."""
REGIONS_PER_PAGE = 5
"""Regions shown on one page."""
MAX_FAULT_SEED = 99


@dataclass(frozen=True)
class Review:
    """The suspects under review.

    Attributes:
        place: Where the suspects were found; verdicts are stored under it.
        suspects: One row per region; with planted faults, column `fault` has their number (0 for none).
        names: Class names.
        palette: Class colours.
        evidence: Image name to the maps of the image.
        faults: The planted faults, if any.
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
    """A note if no label can be wrong, otherwise an empty text."""
    if not is_synthetic(analysis):
        return ""
    return (
        f"Labels of street scenes are never wrong, so each of these {regions:,} regions is a mistake of the network. "
        "To test whether wrong labels are found, choose *This image* and *Plant faults*."
    )


def select_fault_seed(toggle_column: DeltaGenerator, seed_column: DeltaGenerator) -> int | None:
    """The selected seed of the faults to plant, or None to keep the labels."""
    session.ensure_choice("planted", (False, True), default=False)
    with toggle_column:
        planted = st.toggle(
            "Plant faults",
            key="planted",
            persist_state="session",
            help=f"Changes the labels of up to {MAX_FAULTS} objects (wrong class, shifted or missing) to test whether "
            "they are found. Labels of scenes are never wrong, so without planted faults all regions are mistakes of "
            "the network. " + definitions.list_links("Planted faults"),
        )
    session.ensure_number("planting", 0, MAX_FAULT_SEED, default=0)
    with seed_column:
        seed = st.number_input("Seed", 0, MAX_FAULT_SEED, key="planting", persist_state="session", disabled=not planted)
    return int(seed) if planted else None


def select_suspects(suspects: pd.DataFrame, pair_column: DeltaGenerator, order_column: DeltaGenerator) -> pd.DataFrame:
    """The suspects of the selected pair of classes, in the selected order."""
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
    known = [column for column in RANKINGS if column in suspects]
    session.ensure_choice("ranking", known, default="score")
    with order_column:
        by = st.selectbox(
            "Rank by",
            known,
            format_func=RANKINGS.__getitem__,
            key="ranking",
            persist_state="session",
            help="Loss weighted by how easy the region is, loss alone, or the soft minimum of the probability of the "
            "label, lowest first. On planted faults the loss alone ranks better than the first; where hardness is "
            "high, the product is near 0 whatever the label. "
            + definitions.list_links("Suspect", "Loss", "Hardness", "Label quality"),
        )
    kept = suspects if pair == ALL else suspects.loc[pair_of == pair]
    return kept.sort_values(by, ascending=by == "label_quality", kind="stable")
