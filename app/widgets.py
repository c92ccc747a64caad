"""The controls and texts that several pages share."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from app import cache, definitions, state
from app.samples import Picture
from hlcore.data.catalog import STREETS
from hlcore.errors import CheckpointError, HlcoreError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

ABOUT = (
    "**Hardness** is how hard the network expects each pixel to be, learned from the loss during training and read "
    "from the image alone. Bright means hard: edges, thin and small things, unusual sights; it needs no label."
)
FIRST_RUN = "streets"
"""The bundled run that knows the labels of its scenes, so that every map has something to show."""
MOST_COMPLAINTS = 6
"""Of so many faults of a link each is told; of more, how many."""
TABLE_PX = 420
PICTURE = "picture"
"""In links, the scope that is no data set."""


def style() -> None:
    """The page's own few rules, and what keeps its history to one entry a step."""
    st.html(Path(__file__).with_name("style.css"))
    script = Path(__file__).with_name("history.js").read_text(encoding="utf-8")
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def not_followed(complaints: Sequence[str]) -> str:
    """What a link asked for in vain, in one text: the first few, and how many there are beside them."""
    first, more = complaints[:MOST_COMPLAINTS], len(complaints) - MOST_COMPLAINTS
    if len(first) == 1:
        return f"The link could not be followed in all: {first[0]}."
    lines = [f"- {sentence}" for sentence in [*first, *([f"and {more} more"] if more > 0 else [])]]
    return "\n".join(["The link could not be followed in all:", "", *lines])


def about() -> None:
    """What hardness is, in two sentences."""
    st.caption(f"{ABOUT} [About the method]({definitions.method()})")


def choose_run(folders: dict[str, Path]) -> None:
    """The run picker."""
    names = list(folders)
    state.choice("run", names, default=FIRST_RUN if FIRST_RUN in names else names[0])
    st.selectbox("Run", names, key="run", persist_state="session")


def chosen_run() -> Run:
    """The run that was picked.

    Raises:
        CheckpointError: its run.json cannot be read.
    """
    return cache.run(cache.run_folders()[state.chosen("run")])


def facts(run: Run) -> None:
    """What the run is, as a small table, and which of its analyses cannot be read."""
    config, table = run.record.config, cache.epoch_table(run)
    data = config.data.dataset
    if data == "streets":
        data = f"streets, {config.data.train_scenes} scenes"
    rows = {
        "Network": config.network.network,
        "Encoder": config.network.encoder.removeprefix("tu-"),
        "Parameters": f"{run.record.parameters / 1e6:.2f} M ({run.record.hardness_parameters / 1e6:.2f} M hardness)",
        "Data": data,
        "Loss": config.loss.name,
        "Epochs kept": f"{len(run.epochs)} of {config.optim.epochs + 1}",
        "State": run.record.state,
    }
    if "mean_iou" in table and len(table):
        best = table.loc[table["mean_iou"].idxmax()]
        rows["mIoU, last"] = f"{table['mean_iou'].iloc[-1]:.3f} (epoch {table['epoch'].iloc[-1]})"
        rows["mIoU, best"] = f"{best['mean_iou']:.3f} (epoch {best['epoch']:.0f})"
    cells = "".join(f"<dt>{_fact(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    st.html(f'<dl class="facts">{cells}</dl>')
    for sentence in cache.unreadable_analyses(run):
        st.warning(sentence, icon=":material/error:")


def _fact(name: str) -> str:
    """The name of a fact, which leads to its definition where it is a measured one."""
    return definitions.linked_html(name, "mIoU") if name.startswith("mIoU") else escape(name)


def choose_scope(run: Run, *, picture: str = "This picture") -> Analysis | None:
    """What is measured on: one of the run's analyses of a data set, or None for the picture that is chosen below."""
    analyses = cache.analyses(run)
    state.choice("scope", [PICTURE, *analyses], default=next(iter(analyses), PICTURE))
    if not analyses:
        st.caption(f"Measured on one picture. `{analyze_command(run)}` measures a whole data set.")
        return None
    st.segmented_control(
        "Measured on",
        [PICTURE, *analyses],
        format_func=lambda name: picture if name == PICTURE else scope_title(analyses[name]),
        key="scope",
        required=True,
        persist_state="session",
        help="A data set that `hlcore analyze` has measured, or one picture at once.",
    )
    return analyses.get(state.chosen("scope"))


def analyze_command(run: Run) -> str:
    """What measures a data set with this run, to be typed where the app was started."""
    path = run.path.relative_to(Path.cwd()) if run.path.is_relative_to(Path.cwd()) else run.path
    data = run.record.config.data
    folder = [] if data.dataset == STREETS or data.root else [f"/path/to/{data.dataset}"]
    return shlex.join(["hlcore", "analyze", str(path), *folder])


def scope_title(analysis: Analysis) -> str:
    """What an analysis was made of, in few words."""
    record = analysis.record
    return f"{record.dataset} {record.split}, {record.images} images"


@contextmanager
def or_said(what: str) -> Iterator[None]:
    """Where what is drawn inside cannot be, a sentence says so, and the rest of the page stays."""
    try:
        yield
    except HlcoreError as error:
        st.info(f"{what} cannot be shown: {error}")


def choose_page(name: str, rows: pd.DataFrame, *, size: int, identity: str, first: int = 0) -> pd.DataFrame:
    """One page of so many rows: that of row `first` where they are others, or in another order, than before."""
    state.belongs([name], identity)
    pages = max(1, ceil(len(rows) / size))
    page = state.number(name, 1, pages, default=first // size + 1)
    if pages > 1:
        page = state.keep(name, st.pagination(pages, default=page))
    return rows.iloc[(page - 1) * size : page * size]


def choose_row(table: pd.DataFrame, first: int, *, columns: dict[str, Any], key: str) -> int:
    """The number of the row of the cell selected in a table of these columns; `first` until one is."""
    shown = st.dataframe(
        table,
        hide_index=True,
        height=TABLE_PX,
        column_order=list(columns),
        column_config=columns,
        on_select="rerun",
        selection_mode="single-cell",
        selection_default={"selection": {"cells": [(first, next(iter(columns)))]}},
        key=key,
    )
    rows = [row for row, _ in shown["selection"]["cells"] if row < len(table)]
    return rows[0] if rows else first


def chosen_epoch(name: str, run: Run, *, at: float = 1.0) -> int:
    """The epoch of this name among the kept ones; unless chosen, `at` a share of the way from the first to the last.

    Raises:
        CheckpointError: the run has kept none yet.
    """
    epochs = list(run.epochs)
    if not epochs:
        raise CheckpointError(
            f"{run.path} holds no checkpoint yet; it is {run.record.state}, so reload this page later"
        )
    return state.choice(name, epochs, default=epochs[round(at * (len(epochs) - 1))])


def choose_epoch(run: Run) -> int:
    """A slider over the kept epochs, for what is measured at one of them.

    Raises:
        CheckpointError: the run has kept none yet.
    """
    chosen = chosen_epoch("epoch", run)
    if len(run.epochs) == 1:
        st.caption(f"Epoch {chosen}, the only one kept")
        return chosen
    return st.select_slider("Epoch", run.epochs, key="epoch", persist_state="session")


def notes(picture: Picture) -> None:
    """Says so where the picture was scaled down."""
    (height, width), (own_height, own_width) = picture.size, picture.own_size
    if picture.size != picture.own_size:
        st.caption(f"Analysed at {width} x {height} px; the picture itself has {own_width} x {own_height} px.")
