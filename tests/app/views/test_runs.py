"""The Runs page: several runs side by side."""

import json
import shutil

import pandas as pd
import pytest

from hlcore.data.labels import CAMVID
from hlcore.storage.runs import open_run
from tests.analyses import make_analysis

PAGE = "views/runs/page.py"
SCORES = pd.DataFrame(
    [
        {"class_name": name, "metric": metric, "value": 0.5, "low": 0.4, "high": 0.6}
        for metric in ("iou", "boundary_iou", "iou_small", "iou_medium", "iou_large", "accuracy")
        for name in ("", *CAMVID.names)
    ]
)


@pytest.fixture
def two_runs(runs, monkeypatch, tmp_path):
    """Two runs with class scores and steps, and one that shares a single class with them."""
    folders = {}
    for number, name in enumerate(("first", "second", "other")):
        folders[name] = path = tmp_path / "more" / name
        shutil.copytree(runs / "tiny", path)
        record = json.loads((path / "run.json").read_text(encoding="utf-8")) | {"name": name}
        classes = list(CAMVID.names)
        if name == "other":
            classes = ["Sky", "Kiosk"]
            record |= {"class_names": classes, "palette": [[0, 0, 0], [1, 1, 1]], "data_fingerprint": "1" * 64}
        (path / "run.json").write_text(json.dumps(record), encoding="utf-8")
        (path / "metrics.jsonl").unlink()
        run = open_run(path)
        for epoch in (1, 2):
            lift = {"hardness_lift": 1.0 + epoch, "images_per_s": 10.0 * epoch}
            run.append_metrics("step", {"epoch": epoch, "iteration": epoch, **lift})
            iou = {f"iou/{name}": 0.1 * epoch + 0.05 * number for name in classes}
            run.append_metrics(
                "epoch", {"epoch": epoch, "iteration": epoch, "mean_iou": 0.1 * epoch + 0.05 * number, **iou}
            )
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: folders)
    return folders


def open_page(open_app, **link):
    return open_app(page=PAGE, **({"run": "first"} | link))


def figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def titles(app):
    """The title of the value axis of each figure."""
    layouts = [figure["layout"] for figure in figures(app)]
    axes = [layout["yaxis"] if "title" in layout["yaxis"] else layout["xaxis"] for layout in layouts]
    return [axis["title"]["text"] for axis in axes]


def test_runs_trained_on_the_same_data_are_selected_by_default(open_app, two_runs):
    app = open_page(open_app)
    assert not app.exception
    assert not app.error
    assert app.multiselect(key="runs").value == ["first", "second"], "the runs trained on the same data"
    assert titles(app) == [
        "Validation mIoU (0 to 1)",
        "IoU (0 to 1)",
        "IoU of second minus IoU of first",
        "HL lift (1 = no effect)",
        "Training step (ms per image, log scale)",
    ]


def test_last_and_best_epochs_and_settings_are_listed(open_app, two_runs):
    app = open_page(open_app, runs="first,second")
    reached, settings = (table.value for table in app.dataframe)
    assert reached["run"].tolist() == ["first", "second"]
    assert reached["mIoU, last"].tolist() == pytest.approx([0.2, 0.25])
    assert settings.loc["loss"].tolist() == ["hardness", "hardness"]


def test_runs_with_other_classes_are_compared_on_shared_ones_with_a_note(open_app, two_runs):
    app = open_page(open_app, runs="first,other")
    captions = " ".join(caption.value for caption in app.caption)
    assert "different data" in captions
    assert "the classes that all runs share: 1." in captions
    assert [figure["data"][0]["y"] for figure in figures(app)][1] == ["Sky"]


def test_a_note_beside_the_gains_says_that_runs_are_single_seeds(open_app, two_runs):
    app = open_page(open_app, runs="first,second")
    assert any("single seed" in caption.value for caption in app.caption)


def test_an_analysis_adds_boundary_iou_and_sizes_with_intervals(open_app, two_runs):
    for name in ("first", "second"):
        make_analysis(two_runs[name], tables={"segmentation": SCORES})
    app = open_page(open_app, runs="first,second")
    assert "Score (0 to 1)" in titles(app)
    (scores,) = [figure for figure in figures(app) if figure["layout"].get("barmode") == "group"]
    assert scores["data"][0]["x"] == [
        *("mIoU", "boundary IoU", "small objects", "medium objects", "large objects", "pixel accuracy")
    ]
    assert [bars["name"] for bars in scores["data"]] == ["first", "second"]
    assert scores["data"][0]["error_y"]["visible"]


def test_analyses_of_other_data_are_not_mixed(open_app, two_runs):
    make_analysis(two_runs["first"], tables={"segmentation": SCORES})
    make_analysis(two_runs["second"], tables={"segmentation": SCORES}, data_fingerprint="2" * 64)
    app = open_page(open_app, runs="first,second")
    assert [bars["name"] for bars in figures(app)[1]["data"]] == ["first"]
    assert any("Select a second run with these scores" in caption.value for caption in app.caption)


def test_a_single_run_has_no_gain(open_app, two_runs):
    app = open_page(open_app, runs="second")
    assert not app.exception
    assert not any("minus" in title for title in titles(app))


def test_an_unreadable_run_is_reported_and_the_others_are_shown(open_app):
    app = open_app(page=PAGE, runs="tiny,unreadable,waiting")
    assert not app.exception
    assert not app.error
    assert any("run.json cannot be read" in warning.value for warning in app.warning)
    assert [trace["name"] for trace in figures(app)[0]["data"]] == ["tiny"]


def test_runs_without_validation_are_reported(open_app):
    app = open_app(page=PAGE, runs="waiting")
    assert not app.exception
    assert "None of these runs has been validated" in app.info[0].value


def test_invalid_choices_in_the_link_give_warnings(open_app, two_runs):
    app = open_page(open_app, runs="first,second,third", scores="moon", baseline="third")
    assert not app.exception
    warnings = " ".join(warning.value for warning in app.warning)
    texts = ("runs third is not available", "'moon'", "baseline 'third' is not available")
    assert all(text in warnings for text in texts)


def test_the_default_baseline_is_the_run_with_cross_entropy(open_app, two_runs):
    path = two_runs["second"] / "run.json"
    path.write_text(
        path.read_text().replace('"name":"hardness"', '"name":"ce"').replace('"name": "hardness"', '"name": "ce"')
    )
    app = open_page(open_app)
    assert (app.selectbox(key="compared").value, app.selectbox(key="baseline").value) == ("first", "second")
    assert any("first gains **-5.0 points of mIoU** over second" in text.value for text in app.markdown)
