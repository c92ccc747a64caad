"""The gallery of examples on the first screen, and what a network says of an image it does not know."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.components import reach
from app.components.examples import EXAMPLES
from app.loading.pictures import read_sample
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis, make_image_table
from tests.app.conftest import start_on
from tests.app.shown import titles

PROJECT = Path(__file__).parents[3]


def open_inspect(monkeypatch, **link: str) -> AppTest:
    monkeypatch.setenv("HLCORE_RUNS", "")
    app = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    start_on(app, "views/inspect/page.py")
    return app.run()


def find_gallery(app: AppTest):
    (gallery,) = [one for one in app.expander if one.label.startswith("Examples")]
    return gallery


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_can_be_read_and_has_its_thumbnail(example):
    run = open_run(PROJECT / "checkpoints" / example.run)
    assert read_sample(run, example.source, example.sample).image.ndim == 3
    with Image.open(example.path) as thumbnail:
        assert thumbnail.width > 2 * thumbnail.height
        hardness = np.asarray(thumbnail.convert("L"))[:, thumbnail.width // 2 :]
    assert hardness.std() > 2, "the map shows something"


def test_the_first_screen_shows_the_gallery_and_one_click_shows_an_example(monkeypatch, scenes):
    app = open_inspect(monkeypatch)
    assert not app.exception
    assert find_gallery(app).proto.expanded
    app.button(key="example_camvid-cat").click().run()
    assert not app.exception
    assert app.query_params["run"] in ("camvid", ["camvid"])
    assert app.query_params["sample"] in ("cat", ["cat"])
    assert titles(scenes(app)[0])[:2] == ["Image", "Hardness"]
    assert "knows 11 classes: Sky, Building" in " ".join(text.value for text in app.caption)
    assert "is probably unlike what the network was trained on" in app.info[0].value


def test_a_link_that_says_what_to_show_keeps_the_gallery_closed(monkeypatch):
    app = open_inspect(monkeypatch, run="streets", sample="test-0003")
    assert not app.exception
    assert not find_gallery(app).proto.expanded


def test_your_photo_is_looked_at_by_the_run_that_was_trained_on_photographs(monkeypatch):
    app = open_inspect(monkeypatch)
    app.button(key="example_upload").click().run()
    assert not app.exception
    assert app.session_state["run"] == "camvid"
    assert app.session_state["source"] == "upload"


def test_without_the_bundled_runs_there_is_no_gallery(open_app):
    app = open_app(page="views/inspect/page.py")
    assert not app.exception
    assert not [one for one in app.expander if one.label.startswith("Examples")]


@pytest.mark.parametrize(("entropy", "said"), [(0.31, "is **0.31 nats**, above that of all 2 images"), (0.3, "")])
def test_an_image_is_unlike_the_known_ones_if_its_entropy_is_above_all_of_theirs(runs, tmp_path, entropy, said):
    import shutil

    folder = tmp_path / "tiny"
    shutil.copytree(runs / "tiny", folder)
    run = open_run(folder)
    assert reach.compare_with_known(run, 9.0) == "", "nothing is known without an analysis"
    images = make_image_table(["a", "b"]).assign(entropy_mean=[0.1, 0.3], disagreement=0.5)
    make_analysis(folder, tables={"images": images})
    sentence = reach.compare_with_known(run, entropy)
    assert said in sentence
    assert bool(said) == bool(sentence)
