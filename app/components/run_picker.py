"""Controls to select a run and an epoch, and the facts about a run."""

from html import escape
from math import isnan
from pathlib import Path

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.loading import runs as run_loading
from app.loading.analyses import list_unreadable_analyses
from app.loading.runs import load_epoch_table, load_run
from hlcore.errors import CheckpointError
from hlcore.storage.maps import Imported
from hlcore.storage.runs import Run

FIRST_RUN = "streets"
"""The run selected at first: its scenes are labelled, so every map can be shown."""


def draw_run_picker(folders: dict[str, Path]) -> None:
    """Draw the run picker."""
    names = list(folders)
    session.ensure_choice("run", names, default=FIRST_RUN if FIRST_RUN in names else names[0])
    st.selectbox(
        "Run",
        names,
        key="run",
        format_func=lambda name: format_run(name, folders[name]),
        persist_state="session",
        help="Fitted: only the hardness branch was learned, for a network that was trained before. Imported: maps of "
        "other code, without a network.",
    )


def format_run(name: str, folder: Path) -> str:
    """The name of a run on the page, which tells fitted runs and imported maps from trained ones."""
    try:
        objective = load_run(folder).record.objective
    except CheckpointError:
        return name  # opening it says what is wrong
    return f"{name} ({objective})" if objective in ("fitted", "imported") else name


def load_selected_run() -> Run:
    """The selected run.

    Raises:
        CheckpointError: its run.json cannot be read.
    """
    return load_run(run_loading.find_run_folders()[session.get_choice("run")])


def draw_run_facts(run: Run) -> None:
    """Draw the facts about a run, and a warning for each part of it that cannot be read."""
    rows = _list_facts(run) if run.record.imported is None else _list_imported_facts(run, run.record.imported)
    cells = "".join(f"<dt>{_format_fact(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    st.html(f'<dl class="facts">{cells}</dl>')
    for sentence in (*run_loading.list_faults(run), *list_unreadable_analyses(run)):
        st.warning(session.escape_sentence(sentence), icon=":material/error:")


def _list_imported_facts(run: Run, imported: Imported) -> dict[str, str]:
    facts = {f"Score {number}": score.describe() for number, score in enumerate(imported.scores, start=1)}
    if len(imported.scores) == 1:
        facts = {"Score": imported.score.describe()}
    beside = [name for name, has in (("labels", imported.has_labels), ("predictions", imported.has_predictions)) if has]
    facts["Images"] = f"{len(run.maps.images)}{' with ' if beside else ''}{' and '.join(beside)}"
    if len(imported.steps) > 1:
        facts["Steps"] = ", ".join(imported.steps)
    if imported.has_labels or imported.has_predictions:
        facts["Classes"] = str(len(run.record.class_names))
    return facts


def _list_facts(run: Run) -> dict[str, object]:
    config, table = run.record.config, load_epoch_table(run).dropna(subset="mean_iou")
    data = config.data.dataset
    if data == "streets":
        data = f"streets, {config.data.train_scenes} scenes"
    rows: dict[str, object] = {
        "Network": config.network.network,
        "Encoder": config.network.encoder.removeprefix("tu-"),
        "Parameters": f"{run.record.parameters / 1e6:.2f} M ({run.record.hardness_parameters:,} hardness)",
        "Data": data,
        "Loss": run.record.objective,
        "Epochs kept": f"{len(run.epochs)} of {config.optim.epochs + 1}",
        "State": run.record.state,
    }
    if run.record.fitted is not None:
        rows["Fitted to"] = Path(run.record.fitted.model).name
    if len(table):
        scored = table.dropna(subset="mean_iou")
        rows["mIoU, last"] = _format_score(table, len(table) - 1)
        rows["mIoU, best"] = _format_score(scored, int(scored["mean_iou"].argmax())) if len(scored) else "–"
    return rows


def _format_score(table: pd.DataFrame, row: int) -> str:
    """Mean IoU and epoch of a row; a dash if no labelled pixel was validated."""
    score, epoch = float(table["mean_iou"].iloc[row]), int(table["epoch"].iloc[row])
    return "–" if isnan(score) else f"{score:.3f} (epoch {epoch})"


def _format_fact(name: str) -> str:
    """The name of a fact as HTML, linked to its definition if it is a measure."""
    return definitions.link_html(name, "mIoU") if name.startswith("mIoU") else escape(name)


def ensure_epoch(name: str, run: Run, *, at: float = 1.0) -> int:
    """The epoch chosen under this name; by default that at share `at` of the kept epochs.

    Raises:
        CheckpointError: the run has no kept epoch yet.
    """
    epochs = list(run.epochs)
    if not epochs:
        raise CheckpointError(
            f"{run.path} has no checkpoint yet (the run is {run.record.state}); reload this page later"
        )
    return session.ensure_choice(name, epochs, default=epochs[round(at * (len(epochs) - 1))])


def select_epoch(run: Run) -> int:
    """The epoch selected on a slider over the kept epochs.

    Raises:
        CheckpointError: the run has no kept epoch yet.
    """
    chosen = ensure_epoch("epoch", run)
    if len(run.epochs) == 1:
        if run.record.imported is None:
            st.caption(f"Epoch {chosen} (the only one kept)")
        return chosen
    best, split = run.record.best_epoch, run.record.config.data.val_split
    imported = run.record.imported
    return st.select_slider(
        "Epoch" if imported is None else "Step",
        run.epochs,
        key="epoch",
        format_func=lambda epoch: (
            run.name_epoch(epoch)
            if imported is not None
            else f"{epoch} (best on {split})"
            if epoch == best
            else str(epoch)
        ),
        persist_state="session",
    )
