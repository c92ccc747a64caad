"""The Stability page: followed images, a single image, and an analysis of a data set."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from hlcore.analysis import cartography
from hlcore.analysis.stability import ImageSnapshots, make_tables, sum_by_split
from hlcore.analysis.statistics import ImageSums
from hlcore.data.streets import Streets
from hlcore.storage.analyses import AnalysisRecord
from hlcore.storage.probes import Probe
from hlcore.storage.run_records import utc_now
from hlcore.storage.runs import open_run
from tests.app.conftest import start_on
from tests.app.shown import coloured, digest, known_at, titles

MAIN = Path(__file__).parents[3] / "app" / "main.py"
PAGE = "views/stability/page.py"
SNAPSHOTS = ("epoch-0000", "iteration-000001", "epoch-0001", "epoch-0002")
SIZE = (64, 96)


def maps_of(seed, label_map):
    random = np.random.default_rng(seed)
    hardness_map = random.random(SIZE).astype(np.float32)
    return hardness_map, np.where(label_map == 255, np.nan, random.gamma(1, 0.3, SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def watched(runs, tmp_path_factory):
    """A run with two followed images, and one with an analysis of all epochs."""
    folder = tmp_path_factory.mktemp("watched")
    shutil.copytree(runs / "tiny", folder / "watched")
    shutil.copytree(runs / "tiny", folder / "measured")
    shutil.rmtree(folder / "watched" / "probe")
    scenes = Streets("val", count=2, size=SIZE)
    pictures = {scene.name: (scene.image, scene.label_map) for scene in scenes}
    followed = {name: {s: maps_of(sum(map(ord, name + s)), pictures[name][1]) for s in SNAPSHOTS} for name in pictures}
    probe = Probe.create(folder / "watched" / "probe", dict(zip(pictures, ("val", "train"), strict=True)), pictures)
    for snapshot in SNAPSHOTS:
        probe = probe.add(snapshot, {name: maps[snapshot] for name, maps in followed.items()})
    run = open_run(folder / "measured")
    analysis = run.path / "analyses" / "streets-test"
    analysis.mkdir(parents=True)
    record = AnalysisRecord(
        state="complete",
        created=utc_now(),
        run=run.name,
        epoch=2,
        epochs=(0, 1, 2),
        dataset="streets",
        root=None,
        split="test",
        data_fingerprint="0",
        images=2,
        class_names=run.record.class_names,
        palette=run.record.palette,
        versions={},
    )
    (analysis / "analysis.json").write_text(record.model_dump_json(), encoding="utf-8")
    images = [ImageSnapshots(name, "test", pictures[name][1], maps) for name, maps in followed.items()]
    for name, table in make_tables(sum_by_split(images), SNAPSHOTS).items():
        table.to_parquet(analysis / f"{name}.parquet")
    return folder


@pytest.fixture
def open_page(open_app, watched, monkeypatch, tmp_path):
    """Open the page on a run of `watched` or of the shared runs."""

    def opened(run: str, **link: str) -> AppTest:
        if not (watched / run).exists():
            return open_app(page=PAGE, run=run, **link)
        monkeypatch.setattr("app.loading.runs.PROJECT", tmp_path)
        monkeypatch.setenv("HLCORE_RUNS", str(watched))
        app = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in {"run": run, **link}.items():
            app.query_params[name] = value
        start_on(app, PAGE)
        return app.run()

    return opened


def test_without_runs_the_app_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, aspect="measures")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_followed_images_are_side_by_side_with_training_images_first(open_page, scenes):
    app = open_page("watched")
    assert not app.exception
    assert not app.error
    controls, first, second = scenes(app)
    assert titles(first) == titles(second) == ["Hardness", "Loss"]
    assert (controls["controls"], controls["panels"]) == (True, [])
    assert not first["controls"] and not second["controls"]
    assert controls["group"] == first["group"] == second["group"] != ""
    assert [element.value for element in app.caption if "(" in element.value][:2] == [
        "val-0001 (trained on)",
        "val-0000 (held out)",
    ]
    assert digest(first, "Hardness", SNAPSHOTS[0]) != digest(second, "Hardness", SNAPSHOTS[0])


def test_one_slider_moves_the_maps_of_all_images_through_the_snapshots(open_page, scenes):
    for scene in scenes(open_page("watched", snapshot="iteration-000001", other="1")):
        assert (scene["step"], scene["view"]["snapshot"]) == ("snapshot", "iteration-000001")
        assert "other" not in scene["view"], "only Epochs has a compared epoch"
        assert [step["name"] for step in scene["steps"]] == list(SNAPSHOTS)
        assert [step["title"] for step in scene["steps"]] == ["#0", "#1", "epoch 1", "epoch 2"]
        assert known_at(scene, "Hardness") == known_at(scene, "Loss") == sorted(SNAPSHOTS)
        assert len({digest(scene, "Hardness", snapshot) for snapshot in SNAPSHOTS}) == 4


def test_every_measure_is_drawn_and_explained_for_both_splits(open_page):
    app = open_page("watched", aspect="measures")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 7
    texts = " ".join(element.value for element in app.caption)
    assert "**trained on**: at epoch 2 mean hardness is" in texts
    assert "of its value at epoch 1;" in texts
    assert "**held out**" in texts
    assert "0.05 is chance" in texts
    assert len(app.dataframe[0].value) == 8


def test_snapshots_can_be_compared_with_the_last(open_page):
    app = open_page("watched", aspect="measures", against="last")
    assert not app.exception
    assert app.query_params["against"] == "last"


def test_every_pair_of_snapshots_is_compared_for_each_split_and_map(open_page):
    app = open_page("watched", aspect="pairs")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 4


def test_the_variation_of_each_pixel_is_a_map_scaled_or_not(open_page, scenes):
    _, scaled, _ = scenes(open_page("watched", aspect="variation"))
    assert titles(scaled) == ["Hardness weight", "Loss divided by its sum"]
    assert scaled["steps"] == []
    _, own, _ = scenes(open_page("watched", aspect="variation", scaled="own"))
    assert titles(own) == ["Hardness", "Loss"]
    assert digest(own, "Hardness") != digest(scaled, "Hardness weight")


def test_a_run_without_followed_images_predicts_an_image_at_every_epoch(open_page, scenes):
    app = open_page("tiny", source="followed", sample="val-0000")
    assert not app.exception
    _, scene = scenes(app)
    assert scene["columns"] == 2
    assert [step["title"] for step in scene["steps"]] == ["#0", "epoch 1", "epoch 2"]
    measures = open_page("tiny", source="followed", sample="val-0000", aspect="measures")
    assert not measures.exception
    assert "**picture**" in " ".join(element.value for element in measures.caption)


def test_a_photograph_without_labels_has_only_hardness(open_page, scenes):
    _, scene = scenes(open_page("tiny", source="photographs", sample="rocket"))
    assert titles(scene) == ["Hardness"]
    measures = open_page("tiny", source="photographs", sample="rocket", aspect="measures")
    assert not measures.exception
    assert "hardest 10 % overlap with an IoU of" in " ".join(element.value for element in measures.caption)
    assert "nan" not in " ".join(element.value for element in measures.caption)


def test_an_analysis_with_several_epochs_has_measures_and_no_maps(open_page):
    app = open_page("measured", scope="streets-test")
    assert not app.exception
    assert app.get("button_group")[1].proto.options[0].content == "Measures"
    assert len(app.get("plotly_chart")) == 7


@pytest.mark.parametrize(("run", "kept"), [("blind", 1), ("waiting", 0)])
def test_a_run_with_fewer_than_two_epochs_explains_that_stability_needs_two(open_page, run, kept):
    app = open_page(run)
    assert not app.exception
    assert f"has {kept} kept epochs" in app.error[0].value


def test_an_invalid_snapshot_in_the_link_gives_a_warning(open_page):
    app = open_page("watched", snapshot="epoch-0099")
    assert not app.exception
    assert "snapshot 'epoch-0099' is not available" in app.warning[0].value


def test_the_page_starts_with_a_summary_of_the_run(open_page):
    app = open_page("watched")
    (sentence,) = [text.value for text in app.markdown if text.value.startswith("From one kept epoch to the next")]
    assert "held out" in sentence
    assert "At epoch 2 hardness keeps **" in sentence
    assert "of its mean at epoch 1, the loss **" in sentence


def test_how_the_pixels_of_an_image_were_learned_is_shown_with_a_slider_over_the_epochs(open_page, scenes):
    app = open_page("measured", scope="picture", aspect="learning")
    assert not app.exception
    assert not app.error
    (scene,) = scenes(app)
    assert titles(scene) == [
        "True-class probability",
        "Mean probability",
        "Spread",
        "Hardness",
        "Epoch learned",
        "Forgotten",
    ]
    assert known_at(scene, "True-class probability") == ["1", "2"]
    assert known_at(scene, "Epoch learned") == [""]
    assert coloured(scene, "Epoch learned") == ["epoch 1", "epoch 2", "not learned"]
    text = " ".join(element.value for element in app.markdown)
    assert "of the labelled pixels were right from epoch 1 on" in text
    assert "were forgotten at least once" in text
    assert len(app.get("plotly_chart")) == 2


def test_a_photograph_without_labels_says_why_learning_is_not_known(open_page, scenes):
    app = open_page("measured", scope="picture", aspect="learning", source="photographs", sample="cat")
    assert not app.exception
    assert not scenes(app)
    assert "it is not known when its pixels were right" in app.info[0].value


def test_an_older_analysis_says_how_to_get_what_it_lacks(open_page):
    app = open_page("measured", scope="streets-test", aspect="learning")
    assert not app.exception
    assert "run `hlcore analyze --epochs all` again" in app.info[0].value


def test_a_data_set_shows_how_its_pixels_were_learned_with_intervals(open_page, watched):
    sums = ImageSums(20)
    for seed in range(3):
        losses = np.random.default_rng(seed).exponential(1, (2, *SIZE)).astype(np.float32)
        tracker = cartography.CourseTracker()
        for loss_map in losses:
            tracker.add(loss_map, loss_map > 1)
        hardness_map = (losses[1] / (1 + losses[1])).astype(np.float32)
        sums.add(str(seed), cartography.count(tracker.measure(), hardness_map, epochs=2))
    folder = watched / "measured" / "analyses" / "streets-test"
    tables = cartography.make_tables(sums, (1, 2))
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    try:
        app = open_page("measured", scope="streets-test", aspect="learning")
    finally:
        for name in tables:
            (folder / f"{name}.parquet").unlink()
    assert not app.exception
    assert not app.info
    text = " ".join(element.value for element in app.markdown)
    assert " to −" in text, "the correlation with the mean probability has an interval"
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.parametrize("run", ["blind", "waiting"])
def test_a_run_with_fewer_than_two_epochs_says_that_learning_needs_two(open_page, run):
    app = open_page(run, scope="picture", aspect="learning")
    assert not app.exception
    assert "has 0 kept epochs after training began, but how pixels were learned needs two" in app.error[0].value
