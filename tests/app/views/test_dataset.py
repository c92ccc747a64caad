"""The Data set page: ranked images as thumbnails or a table, and the maps of the selected one."""

import shutil
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app.viewer import planes as packing
from hlcore.data.streets import Streets
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis
from tests.app.shown import digest, titles

PAGE = "views/dataset/page.py"
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
    """A copy of the tiny run, to which tests add analyses."""
    path = tmp_path / "more" / "tiny"
    shutil.copytree(runs / "tiny", path)
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": path})
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


def offered(app):
    return [button.label for button in app.button]


def title(scenes, app):
    """The caption of the only viewer."""
    (scene,) = scenes(app)
    return scene["caption"]


def test_a_run_without_an_analysis_explains_how_to_make_one(open_app, run):
    app = open_app(page=PAGE)
    assert not app.exception
    assert app.code[0].value == f"hlcore analyze {run}"


def test_the_hardest_images_come_first(open_app, analysis):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    assert offered(app)[:2] == ["test-0013 · 0.750", "test-0012 · 0.700"]
    assert len(offered(app)) == len(app.get("image")) == 12
    assert any("14 of the 14 images of streets test" in caption.value for caption in app.caption)
    assert any("mean hardness from 0.750 to 0.100" in caption.value for caption in app.caption)


def test_pages_of_images_are_part_of_the_link(open_app, analysis):
    app = open_app(page=PAGE)
    app.get("pagination")[0].set_value(2).run()
    assert offered(app) == ["test-0001 · 0.150", "test-0000 · 0.100"]
    assert dict(app.query_params)["part"] == "2"
    assert offered(app.run()) == ["test-0001 · 0.150", "test-0000 · 0.100"]


def test_the_hardest_image_is_shown_until_another_is_chosen(open_app, analysis, scenes):
    app = open_app(page=PAGE, sample="test-0003")
    assert not app.exception
    assert title(scenes, app) == "tiny, test-0013, 96 x 64 px, epoch 2"
    (scene,) = scenes(app)
    assert titles(scene) == ["Image", "Hardness", "Loss", "Errors"]
    assert not scene["steps"]
    assert dict(app.query_params)["sample"] == "test-0003"  # for the scenes on other pages
    app.button(key="choose_test-0010").click().run()
    assert title(scenes, app) == "tiny, test-0010, 96 x 64 px, epoch 2"
    assert {"source": "data", "sample": "test-0010"}.items() <= dict(app.query_params).items()
    app.selectbox(key="rank").set_value("loss").run()
    assert title(scenes, app) == "tiny, test-0010, 96 x 64 px, epoch 2"
    app.text_input(key="find").set_value("0003").run()
    assert title(scenes, app) == "tiny, test-0003, 96 x 64 px, epoch 2"
    app.text_input(key="find").set_value("").run()
    assert title(scenes, app) == "tiny, test-0010, 96 x 64 px, epoch 2", "the selected image is shown again"


def test_a_new_ranking_starts_at_page_one_and_a_link_at_its_page(open_app, analysis):
    app = open_app(page=PAGE, part="2")
    assert offered(app) == ["test-0001 · 0.150", "test-0000 · 0.100"]
    app.selectbox(key="rank").set_value("loss").run()
    assert offered(app)[0] == "test-0000 · 0.750 nats"
    assert dict(app.query_params)["part"] == "1"


def test_the_list_opens_at_the_image_in_the_link(open_app, analysis):
    app = open_app(page=PAGE, source="data", sample="test-0000")
    assert offered(app) == ["test-0001 · 0.150", "test-0000 · 0.100"]
    assert app.button(key="choose_test-0000").icon
    app.get("pagination")[0].set_value(1).run()
    assert offered(app)[0] == "test-0013 · 0.750"


def test_zoom_pixel_and_rectangle_are_reset_for_another_image_unless_the_link_has_them(open_app, analysis, scenes):
    own = {"zoom": "0.9,0.9,4", "x": "30", "y": "20", "box": "1,2,8,9"}
    app = open_app(page=PAGE, **own)
    assert own.items() <= scenes(app)[0]["view"].items()
    app.selectbox(key="rank").set_value("loss").run()  # the selected image is now first in another ranking
    assert not own.keys() & scenes(app)[0]["view"].keys()
    app = open_app(source="data", data="streets-test", sample="test-0013", **own)
    assert own.items() <= scenes(app)[0]["view"].items()
    app.switch_page(PAGE).run()
    assert own.items() <= scenes(app)[0]["view"].items(), "the same image on another page"
    app.button(key="choose_test-0010").click().run()
    assert not own.keys() & scenes(app)[0]["view"].keys()


def test_unusual_names_are_shown_literally(open_app, run):
    odd = ["_d_", "# x", "a*b*", "![x](y)", "plain-0_1"]
    table = IMAGES.head(5).assign(image=odd)
    analysis = make_analysis(run, images=5, tables={"images": table})
    for name in odd:
        path = analysis.thumbnail_path(name)
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (12, 8)).save(path, "WEBP")
    shown = [label.partition(" · ")[0] for label in offered(open_app(page=PAGE))]
    assert shown == ["plain-0_1", "`![x](y)`", "`a*b*`", "`# x`", "`_d_`"]


@pytest.mark.parametrize("form", ["pictures", "table"])
def test_the_maps_are_those_of_the_linked_image_at_the_measured_epoch(open_app, run, analysis, scenes, form):
    app = open_app(page=PAGE, source="data", sample="test-0004", form=form)
    assert not app.warning
    scene = Streets("test", count=5, size=(64, 96))[4]
    checkpoint = load_checkpoint(open_run(run).checkpoint_path(2))
    record = predict(checkpoint.network, scene.image, class_names=checkpoint.class_names)
    (shown,) = scenes(app)
    assert digest(shown, "Image") == packing.pack_image(scene.image).digest
    assert digest(shown, "Hardness") == packing.pack_values(record.hardness_map, low=0, high=1).digest
    assert scene.label_map is not None
    assert digest(shown, "Labels") == packing.pack_classes(scene.label_map).digest


def test_a_missing_image_gives_a_warning_and_the_first_is_shown(open_app, analysis, scenes):
    app = open_app(page=PAGE, source="data", sample="test-9999")
    assert "sample 'test-9999' is not available" in app.warning[0].value
    assert title(scenes, app) == "tiny, test-0013, 96 x 64 px, epoch 2"


def test_missing_images_are_reported_and_the_list_is_shown(open_app, run, tmp_path):
    make_analysis(run, tables={"images": IMAGES}, dataset="camvid", root=tmp_path / "gone")
    app = open_app(page=PAGE)
    assert not app.exception
    assert "This image cannot be shown: the images of camvid were not found" in app.info[0].value
    assert len(app.dataframe[0].value) == 14


def test_a_missing_epoch_is_reported_and_the_list_is_shown(open_app, run):
    make_analysis(run, tables={"images": IMAGES}, epoch=7)
    app = open_app(page=PAGE)
    assert not app.exception
    assert "This image cannot be shown: " in app.info[0].value
    assert "has not saved epoch 7" in app.info[0].value
    assert len(app.dataframe[0].value) == 14


def test_a_link_opens_the_image_in_inspect(open_app, analysis):
    app = open_app(page=PAGE)
    (link,) = app.get("page_link")
    query = parse_qs(link.proto.query_string)
    assert {name: query[name] for name in ("run", "source", "data", "sample")} == {
        "run": ["tiny"],
        "source": ["data"],
        "data": ["streets-test"],
        "sample": ["test-0013"],
    }


def test_the_order_can_be_reversed_and_the_measure_changed(open_app, analysis):
    app = open_app(page=PAGE, rank="loss", order="lowest")
    assert offered(app)[0] == "test-0013 · 0.100 nats"


def test_a_class_is_ranked_over_its_own_pixels_in_images_that_have_it(open_app, analysis):
    app = open_app(page=PAGE, rank_class="Car", rank="error")
    assert offered(app) == ["test-0005 · 30.0%", "test-0003 · 10.0%"]
    assert app.selectbox(key="rank").options == ["Mean hardness", "Mean loss", "Wrong pixels"]


def test_images_are_found_by_part_of_their_name(open_app, analysis):
    app = open_app(page=PAGE)
    app.text_input(key="find").set_value("0003").run()
    assert offered(app) == ["test-0003 · 0.250"]
    app.text_input(key="find").set_value("nowhere").run()
    assert "No image matches" in app.info[0].value


def test_merged_classes_are_named_and_shown_without_labels(open_app, run, scenes):
    make_analysis(run, images=14, tables={"images": IMAGES}, merged={"Sky": "Sky"})
    app = open_app(page=PAGE)
    assert any("Scored in these classes: Sky, Building, Pole, " in caption.value for caption in app.caption)
    (scene,) = scenes(app)
    assert titles(scene) == ["Image", "Hardness", "Prediction", "Entropy"], "the labels have other classes"


def test_without_thumbnails_a_table_is_shown(open_app, run):
    make_analysis(run, images=14, tables={"images": IMAGES})
    app = open_app(page=PAGE)
    assert not app.exception
    assert app.dataframe[0].value["image"].tolist()[:2] == ["test-0013", "test-0012"]
    assert not app.get("pagination")


def test_the_table_has_all_images_and_measures(open_app, analysis):
    app = open_app(page=PAGE, form="table")
    assert app.dataframe[0].value["image"].tolist() == NAMES[::-1]
    assert "disagreement" in app.dataframe[0].value
    ranked = open_app(page=PAGE, form="table", rank="loss").dataframe[0]
    assert list(ranked.proto.column_order)[:3] == ["image", "loss_mean", "hardness_mean"]


def test_invalid_choices_in_the_link_give_warnings_and_the_page_works(open_app, analysis):
    app = open_app(page=PAGE, rank="beauty", rank_class="Dog", order="sideways", part="99", data="elsewhere")
    assert not app.exception
    warnings = " ".join(warning.value for warning in app.warning)
    texts = ("'beauty'", "'Dog'", "'sideways'", "part must be between 1 and 2", "'elsewhere'")
    assert all(text in warnings for text in texts)
    assert offered(app)


def test_disagreement_is_not_available_by_class(open_app, analysis):
    app = open_app(page=PAGE, rank="disagreement", rank_class="Car")
    assert "rank 'disagreement' is not available" in app.warning[0].value


def test_a_class_without_the_ranking_explains_the_replacement(open_app, analysis):
    app = open_app(page=PAGE, rank="disagreement")
    assert not any("whole images only" in caption.value for caption in app.caption)
    app.selectbox(key="rank_class").select("Car").run()
    sentence = "Disagreement is available for whole images only, so the images are ranked by mean hardness of Car."
    assert any(sentence in caption.value for caption in app.caption)


def test_rankings_that_the_analysis_has_not_measured_are_not_offered(open_app, analysis):
    app = open_app(page=PAGE, rank="dice")
    assert not app.exception
    assert "rank 'dice' is not available" in app.warning[0].value
    assert "Label quality (softmin)" not in app.selectbox(key="rank").options


def test_images_can_be_ranked_by_label_quality_and_by_dice_over_training(open_app, run):
    images = IMAGES.assign(label_quality=VALUES[::-1], dice_over_training=VALUES)
    make_analysis(run, images=14, tables={"images": images, "image_classes": CLASSES})
    app = open_app(page=PAGE, rank="label_quality", order="lowest", form="table")
    assert not app.exception
    assert not app.warning
    assert "label quality (softmin) from 0.100 to 0.750" in " ".join(text.value for text in app.caption)
    app = open_app(page=PAGE, rank="dice", form="table")
    assert not app.warning
    assert "Dice over training" in app.selectbox(key="rank").options
