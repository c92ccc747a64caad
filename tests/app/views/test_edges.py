"""The Edges page: profiles by distance for a data set or a single image."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from hlcore.analysis import edges
from hlcore.analysis.statistics import ImageSums
from hlcore.data.labels import CAMVID
from hlcore.data.streets import Streets
from hlcore.types import PredictionRecord
from tests.analyses import make_analysis
from tests.app.shown import coloured, digest, layer, titles

PAGE = "views/edges/page.py"


def measured_tables(class_names=CAMVID.names):
    """Tables of two scenes whose left half is hard."""
    sums = ImageSums(20)
    for scene in Streets("test", count=2, size=(64, 96)):
        hardness_map = np.repeat(np.linspace(0.9, 0.1, 96, dtype=np.float32)[None], 64, axis=0)
        probabilities = np.full((len(class_names), 64, 96), 1 / len(class_names), np.float32)
        prediction = np.roll(np.where(scene.label_map == 255, 0, scene.label_map), 2, axis=1).astype(np.uint8)
        record = PredictionRecord(
            scene.name, scene.image, prediction, hardness_map, probabilities, class_names, scene.label_map
        )
        sums.add(scene.name, edges.count(record))
    return edges.make_tables(sums, class_names)


@pytest.fixture
def open_analysed(open_app, runs, monkeypatch, tmp_path):
    """Open the Edges page with a copy of the tiny run that was analysed."""

    def opened(tables=None, *, record=None, **link):
        folder = tmp_path / "more" / "tiny"
        shutil.copytree(runs / "tiny", folder)
        make_analysis(folder, tables=measured_tables() if tables is None else tables, **(record or {}))
        monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
        return open_app(page=PAGE, **link)

    return opened


def charts(app):
    return [chart.proto.spec for chart in app.get("plotly_chart")]


def captions(app):
    return " ".join(caption.value for caption in app.caption)


def test_without_runs_every_url_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, edge="label")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_a_labelled_scene_has_three_profiles_their_contrast_and_the_edges_drawn(open_app, scenes):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    assert [metric.label for metric in app.metric] == [
        "Edge contrast of hardness",
        "Edge contrast of loss",
        "Edge contrast of error rate",
    ]
    assert all(metric.value.endswith(" ×") and not metric.delta for metric in app.metric)
    assert "A single image has no interval" in captions(app)
    (scene,) = scenes(app)
    assert titles(scene) == ["Edges", "Distance to the nearest edge", "Hardness"]
    assert coloured(scene, "Distance bins") == [f"{distance} px" for distance in edges.DISTANCES]
    assert coloured(scene, "Edges") == ["edge"]
    assert (layer(scene, "Distance")["unit"], scene["steps"]) == (" px", [])
    expected = ["Mean hardness", "Mean loss, nats", "Error rate", "within 2 px of the edge"]
    for title, chart in zip(expected, charts(app), strict=False):
        assert title in chart


def test_a_photograph_without_labels_has_only_hardness_and_unlabelled_edges(open_app, scenes):
    app = open_app(page=PAGE, source="photographs", sample="coffee", side="512")
    assert not app.exception
    assert len(app.metric) == 1
    assert app.button_group(key="edge").options == ["Prediction", "Image"]
    assert "Without labels there is no loss, no error rate and no edge between labels" in captions(app)
    app.button_group(key="edge").set_value("gradient").run()
    assert not app.exception
    assert "image edges do not separate classes" in captions(app)
    assert scenes(app)[0]["panels"][0]["note"].endswith("% of the pixels")


def test_another_edge_source_draws_other_edges(open_app, scenes):
    shown = {}
    for source in ("label", "prediction", "gradient"):
        (scene,) = scenes(open_app(page=PAGE, edge=source))
        shown[source] = digest(scene, "Edges")
    assert len(set(shown.values())) == 3


def test_an_uploaded_photo_of_one_colour_has_no_edges(open_app, scenes):
    app = open_app(page=PAGE, source="upload", edge="gradient")
    content = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(content, "PNG")
    app.file_uploader(key="photograph_file").upload("grey.png", content.getvalue(), "image/png").run()
    assert not app.exception
    assert app.metric[0].value == "–"
    assert scenes(app)[0]["panels"][0]["note"] == "0.0% of the pixels"


def test_a_data_set_has_intervals_and_needs_no_network(open_analysed, monkeypatch):
    monkeypatch.setattr("hlcore.inference.predict", lambda *_, **__: pytest.fail("the tables are there already"))
    app = open_analysed()
    assert not app.exception
    assert not app.error
    assert app.metric[0].delta.startswith("95 %: ")
    assert "Epoch 2 on streets test, 2 images" in captions(app)
    assert len(charts(app)) == 5
    assert not app.get("bidi_component")


def test_selected_classes_are_lines_and_part_of_the_link(open_analysed):
    app = open_analysed(classes="Road,Building", edge="prediction")
    assert not app.exception
    assert not app.warning
    for name in ("Road", "Building"):
        assert f'"name":"{name}"' in charts(app)[0]
    app.multiselect(key="classes").set_value(["Road"]).run()
    assert app.metric[0].label == "Edge contrast of hardness, Road"
    assert dict(app.query_params).items() >= {"classes": "Road", "edge": "prediction", "scope": "streets-test"}.items()


def test_pairs_are_ranked_and_one_is_drawn_by_distance(open_analysed):
    app = open_analysed(quantity="loss")
    ranked, by_distance = charts(app)[3:]
    assert "Mean loss, nats within 2 px of the edge" in ranked
    pair = app.selectbox(key="pair").value
    assert pair in app.selectbox(key="pair").options
    assert "Mean loss, nats" in by_distance
    other = app.selectbox(key="pair").options[-1]
    app.selectbox(key="pair").set_value(other).run()
    assert not app.exception
    assert dict(app.query_params)["pair"] == other


def test_pairs_of_many_classes_are_only_ranked(open_analysed):
    many = (*CAMVID.names, *(f"class {i}" for i in range(40)))
    palette = ((0, 0, 0),) * len(many)
    app = open_analysed(measured_tables(many), record={"class_names": many, "palette": palette})
    assert not app.exception
    assert len(charts(app)) == 4
    assert "only the edge pixels of a pair are stored" in captions(app)


def test_the_tables_can_be_downloaded(open_analysed):
    app = open_analysed()
    assert [button.label for button in app.get("download_button")] == [
        "edges.csv",
        "edge_pairs.csv",
        "edge_contrast.csv",
    ]


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"edge": "label", "source": "photographs", "sample": "coffee"}, "edge 'label' is not available"),
        ({"edge": "dreams"}, "edge 'dreams' is not available; showing 'label'"),
        ({"classes": "Dragon"}, "classes Dragon is not available"),
        ({"quantity": "charm"}, "quantity 'charm' is not available"),
        ({"pair": "Sky | Dragon"}, "pair 'Sky | Dragon' is not available"),
        ({"scope": "gone"}, "scope 'gone' is not available"),
    ],
)
def test_an_invalid_choice_in_the_link_gives_a_warning_and_the_page_works(open_app, link, sentence):
    app = open_app(page=PAGE, **link)
    assert not app.exception
    assert any(sentence in warning.value for warning in app.warning)
    assert app.metric


def test_an_analysis_without_its_tables_is_reported(open_analysed):
    app = open_analysed({})
    assert not app.exception
    assert not app.error
    assert any("they lack the table 'edges'" in caption.value for caption in app.caption)
