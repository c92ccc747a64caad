"""The Memorise page: a copy of the network is trained, and the checkpoint does not change."""

import pytest

from app.loading.memorise import Progress
from hlcore.errors import TrainingError
from hlcore.training.memorise import Report, Snapshot, memorise
from tests.app.shown import digest, known_at, titles

PAGE = "views/memorise/page.py"
PICTURE = {"source": "followed", "sample": "val-0000"}


@pytest.fixture
def few_steps(monkeypatch):
    """Three steps instead of a hundred."""
    monkeypatch.setattr("app.loading.memorise.STEPS", 3)
    monkeypatch.setattr("app.loading.memorise.KEPT_STEPS", (0, 1, 3))
    monkeypatch.setattr("app.views.memorise.scenes.KEPT_STEPS", (0, 1, 3))


def test_without_runs_the_app_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, epoch="1")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_before_training_the_maps_of_the_checkpoint_are_shown(open_app, scenes):
    app = open_app(page=PAGE, **PICTURE)
    assert not app.exception
    (scene,) = scenes(app)
    assert titles(scene) == ["Hardness #0", "", "", "", "Loss #0", "", "", ""]
    assert "The checkpoint on disk does not change" in app.caption[-1].value


def test_memorising_shows_progress_and_keeps_the_results(open_app, scenes, runs, few_steps):
    checkpoint = runs / "tiny" / "checkpoints" / "epoch-0002.safetensors"
    before = checkpoint.read_bytes()
    app = open_app(page=PAGE, **PICTURE)
    app.button(key="memorise_start").click().run()
    assert not app.exception
    assert not app.error
    (scene,) = scenes(app)
    assert titles(scene) == [
        *("Hardness #0", "Hardness #1", "Hardness #3"),
        *("Loss #0", "Loss #1", "Loss #3"),
    ]
    assert [panel["at"] for panel in scene["panels"]] == ["0", "1", "3"] * 2, "each shows its own step"
    assert known_at(scene, "Hardness") == known_at(scene, "Loss") == ["0", "1", "3"]
    assert len({digest(scene, "Loss", step) for step in ("0", "1", "3")}) == 3
    assert scene["panels"][0]["note"] == "100%, IoU 1.00"
    assert app.markdown[-1].value.startswith("After 3 steps the mean loss is **")
    assert len(app.dataframe[0].value) == 6
    assert len(app.get("plotly_chart")) == 1
    assert checkpoint.read_bytes() == before
    app.switch_page("views/inspect/page.py").run()
    app.switch_page(PAGE).run()
    assert app.markdown[-1].value.startswith("After 3 steps")


def test_stopping_keeps_the_results_so_far(open_app, few_steps, monkeypatch):
    def stopped(*args, **settings):
        reports = memorise(*args, **settings)
        yield next(reports)
        yield next(reports)
        message = "the loss is nan at step 2"
        raise TrainingError(message)

    monkeypatch.setattr("hlcore.training.memorise.memorise", stopped)
    app = open_app(page=PAGE, **PICTURE)
    app.button(key="memorise_start").click().run()
    assert "the loss is nan at step 2" in app.error[0].value
    app.run()
    assert not app.exception
    assert "Stopped after 1 of 3 steps." in [element.value for element in app.caption]


def test_an_image_without_labels_explains_what_is_needed(open_app):
    app = open_app(page=PAGE, source="photographs", sample="rocket")
    assert not app.exception
    assert "Memorising needs labels" in app.info[0].value
    assert not app.get("bidi_component")


def test_a_run_without_hardness_branch_is_reported(open_app):
    app = open_app(page=PAGE, run="blind")
    assert not app.exception
    assert "no hardness branch" in app.error[0].value


def test_an_invalid_epoch_in_the_link_gives_a_warning(open_app):
    app = open_app(page=PAGE, epoch="41", **PICTURE)
    assert not app.exception
    assert "epoch '41' is not available" in app.warning[0].value


def test_the_curve_starts_at_the_checkpoint_and_is_relative_to_it():
    learned = Progress("picture")
    for step, loss in ((0, float("nan")), (1, 2.0), (2, 1.0)):
        learned.add(Report(step, 2, loss, loss / 4, 1.5, Snapshot(None, None) if step in {0, 2} else None))
    assert list(learned.maps) == [0, 2]
    table = learned.curve_table().query("map == 'loss'")
    assert list(table["step"]) == [0, 1]
    assert list(table["value"]) == [1.0, 0.5]
    assert list(table["level"]) == [2.0, 1.0]


def test_an_image_too_large_to_train_on_is_scaled_down_with_a_note(open_app):
    link = {"source": "photographs", "sample": "coffee", "side": "1024"}
    assert not any("on this page" in text.value for text in open_app(page="views/edges/page.py", **link).caption)
    app = open_app(page=PAGE, **link)
    assert "Limited to 768 px, because this page trains a network." in [text.value for text in app.caption]
    app.selectbox(key="side").select(512).run()
    assert not any("on this page" in text.value for text in app.caption)
