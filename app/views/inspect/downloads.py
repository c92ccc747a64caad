"""Downloads of the hardness map."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from app import session
from app.components.words import say_plainly
from app.loading.pictures import Picture
from app.loading.predictions import load_maps
from hlcore.figures.maps import resize_map
from hlcore.figures.words import capitalise
from hlcore.storage.png import write_hardness_png
from hlcore.storage.runs import Run
from hlcore.types import HardnessMap


def draw_downloads(run: Run, picture: Picture, *, epoch: int) -> None:
    """Draw buttons to download the hardness map, at the analysed size or that of the original image."""
    size = picture.size
    if picture.own_size != picture.size:
        sizes = (picture.size, picture.own_size)
        size = st.radio("Size", sizes, format_func=partial(_format_size, picture), key="download_size")
    hardness_map = partial(_load_hardness_map, run, picture, epoch, size)
    score = run.record.imported and run.record.imported.score
    stem = f"{Path(picture.sample.name).stem}-epoch{epoch}.{(score.title if score else 'hardness').replace(' ', '-')}"
    range_of_png = "" if score is None else ", share of its range"
    for label, suffix, mime, content in (
        (f"Hardness, 16-bit PNG{range_of_png}", "png", "image/png", lambda: encode_hardness_png(hardness_map())),
        (
            "Hardness, NPY",
            "npy",
            "application/octet-stream",
            lambda: encode_hardness_npy(hardness_map() if score is None else score.restore(hardness_map())),
        ),
    ):
        st.download_button(say_plainly(label), content, f"{stem}.{suffix}", mime, on_click="ignore", width="stretch")
    st.caption(
        f"{capitalise(session.escape_sentence(run.name_epoch(epoch)))}. To save the view itself, use *Save PNG* above."
    )


def encode_hardness_png(hardness_map: HardnessMap) -> bytes:
    """The map as a 16-bit grey PNG, 0..65535 for 0..1."""
    file = io.BytesIO()
    write_hardness_png(file, hardness_map)
    return file.getvalue()


def encode_hardness_npy(hardness_map: HardnessMap) -> bytes:
    """The map as a NumPy file, float32."""
    file = io.BytesIO()
    np.save(file, hardness_map)
    return file.getvalue()


def _load_hardness_map(run: Run, picture: Picture, epoch: int, size: tuple[int, int]) -> HardnessMap:
    of_epoch = load_maps(run, epoch, picture).hardness_map
    return of_epoch if size == picture.size else np.clip(resize_map(of_epoch, size), 0, 1)


def _format_size(picture: Picture, size: tuple[int, int]) -> str:
    meaning = "as analysed" if size == picture.size else "original size, interpolated"
    return f"{size[1]} x {size[0]} px, {meaning}"
