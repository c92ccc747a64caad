"""Files to take away: the hardness map exactly, and what is seen of it."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image as PillowImage

from app.cache import Maps
from app.samples import Picture
from app.scenes import Look
from hlcore.figures.maps import colour_map, overlay, resize_map
from hlcore.storage.planes import write_hardness_png
from hlcore.types import HardnessMap, Image


def offer(picture: Picture, maps: Maps, look: Look, *, epoch: int) -> None:
    """Hardness and overlay as files, at the analysed size or the picture's own."""
    size = picture.size
    if picture.own_size != picture.size:
        sizes = (picture.size, picture.own_size)
        size = st.radio("Size", sizes, format_func=partial(_size_text, picture), key="download_size")
    hardness_map = maps.hardness_map if size == picture.size else np.clip(resize_map(maps.hardness_map, size), 0, 1)
    image = picture.sample.image if size == picture.size else picture.original
    stem = f"{Path(picture.sample.name).stem}-epoch{epoch}"
    for label, suffix, mime, content in (
        ("Hardness, 16-bit PNG", "hardness.png", "image/png", partial(hardness_png, hardness_map)),
        ("Hardness, NPY", "hardness.npy", "application/octet-stream", partial(hardness_npy, hardness_map)),
        ("Overlay, PNG", "overlay.png", "image/png", partial(overlay_png, image, hardness_map, look)),
    ):
        st.download_button(label, content, f"{stem}.{suffix}", mime, on_click="ignore", width="stretch")


def hardness_png(hardness_map: HardnessMap) -> bytes:
    """The map as 16-bit grey PNG, 0..65535 for 0..1."""
    file = io.BytesIO()
    write_hardness_png(file, hardness_map)
    return file.getvalue()


def hardness_npy(hardness_map: HardnessMap) -> bytes:
    """The map as NumPy file, float32."""
    file = io.BytesIO()
    np.save(file, hardness_map)
    return file.getvalue()


def overlay_png(image: Image, hardness_map: HardnessMap, look: Look) -> bytes:
    """The map over the image in the colours shown, as PNG."""
    colours = colour_map(hardness_map, scale=look.scale, low=0, high=1)
    where = None if look.above is None else hardness_map >= look.above
    file = io.BytesIO()
    PillowImage.fromarray(overlay(image, colours, opacity=look.opacity, where=where)).save(file, "PNG")
    return file.getvalue()


def _size_text(picture: Picture, size: tuple[int, int]) -> str:
    meaning = "as analysed" if size == picture.size else "the picture's own, interpolated"
    return f"{size[1]} x {size[0]} px, {meaning}"
