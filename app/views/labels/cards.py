"""Cards of the Labels page: one suspect with its maps, facts and verdict."""

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
"""The summary counts how many of this many first regions lie on planted faults."""
VERDICTS = {"accept": "Accept", "dismiss": "Dismiss"}
COLUMNS = ("image", "region", "box", "label", "prediction", "score", "verdict", "note")
"""Columns of the verdicts file."""


def make_tools_scene(review: Review, suspect: dict[str, Any]) -> Scene:
    """The tools for all cards of a page, made from its first suspect."""
    return scenes.make_tools_scene(review.evidence(suspect["image"]), review.classes)


def draw_card(review: Review, suspect: dict[str, Any], *, index: int, available: bool) -> None:
    """Draw a suspect: its maps if its image is available (`available`), its facts, and the verdict form."""
    maps_column, text_column = st.columns([7, 4], vertical_alignment="center")
    if available:
        with maps_column, report_errors(f"Region {suspect['region']} of {session.escape_markdown(suspect['image'])}"):
            scene = scenes.make_card_scene(review.evidence(suspect["image"]), suspect, review.classes)
            draw_viewer(scene, key=f"card {review.place} {index}")
    with text_column, st.container(gap="xsmall"):
        st.html(_format_facts(review, suspect))
        _draw_verdict_form(review.place, suspect)


def summarise_verdicts(review: Review, suspects: pd.DataFrame) -> str:
    """Counts of accepted, dismissed and open regions, and how many of the first lie on planted faults."""
    verdicts = [row["verdict"] for row in session.list_verdicts(review.place)]
    accepted, dismissed = verdicts.count("accept"), verdicts.count("dismiss")
    remaining = len(review.suspects) - accepted - dismissed
    text = f"**{accepted}** accepted · **{dismissed}** dismissed · **{remaining:,}** open"
    if review.faults is None:
        return text
    first, planted = suspects["fault"].head(FIRST_REGIONS).tolist(), review.faults.kinds
    kinds = ", ".join(f"{planted.count(kind)} {kind}" for kind in KINDS if kind in planted)
    real, found = sum(fault > 0 for fault in first), len({*first} - {0})
    return (
        f"{text}  \nPlanted: {len(planted)} faults ({kinds}). Of the first {len(first)} regions, **{real}** lie on "
        f"planted faults and reveal **{found}** of the {len(planted)}."
    )


def draw_verdict_download(review: Review) -> None:
    """Draw a button to download the verdicts."""
    table = pd.DataFrame(session.list_verdicts(review.place), columns=list(COLUMNS))
    st.download_button(
        "Verdicts, CSV",
        table.to_csv(index=False),
        "verdicts.csv",
        "text/csv",
        icon=":material/download:",
        disabled=table.empty,
        on_click="ignore",
        help="Accept: the label is wrong. Dismiss: the label is right. Verdicts last until this session ends.",
    )


def _draw_verdict_form(place: str, suspect: dict[str, Any]) -> None:
    """Draw the controls for verdict and note."""
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


def _format_facts(review: Review, suspect: dict[str, Any]) -> str:
    """The facts about a suspect, as three lines of HTML."""
    label, predicted = (_format_class(review, suspect[column]) for column in ("class_name", "predicted"))
    found = ""
    if review.faults is not None:
        found = (
            f" · <b>planted: {review.faults.kinds[suspect['fault'] - 1]}</b>" if suspect["fault"] else " · not planted"
        )
    return (
        f'<p class="suspect">labelled {label}, predicted {predicted}{found}<br>'
        f"{definitions.link_html('score', 'Suspect')} <b>{suspect['score']:.2f}</b> nats · "
        f"{definitions.link_html('loss', 'Loss')} {suspect['loss_mean']:.2f} nats · "
        f"{definitions.link_html('hardness', 'Hardness')} {suspect['hardness_mean']:.2f}<br>"
        f"{suspect['area_px']} px at x {suspect['left']}, y {suspect['top']} in {escape(suspect['image'])}</p>"
    )


def _format_class(review: Review, name: str) -> str:
    """A class name with its colour, as HTML."""
    red, green, blue = review.palette[review.names.index(name)]
    return f'<i style="background: rgb({red}, {green}, {blue})"></i><b>{escape(name)}</b>'
