"""Texts that several pages show."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from app.components import definitions
from app.loading.pictures import Picture
from hlcore.errors import HlcoreError

ABOUT = (
    "**Hardness** is how hard the network expects each pixel to be, learned from the loss during training and read "
    "from the image alone. Bright means hard: edges, thin and small things, unusual sights; it needs no label."
)
MAX_WARNINGS = 6
"""Of so many faults of a link each is told; of more, how many."""


def format_link_warnings(complaints: Sequence[str]) -> str:
    """What a link asked for in vain, in one text: the first few, and how many there are beside them."""
    first, more = complaints[:MAX_WARNINGS], len(complaints) - MAX_WARNINGS
    if len(first) == 1:
        return f"The link could not be followed in all: {first[0]}."
    lines = [f"- {sentence}" for sentence in [*first, *([f"and {more} more"] if more > 0 else [])]]
    return "\n".join(["The link could not be followed in all:", "", *lines])


def draw_about() -> None:
    """What hardness is, in two sentences."""
    st.caption(f"{ABOUT} [About the method]({definitions.make_method_link()})")


@contextmanager
def report_errors(what: str) -> Iterator[None]:
    """Where what is drawn inside cannot be, a sentence says so, and the rest of the page stays."""
    try:
        yield
    except HlcoreError as error:
        st.info(f"{what} cannot be shown: {error}")


def draw_size_note(picture: Picture) -> None:
    """Says so where the picture was scaled down."""
    (height, width), (own_height, own_width) = picture.size, picture.own_size
    if picture.size != picture.own_size:
        st.caption(f"Analysed at {width} x {height} px; the picture itself has {own_width} x {own_height} px.")
