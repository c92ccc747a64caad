"""The Errors page: flagged pixels of an image, and the scores that find the errors of a data set."""

import io
import shutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from app.views.errors import sentences as error_sentences
from hlcore.analysis import error_prediction
from hlcore.analysis.flagging import FlaggingResult
from hlcore.analysis.statistics import ImageSums
from hlcore.data.labels import CAMVID
from hlcore.data.streets import Streets
from hlcore.report import sentences
from hlcore.storage.runs import open_run
from hlcore.types import ErrorModel, PredictionRecord
from tests.analyses import make_analysis
from tests.app.shown import coloured, layer, names, titles

PAGE = "views/errors/page.py"
NAN = float("nan")


@cache
def measured_tables(*, dropout=False):
    """Tables of three scenes with wrong pixels, which max softmax finds and hardness, being random, does not."""
    sums = ImageSums(10)
    for number, scene in enumerate(Streets("test", count=3, size=(64, 96))):
        random = np.random.default_rng(number)
        prediction = np.roll(np.where(scene.label_map == 255, 0, scene.label_map), 3, axis=1).astype(np.uint8)
        prediction[10:40, 30:70] = CAMVID.names.index("Fence")
        wrong = prediction != scene.label_map
        confidence = np.where(wrong, 0.4, 0.8) + random.uniform(-0.15, 0.15, wrong.shape)
        probabilities = np.repeat((1 - confidence[None]) / 10, 11, axis=0)
        np.put_along_axis(probabilities, prediction[None].astype(int), confidence[None], axis=0)
        record = PredictionRecord(
            scene.name,
            scene.image,
            prediction,
            random.uniform(0.1, 0.9, wrong.shape).astype(np.float32),
            probabilities.astype(np.float32),
            CAMVID.names,
            scene.label_map,
            random.uniform(0, 2, wrong.shape).astype(np.float32) if dropout else None,
        )
        sums.add(scene.name, error_prediction.count(record))
    return error_prediction.make_tables(sums)


@pytest.fixture
def open_analysed(open_app, runs, monkeypatch, tmp_path):
    """Open the Errors page with a copy of the tiny run that was analysed."""

    def opened(tables=None, record=None, **link):
        folder = tmp_path / "more" / "tiny"
        shutil.copytree(runs / "tiny", folder)
        make_analysis(folder, tables=measured_tables() if tables is None else tables, **(record or {}))
        monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
        return open_app(page=PAGE, **link)

    return opened


def charts(app):
    return [chart.proto.spec for chart in app.get("plotly_chart")]


def read_texts(app):
    return " ".join(text.value for text in (*app.markdown, *app.caption))


def test_without_runs_every_url_explains_how_to_train_one(open_app):
    app = open_app(with_runs=False, score="entropy")
    assert not app.exception
    assert app.title[0].value == "No trained network yet"


def test_a_labelled_scene_shows_flagged_pixels_and_all_curves(open_app, scenes):
    app = open_app(page=PAGE, epoch="1")
    assert not app.exception
    assert not app.error
    (scene,) = scenes(app)
    assert titles(scene) == ["Flagged and wrong", "Hardness"]
    assert [name.split(":")[0] for name in coloured(scene, "Flagged")] == ["caught", "missed", "false alarm"]
    assert "This image: flagging where hardness ≥ " in read_texts(app)
    assert "A single image has no interval" in read_texts(app)
    for title, chart in zip(["(coverage)", "Right pixels flagged", "errors caught", "AUROC"], charts(app), strict=True):
        assert title in chart
    assert len(app.dataframe[0].value) == 6


def test_the_selected_share_is_flagged_and_part_of_the_link(open_app, scenes):
    app = open_app(page=PAGE, flagged="30")
    assert "**30.0 % of the pixels**" in read_texts(app)
    app.slider(key="flagged").set_value(60).run()
    assert "**60.0 % of the pixels**" in read_texts(app)
    assert app.query_params["flagged"] == ["60"] or app.query_params["flagged"] == "60"
    assert scenes(app)[0]["panels"][0]["note"].startswith("60.0 % of pixels, ")


def test_another_score_flags_other_pixels_in_its_own_unit(open_app, scenes):
    app = open_app(page=PAGE, score="entropy")
    (scene,) = scenes(app)
    assert titles(scene)[1] == "Entropy"
    assert layer(scene, "Entropy")["high"] == pytest.approx(np.log(11))
    assert " nats:" in read_texts(app)
    app = open_app(page=PAGE, score="edge_distance")
    (scene,) = scenes(app)
    assert [one["unit"] for one in scene["layers"]] == ["", "", " px", ""]
    assert names(scene)[-1] == "Hardness", "hardness is read out beside every score"
    assert "px away" in read_texts(app)


def test_a_region_counts_only_its_pixels(open_app):
    app = open_app(page=PAGE, region="edge")
    assert "of the pixels** within 2 px of a predicted edge" in read_texts(app)
    assert "Over within" not in read_texts(app)


def test_an_image_without_labels_shows_flagged_pixels_and_explains_what_is_missing(open_app, scenes):
    app = open_app(page=PAGE, source="photographs", sample="cat")
    assert not app.exception
    assert "This image has no labels" in app.info[0].value
    assert "upload a label map" in app.info[0].value
    (scene,) = scenes(app)
    assert coloured(scene, "Flagged") == ["flagged"]
    assert not charts(app)
    assert "errors" not in next(text.value for text in app.markdown if "flagging" in text.value)


def test_mc_dropout_is_a_score_when_enabled(open_app, scenes):
    app = open_app(page=PAGE, score="mc_entropy")
    assert "score 'mc_entropy' is not available; showing 'hardness'" in app.warning[0].value
    app.toggle(key="dropout").set_value(True).run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 7
    app.selectbox(key="score").set_value("mc_entropy").run()
    (scene,) = scenes(app)
    assert titles(scene)[1] == "Entropy under MC dropout"
    assert app.query_params["dropout"] in ("1", ["1"])


@pytest.fixture
def with_error_model(runs, monkeypatch, tmp_path):
    """The tiny run with an error model."""
    folder = tmp_path / "known" / "tiny"
    shutil.copytree(runs / "tiny", folder)
    run = open_run(folder)
    class_weights = tuple(float(index % 3) - 4 for index in range(len(run.record.class_names)))
    run.write_error_model(ErrorModel({"max_softmax": 5.0, "margin": 1.0}, class_weights, "streets train", 8, 1))
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
    return folder


def test_a_run_with_an_error_model_offers_the_suspicion_of_error(with_error_model, open_app, scenes):
    app = open_app(page=PAGE, score="error_suspicion")
    assert not app.exception
    assert not app.warning
    assert titles(scenes(app)[0])[1] == "Suspicion of error"
    assert "flagging where suspicion of error ≥ 0." in read_texts(app)
    assert len(app.dataframe[0].value) == 7
    app = open_app(page="views/inspect/page.py", source="photographs", sample="cat")
    assert not app.exception
    assert "Suspicion of error" in names(scenes(app)[0])


def test_a_run_without_an_error_model_does_not_offer_it_even_if_its_analysis_has_it(open_analysed, scenes):
    tables = measured_tables()
    renamed = {name: table.replace({"score": {"entropy": "error_suspicion"}}) for name, table in tables.items()}
    app = open_analysed(renamed, score="error_suspicion")
    assert not app.exception
    assert "score 'error_suspicion' is not available" in app.warning[0].value


def test_the_page_says_which_score_to_use_and_what_hardness_is_for(open_analysed):
    text = read_texts(open_analysed())
    assert "To find errors here, flag by 1 − max softmax (AUROC " in text
    assert "Hardness has another purpose" in text


@pytest.mark.parametrize(
    ("hardness", "said"),
    [
        (0.95, "Hardness has the highest AUROC here (0.950)"),
        (0.5, "flag by 1 − max softmax (AUROC 0.900, the highest)"),
        (0.899, "has the highest AUROC here (0.900), but hardness (0.899) cannot be told apart from it"),
    ],
)
def test_the_recommended_score_has_the_highest_auroc(hardness, said):
    rows = [("hardness", "auroc", hardness), ("max_softmax", "auroc", 0.9), ("mc_entropy", "auroc", NAN)]
    rows.append(("max_softmax", "auroc_minus_hardness", 0.9 - hardness))
    table = pd.DataFrame([(*row, "all") for row in rows], columns=["score", "metric", "value", "region"])
    table = table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01, bound=0.001)
    assert said in error_sentences.recommend_score(table, "all")


def test_without_an_error_no_score_is_recommended():
    table = pd.DataFrame([("hardness", "auroc", NAN, "all")], columns=["score", "metric", "value", "region"])
    assert error_sentences.recommend_score(table, "all") == ""


def test_a_data_set_shows_with_intervals_that_hardness_loses_to_a_free_score(open_analysed, scenes):
    app = open_analysed(score="max_softmax")
    assert not app.exception
    assert not app.error
    text = read_texts(app)
    assert "It **loses to** 1 − max softmax (free, +0." in text
    assert "paired over" in text
    assert "On the image above, test-0000, the same threshold flags " in text
    assert app.session_state["scope"] == "streets-test"
    assert titles(scenes(app)[0])[1] == "1 − max softmax"
    assert all("errors caught" in chart or "%{customdata" in chart for chart in charts(app)[:3])


def test_the_summary_of_a_data_set_matches_a_row_of_its_table(open_analysed):
    tables = measured_tables()
    curve = tables["risk_curves"].query("score == 'entropy' and region == 'interior' and pixels_share >= 0.25")
    app = open_analysed(tables, score="entropy", region="interior", flagged="25")
    row = curve.iloc[0]
    assert (
        f"**{100 * row.pixels_share:.1f} % of the pixels** farther than 2 px from every predicted edge, "
        f"**{100 * row.errors_share:.1f} % of the errors**, **{100 * row.precision:.1f} % precision**"
        in read_texts(app)
    )


def test_a_data_set_that_was_measured_with_dropout_offers_it(open_analysed, scenes):
    app = open_analysed(measured_tables(dropout=True), score="mc_entropy")
    assert not app.exception
    assert not app.warning
    assert titles(scenes(app)[0])[1] == "Entropy under MC dropout"


def test_an_image_with_other_classes_than_the_data_set_is_explained(open_analysed):
    app = open_analysed(record={"merged": {"Sky": "Sky"}})
    assert "was measured in merged classes" in read_texts(app)


def test_a_missing_epoch_is_reported_and_the_measures_are_shown(open_analysed, scenes):
    app = open_analysed(record={"epoch": 7})
    assert not app.exception
    assert not app.error
    (info,) = [info.value for info in app.info]
    assert "The image cannot be shown: " in info
    assert "has not saved epoch 7" in info
    assert not scenes(app)
    assert len(charts(app)) == 4
    assert "streets test, 2 images: flagging where" in read_texts(app)


def test_an_analysis_without_the_table_is_reported(open_analysed):
    app = open_analysed({})
    assert not app.exception
    assert not app.error
    assert any("they lack the table 'scores'" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"score": "luck"}, "score 'luck' is not available; showing 'hardness'"),
        ({"region": "sky"}, "region 'sky' is not available; showing 'all'"),
        ({"flagged": "0"}, "flagged must be between 1 and 100, got 0; showing 1"),
    ],
)
def test_an_invalid_choice_in_the_link_gives_a_warning(open_app, link, sentence):
    app = open_app(page=PAGE, **link)
    assert not app.exception
    assert sentence in app.warning[0].value


def test_without_errors_the_page_explains_that_scores_cannot_be_compared(open_app, runs, monkeypatch):
    app = open_app(page=PAGE, source="upload")
    assert not app.exception
    buffer = io.BytesIO()
    Image.fromarray(np.full((32, 32), 255, np.uint8)).save(buffer, "PNG")
    app.session_state["_uploads"] = upload_of(np.zeros((32, 32, 3), np.uint8), buffer.getvalue())
    app.run()
    assert not app.exception
    assert "No pixel is wrong here, or all are" in read_texts(app)
    assert "here are no pixels" in read_texts(app)


def upload_of(image, labels):
    from app.session import Upload

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return {"photograph": Upload("a.png", buffer.getvalue()), "labels": Upload("l.png", labels)}


def table_of(differences):
    rows = [("hardness", "all", "auroc", 0.001, 0.8, 0.7, 0.9)]
    rows += [(name, "all", "auroc_minus_hardness", 0.002, *numbers) for name, numbers in differences.items()]
    return pd.DataFrame(rows, columns=["score", "region", "metric", "bound", "value", "low", "high"])


def test_a_verdict_needs_the_whole_interval_on_one_side_of_zero():
    text = error_sentences.summarise_differences(
        table_of(
            {"entropy": (0.05, 0.01, 0.1), "edge_distance": (-0.2, -0.3, -0.1), "max_softmax": (0.1, -0.001, 0.2)}
        ),
        "all",
        images=9,
    )
    assert "It **loses to** entropy (free, +0.050, +0.010 to +0.100)" in text
    assert "**beats** distance to the predicted edge (free, −0.200, −0.300 to −0.100)" in text
    assert "**cannot be told apart from** 1 − max softmax" in text
    assert "AUROC of 0.800 (0.700 to 0.900)" in text
    assert "paired over 9 images" in text


def test_one_image_has_no_interval_and_makes_no_claim_about_others():
    differences = {"entropy": (0.05, NAN, NAN), "max_softmax": (0.001, NAN, NAN)}
    text = error_sentences.summarise_differences(table_of(differences), "all", images=1)
    assert "**loses to** entropy (free, +0.050); it **cannot be told apart from** 1 − max softmax" in text
    assert text.endswith("says nothing about others.")


def test_app_and_report_agree_on_the_standing_of_hardness_on_one_image():
    differences = {"entropy": (0.05, NAN, NAN), "max_softmax": (0.001, NAN, NAN), "edge_distance": (-0.1, NAN, NAN)}
    scores = table_of(differences)
    aurocs = [(name, "all", "auroc", 0.001, 0.8, NAN, NAN) for name in differences]
    known = pd.concat([scores, pd.DataFrame(aurocs, columns=scores.columns)])
    answer = error_sentences.summarise_hardness(scores, "all").replace("**", "")
    for verb, rivals in sentences.group_scores_by_standing(known).items():
        for name in rivals:
            assert f"{verb} {name.removesuffix(' (0.800)')}" in answer
    assert answer.startswith("Over all labelled pixels, hardness (AUROC 0.800) loses to entropy; it beats distance")


def test_the_summary_is_above_the_threshold_numbers(open_app):
    texts = [text.value for text in open_app(page=PAGE, epoch="1").markdown]
    answer = next(i for i, text in enumerate(texts) if text.startswith("Over all labelled pixels, hardness (AUROC"))
    assert answer < next(i for i, text in enumerate(texts) if "flagging where" in text)


def test_ties_are_explained():
    text = error_sentences.describe_flagging("edge_distance", -0.71, "all", FlaggingResult(0.4, 0.5, 0.25), share=0.1)
    assert text == (
        "flagging where a predicted edge is at most 0.7 px away: **40.0 % of the pixels**, **50.0 % of the errors**, "
        "**25.0 % precision**. Pixels with equal scores are flagged together."
    )


def test_flagged_pixels_without_errors_are_described():
    text = error_sentences.describe_flagging("hardness", 0.5, "all", FlaggingResult(0.1, NAN, 0.0), share=0.1)
    assert text == "flagging where hardness ≥ 0.5: **10.0 % of the pixels**, none of them wrong."
