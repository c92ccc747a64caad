"""A run that `hlcore fit` wrote, on every page."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hlcore.config import FitConfig
from hlcore.fitting.run import fit
from tests.app.conftest import start_on

VIEWS = Path(__file__).parents[3] / "app" / "views"
PAGES = sorted(path.parent.name for path in VIEWS.glob("*/page.py"))


@pytest.fixture(scope="module")
def fitted(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run fitted to the network of `tiny`."""
    folder = tmp_path_factory.mktemp("fitted")
    shutil.copytree(runs / "tiny", folder / "source")
    path = folder / "source" / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["config"]["data"] |= {"scene_size": [64, 96], "train_scenes": 8, "val_scenes": 2}
    path.write_text(json.dumps(record), encoding="utf-8")
    config = FitConfig(name="fitted", out=folder / "runs", steps=6, batch_size=4, probe_images=2)
    *_, last = fit(str(folder / "source"), None, config)
    assert last.run.record.state == "complete"
    return folder / "runs"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_a_fitted_run(page: str, fitted: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.loading.runs.PROJECT", tmp_path)
    monkeypatch.setenv("HLCORE_RUNS", str(fitted))
    app = AppTest.from_file(str(VIEWS.parent / "main.py"), default_timeout=120)
    app.query_params["run"] = "fitted"
    start_on(app, f"views/{page}/page.py")
    app.run()
    assert not app.exception
    assert not app.error
    facts = " ".join(element.proto.body for element in app.get("html"))
    assert "<dd>fitted</dd>" in facts
    assert "<dd>source</dd>" in facts
    assert app.selectbox(key="run").options == ["fitted (fitted)"]


@pytest.mark.slow
def test_a_fitted_run_says_that_its_network_learned_nothing_here(fitted: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.loading.runs.PROJECT", tmp_path)
    monkeypatch.setenv("HLCORE_RUNS", str(fitted))
    app = AppTest.from_file(str(VIEWS.parent / "main.py"), default_timeout=120)
    for name, value in {"run": "fitted", "scope": "picture", "aspect": "learning"}.items():
        app.query_params[name] = value
    start_on(app, "views/stability/page.py")
    app.run()
    assert not app.exception
    assert "the network predicts the same at every epoch" in app.info[0].value
