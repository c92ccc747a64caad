"""The Objects page: objects by size, the table, and the selected object on its image."""

import shutil

import numpy as np
import pandas as pd
import pytest

from app.viewer.planes import pack_numbers
from hlcore.analysis import edges
from hlcore.analysis.components import label_components
from hlcore.analysis.objects import add_edge_profile, measure_objects
from hlcore.analysis.statistics import ImageSums
from hlcore.data.labels import CAMVID
from hlcore.data.streets import Streets
from hlcore.types import PredictionRecord
from tests.analyses import make_analysis
from tests.app.shown import digest, layer, names, titles

PAGE = "views/objects/page.py"


@pytest.fixture(scope="module")
def objects() -> pd.DataFrame:
    """The objects of three tiny scenes with random predictions."""
    random, sums, tables = np.random.default_rng(0), ImageSums(), []
    for scene in (Streets("test", count=3, size=(64, 96))[index] for index in range(3)):
        probabilities = random.dirichlet(np.ones(len(CAMVID.names)), (64, 96)).astype(np.float32).transpose(2, 0, 1)
        record = PredictionRecord(
            scene.name,
            scene.image,
            prediction=probabilities.argmax(axis=0),
            hardness_map=random.uniform(0.1, 0.9, (64, 96)).astype(np.float32),
            probabilities=probabilities,
            class_names=CAMVID.names,
            label_map=scene.label_map,
        )
        sums.add(record.name, edges.count(record))
        tables.append(measure_objects(record))
    return add_edge_profile(pd.concat(tables, ignore_index=True), edges.make_tables(sums, CAMVID.names)["edges"])


@pytest.fixture
def open_measured(open_app, runs, objects, monkeypatch, tmp_path):
    """Open the page with a copy of the tiny run that has an analysis of the three scenes."""

    def opened(*, table=objects, changes=None, **link):
        path = tmp_path / "more" / "tiny"
        shutil.copytree(runs / "tiny", path)
        make_analysis(path, tables={"objects": table} if table is not None else {}, **({"images": 3} | (changes or {})))
        monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": path})
        return open_app(page=PAGE, **link)

    return opened


def figures(app):
    return [element.proto for element in app.get("plotly_chart")]


def outlined(found):
    """The name, in links, of the object that the only viewer outlines."""
    (scene,) = found
    name = f"{scene['objects_of']}{scene['selected']}"
    assert titles(scene)[0] == name.replace("#", ", object ")
    return name


def test_without_runs_the_app_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, object_size="thickness_px")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_an_image_has_two_figures_a_table_and_the_selected_object(open_app, scenes):
    app = open_app(page=PAGE)
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 2
    table = app.dataframe[0].value
    assert (table["area_px"] >= 10).all()
    assert table[table["area_px"] >= 300]["hardness_mean"].is_monotonic_decreasing
    (scene,) = scenes(app)
    first = table.iloc[0]
    assert titles(scene) == [f"test-0000, object {first['object']}", "Hardness"]
    assert scene["panels"][0]["note"] == first["class_name"]
    assert app.markdown[0].value.startswith(f"Spearman correlation with area over {len(table)} objects: hardness **")


def test_a_data_set_is_selected_by_default_and_has_intervals(open_measured, objects, scenes):
    app = open_measured()
    assert not app.exception
    sentence = app.markdown[0].value
    assert f"{len(objects)} objects in 3 images" in sentence
    assert sentence.count(" to ") == 3
    assert len(app.dataframe[0].value) == len(objects)
    assert len(scenes(app)) == 1


def test_the_object_in_the_link_is_outlined(open_measured, scenes):
    app = open_measured(object="test-0001#2")
    assert outlined(scenes(app)) == "test-0001#2"
    assert app.query_params["object"] == "test-0001#2"
    assert not app.warning


def test_clicking_a_point_outlines_its_object_and_updates_the_link(open_measured, scenes, monkeypatch):
    clicked = {"selection": {"points": [{"customdata": ["test-0002", 3, 40, 2.0, 1.0]}]}}
    monkeypatch.setattr("streamlit.plotly_chart", lambda *_, **__: clicked)
    app = open_measured(object="test-0001#2")
    assert outlined(scenes(app)) == "test-0002#3"
    assert app.query_params["object"] == "test-0002#3"


def test_an_object_clicked_in_the_viewer_is_outlined_although_another_is_selected_in_the_chart(
    open_measured, scenes, monkeypatch
):
    clicked = {"selection": {"points": [{"customdata": ["test-0002", 3, 40, 2.0, 1.0]}]}}
    monkeypatch.setattr("streamlit.plotly_chart", lambda *_, **__: clicked)
    app = open_measured()
    assert outlined(scenes(app)) == "test-0002#3"
    app.session_state["object"] = "test-0002#1"
    app.session_state["_selections"] += 1
    assert outlined(scenes(app.run())) == "test-0002#1"
    assert app.query_params["object"] in ("test-0002#1", ["test-0002#1"])


def test_the_outlined_object_is_visible_and_the_others_of_its_image_can_be_clicked(open_measured, scenes, objects):
    (scene,) = scenes(open_measured(object="test-0001#2"))
    row = objects.query("image == 'test-0001' and object == 2").iloc[0]
    assert scene["frame"] == [row["left"], row["top"], row["right"], row["bottom"]]
    assert (scene["objects_of"], scene["selected"], scene["private"]) == ("test-0001#", 2, True)
    assert layer(scene, "Objects")["of"] == ["Labels"]
    assert all(list(one["planes"]) in ([""], []) for one in scene["layers"]), "it has no slider"


def test_a_click_on_the_curve_changes_nothing(open_measured, scenes, monkeypatch):
    clicked = {"selection": {"points": [{"customdata": [0.1, 0.3, "10 to 30 px", 7]}]}}
    monkeypatch.setattr("streamlit.plotly_chart", lambda *_, **__: clicked)
    assert outlined(scenes(open_measured(object="test-0001#2"))) == "test-0001#2"


def test_a_missing_object_gives_a_warning(open_measured):
    app = open_measured(object="test-0001#999")
    assert not app.exception
    assert "object 'test-0001#999' is not available" in app.warning[0].value


def test_only_the_chosen_classes_are_counted_drawn_and_listed(open_measured, objects):
    app = open_measured(object_classes="Road,Sky")
    table = app.dataframe[0].value
    assert set(table["class_name"]) == {"Road", "Sky"}
    assert f"{len(table)} objects" in app.markdown[0].value
    assert len(table) < len(objects)


def test_a_class_name_with_a_comma_survives_the_link(open_measured, objects):
    named = objects.assign(class_name=objects["class_name"].replace("Road", "Road, 100 %"))
    names = tuple(name.replace("Road", "Road, 100 %") for name in CAMVID.names)
    app = open_measured(table=named, changes={"class_names": names}, object_classes="Road%2C 100 %25,Sky")
    assert not app.warning
    assert set(app.dataframe[0].value["class_name"]) == {"Road, 100 %", "Sky"}
    assert app.query_params["object_classes"] in ("Road%2C 100 %25,Sky", ["Road%2C 100 %25,Sky"])


def test_an_unknown_class_gives_a_warning_and_all_are_shown(open_measured, objects):
    app = open_measured(object_classes="Zebra")
    assert "object_classes Zebra is not available" in app.warning[0].value
    assert len(app.dataframe[0].value) == len(objects)


def test_another_quantity_is_drawn_sorted_and_correlated(open_measured):
    app = open_measured(object_quantity="iou", object_size="thickness_px")
    assert app.markdown[0].value.startswith("Spearman correlation with thickness over ")
    assert ": IoU **" in app.markdown[0].value
    table = app.dataframe[0].value
    assert table[table["area_px"] >= 300]["iou"].is_monotonic_decreasing


def test_the_bins_follow_the_cut_points_and_are_part_of_the_link(open_measured):
    app = open_measured(area_cuts="50, 500")
    assert not app.error
    assert app.text_input(key="area_cuts").value == "50, 500"
    app.text_input(key="area_cuts").set_value("20 px").run()
    assert "must be numbers separated by commas, got '20 px'" in app.error[0].value
    assert app.query_params["area_cuts"] == "20 px"


@pytest.mark.parametrize("cuts", ["500, 50", "5", "nan"])
def test_invalid_cut_points_are_reported_and_the_default_bins_are_drawn(open_measured, cuts):
    app = open_measured(area_cuts=cuts)
    assert not app.exception
    assert "cut points must be numbers above 10 px" in app.error[0].value
    assert len(figures(app)) == 2


def test_a_photograph_without_labels_has_predicted_objects_with_only_hardness(open_app, scenes):
    app = open_app(page=PAGE, source="photographs", sample="rocket", side="512")
    assert not app.exception
    assert app.selectbox(key="object_quantity").options == ["Hardness"]
    assert "taken from the prediction because there is no label map" in app.markdown[0].value
    assert app.dataframe[0].value["iou"].isna().all()
    (scene,) = scenes(app)
    assert layer(scene, "Objects")["of"] == ["Prediction"]
    assert "Loss" not in names(scene)


def test_missing_images_are_reported_and_the_table_is_shown(open_measured, objects, tmp_path):
    app = open_measured(changes={"dataset": "camvid", "root": tmp_path / "gone"})
    assert not app.exception
    assert "This object cannot be shown: the images of camvid were not found" in app.info[0].value
    assert len(app.dataframe[0].value) == len(objects)


def test_an_analysis_without_objects_is_reported(open_measured):
    app = open_measured(table=None)
    assert not app.exception
    assert not app.error
    assert any("they lack the table 'objects'" in caption.value for caption in app.caption)


def test_classes_without_objects_are_reported(open_measured, objects):
    app = open_measured(table=objects[objects["class_name"] == "Sky"], object_classes="Road")
    assert not app.exception
    assert "There are no objects of at least 10 px here" in app.info[0].value


def test_a_single_object_has_no_correlation(open_measured, objects):
    app = open_measured(table=objects[:1])
    assert not app.exception
    assert app.markdown[0].value.startswith("Spearman correlation with area over one object: hardness – ·")
    assert len(figures(app)) == 2


def test_a_run_without_hardness_is_reported(open_app):
    app = open_app(page=PAGE, run="blind")
    assert not app.exception
    assert "has no hardness branch" in app.error[0].value


def test_of_too_many_points_a_sample_is_drawn(open_measured, objects, monkeypatch):
    many = pd.concat([objects.assign(image=f"test-{index:04}") for index in range(3100 // len(objects) + 1)])
    app = open_measured(table=many.reset_index(drop=True))
    assert f"3,000 of {len(many):,} objects are drawn" in " ".join(caption.value for caption in app.caption)


def test_outlined_objects_have_the_numbers_of_the_table(open_app, scenes):
    app = open_app(page=PAGE, source="followed", sample="val-0000")
    (scene,) = scenes(app)
    label_map = Streets("val", count=1, size=(64, 96))[0].label_map
    assert digest(scene, "Objects") == pack_numbers(label_components(label_map)).digest
    row = app.dataframe[0].value.iloc[0]
    inside = np.argwhere(label_components(label_map) == row["object"])
    assert len(inside) == row["area_px"]
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
    assert scene["frame"] == [left, top, right, bottom]


def test_large_objects_are_listed_before_harder_small_ones(open_measured, objects, scenes):
    app = open_measured()
    table = app.dataframe[0].value
    large = table["area_px"] >= 300
    assert 0 < large.sum() < len(table)
    assert large.is_monotonic_decreasing
    assert all(part["hardness_mean"].is_monotonic_decreasing for _, part in table.groupby(large))
    first = table.iloc[0]
    assert outlined(scenes(app)) == f"{first['image']}#{first['object']}"
