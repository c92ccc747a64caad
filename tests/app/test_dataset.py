"""The Data set page: images in order, as pictures or as a table, each a click from Inspect."""

import shutil
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.analyses import make_analysis

PAGE = "views/dataset.py"
NAMES = [f"test-{index:04d}" for index in range(14)]
VALUES = np.linspace(0.1, 0.75, 14)
IMAGES = pd.DataFrame(
    {
        "image": NAMES,
        "width": 96,
        "height": 64,
        "hardness_mean": VALUES,
        "hardness_p95": VALUES,
        "loss_mean": VALUES[::-1],
        "error_share": VALUES,
        "entropy_mean": VALUES,
        "mean_iou": VALUES,
        "disagreement": VALUES,
    }
)
CLASSES = pd.DataFrame(
    {
        "image": ["test-0003", "test-0005"],
        "class_name": "Car",
        "pixels": 9,
        "hardness_mean": [0.2, 0.9],
        "loss_mean": [1.0, 2.0],
        "error_share": [0.1, 0.3],
    }
)


@pytest.fixture
def run(runs, monkeypatch, tmp_path):
    """A copy of the tiny run, for analyses of its own."""
    path = tmp_path / "more" / "tiny"
    shutil.copytree(runs / "tiny", path)
    monkeypatch.setattr("app.cache.run_folders", lambda: {"tiny": path})
    return path


@pytest.fixture
def analysis(run):
    analysis = make_analysis(run, images=14, tables={"images": IMAGES, "image_classes": CLASSES})
    for name in NAMES:
        for suffix in ("", ".hardness"):
            path = analysis.thumbnail_path(name + suffix)
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (12, 8)).save(path)
    return analysis


def links(app):
    return [link.label for link in app.get("page_link")]


def test_a_run_without_an_analysis_says_how_to_make_one(open_app, run):
    app = open_app(page=PAGE)
    assert not app.exception
    assert app.code[0].value == f"hlcore analyze {run}"


def test_the_hardest_images_come_first_in_pictures(open_app, analysis):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    assert links(app)[:2] == ["test-0013 · 0.750", "test-0012 · 0.700"]
    assert len(links(app)) == len(app.get("image")) == 12
    assert any("14 of the 14 images of streets test" in caption.value for caption in app.caption)
    assert any("mean hardness from 0.750 to 0.100" in caption.value for caption in app.caption)


def test_the_rest_is_on_the_next_page_and_the_page_in_the_link(open_app, analysis):
    app = open_app(page=PAGE)
    app.get("pagination")[0].set_value(2).run()
    assert links(app) == ["test-0001 · 0.150", "test-0000 · 0.100"]
    assert dict(app.query_params)["part"] == "2"
    assert links(app.run()) == ["test-0001 · 0.150", "test-0000 · 0.100"]


def test_a_click_leads_to_the_image_on_inspect(open_app, analysis):
    app = open_app(page=PAGE)
    query = parse_qs(app.get("page_link")[0].proto.query_string)
    assert {name: query[name] for name in ("run", "source", "data", "sample")} == {
        "run": ["tiny"],
        "source": ["data"],
        "data": ["streets-test"],
        "sample": ["test-0013"],
    }


def test_the_order_turns_and_the_measure_changes(open_app, analysis):
    app = open_app(page=PAGE, rank="loss", order="lowest")
    assert links(app)[0] == "test-0013 · 0.100 nats"


def test_a_class_is_ranked_in_its_own_pixels_and_only_where_it_is(open_app, analysis):
    app = open_app(page=PAGE, rank_class="Car", rank="error")
    assert links(app) == ["test-0005 · 30.0%", "test-0003 · 10.0%"]
    assert app.selectbox(key="rank").options == ["Mean hardness", "Mean loss", "Wrong pixels"]


def test_images_are_found_by_a_part_of_their_name(open_app, analysis):
    app = open_app(page=PAGE)
    app.text_input(key="find").set_value("0003").run()
    assert links(app) == ["test-0003 · 0.250"]
    app.text_input(key="find").set_value("nowhere").run()
    assert "No image of this data set fits" in app.info[0].value


def test_merged_classes_are_named(open_app, run):
    make_analysis(run, images=14, tables={"images": IMAGES}, merged={"Sky": "Sky"})
    app = open_app(page=PAGE)
    assert any("merged into the classes of streets" in caption.value for caption in app.caption)


def test_without_thumbnails_there_is_a_table(open_app, run):
    make_analysis(run, images=14, tables={"images": IMAGES})
    app = open_app(page=PAGE)
    assert not app.exception
    assert app.dataframe[0].value["image"].tolist()[:2] == ["test-0013", "test-0012"]
    assert not app.get("pagination")


def test_the_table_has_all_images_and_what_is_known_of_them(open_app, analysis):
    app = open_app(page=PAGE, form="table")
    assert app.dataframe[0].value["image"].tolist() == NAMES[::-1]
    assert "disagreement" in app.dataframe[0].value


def test_bad_choices_in_the_link_are_said_and_something_is_shown(open_app, analysis):
    app = open_app(page=PAGE, rank="beauty", rank_class="Dog", order="sideways", part="99", data="elsewhere")
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    assert all(text in said for text in ("'beauty'", "'Dog'", "'sideways'", "part must lie in 1..2", "'elsewhere'"))
    assert links(app)


def test_disagreement_is_not_known_by_class_and_the_link_says_so(open_app, analysis):
    app = open_app(page=PAGE, rank="disagreement", rank_class="Car")
    assert "there is no rank 'disagreement' here" in app.warning[0].value


def test_a_class_that_ends_a_ranking_says_so(open_app, analysis):
    app = open_app(page=PAGE, rank="disagreement")
    assert not any("whole images only" in caption.value for caption in app.caption)
    app.selectbox(key="rank_class").select("Car").run()
    sentence = "Disagreement is known of whole images only: ranked by mean hardness of Car instead."
    assert any(sentence in caption.value for caption in app.caption)
