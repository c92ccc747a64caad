"""Epochs prepared in the background."""

import pytest
import streamlit as st

from tests.app.conftest import make_run
from tests.app.shown import known_at

EPOCHS = "views/epochs/page.py"


@pytest.fixture
def one_at_a_time(monkeypatch):
    """Prepare one more epoch per run of the page, which only the test reruns."""
    monkeypatch.setattr("app.components.epoch_planes.REDRAW_AFTER_S", 0)
    monkeypatch.setattr("streamlit.rerun", lambda: None)


@pytest.mark.parametrize("page", [None, EPOCHS])
def test_every_layer_has_the_planes_of_every_epoch(open_app, scenes, page):
    for scene in scenes(open_app(page=page)):
        for name in ("Hardness", "Prediction", "Loss", "Entropy"):
            assert known_at(scene, name) == ["0", "1", "2"]
        for name in ("Image", "Labels", "Objects"):
            assert known_at(scene, name) == [""]


def test_the_selected_epoch_is_shown_first_and_the_others_follow_nearest_first(open_app, scenes, one_at_a_time):
    app = open_app(epoch="0")
    for ready in (["0"], ["0", "1"], ["0", "1", "2"], ["0", "1", "2"]):
        (scene,) = scenes(app)
        assert known_at(scene, "Hardness") == ready
        assert [step["name"] for step in scene["steps"]] == ["0", "1", "2"], "the slider has all epochs from the start"
        app.run()


def test_both_compared_epochs_are_ready_at_once(open_app, scenes, one_at_a_time):
    for scene in scenes(open_app(page=EPOCHS, other="0", epoch="2")):
        assert known_at(scene, "Hardness") == ["0", "2"]


def test_another_image_starts_with_the_selected_epoch(open_app, scenes, one_at_a_time):
    app = open_app(epoch="1")
    app.run()
    app.selectbox(key="sample").select("test-0003").run()
    assert known_at(scenes(app)[0], "Hardness") == ["1"]


def test_only_the_epochs_nearest_to_the_selected_one_are_prepared(open_app, scenes, monkeypatch):
    monkeypatch.setattr("app.components.epoch_planes.MAX_EPOCHS", 2)
    app = open_app(epoch="2")
    assert known_at(scenes(app)[0], "Hardness") == ["1", "2"]
    app.session_state["epoch"] = 0
    assert known_at(scenes(app.run())[0], "Hardness") == ["0", "1"]
    app.session_state["epoch"] = 1
    assert "1" in known_at(scenes(app.run())[0], "Hardness")
    for scene in scenes(open_app(page=EPOCHS, other="0", epoch="2")):
        assert known_at(scene, "Hardness") == ["0", "2"], "both compared epochs are ready, however far apart"


def test_an_unreadable_epoch_is_reported_and_the_selected_one_is_shown(open_app, scenes, monkeypatch, tmp_path):
    run = make_run(tmp_path / "more", "torn", epochs=2)
    run.checkpoint_path(0).write_bytes(b"not weights")
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"torn": run.path})
    app = open_app(run="torn")
    assert not app.exception
    assert "epoch-0000.safetensors" in app.error[0].value
    assert known_at(scenes(app)[0], "Hardness") == ["1"]


def test_a_choice_made_while_epochs_are_prepared_is_kept(open_app, scenes, monkeypatch):
    monkeypatch.setattr("streamlit.rerun", st.stop)  # as if the user interrupted the page here
    monkeypatch.setattr("app.components.epoch_planes.REDRAW_AFTER_S", 0)
    app = open_app(epoch="2", sample="test-0003", side="512")
    app.session_state["epoch"] = 0
    app.selectbox(key="sample").select("test-0001").run()
    (scene,) = scenes(app)
    assert scene["view"]["epoch"] == "0"
    assert app.selectbox(key="sample").value == "test-0001"


def test_link_warnings_stay_when_all_epochs_are_ready(open_app, scenes, monkeypatch):
    monkeypatch.setattr("app.components.epoch_planes.REDRAW_AFTER_S", 0)
    app = open_app(epoch="9", show="Hardness,Dreams")
    (warning,) = app.warning
    assert warning.value.count("epoch '9' is not available; showing '2'") == 1
    assert warning.value.count("show Dreams is not available") == 1
    assert known_at(scenes(app)[0], "Hardness") == ["0", "1", "2"]
    app.selectbox(key="sample").select("test-0001").run()
    assert not [warning for warning in app.warning if "epoch '9'" in warning.value]
