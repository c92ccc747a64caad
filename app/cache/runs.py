"""Caches of the Runs page: steps of training, and the scores of several runs on one data set."""

from pathlib import Path

import pandas as pd
import streamlit as st

from app import cache
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def readable(names: list[str]) -> tuple[dict[str, Run], list[str]]:
    """The runs of these names, and a sentence for each that cannot be read."""
    folders, runs, sentences = cache.run_folders(), {}, []
    for name in names:
        try:
            runs[name] = cache.run(folders[name])
        except CheckpointError as error:
            sentences.append(str(error))
    return runs, sentences


def steps(run: Run) -> pd.DataFrame:
    """Run.steps, read anew when metrics.jsonl changes.

    Raises:
        CheckpointError: a line of it cannot be read.
    """
    path = run.path / "metrics.jsonl"
    return _steps(run, path, path.stat().st_mtime_ns if path.is_file() else 0)


def scored(runs: dict[str, Run]) -> dict[str, dict[str, Analysis]]:
    """The data sets some of the runs were scored on: a name of the data, to the run, to its analysis.

    Analyses are of the same data where data set, split, content and number of images agree. Of several of one run
    the one of the latest epoch counts.
    """
    found: dict[str, dict[str, Analysis]] = {}
    for name, run in runs.items():
        for analysis in cache.analyses(run).values():
            record = analysis.record
            data = f"{record.dataset}-{record.split}-{record.images}-{record.data_fingerprint[:4]}"
            known = found.setdefault(data, {}) if analysis.table_path("segmentation").is_file() else {}
            if name not in known or known[name].record.epoch < record.epoch:
                known[name] = analysis
    return found


@st.cache_data(max_entries=16, show_spinner=False)
def _steps(_run: Run, path: Path, modified: int) -> pd.DataFrame:
    return _run.step_table()
