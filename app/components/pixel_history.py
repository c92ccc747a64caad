"""The pinned pixel over the epochs that have looked at the picture."""

import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.components import definitions, epoch_planes
from app.loading import predictions as prediction_loading
from app.loading.pictures import Picture
from hlcore.figures.pixels import pixel_history_figure
from hlcore.storage.runs import Run

HEIGHT_PX = 230


def show(run: Run, picture: Picture) -> None:
    """What every epoch says of the pinned pixel, in a sentence and as curves; nothing where none is pinned."""
    place = session.point(*reversed(picture.size))
    if place is None:
        return
    table = history(run, picture, *place)
    st.markdown(sentence(run, picture, table, *place))
    if len(table) > 1:
        st.plotly_chart(pixel_history_figure(table), key="pixel_history", height=HEIGHT_PX)


def history(run: Run, picture: Picture, x: int, y: int) -> pd.DataFrame:
    """A row an epoch that has looked at the picture: epoch, hardness, predicted class, probability, error; loss."""
    rows = [
        {"epoch": epoch, **prediction_loading.pixel(run, epoch, picture, x, y)}
        for epoch in epoch_planes.known(run, picture)
    ]
    table = pd.DataFrame(rows)
    names, label_map = run.record.class_names, picture.sample.label_map
    label = None if label_map is None else label_map[y, x]
    wrong = table["predicted"] != label if label is not None and label < len(names) else False
    return table.assign(error=wrong, class_name=[names[index] for index in table["predicted"]])


def sentence(run: Run, picture: Picture, table: pd.DataFrame, x: int, y: int) -> str:
    """What is pinned, and how it changed from the first to the last of these epochs."""
    names = [session.literal(name) for name in run.record.class_names]
    label_map = picture.sample.label_map
    texts = [f"Pixel **x {x} px, y {y} px**"]
    if label_map is not None:
        label = label_map[y, x]
        texts.append(f"labelled **{names[label]}**" if label < len(names) else "not labelled")
    first, last = table.iloc[0], table.iloc[-1]
    since = f"from epoch {first['epoch']} to {last['epoch']}" if len(table) > 1 else f"at epoch {last['epoch']}"
    texts.append(f"{since} {definitions.linked('hardness')} {_span(list(table['hardness']), 3)}")
    losses = list(table["loss"]) if "loss" in table else []
    if any(np.isfinite(losses)):
        texts.append(f"{definitions.linked('loss')} {_span(losses, 2)} nats")
    texts.append(
        f"predicted **{names[last['predicted']]}** ({definitions.linked('probability')} {last['probability']:.3f})"
    )
    return " · ".join(texts)


def _span(values: list[float], digits: int) -> str:
    last = f"**{values[-1]:.{digits}f}**"
    return last if len(values) == 1 else f"{values[0]:.{digits}f} → {last}"
