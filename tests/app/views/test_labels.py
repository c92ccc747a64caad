"""The Labels page: suspects of a picture and of a data set, planted faults, verdicts."""

import io
import shutil

import numpy as np
import pandas as pd
import pytest

from app.loading.labels import Evidence
from app.viewer.planes import pack_numbers
from app.views.labels import cards, controls
from app.views.labels.scenes import SUSPICION, make_card_scene
from hlcore.analysis.label_suspicion import find_suspects
from hlcore.data.labels import CAMVID, ClassTable
from hlcore.data.streets import Streets
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis, make_image_table
from tests.app.shown import coloured, digest, layer, titles

PAGE = "views/labels/page.py"
IMAGES = make_image_table(["test-0000", "test-0001"])


@pytest.fixture(scope="module")
def table(runs) -> pd.DataFrame:
    """The suspects of two tiny scenes."""
    checkpoint = load_checkpoint(open_run(runs / "tiny").checkpoint_path(2))
    found = [
        find_suspects(
            predict(
                checkpoint.network,
                scene.image,
                class_names=checkpoint.class_names,
                name=scene.name,
                label_map=scene.label_map,
            )
        )
        for scene in Streets("test", count=2, size=(64, 96))
    ]
    return pd.concat(found, ignore_index=True)


@pytest.fixture
def open_measured(open_app, table, runs, monkeypatch, tmp_path):
    """Open the page on a copy of the tiny run with an analysis; `changes` replace fields of its record."""

    def opened(**changes):
        folder = tmp_path / "more" / "tiny"
        shutil.copytree(runs / "tiny", folder)
        make_analysis(folder, **({"tables": {"suspects": table, "images": IMAGES}} | changes))
        monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
        return open_app(page=PAGE)

    return opened


def facts(app):
    """The facts beside each suspect."""
    return [element.body for element in app.html if '<p class="suspect">' in element.body]


def test_without_runs_the_app_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, planted="1")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_the_regions_of_a_scene_are_ranked_and_shown_with_all_maps(open_app, scenes):
    app = open_app(page=PAGE, source="scenes")
    assert not app.exception
    assert not app.error
    tools, *cards, whole = scenes(app)
    assert len(cards) == len(facts(app)) == controls.REGIONS_PER_PAGE
    assert (tools["controls"], tools["panels"]) == (True, [])
    for card in cards:
        assert titles(card) == ["Image", "Labels", "Prediction", "Loss", "Hardness"]
        assert not card["controls"]
        assert card["group"] == tools["group"] != ""
        leads = {name: layer(card, name)["definition"].split("#")[-1] for name in ("Loss", "Hardness", SUSPICION)}
        assert leads == {"Loss": "loss", "Hardness": "hardness", SUSPICION: "suspect"}
    scores = [float(text.split("score</a> <b>")[1].split("<")[0]) for text in facts(app)]
    assert scores == sorted(scores, reverse=True)
    assert titles(whole) == ["Labels", "Prediction", "Loss × (1 − hardness)"]


def test_each_region_is_outlined_and_visible(open_measured, scenes, table):
    _, *cards = scenes(open_measured())
    first = table.sort_values("score", ascending=False, kind="stable").iloc[: controls.REGIONS_PER_PAGE]
    assert [card["frame"] for card in cards] == first[["left", "top", "right", "bottom"]].to_numpy().tolist()
    assert all(card["private"] and card["selected"] == 1 for card in cards)
    assert len({digest(card, "Objects") for card in cards}) == controls.REGIONS_PER_PAGE


def test_the_regions_of_a_scene_can_be_ranked_by_loss(open_app):
    texts = facts(open_app(page=PAGE, ranking="loss_mean"))
    losses = [float(text.split("loss</a> ")[1].split(" ")[0]) for text in texts]
    assert losses == sorted(losses, reverse=True)


def test_a_region_is_the_pixels_in_its_box_with_its_label_and_prediction():
    label_map = np.array([[0, 0, 1, 1], [0, 1, 1, 255], [1, 1, 1, 1]])
    prediction = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 0]])
    image, values = np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4), np.float32)
    evidence = Evidence("by hand", image, label_map, prediction, values, values)
    suspect = {"class_name": "a", "predicted": "b", "left": 0, "top": 0, "right": 2, "bottom": 1}
    scene = make_card_scene(evidence, suspect | {"image": "hand", "region": 1}, (("a", (1, 2, 3)), ("b", (4, 5, 6))))
    (outline,) = [layer for layer in scene.layers if layer.kind == "objects"]
    expected = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert outline.planes[""].digest == pack_numbers(expected).digest


def test_planted_faults_are_shown_counted_and_named(open_app, scenes):
    app = open_app(page=PAGE, planted="1", planting="5")
    assert not app.exception
    whole = scenes(app)[-1]
    first, *_, last = titles(whole)
    assert (first, last) == ("Labels with faults", "Planted")
    assert all(name.startswith("planted: ") for name in coloured(whole, "Planted"))
    (summary,) = [text.value for text in app.markdown if "Planted: " in text.value]
    assert "Of the first 10 regions, **" in summary
    assert all("planted" in text for text in facts(app))
    assert dict(app.query_params).items() >= {"planted": "1", "planting": "5"}.items()


def test_the_toggle_plants_and_removes_faults(open_app):
    app = open_app(page=PAGE)
    assert not any("planted" in text for text in facts(app))
    app.toggle(key="planted").set_value(True).run()
    assert any("planted" in text for text in facts(app))
    assert dict(app.query_params)["planted"] == "1"
    app.toggle(key="planted").set_value(False).run()
    assert not any("planted" in text for text in facts(app))


def test_a_photograph_has_no_labels_to_suspect(open_app):
    app = open_app(page=PAGE, source="photographs", sample="rocket", side="512")
    assert not app.exception
    assert app.info[0].value.startswith("This image has no labels.")


def test_a_data_set_shows_the_regions_of_its_table(open_measured, scenes, table):
    app = open_measured()
    assert not app.exception
    assert not app.error
    first = table.sort_values("score", ascending=False, kind="stable").iloc[: controls.REGIONS_PER_PAGE]
    assert [text.split(" px at")[0].split("<br>")[-1] for text in facts(app)] == first["area_px"].astype(str).tolist()
    assert len(scenes(app)) == 1 + controls.REGIONS_PER_PAGE, "the tools and one viewer per region"
    assert f"**{len(table)}** open" in app.markdown[0].value
    assert f"each of these {len(table):,} regions is a mistake of the network" in app.info[0].value


def test_one_pair_of_classes_can_be_selected(open_measured, table):
    app = open_measured()
    pair = app.selectbox(key="dispute").options[1]
    name, count = pair.rsplit(" (", 1)
    app.selectbox(key="dispute").set_value(name).run()
    label, predicted = name.split(" > ")
    assert int(count[:-1]) == ((table["class_name"] == label) & (table["predicted"] == predicted)).sum()
    assert facts(app)
    assert all(f"<b>{label}</b>, predicted" in text and f"<b>{predicted}</b>" in text for text in facts(app))


def test_verdicts_are_counted_kept_across_pages_and_downloaded(open_measured, table, monkeypatch):
    files = []
    monkeypatch.setattr(
        "streamlit.download_button", lambda _, content, *__, disabled, **___: files.append((content, disabled))
    )
    app = open_measured()
    assert files[-1] == (",".join(cards.COLUMNS) + "\n", True)
    first, second, *_ = (str(c.key) for c in app.segmented_control if str(c.key).startswith("verdict of "))
    app.segmented_control(key=first).set_value("accept").run()
    app.segmented_control(key=second).set_value("dismiss").run()
    app.text_input(key=first.replace("verdict of", "note on")).set_value("a bus").run()
    assert f"**1** accepted · **1** dismissed · **{len(table) - 2}** open" in app.markdown[0].value
    content, disabled = files[-1]
    kept = pd.read_csv(io.StringIO(content), keep_default_na=False)
    assert not disabled
    assert kept["verdict"].tolist() == ["accept", "dismiss"]
    assert kept["note"].tolist() == ["a bus", ""]
    best = table.sort_values("score", ascending=False, kind="stable").iloc[0]
    row = kept.iloc[0]
    assert (row["image"], row["region"], row["label"], row["prediction"]) == (
        best["image"],
        best["region"],
        best["class_name"],
        best["predicted"],
    )
    assert row["box"] == f"{best['left']} {best['top']} {best['right']} {best['bottom']}"
    app.switch_page("views/epochs/page.py").run()
    app.switch_page(PAGE).run()
    assert app.segmented_control(key=first).value == "accept"
    assert "**1** accepted" in app.markdown[0].value


def test_a_cleared_verdict_is_removed(open_measured, table):
    app = open_measured()
    key = next(control.key for control in app.segmented_control if str(control.key).startswith("verdict of"))
    app.segmented_control(key=key).set_value("accept").run()
    app.segmented_control(key=key).set_value(None).run()
    assert f"**0** accepted · **0** dismissed · **{len(table)}** open" in app.markdown[0].value


def test_merged_classes_are_shown_as_they_were_scored(open_measured, scenes, monkeypatch):
    names = ("static", "moving")
    table = ClassTable(names, ((1, 2, 3), (200, 100, 0)))
    merged = {name: names[index > 7] for index, name in enumerate(CAMVID.names)}
    data = Streets("test", count=2, size=(64, 96))
    relabelled = [
        type(scene)(scene.name, scene.image, (scene.label_map * 0 + (scene.label_map > 7)).clip(0, 1)) for scene in data
    ]
    row = {"image": "test-0000", "region": 1, "class_name": "moving", "predicted": "static", "area_px": 30}
    row |= {"score": 1.0, "loss_mean": 1.5, "hardness_mean": 0.5, "left": 3, "top": 4, "right": 20, "bottom": 30}

    class Merged(list):
        names = data.names
        classes = table

    monkeypatch.setattr("app.loading.dataset.open_dataset", lambda _: Merged(relabelled))
    app = open_measured(
        tables={"suspects": pd.DataFrame([row]), "images": IMAGES},
        merged=merged,
        class_names=names,
        palette=table.palette,
    )
    assert not app.exception
    assert not app.error
    assert "<b>moving</b>, predicted" in facts(app)[0]
    _, card = scenes(app)
    assert coloured(card, "Labels") == coloured(card, "Prediction") == list(names)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dataset": "camvid", "root": None}, "the images of camvid were not found"),
        ({"epoch": 7}, "has not saved epoch 7"),
        ({"merged": {"Zebra": "Sky", "Sky": "nope"}, "merged_labels": {"a": "b"}}, "unknown classes of the run: Zebra"),
        ({"merged": {}, "merged_labels": {}}, "the classes cannot be merged"),
    ],
)
def test_missing_images_are_reported_once_and_the_regions_are_listed(open_measured, monkeypatch, changes, why):
    monkeypatch.setenv("HLCORE_DATA", "")
    app = open_measured(**changes)
    assert not app.exception
    assert not app.error
    (text,) = [info.value for info in app.info if "cannot be shown" in info.value]
    assert why in text
    assert len(app.get("button_group")) >= 1, "verdicts can still be given"


def test_an_analysis_without_suspects_is_reported(open_measured):
    app = open_measured(tables={"images": IMAGES})
    assert not app.exception
    assert not app.error
    assert any("they lack the table 'suspects'" in caption.value for caption in app.caption)


def test_invalid_choices_in_the_link_give_warnings(open_app):
    app = open_app(page=PAGE, dispute="Moon > Road", ranking="weather", sheet="9999", planted="maybe", planting="-3")
    assert not app.exception
    text = " ".join(warning.value for warning in app.warning)
    assert "dispute 'Moon > Road' is not available; showing 'all'" in text
    assert "ranking 'weather' is not available; showing 'score'" in text
    assert "sheet must be between 1 and " in text
    assert "planted must be a whole number, got 'maybe'" in text
    assert "planting must be between 0 and 99, got -3" in text


def test_a_broken_checkpoint_is_reported_by_name(open_app):
    app = open_app(page=PAGE, run="broken")
    assert not app.exception
    assert "epoch-0000.safetensors" in app.error[0].value


def test_regions_can_be_ranked_by_label_quality(open_app):
    app = open_app(page=PAGE, ranking="label_quality")
    assert not app.exception
    assert not app.warning
    assert facts(app)


def test_an_older_analysis_does_not_offer_the_label_quality(open_measured, table):
    app = open_measured(tables={"suspects": table.drop(columns="label_quality"), "images": IMAGES})
    assert not app.exception
    assert "Label quality (softmin)" not in app.selectbox(key="ranking").options
