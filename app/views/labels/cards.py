"""A region as a card: what is seen and known of it, and the reader's verdict."""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions, image_viewer, messages
from app.viewer.scene import Scene
from app.views.labels import scenes
from app.views.labels.controls import Hunt
from hlcore.analysis.label_faults import KINDS

FIRST = 10
"""Of so many regions it is said how many lie on planted faults."""
VERDICTS = {"accept": "Accept", "dismiss": "Dismiss"}
COLUMNS = ("image", "region", "box", "label", "prediction", "score", "verdict", "note")
"""Of the file of verdicts."""


def tools(hunt: Hunt, suspect: dict[str, Any]) -> Scene:
    """The tools for all cards of a page, the first of which is this suspect's."""
    return scenes.controls(hunt.evidence(suspect["image"]), hunt.classes)


def card(hunt: Hunt, suspect: dict[str, Any], *, index: int, seen: bool) -> None:
    """A region as cut-outs where its image can be seen, what is known of it, and what the reader says."""
    maps_column, text_column = st.columns([7, 4], vertical_alignment="center")
    if seen:
        with maps_column, messages.or_said(f"Region {suspect['region']} of {session.literal(suspect['image'])}"):
            scene = scenes.card_scene(hunt.evidence(suspect["image"]), suspect, hunt.classes)
            image_viewer.show(scene, key=f"card {hunt.place} {index}")
    with text_column, st.container(gap="xsmall"):
        st.html(_facts(hunt, suspect))
        _ask(hunt.place, suspect)


def summary(hunt: Hunt, suspects: pd.DataFrame) -> str:
    """How many regions were accepted, dismissed and are open, and how many of the first are planted faults."""
    verdicts = [row["verdict"] for row in session.verdicts(hunt.place)]
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
    table = pd.DataFrame(session.verdicts(hunt.place), columns=list(COLUMNS))
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
    kept = session.verdict(place, key)
    verdict_column, note_column = st.columns([6, 5])
    with verdict_column:
        st.segmented_control(
            "Verdict",
            list(VERDICTS),
            default=kept["verdict"] or None,
            format_func=VERDICTS.__getitem__,
            key=f"verdict of {key}",
            on_change=session.keep_verdict,
            args=(place, key, row, "verdict", f"verdict of {key}"),
            label_visibility="collapsed",
        )
    with note_column:
        st.text_input(
            "Note",
            kept["note"],
            key=f"note on {key}",
            on_change=session.keep_verdict,
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
