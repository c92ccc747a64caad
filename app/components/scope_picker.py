"""The control that chooses what is measured: an analysed data set or one picture."""

import shlex
from pathlib import Path

import streamlit as st

from app import session
from app.loading.analyses import load_analyses
from hlcore.data.catalog import STREETS
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

PICTURE = "picture"
"""In links, the scope that is no data set."""


def select_scope(run: Run, *, picture: str = "This picture") -> Analysis | None:
    """What is measured on: one of the run's analyses of a data set, or None for the picture that is chosen below."""
    analyses = load_analyses(run)
    session.ensure_choice("scope", [PICTURE, *analyses], default=next(iter(analyses), PICTURE))
    if not analyses:
        st.caption(f"Measured on one picture. `{make_analyze_command(run)}` measures a whole data set.")
        return None
    st.segmented_control(
        "Measured on",
        [PICTURE, *analyses],
        format_func=lambda name: picture if name == PICTURE else format_scope(analyses[name]),
        key="scope",
        required=True,
        persist_state="session",
        help="A data set that `hlcore analyze` has measured, or one picture at once.",
    )
    return analyses.get(session.get_choice("scope"))


def make_analyze_command(run: Run) -> str:
    """What measures a data set with this run, to be typed where the app was started."""
    path = run.path.relative_to(Path.cwd()) if run.path.is_relative_to(Path.cwd()) else run.path
    data = run.record.config.data
    folder = [] if data.dataset == STREETS or data.root else [f"/path/to/{data.dataset}"]
    return shlex.join(["hlcore", "analyze", str(path), *folder])


def format_scope(analysis: Analysis) -> str:
    """What an analysis was made of, in few words."""
    record = analysis.record
    return f"{record.dataset} {record.split}, {record.images} images"
