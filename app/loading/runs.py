"""Runs and their metrics tables, reread when a file changes."""

import os
from pathlib import Path

import pandas as pd
import streamlit as st

from hlcore.errors import CheckpointError
from hlcore.storage.probes import Probe
from hlcore.storage.runs import Run, find_runs, open_run

PROJECT = Path(__file__).parents[2]


def find_run_folders() -> dict[str, Path]:
    """Display name to run folder, for checkpoints/, runs/ and the folders in $HLCORE_RUNS."""
    further = [Path(folder) for folder in os.environ.get("HLCORE_RUNS", "").split(os.pathsep) if folder]
    folders: dict[str, Path] = {}
    for path in find_runs(PROJECT / "checkpoints", PROJECT / "runs", *further):
        folders[path.name if path.name not in folders else f"{path.name} in {path.parent}"] = path
    return folders


def load_run(path: Path) -> Run:
    """The run of a folder, reread when run.json changes.

    Raises:
        CheckpointError: its run.json cannot be read.
    """
    return _cached_run(path, get_modified_ns(path / "run.json"))


def load_epoch_table(run: Run) -> pd.DataFrame:
    """`Run.epoch_table`, reread when metrics.jsonl changes."""
    return _cached_epoch_table(run, str(run.path), get_modified_ns(run.path / "metrics.jsonl"))


def load_probe(run: Run) -> Probe | None:
    """The followed images of a run; None without any, or if `list_faults` says that they cannot be read."""
    try:
        return run.probe
    except CheckpointError:
        return None


def list_faults(run: Run) -> list[str]:
    """`Run.list_faults`, reread when a file of the run changes."""
    watched = (run.path / "metrics.jsonl", run.probe_path / "manifest.json", run.checkpoint_path(0).parent)
    return _cached_faults(run, str(run.path), tuple(map(get_modified_ns, watched)))


def get_modified_ns(path: Path) -> int:
    """Modification time of a file in ns; 0 if it does not exist, which reading it will then report."""
    return path.stat().st_mtime_ns if path.exists() else 0


def load_runs(names: list[str]) -> tuple[dict[str, Run], list[str]]:
    """Name to run, and one error message for each run that cannot be read."""
    folders, runs, sentences = find_run_folders(), {}, []
    for name in names:
        try:
            runs[name] = load_run(folders[name])
        except CheckpointError as error:
            sentences.append(str(error))
    return runs, sentences


def load_steps(run: Run) -> pd.DataFrame:
    """`Run.step_table`, reread when metrics.jsonl changes."""
    path = run.path / "metrics.jsonl"
    return _cached_steps(run, path, get_modified_ns(path))


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=16, show_spinner=False)
def _cached_run(path: Path, modified: int) -> Run:
    return open_run(path)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_epoch_table(_run: Run, path: str, modified: int) -> pd.DataFrame:
    return _run.epoch_table()


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_steps(_run: Run, path: Path, modified: int) -> pd.DataFrame:
    return _run.step_table()


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_faults(_run: Run, path: str, modified: tuple[int, ...]) -> list[str]:
    return _run.list_faults()
