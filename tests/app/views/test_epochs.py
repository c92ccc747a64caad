"""The Epochs page: two epochs on the same image."""

import re
import shutil

from tests.app.shown import digest, layer, titles

PAGE = "views/epochs/page.py"


def agreement(app):
    """The sentence about the agreement of two epochs."""
    (text,) = [text.value for text in app.markdown if " against epoch " in text.value]
    return text


def test_without_runs_every_url_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, other="3")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_a_labelled_scene_shows_two_epochs_their_change_and_a_strip_of_all(open_app, scenes):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    compared, strip = scenes(app)
    assert [(panel["layer"], panel["at"]) for panel in compared["panels"]] == [
        *(("Hardness", "other"), ("Hardness", ""), ("Hardness change", "")),
        *(("Loss", "other"), ("Loss", ""), ("Loss change", "")),
    ]
    assert (compared["columns"], compared["view"]["other"], compared["view"]["epoch"]) == (3, "1", "2")
    assert [(panel["layer"], panel["at"]) for panel in strip["panels"]] == [
        *(("Hardness", "0"), ("Hardness", "1"), ("Hardness", "2")),
        *(("Loss", "0"), ("Loss", "1"), ("Loss", "2")),
    ]
    assert titles(strip) == [*("Hardness 0", "Hardness 1", "Hardness 2"), *("Loss 0", "Loss 1", "Loss 2")]
    assert strip["columns"] == 3


def test_a_run_with_one_kept_epoch_has_nothing_to_compare(open_app, scenes, runs, monkeypatch, tmp_path):
    run = tmp_path / "young"
    shutil.copytree(runs / "tiny", run)
    for epoch in (1, 2):
        (run / "checkpoints" / f"epoch-{epoch:04d}.safetensors").unlink()
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"young": run})
    app = open_app(page=PAGE, run="young")
    assert not app.exception
    compared, strip = scenes(app)
    assert titles(compared) == ["Hardness", "Loss"]
    assert {panel["layer"] for panel in compared["panels"]} <= {one["name"] for one in compared["layers"]}
    assert titles(strip) == ["Hardness 0", "Loss 0"]
    assert "Epoch 0 is the only one kept so far, so there is nothing to compare it with." in [
        text.value for text in app.markdown
    ]


def test_a_strip_of_several_rows_keeps_its_columns(open_app, scenes, monkeypatch):
    monkeypatch.setattr("app.views.epochs.scenes.STRIP_COLUMNS", 2)
    _, strip = scenes(open_app(page=PAGE))
    assert [(panel["layer"], panel["at"]) for panel in strip["panels"]] == [
        *(("Hardness", "0"), ("Hardness", "1"), ("Loss", "0"), ("Loss", "1")),
        *(("Hardness", "2"), ("", ""), ("Loss", "2"), ("", "")),
    ]


def test_the_strip_is_linked_to_the_compared_maps_and_has_no_controls(open_app, scenes):
    compared, strip = scenes(open_app(page=PAGE))
    assert compared["group"] == strip["group"] != ""
    assert (compared["controls"], strip["controls"]) == (True, False)
    assert digest(compared, "Hardness", "1") == digest(strip, "Hardness", "1")


def test_the_agreement_of_the_maps_is_shown_below_them(open_app):
    text = agreement(open_app(page=PAGE))
    assert text.startswith("Epoch 1 against epoch 2: hardness [Spearman](")
    assert ", [top 10 % IoU](" in text
    assert " · loss [Spearman](" in text


def test_an_epoch_compared_with_itself_has_not_changed(open_app):
    text = agreement(open_app(page=PAGE, other="1", epoch="1"))
    assert len(re.findall(r"\) \*\*1\.000\*\*, .*?\) \*\*1\.00\*\*", text)) == 2, "hardness and loss"


def test_the_change_map_subtracts_two_epochs_in_the_selected_range(open_app, scenes):
    compared, _ = scenes(open_app(page=PAGE, nats="8"))
    hardness, loss = layer(compared, "Hardness change"), layer(compared, "Loss change")
    assert (hardness["of"], hardness["high"], hardness["ranges"]) == (["Hardness"], 1, [])
    assert (loss["of"], loss["ranges"], loss["unit"]) == (["Loss"], [1, 2, 4, 8], " nats")
    assert hardness["scale"] == loss["scale"] == "difference"
    assert compared["view"]["nats"] == "8"


def test_a_photograph_without_labels_has_no_loss_maps(open_app, scenes):
    app = open_app(page=PAGE, source="photographs", sample="rocket")
    compared, strip = scenes(app)
    assert [panel["layer"] for panel in compared["panels"]] == ["Hardness", "Hardness", "Hardness change"]
    assert [panel["layer"] for panel in strip["panels"]] == ["Hardness"] * 3
    assert "loss" not in agreement(app)
    assert "##### All kept epochs: hardness" in [text.value for text in app.markdown]


def test_a_pinned_pixel_is_shown_over_the_epochs(open_app):
    app = open_app(page=PAGE, x="5", y="7")
    assert any(text.value.startswith("Pixel **x 5 px, y 7 px**") for text in app.markdown)
    assert len(app.get("plotly_chart")) == 1


def test_both_epochs_are_part_of_the_link(open_app):
    app = open_app(page=PAGE, other="0")
    app.selectbox(key="sample").select("test-0001").run()
    assert dict(app.query_params).items() >= {"other": "0", "epoch": "2"}.items()


def test_an_invalid_epoch_in_the_link_gives_a_warning(open_app):
    app = open_app(page=PAGE, other="41")
    assert not app.exception
    assert "other '41' is not available" in app.warning[0].value


def test_a_broken_checkpoint_is_reported_by_name(open_app):
    app = open_app(page=PAGE, run="broken")
    assert not app.exception
    assert "epoch-0000.safetensors" in app.error[0].value


def test_choices_survive_a_change_of_page(open_app, scenes):
    app = open_app(epoch="1", opacity="33", scale="grey")
    app.switch_page(PAGE).run()
    compared, _ = scenes(app)
    assert compared["view"].items() >= {"epoch": "1", "opacity": "33", "scale": "grey"}.items()
    assert dict(app.query_params).items() >= {"epoch": "1", "opacity": "33", "scale": "grey"}.items()
