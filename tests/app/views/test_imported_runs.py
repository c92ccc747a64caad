"""A run of imported maps on every page: the words of its score, and a sentence where something is missing."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.loading.pictures import IMPORTED, make_picture, read_sample
from app.loading.predictions import load_maps
from hlcore.config import AnalyzeConfig, ImportConfig
from hlcore.importing.maps import import_folder
from hlcore.measuring.loop import analyze
from hlcore.storage.runs import Run, open_run
from tests.app.conftest import start_on
from tests.app.shown import names, titles
from tests.hlcore.importing.conftest import write_folder
from tests.hlcore.importing.test_import import write_steps

VIEWS = Path(__file__).parents[3] / "app" / "views"
PAGES = ("inspect", "epochs", "edges", "objects", "errors", "stability", "dataset", "labels", "memorise", "runs")
NEEDS = {
    "whole": {"epochs": "compares steps", "stability": "compares steps"},
    "steps": {"errors": "predictions"},
    "bare": {
        "epochs": "compares steps",
        "stability": "compares steps",
        "objects": "labels or predictions",
        "errors": "predictions",
        "dataset": "labels",
    },
}
"""Run to page to what the page says that it needs; Labels and Memorise need a network in any case."""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: with everything, with steps but without predictions, and with nothing but maps."""
    root = tmp_path_factory.mktemp("imported")
    for name in NEEDS:
        folder = write_folder(root / name)
        if name == "steps":
            write_steps(folder)
        for part in {"whole": (), "steps": ("predictions",), "bare": ("predictions", "labels")}[name]:
            shutil.rmtree(folder / part)
        low = ["trust"] if name == "whole" else []
        score = "score" if name == "steps" else "doubt"
        settings = {"out": root / "runs", "low_is_hard": low, "units": [f"{score}=bits"]}
        *_, run = import_folder(folder, ImportConfig.model_validate(settings)).progress
        assert isinstance(run, Run)
        if name != "bare":
            list(analyze(run, None, AnalyzeConfig(epochs="all" if name == "steps" else None)))
    return root / "runs"


@pytest.fixture
def open_imported(imported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def opened(page: str, **link: str) -> AppTest:
        monkeypatch.setattr("app.loading.runs.PROJECT", tmp_path)
        monkeypatch.setenv("HLCORE_RUNS", str(imported))
        app = AppTest.from_file(str(VIEWS.parent / "main.py"), default_timeout=120)
        for name, value in link.items():
            app.query_params[name] = value
        start_on(app, f"views/{page}/page.py")
        return app.run()

    return opened


def read_texts(app: AppTest) -> list[str]:
    """What the page says, without its side bar and the addresses of links."""
    elements = [*app.main.markdown, *app.main.caption, *app.main.metric, *app.main.info]
    texts = [getattr(one, "label", None) or one.value for one in elements]
    texts += [text for one in app.main.get("plotly_chart") for text in find_chart_texts(json.loads(one.proto.spec))]
    texts += [label for one in (*app.main.selectbox, *app.main.button_group) for label in (one.label, *one.options)]
    return [re.sub(r"\]\([^)]*\)", "]", str(text)) for text in texts]


def find_chart_texts(part: Any, *, shown: bool = False) -> list[str]:
    """The titles, names and labels in a chart."""
    if isinstance(part, dict):
        return [text for key, one in part.items() for text in find_chart_texts(one, shown=key in ("text", "name"))]
    if isinstance(part, list):
        return [text for one in part for text in find_chart_texts(one, shown=shown)]
    return [part] if shown and isinstance(part, str) else []


@pytest.mark.slow
@pytest.mark.parametrize("run", NEEDS)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_speaks_of_the_score_or_says_what_it_needs(page: str, run: str, open_imported) -> None:
    app = open_imported(page, run=run)
    assert not app.exception
    assert not app.error
    needed = "a network" if page in ("labels", "memorise") else NEEDS[run].get(page)
    sentences = [info.value for info in app.main.info if info.value.startswith("This page ")]
    assert len(sentences) == bool(needed)
    assert not needed or needed in sentences[0]
    if page not in ("labels", "memorise", "runs"):
        texts = [text for text in read_texts(app) if not re.search("Examples|without a network|^This page", text)]
        assert not [text for text in texts if re.search("ardness|poch|etwork|napshot", text)]
    assert set(app.selectbox(key="run").options) == {f"{name} (imported)" for name in NEEDS}
    assert not [warning.value for warning in app.sidebar.warning]


def test_the_viewer_shows_all_scores_in_their_units(open_imported, scenes) -> None:
    (scene,) = scenes(open_imported("inspect", run="whole"))
    assert titles(scene) == ["Image", "Doubt", "Reversed trust", "Labels"]
    assert "Loss" not in names(scene)
    assert "Entropy" not in names(scene)
    doubt, trust = (next(one for one in scene["layers"] if one["name"] == name) for name in ("Doubt", "Reversed trust"))
    assert doubt["unit"] == " bits"
    assert doubt["low"] == 0
    assert 2.4 < doubt["high"] <= 2.5
    assert (trust["low"], trust["high"], trust["unit"]) == (0, 1, "")


def test_the_steps_of_the_slider_have_their_names(open_imported, scenes) -> None:
    scene = scenes(open_imported("inspect", run="steps"))[0]
    assert [step["title"] for step in scene["steps"]] == ["pass_1", "pass_2", "pass_10"]
    assert titles(scene) == ["Image", "Score", "Labels"]
    assert "Errors" not in names(scene)


def test_an_image_is_scaled_down_with_its_maps(imported: Path) -> None:
    run = open_run(imported / "whole")
    whole, small = (make_picture(read_sample(run, IMPORTED, "one"), side) for side in (64, 32))
    maps, scaled = load_maps(run, 1, whole), load_maps(run, 1, small)
    assert scaled.hardness_map.shape == scaled.prediction.shape == (24, 32)
    assert np.array_equal(scaled.prediction, maps.prediction[1::2, 1::2])
    assert scaled.scores["reversed trust"].mean() == pytest.approx(maps.scores["reversed trust"].mean(), abs=0.02)
    assert scaled.error is not None
    assert maps.error is not None
    assert scaled.error.mean() == pytest.approx(maps.error.mean(), abs=0.02)


def test_errors_compares_the_imported_scores(open_imported) -> None:
    app = open_imported("errors", run="whole", scope="imported", score="imported: reversed trust")
    assert not app.exception
    assert app.selectbox(key="score").options == ["doubt", "distance to the predicted edge", "reversed trust"]
    said = " ".join(one.value for one in app.main.markdown)
    assert "doubt (AUROC 1.000) **beats** distance to the predicted edge, reversed trust" in said
    assert app.dataframe[0].value.index.tolist() == ["doubt", "distance to the predicted edge", "reversed trust"]


def test_charts_say_what_their_shares_stand_for(open_imported) -> None:
    captions = " ".join(one.value for one in open_imported("edges", run="whole", scope="imported").main.caption)
    assert "Charts and tables show scores as shares of their range, where 0 to 1 is doubt 0 to 2.5 bits." in captions


def test_the_facts_name_scores_with_range_and_direction(open_imported) -> None:
    app = open_imported("inspect", run="whole")
    facts = " ".join(element.proto.body for element in app.sidebar.get("html"))
    assert "low is hard" in facts
    assert "3 with labels and predictions" in facts
