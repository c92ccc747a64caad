"""The analyses that `hlcore analyze` has written for a run, and their tables."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import streamlit as st

from app.loading.runs import get_modified_ns
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis, find_analyses, open_analysis
from hlcore.storage.runs import Run


def load_analyses(run: Run) -> dict[str, Analysis]:
    """The complete analyses of a run, by name; see `list_unreadable_analyses` for those that cannot be read."""
    found = [one for one in _read_analyses(run) if isinstance(one, Analysis) and one.record.state == "complete"]
    return {analysis.name: analysis for analysis in found}


def list_unreadable_analyses(run: Run) -> list[str]:
    """One error message for each analysis that cannot be used: another version, say, or a table without its columns."""
    return [str(one) for one in _read_analyses(run) if isinstance(one, CheckpointError)]


def load_table(analysis: Analysis, name: str) -> pd.DataFrame:
    """A table of an analysis.

    Raises:
        CheckpointError: the table is missing or cannot be read.
    """
    path = analysis.table_path(name)
    return _cached_table(analysis, name, path, get_modified_ns(path))


def group_analyses_by_data(runs: dict[str, Run]) -> dict[str, dict[str, Analysis]]:
    """Data set to run name to analysis, for every data set that at least one of the runs was scored on.

    Two analyses are of the same data if data set, split, fingerprint and number of images agree. If a run has several,
    that of the latest epoch is taken.
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
    """Each analysis of a run, or the error that reading it raised."""
    for path in find_analyses(run.path):
        try:
            files = (path / "analysis.json", *sorted(path.glob("*.parquet")))
            yield _cached_analysis(path, tuple(map(get_modified_ns, files)))
        except CheckpointError as error:
            yield error


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=16, show_spinner=False)
def _cached_analysis(path: Path, modified: tuple[int, ...]) -> Analysis:
    analysis = open_analysis(path)
    if analysis.record.state == "complete":
        analysis.check_tables()
    return analysis


@st.cache_data(max_entries=32, show_spinner=False)
def _cached_table(_analysis: Analysis, name: str, path: Path, modified: int) -> pd.DataFrame:
    return _analysis.table(name)
