"""What `hlcore analyze` has measured of a run: its analyses and their tables."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import streamlit as st

from app.loading.runs import modified_ns
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis, find_analyses, open_analysis
from hlcore.storage.runs import Run


def load_analyses(run: Run) -> dict[str, Analysis]:
    """What `hlcore analyze` has measured of a run, by name; one that is not complete has no tables and is left out.

    So is one that cannot be read, of which `unreadable_analyses` tells.
    """
    found = [one for one in _read_analyses(run) if isinstance(one, Analysis) and one.record.state == "complete"]
    return {analysis.name: analysis for analysis in found}


def list_unreadable_analyses(run: Run) -> list[str]:
    """A sentence for each analysis of a run that cannot be read, as one of another version."""
    return [str(one) for one in _read_analyses(run) if isinstance(one, CheckpointError)]


def load_table(analysis: Analysis, name: str) -> pd.DataFrame:
    """A table of an analysis.

    Raises:
        CheckpointError: it has no such table, or it cannot be read.
    """
    path = analysis.table_path(name)
    return _cached_table(analysis, name, path, modified_ns(path))


def group_analyses_by_data(runs: dict[str, Run]) -> dict[str, dict[str, Analysis]]:
    """The data sets some of the runs were scored on: a name of the data, to the run, to its analysis.

    Analyses are of the same data where data set, split, content and number of images agree. Of several of one run
    the one of the latest epoch counts.
    """
    found: dict[str, dict[str, Analysis]] = {}
    for name, run in runs.items():
        for analysis in load_analyses(run).values():
            record = analysis.record
            data = f"{record.dataset}-{record.split}-{record.images}-{record.data_fingerprint[:4]}"
            known = found.setdefault(data, {}) if analysis.table_path("segmentation").is_file() else {}
            if name not in known or known[name].record.epoch < record.epoch:
                known[name] = analysis
    return found


def _read_analyses(run: Run) -> Iterator[Analysis | CheckpointError]:
    """Every analysis of a run, or why it cannot be read."""
    for path in find_analyses(run.path):
        try:
            yield _cached_analysis(path, modified_ns(path / "analysis.json"))
        except CheckpointError as error:
            yield error


# An argument that a function below does not use is part of its cache's key; one with a leading underscore is not.


@st.cache_resource(max_entries=16, show_spinner=False)
def _cached_analysis(path: Path, modified: int) -> Analysis:
    return open_analysis(path)


@st.cache_data(max_entries=32, show_spinner=False)
def _cached_table(_analysis: Analysis, name: str, path: Path, modified: int) -> pd.DataFrame:
    return _analysis.table(name)
