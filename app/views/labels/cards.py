"""A region as a card: what is seen and known of it, and the reader's verdict."""

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.image_viewer import draw_viewer
from app.components.messages import report_errors
from app.viewer.scene import Scene
from app.views.labels import scenes
from app.views.labels.controls import Review
from hlcore.analysis.label_faults import KINDS

FIRST_REGIONS = 10
"""Of so many regions it is said how many lie on planted faults."""
VERDICTS = {"accept": "Accept", "dismiss": "Dismiss"}
COLUMNS = ("image", "region", "box", "label", "prediction", "score", "verdict", "note")
"""Of the file of verdicts."""


def make_tools_scene(hunt: Review, suspect: dict[str, Any]) -> Scene:
    """The tools for all cards of a page, the first of which is this suspect's."""
    return scenes.make_tools_scene(hunt.evidence(suspect["image"]), hunt.classes)


def draw_card(hunt: Review, suspect: dict[str, Any], *, index: int, seen: bool) -> None:
    """A region as cut-outs where its image can be seen, what is known of it, and what the reader says."""
    maps_column, text_column = st.columns([7, 4], vertical_alignment="center")
    if seen:
        with maps_column, report_errors(f"Region {suspect['region']} of {session.escape_markdown(suspect['image'])}"):
            scene = scenes.make_card_scene(hunt.evidence(suspect["image"]), suspect, hunt.classes)
            draw_viewer(scene, key=f"card {hunt.place} {index}")
    with text_column, st.container(gap="xsmall"):
        st.html(_format_facts(hunt, suspect))
        _draw_verdict_form(hunt.place, suspect)


def summarise_verdicts(hunt: Review, suspects: pd.DataFrame) -> str:
    """How many regions were accepted, dismissed and are open, and how many of the first are planted faults."""
    verdicts = [row["verdict"] for row in session.list_verdicts(hunt.place)]
    accepted, dismissed = verdicts.count("accept"), verdicts.count("dismiss")
    text = (
        f"**{accepted}** accepted · **{dismissed}** dismissed · **{len(hunt.suspects) - accepted - dismissed:,}** open"
    )
    if hunt.faults is None:
        return text
    first, planted = suspects["fault"].head(FIRST_REGIONS).tolist(), hunt.faults.kinds
    kinds = ", ".join(f"{planted.count(kind)} {kind}" for kind in KINDS if kind in planted)
    real, found = sum(fault > 0 for fault in first), len({*first} - {0})
    return (
        f"{text}  \nPlanted: {len(planted)} faults ({kinds}). Of the first {len(first)} regions **{real}** lie on one; "
        f"they show **{found}** of the {len(planted)}."
    )


def draw_verdict_download(hunt: Review) -> None:
    """The verdicts as a file."""
    table = pd.DataFrame(session.list_verdicts(hunt.place), columns=list(COLUMNS))
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


def _draw_verdict_form(place: str, suspect: dict[str, Any]) -> None:
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
    kept = session.get_verdict(place, key)
    verdict_column, note_column = st.columns([6, 5])
    with verdict_column:
        st.segmented_control(
            "Verdict",
            list(VERDICTS),
            default=kept["verdict"] or None,
            format_func=VERDICTS.__getitem__,
            key=f"verdict of {key}",
            on_change=session.save_verdict,
            args=(place, key, row, "verdict", f"verdict of {key}"),
            label_visibility="collapsed",
        )
    with note_column:
        st.text_input(
            "Note",
            kept["note"],
            key=f"note on {key}",
            on_change=session.save_verdict,
            args=(place, key, row, "note", f"note on {key}"),
            placeholder="Note",
            label_visibility="collapsed",
        )


def _format_facts(hunt: Review, suspect: dict[str, Any]) -> str:
    """A region in three lines."""
    label, predicted = (_format_class(hunt, suspect[column]) for column in ("class_name", "predicted"))
    found = ""
    if hunt.faults is not None:
        found = (
            f" · <b>planted: {hunt.faults.kinds[suspect['fault'] - 1]}</b>" if suspect["fault"] else " · not planted"
        )
    return (
        f'<p class="suspect">labelled {label}, predicted {predicted}{found}<br>'
        f"{definitions.link_html('score', 'Suspect')} <b>{suspect['score']:.2f}</b> nats · "
        f"{definitions.link_html('loss', 'Loss')} {suspect['loss_mean']:.2f} nats · "
        f"{definitions.link_html('hardness', 'Hardness')} {suspect['hardness_mean']:.2f}<br>"
        f"{suspect['area_px']} px at x {suspect['left']}, y {suspect['top']} in {escape(suspect['image'])}</p>"
    )


def _format_class(hunt: Review, name: str) -> str:
    """A class name behind a patch of its colour."""
    red, green, blue = hunt.palette[hunt.names.index(name)]
    return f'<i style="background: rgb({red}, {green}, {blue})"></i><b>{escape(name)}</b>'
