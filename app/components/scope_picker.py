"""Control to select what is measured: an analysed data set or one image."""

import shlex
from pathlib import Path

import streamlit as st

from app import session
from app.loading.analyses import load_analyses
from hlcore.data.catalog import STREETS
from hlcore.storage.analyses import Analysis
from hlcore.storage.maps import Imported
from hlcore.storage.runs import Run

PICTURE = "picture"
"""The scope, in links, of a single image."""


def select_scope(run: Run, *, table: str, picture: str = "This image") -> Analysis | None:
    """The selected analysis among those that have a table, or None for the image selected on the page."""
    if run.record.imported is not None:
        draw_ranges(run.record.imported)
    found = load_analyses(run)
    analyses = {name: analysis for name, analysis in found.items() if analysis.table_path(table).is_file()}
    session.ensure_choice("scope", [PICTURE, *analyses], default=next(iter(analyses), PICTURE))
    if lacking := [format_scope(analysis) for name, analysis in found.items() if name not in analyses]:
        st.caption(f"Not shown, because they lack the table '{table}': {session.escape_markdown('; '.join(lacking))}.")
    if not analyses and run.record.imported is not None and not run.record.imported.has_labels:
        st.caption("Measured on one image. These maps came without labels, so they cannot be measured together.")
        return None
    if not analyses:
        st.caption(f"Measured on one image. To measure a whole data set, run `{make_analyze_command(run)}`.")
        return None
    st.segmented_control(
        "Measured on",
        [PICTURE, *analyses],
        format_func=lambda name: picture if name == PICTURE else format_scope(analyses[name]),
        key="scope",
        required=True,
        persist_state="session",
        help="A data set measured with `hlcore analyze`, or a single image.",
    )
    return analyses.get(session.get_choice("scope"))


def draw_ranges(imported: Imported) -> None:
    """Draw what 0 and 1 stand for in charts, for scores with another range."""
    ranges = [
        " ".join([session.escape_markdown(score.name), f"{score.low:.4g} to {score.high:.4g}", score.unit]).strip()
        for score in imported.scores
        if (score.low, score.high) != (0, 1)
    ]
    if ranges:
        st.caption(f"Charts and tables show scores as shares of their range, where 0 to 1 is {', '.join(ranges)}.")


def make_analyze_command(run: Run) -> str:
    """The command that measures a data set with this run, for the folder in which the app was started."""
    path = run.path.relative_to(Path.cwd()) if run.path.is_relative_to(Path.cwd()) else run.path
    data = run.record.config.data
    folder = (
        [] if run.record.imported is not None or data.dataset == STREETS or data.root else [f"/path/to/{data.dataset}"]
    )
    return shlex.join(["hlcore", "analyze", str(path), *folder])


def format_measured(analysis: Analysis) -> str:
    """The epoch, or the step of imported maps, and the data of an analysis, to begin a sentence."""
    record = analysis.record
    step = f"Epoch {record.epoch}" if record.imported is None else record.imported.steps[record.epoch - 1]
    on = format_scope(analysis)
    return f"{session.escape_markdown(step)} on {on}" if step else on


def format_scope(analysis: Analysis) -> str:
    """Data set, split and number of images of an analysis."""
    record = analysis.record
    if record.imported is not None:
        return f"{record.images} imported images"
    return f"{record.dataset} {record.split}, {record.images} images"
