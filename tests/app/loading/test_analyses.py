"""The analyses of a run that the pages offer."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.loading.analyses import load_analyses
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis


def test_an_analysis_is_offered_once_it_is_complete(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((runs / "tiny" / "run.json").read_bytes())
    make_analysis(tmp_path, "streets-test")
    make_analysis(tmp_path, "streets-val", state="running")
    assert list(load_analyses(open_run(tmp_path))) == ["streets-test"]


def test_an_unreadable_analysis_is_reported_and_the_others_are_offered(
    open_app: Callable[..., AppTest], runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "more" / "tiny"
    shutil.copytree(runs / "tiny", folder)
    make_analysis(folder, "streets-test")
    newer = make_analysis(folder, "streets-val").path / "analysis.json"
    newer.write_text(newer.read_text().replace('"format":1', '"format":2'))
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
    app = open_app()
    assert not app.exception
    assert not app.error
    (warning,) = app.sidebar.warning
    assert str(newer) in warning.value
    assert list(load_analyses(open_run(folder))) == ["streets-test"]
