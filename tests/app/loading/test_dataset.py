"""Images of an analysed data set: finding and showing them, and the message if they are missing."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from app.loading.dataset import DATA_FOLDERS, load_dataset_picture, read_dataset_sample
from app.loading.pictures import make_picture
from hlcore.data.streets import Streets
from hlcore.errors import DatasetError
from tests.analyses import make_analysis, make_image_table
from tests.app.shown import names, titles

IMAGES = make_image_table(["test-0000", "test-0001"])


@pytest.fixture
def camvid(tmp_path):
    """Two images in CamVid's layout."""
    root = tmp_path / "sets" / "camvid"
    for folder, shape in (("test", (4, 6, 3)), ("testannot", (4, 6))):
        (root / folder).mkdir(parents=True)
        for index, name in enumerate("ab"):
            Image.fromarray(np.full(shape, index, np.uint8)).save(root / folder / f"{name}.png")
    return root


@pytest.fixture
def open_with_analyses(open_app, runs, monkeypatch, tmp_path):
    """Open the app with a copy of the tiny run that has one analysis per item of `analyses`."""

    def opened(analyses, **link):
        shutil.copytree(runs / "tiny", tmp_path / "more" / "tiny")
        for name, changes in analyses.items():
            make_analysis(tmp_path / "more" / "tiny", name, **({"tables": {"images": IMAGES}} | changes))
        monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": tmp_path / "more" / "tiny"})
        return open_app(**link)

    return opened


def test_a_scene_of_an_analysis_is_the_measured_scene(tmp_path):
    sample = read_dataset_sample(make_analysis(tmp_path), "test-0007")
    scene = Streets("test", count=8, size=(64, 96))[7]
    assert np.array_equal(sample.image, scene.image)
    assert np.array_equal(sample.label_map, scene.label_map)


def test_deep_images_are_shown_with_the_white_level_of_their_analysis(camvid, tmp_path):
    for name in "ab":
        Image.fromarray(np.full((4, 6), 1000, np.uint16)).save(camvid / "test" / f"{name}.png")
    about = {"dataset": "camvid", "root": camvid}
    for white_level, brightness in ((4000, 64), (2000, 128)):
        analysis = make_analysis(tmp_path, f"{white_level}", white_level=white_level, **about)
        assert (read_dataset_sample(analysis, "a").image == brightness).all()


def test_an_image_is_predicted_with_the_window_of_its_analysis(tmp_path):
    scene = Streets("test", count=2, size=(64, 96))[0]
    whole, windowed = (make_analysis(tmp_path, f"streets-{window}", window=window) for window in (None, 64))
    picture = load_dataset_picture(windowed, scene.name)
    assert (picture.window, picture.size) == (64, (64, 96))
    assert np.array_equal(picture.sample.image, scene.image)
    assert picture.digest != load_dataset_picture(whole, scene.name).digest == make_picture(scene, 96).digest


def test_files_are_read_from_the_folder_the_analysis_names(tmp_path, camvid):
    sample = read_dataset_sample(make_analysis(tmp_path, dataset="camvid", root=camvid), "b")
    assert sample.label_map.tolist() == [[1] * 6] * 4


def test_files_that_moved_are_found_through_the_environment(tmp_path, camvid, monkeypatch):
    analysis = make_analysis(tmp_path, dataset="camvid", root=tmp_path / "gone" / "camvid")
    monkeypatch.setenv(DATA_FOLDERS, os.pathsep.join([str(tmp_path / "nothing"), str(camvid.parent)]))
    assert read_dataset_sample(analysis, "b").name == "b"


def test_missing_data_is_reported_with_a_way_to_fix_it(tmp_path, monkeypatch):
    analysis = make_analysis(tmp_path, dataset="camvid", root=tmp_path / "gone")
    monkeypatch.setenv(DATA_FOLDERS, str(tmp_path / "sets"))
    with pytest.raises(DatasetError) as error:
        read_dataset_sample(analysis, "b")
    assert str(tmp_path / "gone") in str(error.value)
    assert str(tmp_path / "sets" / "camvid") in str(error.value)
    assert "Set HLCORE_DATA to the folder that contains 'camvid'" in str(error.value)


def test_an_unknown_image_name_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="there is no image 'val-0000' in streets, split test"):
        read_dataset_sample(make_analysis(tmp_path), "val-0000")


def test_another_data_set_in_the_folder_is_refused(tmp_path, camvid):
    analysis = make_analysis(tmp_path, dataset="camvid", root=camvid, class_names=("sky",), palette=((0, 0, 0),))
    with pytest.raises(DatasetError, match="but the analysis scored sky"):
        read_dataset_sample(analysis, "b")


def test_labels_of_merged_classes_are_not_shown(tmp_path):
    assert read_dataset_sample(make_analysis(tmp_path, merged={"Sky": "Sky"}), "test-0001").label_map is None


def test_the_images_of_an_analysis_can_be_selected(open_with_analyses, scenes):
    app = open_with_analyses({"streets-test": {}}, source="data", sample="test-0001")
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="sample").options == ["test-0000", "test-0001"]
    (scene,) = scenes(app)
    assert (scene["width"], scene["height"]) == (96, 64)
    assert "Loss" in titles(scene)


def test_the_selected_analysis_is_part_of_the_link(open_with_analyses, scenes):
    app = open_with_analyses({"streets-a": {}, "streets-b": {"scene_size": (32, 48)}}, source="data", scope="streets-b")
    assert app.selectbox(key="data").value == "streets-b"
    assert scenes(app)[0]["width"] == 48
    app.selectbox(key="data").set_value("streets-a").run()
    assert scenes(app)[0]["width"] == 96
    assert dict(app.query_params)["data"] == "streets-a"


def test_a_merged_analysis_shows_its_images_without_labels_and_explains_why(open_with_analyses, scenes):
    app = open_with_analyses({"streets-test": {"merged": {"Sky": "Sky"}}}, source="data")
    (scene,) = scenes(app)
    assert titles(scene) == ["Image", "Hardness", "Prediction", "Entropy"]
    assert "Labels" not in names(scene)
    assert any("merged or left out classes" in caption.value for caption in app.caption)


def test_missing_data_is_reported_on_the_page(open_with_analyses, tmp_path):
    app = open_with_analyses({"camvid-test": {"dataset": "camvid", "root": tmp_path / "gone"}}, source="data")
    assert not app.exception
    assert "Set HLCORE_DATA" in app.error[0].value


def test_an_analysis_without_images_is_not_a_source(open_with_analyses):
    app = open_with_analyses({"streets-test": {"tables": {}, "state": "running"}}, source="data")
    assert "source 'data' is not available" in app.warning[0].value


def test_an_image_that_was_not_analysed_gives_a_warning(open_with_analyses):
    app = open_with_analyses({"streets-test": {}}, source="data", sample="test-0009")
    assert not app.exception
    assert "sample 'test-0009' is not available" in app.warning[0].value
