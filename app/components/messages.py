"""Texts and warnings that several pages show."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape

import streamlit as st

from app import session
from app.components import definitions
from app.loading.pictures import Picture
from hlcore.data.images.white_level import is_dark
from hlcore.errors import HlcoreError
from hlcore.storage.maps import Imported

ABOUT = (
    "**Hardness** is how hard the network expects each pixel to be, learned from the loss during training and "
    "predicted from the image alone. Bright means hard: edges, small or thin objects, unusual scenes. "
    "It needs no label."
)
MAX_WARNINGS = 6
"""Warnings that are listed; further ones are only counted."""


def list_received_uploads() -> None:
    """Tell the script that says "Analysing NAME" which uploads the page shows."""
    if uploads := session.list_uploads():
        st.html(f'<div class="received" data-uploads="{escape(json.dumps(uploads))}"></div>')


def format_link_warnings(warnings: Sequence[str]) -> str:
    """The warnings about a link as one text: the first few, and how many more there are."""
    first, more = warnings[:MAX_WARNINGS], len(warnings) - MAX_WARNINGS
    if len(first) == 1:
        return f"A setting in this link is not available: {first[0]}."
    lines = [f"- {sentence}" for sentence in [*first, *([f"and {more} more"] if more > 0 else [])]]
    return "\n".join(["Some settings in this link are not available:", "", *lines])


def draw_about(imported: Imported | None) -> None:
    """Draw a short explanation of hardness, or of the imported scores that are shown in its place."""
    if imported is None:
        st.caption(f"{ABOUT} [About the method]({definitions.make_method_link()})")
        return
    scores = "; ".join(session.escape_sentence(score.describe()) for score in imported.scores)
    st.caption(f"Imported maps, without a network: {scores}. Bright means hard.")


@contextmanager
def report_errors(what: str) -> Iterator[None]:
    """Show an expected error inside the block as a message, so that the rest of the page is still drawn."""
    try:
        yield
    except HlcoreError as error:
        st.info(f"{what} cannot be shown: {session.escape_sentence(error)}")


def draw_size_note(picture: Picture) -> None:
    """Draw a note if the image was scaled down."""
    (height, width), (own_height, own_width) = picture.size, picture.own_size
    if picture.size != picture.own_size:
        st.caption(f"Analysed at {width} x {height} px; the original image has {own_width} x {own_height} px.")


def draw_dark_note(picture: Picture) -> None:
    """Draw a note if the image is nearly black."""
    if is_dark(picture.sample.image):
        st.caption(
            "This image is nearly black: it uses under a tenth of the range. If it has more than 8 bits per channel, "
            "convert it to 8 bits first."
        )
