"""The Inspect page: all maps of one image."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.app.shown import digest, layer, names, titles

LABELLED, UNLABELLED = ["Image", "Hardness", "Loss", "Errors"], ["Image", "Hardness", "Prediction", "Entropy"]


def test_without_runs_the_app_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False)
    assert not app.exception
    assert app.title[0].value == "No trained network yet"
    assert "hlcore train" in app.code[0].value


def test_a_labelled_scene_has_every_map_and_shows_four(open_app, scenes):
    app = open_app()
    assert not app.exception
    assert not app.error
    assert "**Hardness** is how hard" in app.caption[0].value
    (scene,) = scenes(app)
    assert titles(scene) == LABELLED
    assert scene["free"], "users choose the maps"
    assert names(scene) == [
        *("Image", "Hardness", "Prediction", "Labels", "Loss", "Entropy", "Errors"),
        *("Hardness change", "Loss change", "Objects"),
    ]
    assert len(layer(scene, "Labels")["classes"]) == len(layer(scene, "Prediction")["classes"]) == 11
    assert layer(scene, "Errors")["of"] == ["Prediction", "Labels"]
    assert (layer(scene, "Loss")["ranges"], layer(scene, "Loss")["unit"]) == ([1, 2, 4, 8], " nats")


def test_a_photograph_without_labels_has_no_map_that_needs_them(open_app, scenes):
    app = open_app(source="photographs", sample="rocket")
    assert not app.exception
    (scene,) = scenes(app)
    assert titles(scene) == UNLABELLED
    assert names(scene) == ["Image", "Hardness", "Prediction", "Entropy", "Hardness change", "Objects"]
    assert layer(scene, "Objects")["of"] == ["Prediction"]
    assert (scene["width"], scene["height"]) == (640, 427)


@pytest.mark.parametrize("sample", ["motorcycle", "coffee", "cat", "astronaut", "cameraman"])
def test_every_photograph_of_scikit_image_is_available_offline(open_app, sample):
    app = open_app(source="photographs", sample=sample, side="512")
    assert not app.exception
    assert not app.error


def test_a_followed_image_has_labels(open_app, scenes):
    app = open_app(source="followed")
    (scene,) = scenes(app)
    assert (scene["width"], scene["height"]) == (96, 64)
    assert "Loss" in titles(scene)
    assert app.selectbox(key="sample").options == ["val-0000 (held out)"]


def test_epochs_differ_in_hardness_on_the_same_image(open_app, scenes):
    (scene,) = scenes(open_app())
    assert len({digest(scene, "Hardness", epoch) for epoch in ("0", "1", "2")}) == 3
    assert list(layer(scene, "Image")["planes"]) == [""]
    (other,) = scenes(open_app(epoch="0"))
    assert digest(other, "Hardness", "0") == digest(scene, "Hardness", "0")
    assert (scene["view"]["epoch"], other["view"]["epoch"]) == ("2", "0")


def test_every_kept_epoch_is_a_step_of_the_slider_with_its_iteration(open_app, scenes):
    (scene,) = scenes(open_app())
    assert scene["step"] == "epoch"
    assert [(step["name"], step["title"], step["note"]) for step in scene["steps"]] == [
        ("0", "epoch 0", "iteration 0"),
        ("1", "epoch 1", "iteration 10"),
        ("2", "epoch 2", "iteration 20"),
    ]


def test_a_pinned_pixel_is_described(open_app, scenes):
    app = open_app(x="5", y="7")
    view = scenes(app)[0]["view"]
    assert (view["x"], view["y"]) == ("5", "7")
    (words,) = [text.value for text in app.markdown if "predicted" in text.value]
    assert words.startswith("Pixel **x 5 px, y 7 px** · labelled **")
    assert all(word in words for word in ("from epoch 0 to 2", "probability", "hardness", "loss"))


def test_the_history_of_a_pinned_pixel_is_drawn(open_app):
    (chart,) = open_app(x="5", y="7").get("plotly_chart")
    lines = json.loads(chart.proto.spec)["data"]
    assert [line["name"] for line in lines] == ["hardness", "loss"]
    assert all(len(line["customdata"]) == 3 for line in lines), "one point per epoch"
    assert not open_app().get("plotly_chart")
    assert not open_app(x="5").get("plotly_chart"), "x without y pins no pixel"


def test_the_history_of_a_pixel_without_a_label_has_no_loss(open_app):
    app = open_app(source="photographs", sample="rocket", x="5", y="7")
    (chart,) = app.get("plotly_chart")
    assert [line["name"] for line in json.loads(chart.proto.spec)["data"]] == ["hardness"]
    (words,) = [text.value for text in app.markdown if "predicted" in text.value]
    assert "labelled" not in words
    assert "nats" not in words


def test_every_choice_is_part_of_the_link(open_app):
    app = open_app(show="Image,Hardness")
    app.selectbox(key="sample").select("test-0001").run()
    link = dict(app.query_params)
    assert link.items() >= {"run": "tiny", "epoch": "2", "sample": "test-0001", "opacity": "70", "nats": "4"}.items()
    assert link.items() >= {"scale": "inferno", "show": "Image,Hardness", "source": "scenes"}.items()


def test_a_link_opens_the_same_view(open_app, scenes):
    chosen = {"epoch": "1", "opacity": "25", "scale": "grey", "nats": "2", "show": "Hardness", "x": "3", "y": "4"}
    chosen |= {"above": "Hardness:0.5", "zoom": "0.5,0.25,2", "compare": "wipe,Image,40", "grey": "1"}
    chosen |= {"hidden": "Sky,Road", "outlines": "objects", "box": "1,2,30,40", "other": "0"}
    app = open_app(source="photographs", sample="coffee", **chosen)
    (scene,) = scenes(app)
    assert scene["view"] == chosen
    assert not app.warning


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"run": "gone"}, "run 'gone' is not available"),
        ({"epoch": "99"}, "epoch '99' is not available; showing '2'"),
        ({"sample": "nobody"}, "sample 'nobody' is not available"),
        ({"x": "abc"}, "x must be a whole number, got 'abc'"),
        ({"x": "100000", "y": "1"}, "x must be between 0 and "),
        ({"opacity": "300"}, "opacity must be between 0 and 100, got 300; showing 100"),
        ({"show": "Image,Dreams"}, "show Dreams is not available"),
        ({"zoom": "far,away"}, "zoom 'far,away' is not valid"),
        ({"above": "Hardness:abc"}, "is not valid"),
        ({"compare": "fade,Loss,40"}, "compare 'fade,Loss,40' is not valid"),
        ({"box": "1,2,3"}, "box '1,2,3' is not valid"),
        ({"outlines": "stars"}, "outlines 'stars' is not valid"),
        ({"scale": "jet"}, "scale 'jet' is not available; showing 'inferno'"),
        (
            {"scale": "![](//a/b)"},
            "scale '`![](//a/b)`' is not available",
        ),  # must not load an image from another site
        ({"scale": "a\n\n`[b](//c)"}, "scale '`a  [b](//c)`' is not available"),
    ],
)
def test_an_invalid_choice_in_the_link_gives_a_warning_and_the_page_works(open_app, scenes, link, sentence):
    app = open_app(**link)
    assert not app.exception
    assert any(sentence in warning.value for warning in app.warning)
    if link.get("run") != "gone":
        assert scenes(app)


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("broken", "epoch-0000.safetensors"),
        ("blind", "has no hardness branch"),
        ("waiting", "has no checkpoint yet"),
        ("unreadable", "run.json cannot be read"),
    ],
)
def test_a_run_that_cannot_be_shown_is_reported(open_app, run, sentence):
    app = open_app(run=run)
    assert not app.exception
    assert sentence in app.error[0].value


def test_an_uploaded_photo_is_shown_upright_and_scaled_down(open_app, scenes):
    app = upload(open_app(source="upload", side="512"), "photograph", "rotated.jpg", rotated_jpeg(1200, 800))
    assert not app.exception
    (scene,) = scenes(app)
    assert (scene["width"], scene["height"]) == (341, 512)
    assert any("the original image has 800 x 1200 px" in caption.value for caption in app.caption)


def test_maps_of_a_scaled_image_can_be_downloaded_at_the_original_size(open_app):
    app = upload(open_app(source="upload", side="512"), "photograph", "rotated.jpg", rotated_jpeg(1200, 800))
    sizes = ["341 x 512 px, as analysed", "800 x 1200 px, original size, interpolated"]
    assert app.radio(key="download_size").options == sizes
    app.radio(key="download_size").set_value((1200, 800)).run()
    assert not app.exception
    assert [button.label for button in app.get("download_button")] == ["Hardness, 16-bit PNG", "Hardness, NPY"]


def test_an_uploaded_photograph_survives_a_page_change(open_app, scenes):
    app = upload(open_app(source="upload"), "photograph", "rotated.jpg", rotated_jpeg(90, 60))
    app.switch_page("views/epochs/page.py").run()
    app.switch_page("views/inspect/page.py").run()
    (scene,) = scenes(app)
    assert (scene["width"], scene["height"]) == (60, 90)


def test_an_uploaded_photo_can_be_removed_on_another_page(open_app, scenes):
    app = upload(open_app(source="upload"), "photograph", "rotated.jpg", rotated_jpeg(90, 60))
    assert not [button for button in app.button if button.key == "photograph_remove"], "the uploader has a button"
    app.switch_page("views/edges/page.py").run()
    assert app.button(key="photograph_remove").label == "Remove `rotated.jpg`"
    app.button(key="photograph_remove").click().run()
    assert not app.exception
    assert scenes(app) == []


def test_an_upload_that_is_not_an_image_is_reported(open_app):
    app = upload(open_app(source="upload"), "photograph", "notes.jpg", b"dear diary")
    assert not app.exception
    assert app.error[0].value.startswith("notes.jpg is a text file")


@pytest.mark.parametrize(("brightest", "dark"), [(20, True), (200, False)])
def test_a_photo_that_is_nearly_black_gets_a_note(open_app, brightest, dark):
    app = upload(open_app(source="upload"), "photograph", "a.png", png(np.full((40, 60, 3), brightest, np.uint8)))
    assert not app.exception
    notes = [caption.value for caption in app.caption if "under a tenth of the range" in caption.value]
    assert len(notes) == dark


def test_uploaded_labels_add_loss_and_errors(open_app, scenes):
    app = upload(open_app(source="upload"), "photograph", "a.png", png(np.zeros((40, 60, 3), np.uint8)))
    app = upload(app, "labels", "a-labels.png", png(np.full((40, 60), 3, np.uint8)))
    assert not app.error
    assert "Errors" in titles(scenes(app)[0])


def test_the_void_of_camvid_files_counts_as_unlabelled(open_app, scenes):
    app = upload(open_app(source="upload", x="2", y="1"), "photograph", "a.png", png(np.zeros((40, 60, 3), np.uint8)))
    app = upload(app, "labels", "a-labels.png", png(np.full((40, 60), 11, np.uint8)))
    assert not app.error
    assert "Errors" in titles(scenes(app)[0])
    assert any("not labelled" in text.value for text in app.markdown)


def test_labels_belong_to_one_photograph(open_app, scenes):
    app = upload(open_app(source="upload"), "photograph", "a.png", png(np.zeros((40, 60, 3), np.uint8)))
    app = upload(app, "labels", "a-labels.png", png(np.full((40, 60), 3, np.uint8)))
    app = upload(app, "photograph", "b.png", png(np.full((40, 60, 3), 9, np.uint8)))
    assert not app.exception
    assert titles(scenes(app)[0]) == UNLABELLED


@pytest.mark.parametrize(
    ("label_map", "sentence"),
    [
        (np.zeros((9, 9), np.uint8), "The label map is 9 x 9 px but its image is 60 x 40 px"),
        (np.full((40, 60), 77, np.uint8), "unknown class ids"),
    ],
)
def test_labels_that_do_not_fit_are_reported_and_hardness_is_shown(open_app, scenes, label_map, sentence):
    app = upload(open_app(source="upload"), "photograph", "a.png", png(np.zeros((40, 60, 3), np.uint8)))
    app = upload(app, "labels", "labels.png", png(label_map))
    assert not app.exception
    (error,) = app.error
    assert sentence in error.value
    assert titles(scenes(app)[0]) == UNLABELLED


def upload(app, name, file_name, content):
    uploader = next(uploader for uploader in app.file_uploader if uploader.key.startswith(f"{name}_file"))
    return uploader.set_value((file_name, content, "application/octet-stream")).run()


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def rotated_jpeg(width, height):
    """A photograph of width x height whose EXIF data rotate it by 90 degrees."""
    image = Image.new("RGB", (width, height), "olive")
    exif = image.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_change_maps_compare_with_the_same_epoch_as_on_the_epochs_page(open_app, scenes):
    (scene,) = scenes(open_app())
    assert scene["view"]["other"] == "1"
