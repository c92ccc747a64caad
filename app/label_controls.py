"""The controls of the Labels page: order, filter, page, and the verdict on each region."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import definitions, label_scene, looks, state, widgets
from app.cache.labels import MOST_FAULTS, Evidence
from app.scenes import Classes
from app.viewer.scene import Scene
from hlcore.analysis.label_faults import KINDS, PlantedFaults
from hlcore.data.catalog import STREETS
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
SHOWN = 5
"""Regions on a page."""
FIRST = 10
"""Of so many regions it is said how many lie on planted faults."""
MOST_PLANTINGS = 99
VERDICTS = {"accept": "Accept", "dismiss": "Dismiss"}
COLUMNS = ("image", "region", "box", "label", "prediction", "score", "verdict", "note")
"""Of the file of verdicts."""


@dataclass(frozen=True)
class Hunt:
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


def about_labels(analysis: Analysis, *, regions: int) -> str:
    """What a list of regions means where no label can be wrong; empty where some may be."""
    if analysis.record.dataset != STREETS:
        return ""
    return (
        f"Labels of scenes are drawn with them and are never wrong, so each of these {regions:,} regions is a mistake "
        "of the network: choose *This picture* and *Plant faults* to see wrong labels being found."
    )


def choose_planting(toggle_column: DeltaGenerator, seed_column: DeltaGenerator) -> int | None:
    """The seed of the faults to plant, or None for the labels as they are."""
    state.choice("planted", (False, True), default=False)
    with toggle_column:
        planted = st.toggle(
            "Plant faults",
            key="planted",
            persist_state="session",
            help=f"Changes the labels of up to {MOST_FAULTS} objects: another class, moved aside, or not drawn at all. "
            "Then you see whether they are found. Scenes have perfect labels: without faults, all that is listed "
            "are mistakes of the network. " + definitions.listed("Planted faults"),
        )
    state.number("planting", 0, MOST_PLANTINGS, default=0)
    with seed_column:
        seed = st.number_input(
            "Planting", 0, MOST_PLANTINGS, key="planting", persist_state="session", disabled=not planted
        )
    return int(seed) if planted else None


def choose_order(suspects: pd.DataFrame, pair_column: DeltaGenerator, order_column: DeltaGenerator) -> pd.DataFrame:
    """The suspects in the order chosen, of the pair of classes chosen."""
    pair_of = suspects["class_name"] + " > " + suspects["predicted"]
    counts = pair_of.value_counts()
    pairs = [ALL, *counts.index]
    state.choice("dispute", pairs, default=ALL)
    with pair_column:
        pair = st.selectbox(
            "Label > prediction",
            pairs,
            format_func=lambda pair: f"all pairs ({len(suspects):,})" if pair == ALL else f"{pair} ({counts[pair]:,})",
            key="dispute",
            persist_state="session",
        )
    state.choice("ranking", list(RANKINGS), default="score")
    with order_column:
        by = st.selectbox(
            "Highest first",
            list(RANKINGS),
            format_func=RANKINGS.__getitem__,
            key="ranking",
            persist_state="session",
            help="The loss of what is easy, or the loss alone. On planted faults the loss alone ranks better; "
            "on hard objects the product is near 0 whatever the label. "
            + definitions.listed("Suspect", "Loss", "Hardness"),
        )
    kept = suspects if pair == ALL else suspects.loc[pair_of == pair]
    return kept.sort_values(by, ascending=False, kind="stable")


def tools(hunt: Hunt, suspect: dict[str, Any]) -> Scene:
    """The tools for all cards of a page, the first of which is this suspect's."""
    return label_scene.controls(hunt.evidence(suspect["image"]), hunt.classes)


def card(hunt: Hunt, suspect: dict[str, Any], *, index: int, seen: bool) -> None:
    """A region as cut-outs where its image can be seen, what is known of it, and what the reader says."""
    maps_column, text_column = st.columns([7, 4], vertical_alignment="center")
    if seen:
        with maps_column, widgets.or_said(f"Region {suspect['region']} of {state.literal(suspect['image'])}"):
            scene = label_scene.card_scene(hunt.evidence(suspect["image"]), suspect, hunt.classes)
            looks.show(scene, key=f"card {hunt.place} {index}")
    with text_column, st.container(gap="xsmall"):
        st.html(_facts(hunt, suspect))
        _ask(hunt.place, suspect)


def summary(hunt: Hunt, suspects: pd.DataFrame) -> str:
    """How many regions were accepted, dismissed and are open, and how many of the first are planted faults."""
    verdicts = [row["verdict"] for row in state.verdicts(hunt.place)]
    accepted, dismissed = verdicts.count("accept"), verdicts.count("dismiss")
    text = (
        f"**{accepted}** accepted · **{dismissed}** dismissed · **{len(hunt.suspects) - accepted - dismissed:,}** open"
    )
    if hunt.faults is None:
        return text
    first, planted = suspects["fault"].head(FIRST).tolist(), hunt.faults.kinds
    kinds = ", ".join(f"{planted.count(kind)} {kind}" for kind in KINDS if kind in planted)
    real, found = sum(fault > 0 for fault in first), len({*first} - {0})
    return (
        f"{text}  \nPlanted: {len(planted)} faults ({kinds}). Of the first {len(first)} regions **{real}** lie on one; "
        f"they show **{found}** of the {len(planted)}."
    )


def offer_verdicts(hunt: Hunt) -> None:
    """The verdicts as a file."""
    table = pd.DataFrame(state.verdicts(hunt.place), columns=list(COLUMNS))
    st.download_button(
        "Verdicts, CSV",
        table.to_csv(index=False),
        "verdicts.csv",
        "text/csv",
        icon=":material/download:",
        disabled=table.empty,
        on_click="ignore",
        help="Accept: the label is wrong. Dismiss: the label is right. They last as long as this browser session.",
    )


def _ask(place: str, suspect: dict[str, Any]) -> None:
    """Verdict and note, kept when the region is out of sight."""
    row = {
        "image": suspect["image"],
        "region": suspect["region"],
        "box": " ".join(str(suspect[side]) for side in ("left", "top", "right", "bottom")),
        "label": suspect["class_name"],
        "prediction": suspect["predicted"],
        "score": suspect["score"],
    }
    key = f"{place} {row['image']} {row['box']} {row['label']} {row['prediction']}"
    kept = state.verdict(place, key)
    verdict_column, note_column = st.columns([6, 5])
    with verdict_column:
        st.segmented_control(
            "Verdict",
            list(VERDICTS),
            default=kept["verdict"] or None,
            format_func=VERDICTS.__getitem__,
            key=f"verdict of {key}",
            on_change=state.keep_verdict,
            args=(place, key, row, "verdict", f"verdict of {key}"),
            label_visibility="collapsed",
        )
    with note_column:
        st.text_input(
            "Note",
            kept["note"],
            key=f"note on {key}",
            on_change=state.keep_verdict,
            args=(place, key, row, "note", f"note on {key}"),
            placeholder="Note",
            label_visibility="collapsed",
        )


def _facts(hunt: Hunt, suspect: dict[str, Any]) -> str:
    """A region in three lines."""
    label, predicted = (_class(hunt, suspect[column]) for column in ("class_name", "predicted"))
    found = ""
    if hunt.faults is not None:
        found = (
            f" · <b>planted: {hunt.faults.kinds[suspect['fault'] - 1]}</b>" if suspect["fault"] else " · not planted"
        )
    return (
        f'<p class="suspect">labelled {label}, predicted {predicted}{found}<br>'
        f"{definitions.linked_html('score', 'Suspect')} <b>{suspect['score']:.2f}</b> nats · "
        f"{definitions.linked_html('loss', 'Loss')} {suspect['loss_mean']:.2f} nats · "
        f"{definitions.linked_html('hardness', 'Hardness')} {suspect['hardness_mean']:.2f}<br>"
        f"{suspect['area_px']} px at x {suspect['left']}, y {suspect['top']} in {escape(suspect['image'])}</p>"
    )


def _class(hunt: Hunt, name: str) -> str:
    """A class name behind a patch of its colour."""
    red, green, blue = hunt.palette[hunt.names.index(name)]
    return f'<i style="background: rgb({red}, {green}, {blue})"></i><b>{escape(name)}</b>'
