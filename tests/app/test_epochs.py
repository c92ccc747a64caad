"""The Epochs page: two epochs on the same picture."""

PAGE = "views/epochs.py"


def test_a_place_without_runs_says_how_to_train_one_under_every_address(open_app):
    app = open_app(with_runs=False, other="3")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_two_epochs_of_a_labelled_scene_and_the_strip_of_all(open_app, scenes):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    compared, strip = scenes(app)
    assert [panel["title"] for panel in compared["panels"]] == [
        "Hardness, epoch 1",
        "Hardness, epoch 2",
        "Change 1 to 2",
        "Loss, epoch 1",
        "Loss, epoch 2",
        "Change 1 to 2",
    ]
    rows = [[panel["title"] for panel in strip["panels"][at : at + strip["columns"]]] for at in (0, strip["columns"])]
    assert rows[0] == ["Epoch 0", "Epoch 1", "Epoch 2", "", ""]
    assert rows[1] == ["Loss, epoch 0", "Loss, epoch 1", "Loss, epoch 2", "", ""]


def test_the_numbers_stand_beside_the_maps(open_app, scenes):
    compared, _ = scenes(open_app(page=PAGE))
    notes = [panel["note"] for panel in compared["panels"]]
    assert notes[0].startswith("mean 0.")
    assert notes[0].endswith("% > 0.5")
    assert notes[2].startswith("Spearman ")
    assert notes[3].endswith(" nats")


def test_an_epoch_against_itself_has_not_changed(open_app, scenes):
    compared, _ = scenes(open_app(page=PAGE, other="1", epoch="1"))
    assert compared["panels"][2]["note"] == "Spearman 1.000, top 10 % IoU 1.00"


def test_the_difference_has_a_symmetric_fixed_range(open_app, scenes):
    compared, _ = scenes(open_app(page=PAGE, nats="8"))
    assert [(panel["low"], panel["high"]) for panel in compared["panels"][2::3]] == [(-1, 1), (-8, 8)]


def test_a_photograph_without_labels_has_no_loss_maps(open_app, scenes):
    compared, strip = scenes(open_app(page=PAGE, source="photographs", sample="rocket"))
    assert len(compared["panels"]) == 3
    assert (strip["width"], strip["ownWidth"]) == (320, 640)


def test_both_epochs_stand_in_the_link(open_app):
    app = open_app(page=PAGE)
    app.select_slider(key="other").set_value(0).run()
    assert dict(app.query_params).items() >= {"other": "0", "epoch": "2"}.items()


def test_a_bad_epoch_in_the_link_is_said(open_app):
    app = open_app(page=PAGE, other="41")
    assert not app.exception
    assert "there is no other '41' here" in app.warning[0].value


def test_a_broken_checkpoint_is_one_sentence_that_names_it(open_app):
    app = open_app(page=PAGE, run="broken")
    assert not app.exception
    assert "epoch-0000.safetensors" in app.error[0].value


def test_choices_survive_a_change_of_page(open_app, scenes):
    app = open_app(epoch="1", opacity="33", scale="grey")
    app.switch_page(PAGE).run()
    compared, _ = scenes(app)
    assert compared["panels"][1]["title"] == "Hardness, epoch 1"
    assert compared["panels"][1]["opacity"] == 0.33
    assert dict(app.query_params).items() >= {"epoch": "1", "opacity": "33", "scale": "grey"}.items()
