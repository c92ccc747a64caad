"""The pinned pixel over the epochs."""

import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.epoch_planes import list_ready_epochs
from app.components.words import draw_figure, say
from app.loading.pictures import Picture
from app.loading.predictions import load_pixel
from hlcore.figures.pixels import make_pixel_history_figure
from hlcore.figures.words import keep_word
from hlcore.storage.runs import Run

HEIGHT_PX = 230


def draw_pixel_history(run: Run, picture: Picture) -> None:
    """Draw the values of the pinned pixel over the epochs; nothing if no pixel is pinned."""
    place = session.ensure_pinned_pixel(*reversed(picture.size))
    if place is None:
        return
    table = collect_pixel_history(run, picture, *place)
    st.markdown(summarise_pixel(run, picture, table, *place))
    if len(table) > 1:
        draw_figure(make_pixel_history_figure(table), key="pixel_history", height=HEIGHT_PX)


def collect_pixel_history(run: Run, picture: Picture, x: int, y: int) -> pd.DataFrame:
    """One row per ready epoch: epoch, hardness, predicted class, probability, error and, with labels, loss."""
    rows = [{"epoch": epoch, **load_pixel(run, epoch, picture, x, y)} for epoch in list_ready_epochs(run, picture)]
    table = pd.DataFrame(rows)
    names, label_map = run.record.class_names, picture.sample.label_map
    label = None if label_map is None else label_map[y, x]
    if "predicted" not in table:
        return table.assign(error=False, class_name="")
    wrong = table["predicted"] != label if label is not None and label < len(names) else False
    return table.assign(error=wrong, class_name=[names[index] for index in table["predicted"]])


def summarise_pixel(run: Run, picture: Picture, table: pd.DataFrame, x: int, y: int) -> str:
    """The pinned pixel, and how its values changed from the first to the last of these epochs."""
    names = [session.escape_markdown(name) for name in run.record.class_names]
    label_map = picture.sample.label_map
    texts = [f"Pixel **x {x} px, y {y} px**"]
    if label_map is not None:
        label = label_map[y, x]
        texts.append(f"labelled **{names[label]}**" if label < len(names) else "not labelled")
    first, last = table.iloc[0], table.iloc[-1]
    start, end = (
        keep_word(session.escape_sentence(run.name_epoch(int(row["epoch"]), short=True))) for row in (first, last)
    )
    since = f"from {start} to {end}" if len(table) > 1 else f"at {end}"
    if run.record.imported is None:
        since = since.replace(" ", " epoch ", 1)
    texts.append(f"{since} {definitions.link_text('hardness')} {_format_change(list(table['hardness']), 3)}")
    losses = list(table["loss"]) if "loss" in table else []
    if any(np.isfinite(losses)):
        texts.append(f"{definitions.link_text('loss')} {_format_change(losses, 2)} nats")
    if last["class_name"]:
        texts.append(f"predicted **{names[last['predicted']]}**")
    if "probability" in table:
        texts[-1] += f" ({definitions.link_text('probability')} {last['probability']:.3f})"
    return say(" · ".join(texts))


def _format_change(values: list[float], digits: int) -> str:
    last = f"**{values[-1]:.{digits}f}**"
    return last if len(values) == 1 else f"{values[0]:.{digits}f} → {last}"
