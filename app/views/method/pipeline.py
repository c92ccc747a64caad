"""The drawing of the method in the theme's colours, with maps of the selected run if it has any."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from PIL import Image as PillowImage
from streamlit.components.v2 import component

from app.loading.pictures import SCENES, list_samples, load_sample, make_picture
from app.loading.predictions import load_maps
from hlcore.figures.maps import apply_colour_scale
from hlcore.figures.style import HARDNESS_SCALES, LOSS_SCALE
from hlcore.storage.runs import Run
from hlcore.types import Image

SVG = Path(__file__).with_suffix(".svg")
SIDE_PX = 768
"""Longest side analysed, px: the default of Inspect, so that its cached maps are used."""
MAP_PX = 300
"""Longest side of a map in the drawing, px."""
MAX_NATS = 4
_mount = component(
    "hlcore_method_drawing",
    html=SVG.read_text(encoding="utf-8"),
    css=SVG.with_suffix(".css").read_text(encoding="utf-8"),
    js=SVG.with_suffix(".js").read_text(encoding="utf-8"),
)


def draw_pipeline(maps: Mapping[str, str]) -> None:
    """Draw the pipeline; `maps` are the data URLs of its images, by name."""
    _mount(data=dict(maps), key="method_drawing")


def keep_scroll_position() -> None:
    """Keep the linked definition in view while the page above it grows."""
    script = Path(__file__).with_name("scroll.js").read_text(encoding="utf-8")
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def make_pipeline_maps(run: Run) -> dict[str, str]:
    """Data URLs of image, hardness and loss of a street scene at the last epoch; none if the run has no hardness.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    if not run.record.hardness_parameters or not run.epochs:
        return {}
    sample = load_sample(run, SCENES, list_samples(run, SCENES)[0])
    picture = make_picture(sample, SIDE_PX)
    maps = load_maps(run, max(run.epochs), picture)
    scale = HARDNESS_SCALES[0]
    pictures = {
        "image": picture.sample.image,
        "hardness": apply_colour_scale(maps.hardness_map, scale=scale, low=0, high=1),
    }
    if maps.loss_map is not None:
        pictures["loss"] = apply_colour_scale(maps.loss_map, scale=LOSS_SCALE, low=0, high=MAX_NATS)
    return {name: _encode_png(pixels) for name, pixels in pictures.items()}


def _encode_png(pixels: Image) -> str:
    small = PillowImage.fromarray(pixels)
    small.thumbnail((MAP_PX, MAP_PX))
    file = io.BytesIO()
    small.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
