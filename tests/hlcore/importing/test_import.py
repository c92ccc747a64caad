"""`hlcore import`: folders of maps of any method become a run, or one sentence says what is wrong."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hlcore.config import AnalyzeConfig, ImportConfig
from hlcore.errors import CheckpointError, DatasetError, HlcoreError, InvalidInputError
from hlcore.imported import ImportedData, read_imported_record, read_imported_sample
from hlcore.importing.maps import import_folder
from hlcore.measuring.loop import analyze
from hlcore.report import render_report
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run, open_run
from tests.hlcore.importing.conftest import NAMES, SIZE
from tests.hlcore.running import hlcore

BUNDLED = Path(__file__).parents[3] / "checkpoints" / "streets"


def import_all(folder: Path, **settings: object) -> Run:
    config = ImportConfig.model_validate({"out": folder.parent / "runs"} | settings)
    imports = import_folder(folder, config)
    *names, run = imports.progress
    assert len(names) + 1 == imports.total
    assert isinstance(run, Run)
    return run


def measure(run: Run, **settings: object) -> Analysis:
    *_, last = analyze(run, None, AnalyzeConfig.model_validate(settings))
    last.analysis.check_tables()
    return last.analysis


def count_known(table: pd.DataFrame, column: str) -> int:
    return int(np.isfinite(table[column].to_numpy()).sum())


def write_steps(folder: Path) -> None:
    """Move the scores into three steps; the first is random, the others alike."""
    for number in (2, 10, 1):
        (folder / "scores" / f"pass_{number}").mkdir()
        for name in NAMES:
            doubt = np.load(folder / "scores" / "doubt" / f"{name}-doubt.npy")
            noise = np.random.default_rng(100 + number).uniform(0, 2, SIZE)
            np.save(
                folder / "scores" / f"pass_{number}" / f"{name}.npy", noise if number == 1 else doubt + number / 100
            )
    for name in ("doubt", "trust"):
        shutil.rmtree(folder / "scores" / name)


def test_maps_are_stored_with_their_range_and_turned_so_that_high_means_hard(folder: Path) -> None:
    run = import_all(folder, low_is_hard=["trust"], units=["doubt=nats"])
    assert open_run(run.path).record == run.record
    assert run.record.objective == "imported"
    assert run.record.imported is not None
    doubt, trust = run.record.imported.scores
    values = {name: np.load(folder / "scores" / "doubt" / f"{name}-doubt.npy") for name in NAMES}
    lowest, highest = 0, max(map(np.max, values.values()))
    assert (doubt.low, doubt.high) == pytest.approx((lowest, highest), rel=1e-6)
    assert doubt.describe() == "doubt: 0 to 2.5 nats (read from the data), high is hard"
    assert trust.describe() == "trust: 0 to 1 (read from the data), low is hard"
    for name in NAMES:
        sample = read_imported_sample(run, name)
        record = read_imported_record(run, 1, sample)
        step = (highest - lowest) / 65535
        assert np.abs(lowest + record.hardness_map * (highest - lowest) - values[name]).max() < step
        given = np.asarray(Image.open(folder / "scores" / "trust" / f"{name}.png")) / 65535
        assert np.allclose(record.scores["reversed trust"], 1 - given, atol=1e-4)
        assert np.array_equal(sample.image, np.asarray(Image.open(folder / "images" / f"{name}.png")))
        assert record.error.sum() == 200
        assert np.isnan(record.loss_map).all()
        assert np.isnan(record.entropy).all()


def test_each_score_is_judged_beside_the_others(folder: Path) -> None:
    analysis = measure(import_all(folder, low_is_hard=["trust"]))
    scores = analysis.table("scores").query("region == 'all' and metric == 'auroc'").set_index("score")["value"]
    assert set(scores.index) == {"hardness", "edge_distance", "imported: reversed trust"}
    auroc = dict(zip(scores.index, scores.to_numpy(), strict=True))
    assert auroc["hardness"] > 0.9
    assert auroc["imported: reversed trust"] == pytest.approx(0.5, abs=0.05)
    edges = analysis.table("edges")
    assert count_known(edges.query("quantity == 'loss'"), "value") == 0
    assert count_known(edges.query("quantity == 'error_rate'"), "value") > 0
    assert analysis.table("suspects").empty
    assert count_known(analysis.table("images"), "loss_mean") == 0
    report = render_report(analysis)
    text = re.sub(r"<script.*", "", report, flags=re.DOTALL)
    assert "doubt separates wrong from right pixels with an AUROC of 1.000" in text
    assert "reversed trust" in text
    assert "ardness" not in re.sub(r"<code>.*?</code>|src=\"[^\"]*\"", "", text)


def test_maps_without_predictions_are_measured_where_none_are_needed(folder: Path) -> None:
    shutil.rmtree(folder / "predictions")
    analysis = measure(import_all(folder))
    assert not analysis.table_path("scores").exists()
    assert not analysis.table_path("segmentation").exists()
    objects = analysis.table("objects")
    assert count_known(analysis.table("edges").query("quantity == 'error_rate'"), "value") == 0
    assert count_known(objects, "error_share") == 0
    assert count_known(objects, "hardness_mean") == len(objects) > 0
    assert "The maps came without predictions." in render_report(analysis)


def test_maps_without_labels_can_be_seen_but_not_measured(folder: Path) -> None:
    shutil.rmtree(folder / "labels")
    run = import_all(folder)
    assert ImportedData(run)[0].label_map is None
    with pytest.raises(InvalidInputError, match="has maps without labels, so nothing can be measured"):
        measure(run)


def test_folders_whose_names_end_in_numbers_are_steps_in_order(folder: Path) -> None:
    write_steps(folder)
    run = import_all(folder)
    assert run.record.imported is not None
    assert run.record.imported.steps == ("pass_1", "pass_2", "pass_10")
    assert run.epochs == run.spaced_epochs == (1, 2, 3)
    assert [run.name_epoch(epoch) for epoch in run.epochs] == ["pass_1", "pass_2", "pass_10"]
    analysis = measure(run, epochs="all")
    pairs = analysis.table("epoch_pairs").query("measure == 'spearman' and kind == 'consecutive' and map == 'hardness'")
    first, second = pairs["value"]
    assert abs(first) < 0.2
    assert second == pytest.approx(1, abs=1e-3)
    assert not analysis.table_path("learning").exists()
    assert "Spearman&#39;s rho between consecutive steps is" in render_report(analysis)


def test_other_folders_are_scores_or_steps_as_stated(folder: Path) -> None:
    as_scores = import_all(folder, name="scores").record.imported
    as_steps = import_all(folder, name="steps", subfolders="steps").record.imported
    assert as_scores is not None
    assert as_steps is not None
    assert [score.name for score in as_scores.scores] == ["doubt", "trust"]
    assert as_steps.steps == ("doubt", "trust")
    assert [score.name for score in as_steps.scores] == ["score"]


def test_steps_may_have_several_scores_and_predictions_of_their_own(folder: Path) -> None:
    for step in ("mean", "ensemble"):
        shutil.copytree(folder / "scores" / "doubt", folder / "new" / step / "doubt")
        shutil.copytree(folder / "scores" / "trust", folder / "new" / step / "trust")
        shutil.copytree(folder / "predictions", folder / "other" / step)
    for name in NAMES:
        label_map = np.asarray(Image.open(folder / "labels" / f"{name}.png"))
        correct = np.where(label_map == 255, 0, label_map)
        Image.fromarray(correct).save(folder / "other" / "ensemble" / f"{name}_pred.png")
    shutil.rmtree(folder / "scores")
    shutil.rmtree(folder / "predictions")
    (folder / "new").rename(folder / "scores")
    (folder / "other").rename(folder / "predictions")
    run = import_all(folder, score="trust")
    assert run.record.imported is not None
    assert run.record.imported.steps == ("ensemble", "mean")
    assert [score.name for score in run.record.imported.scores] == ["trust", "doubt"]
    sample = read_imported_sample(run, "one")
    assert [read_imported_record(run, epoch, sample).error.sum() for epoch in run.epochs] == [0, 200]


def test_arrays_of_npz_files_are_scores(folder: Path) -> None:
    for name in NAMES:
        arrays = {"noise": np.random.default_rng(0).uniform(0, 1, SIZE), "doubt": np.eye(*SIZE)}
        np.savez(folder / "scores" / f"{name}.npz", **arrays)
    for name in ("doubt", "trust"):
        shutil.rmtree(folder / "scores" / name)
    run = import_all(folder, score="doubt")
    record = read_imported_record(run, 1, read_imported_sample(run, "one"))
    assert np.array_equal(record.hardness_map, np.eye(*SIZE))
    assert list(record.scores) == ["noise"]


def test_classes_are_numbered_without_a_list(folder: Path) -> None:
    (folder / "classes.json").unlink()
    imports = import_folder(folder, ImportConfig(out=folder.parent / "runs"))
    *_, run = imports.progress
    assert isinstance(run, Run)
    assert imports.notes == [f"no classes.json in {folder}, so the classes are numbered 0 to 10"]
    assert run.record.class_names == tuple(f"class {index}" for index in range(11))


def test_images_of_an_ending_that_maps_lack_are_matched(folder: Path) -> None:
    for name in NAMES:
        (folder / "images" / f"{name}.png").rename(folder / "images" / f"{name}_leftImg8bit.png")
    assert set(import_all(folder).maps.images) == {f"{name}_leftImg8bit" for name in NAMES}


def test_images_without_maps_are_left_out_if_that_is_wanted(folder: Path) -> None:
    (folder / "scores" / "doubt" / "two-doubt.npy").unlink()
    with pytest.raises(DatasetError, match=r"1 of 3 images have no file in 'doubt', such as .*two\.png"):
        import_folder(folder, ImportConfig(out=folder.parent / "runs"))
    assert import_all(folder, skip_missing=True).maps.images == ("one", "two_b")


def break_size(folder: Path) -> None:
    np.save(folder / "scores" / "doubt" / "one-doubt.npy", np.zeros(SIZE[::-1]))


def break_values(folder: Path) -> None:
    np.save(folder / "scores" / "doubt" / "one-doubt.npy", np.full(SIZE, np.nan))


def break_type(folder: Path) -> None:
    np.save(folder / "scores" / "doubt" / "one-doubt.npy", np.full(SIZE, "a"))


def break_file(folder: Path) -> None:
    (folder / "scores" / "doubt" / "one-doubt.npy").write_bytes(b"\x93NUMPY\x01\x00")


def make_constant(folder: Path) -> None:
    for name in NAMES:
        np.save(folder / "scores" / "doubt" / f"{name}-doubt.npy", np.full(SIZE, 0.5))


def make_coloured(folder: Path) -> None:
    Image.new("RGB", SIZE[::-1]).save(folder / "scores" / "trust" / "one.png")


def make_palette(folder: Path) -> None:
    Image.new("P", SIZE[::-1]).save(folder / "scores" / "trust" / "one.png")


def same_arrays(folder: Path) -> None:
    for name in ("doubt", "trust"):
        shutil.rmtree(folder / "scores" / name)
        (folder / "scores" / name).mkdir()
        for image in NAMES:
            np.savez(folder / "scores" / name / f"{image}.npz", a=np.eye(*SIZE), b=np.eye(*SIZE))


def same_titles(folder: Path) -> None:
    (folder / "scores" / "trust").rename(folder / "scores" / "Doubt")


def unpredicted(folder: Path) -> None:
    Image.fromarray(np.full(SIZE, 255, np.uint8)).save(folder / "predictions" / "one_pred.png")


def unknown_class(folder: Path) -> None:
    Image.fromarray(np.full(SIZE, 99, np.uint8)).save(folder / "labels" / "one.png")


def no_label(folder: Path) -> None:
    (folder / "labels" / "one.png").unlink()


def mixed_kinds(folder: Path) -> None:
    np.savez(folder / "scores" / "trust" / "one.npz", a=np.zeros(SIZE))
    (folder / "scores" / "trust" / "one.png").unlink()


def no_images(folder: Path) -> None:
    shutil.rmtree(folder / "images")


def no_scores(folder: Path) -> None:
    shutil.rmtree(folder / "scores")


def taken_name(folder: Path) -> None:
    (folder / "scores" / "trust").rename(folder / "scores" / "Labels")


FAULTS: dict[Callable[[Path], None], str] = {
    break_size: r"one-doubt\.npy is 48 x 64 px, but its image is 64 x 48 px; .*rotated by 90°",
    break_values: r"one-doubt\.npy has 3072 pixels that are not finite",
    break_type: r"one-doubt\.npy holds <U1; expected",
    break_file: r"one-doubt\.npy cannot be read as an array",
    make_constant: r"doubt is 0\.5 at every pixel of every image",
    make_coloured: r"one\.png has the shape \(48, 64, 3\); .* A coloured picture of a map is not a map",
    make_palette: r"one\.png has a palette, so its numbers are colours",
    unknown_class: r"labels/one\.png contains unknown class ids: 99",
    no_label: r"labels has no file for 1 of 3 images, such as one",
    mixed_kinds: r"trust has npz files among others, such as one\.npz",
    no_images: r"has no folder 'images'; name the one with the images with --images",
    no_scores: r"has neither score files .* nor folders of them",
    taken_name: r"expected another name, since the app uses this one already, got 'Labels'",
    same_arrays: r"trust has arrays called 'a', as has another folder; rename one of them",
    same_titles: r"two scores would both be called 'doubt'; rename one of them",
    unpredicted: r"one_pred\.png has 3072 pixels without a class \(255\)",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_one_sentence_and_nothing_is_written(fault: Callable[[Path], None], folder: Path) -> None:
    fault(folder)
    with pytest.raises(HlcoreError, match=FAULTS[fault]):
        import_all(folder)
    assert not (folder.parent / "runs").exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"score": "other"}, "there is no score 'other'; the scores are doubt, trust"),
        ({"low_is_hard": ["other"]}, "there is no score 'other'; the scores are doubt, trust"),
        ({"ranges": ["doubt=high"]}, "--ranges expects NAME=LOW:HIGH, such as doubt=0:2.5, got 'high'"),
        ({"ranges": ["doubt"]}, "--ranges expects NAME=..., got 'doubt'"),
        ({"ranges": ["doubt=2:1"]}, "low must be below high"),
        ({"images": Path("nowhere")}, "nowhere is not a folder; expected the images"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(folder: Path, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(HlcoreError, match=re.escape(sentence)):
        import_all(folder, **settings)


def test_a_stated_range_cuts_what_lies_beyond_and_says_so(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = import_all(folder, ranges=["doubt=0:1"])
    assert run.record.imported is not None
    assert run.record.imported.score.describe() == "doubt: 0 to 1 (as stated), high is hard"
    assert "doubt goes from 0.5001 to 2.5, beyond its stated range, and is cut there" in caplog.text
    record = read_imported_record(run, 1, read_imported_sample(run, "one"))
    assert record.hardness_map.max() == 1


def test_a_run_is_not_overwritten(folder: Path) -> None:
    import_all(folder)
    with pytest.raises(CheckpointError, match="already holds a run"):
        import_all(folder)


def test_a_map_that_is_lost_or_changed_is_named(folder: Path) -> None:
    run = import_all(folder)
    sample = read_imported_sample(run, "one")
    Image.fromarray(np.zeros((3, 3), np.uint16)).save(run.path / "maps" / "images" / "one" / "epoch-0001.score-0.png")
    with pytest.raises(CheckpointError, match=r"score-0\.png is 3 x 3 px, but its image is 64 x 48 px"):
        read_imported_record(run, 1, sample)
    (run.path / "maps" / "images" / "one" / "epoch-0001.score-0.png").unlink()
    with pytest.raises(CheckpointError, match=r"score-0\.png is not a readable PNG"):
        read_imported_record(run, 1, sample)
    (run.path / "maps" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="manifest.json cannot be read"):
        _ = open_run(run.path).maps


def test_what_was_decided_is_said(folder: Path) -> None:
    shutil.copy(folder / "scores" / "trust" / "one.png", folder / "scores" / "trust" / "one-copy.png")
    shutil.copy(folder / "scores" / "trust" / "one.png", folder / "scores" / "overview.png")
    notes = import_folder(folder, ImportConfig(out=folder.parent / "runs")).notes
    assert notes == [
        f"{folder}/scores: left out files beside the folders (1), such as overview",
        f"{folder}/scores/trust: left out files of no image (1), such as one-copy.png",
    ]
    write_steps(folder)
    assert "names end in numbers were taken as steps" in " ".join(
        import_folder(folder, ImportConfig(out=folder.parent / "runs")).notes
    )


def test_a_single_folder_with_a_number_is_a_score(folder: Path) -> None:
    shutil.rmtree(folder / "scores" / "trust")
    (folder / "scores" / "doubt").rename(folder / "scores" / "resnet50")
    record = import_all(folder).record
    assert record.imported is not None
    assert record.imported.steps == ("",)
    assert record.imported.score.name == "resnet50"


def test_folders_of_the_images_are_part_of_their_names(folder: Path) -> None:
    for place in ("images", "labels", "predictions", "scores/doubt", "scores/trust"):
        files = list((folder / place).iterdir())
        (folder / place / "aachen").mkdir()
        for file in files:
            name = f"{file.stem}_leftImg8bit.png" if place == "images" else file.name
            file.rename(folder / place / "aachen" / name)
    run = import_all(folder)
    assert run.record.imported is not None
    assert [score.name for score in run.record.imported.scores] == ["doubt", "trust"]
    assert set(run.maps.images) == {f"aachen/{name}_leftImg8bit" for name in NAMES}
    (folder / "scores" / "doubt" / "aachen" / "one-doubt.npy").unlink()
    (folder / "scores" / "doubt" / "aachen" / "two-doubt.npy").unlink()
    assert import_all(folder, name="some", skip_missing=True).maps.images == ("aachen/two_b_leftImg8bit",)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ((0.2, 0.7), 0, 1),
        ((0, 1e-4), 0, 1e-4),
        ((3, 4), 0, 4),
        ((-2, 5), -2, 5),
        ((-3, -1), -3, -1),
        ((0, 1.2), 0, 1.2),
    ],
)
def test_the_range_is_read_from_the_data(folder: Path, values: tuple[float, float], low: float, high: float) -> None:
    for name in NAMES:
        np.save(folder / "scores" / "doubt" / f"{name}-doubt.npy", np.linspace(*values, 48 * 64).reshape(SIZE))
    record = import_all(folder).record
    assert record.imported is not None
    assert (record.imported.score.low, record.imported.score.high) == pytest.approx((low, high))


def test_a_further_score_called_hardness_keeps_its_name(folder: Path) -> None:
    (folder / "scores" / "trust").rename(folder / "scores" / "hardness")
    analysis = measure(import_all(folder, score="doubt"))
    text = re.sub(r"<script.*", "", render_report(analysis), flags=re.DOTALL)
    assert "doubt separates wrong from right pixels with an AUROC of 1.000" in text
    assert re.search(r"It beats distance to the predicted edge \(0\.\d+\) and hardness \(0\.\d+\)", text)
    assert re.findall(r"<tr><td>([^<]*)</td>", text)[:3] == ["doubt", "distance to the predicted edge", "hardness"]


@pytest.mark.slow
def test_the_bundle_that_predict_writes_is_a_score_and_predictions(folder: Path) -> None:
    bundle = folder / "scores" / "hardness"
    done = hlcore("predict", BUNDLED, folder / "images", "--out", bundle)
    assert done.returncode == 0, done.stderr
    run = import_all(folder, score="doubt", predictions=bundle)
    sample = read_imported_sample(run, "two")
    record = read_imported_record(run, 1, sample)
    written = np.asarray(Image.open(bundle / "two.hardness.png")) / 65535
    assert np.allclose(record.scores["hardness"], written, atol=1e-4)
    assert np.array_equal(record.prediction, np.asarray(Image.open(bundle / "two.prediction.png")))


def test_an_analysis_is_not_continued_with_other_maps(folder: Path) -> None:
    run = import_all(folder)
    measure(run)
    score = run.path / "maps" / "images" / "one" / "epoch-0001.score-0.png"
    Image.fromarray(np.zeros(SIZE, np.uint16)).save(score)
    with pytest.raises(CheckpointError, match=r"holds an analysis with other settings .*weights"):
        measure(open_run(run.path))
    score.unlink()
    with pytest.raises(CheckpointError, match=r"score-0\.png cannot be read"):
        measure(open_run(run.path))


@pytest.mark.parametrize("setting", [{"split": "test"}, {"mc_dropout": 3}, {"device": "cpu"}, {"backend": "torch"}])
def test_settings_of_networks_and_data_sets_are_refused(folder: Path, setting: dict[str, object]) -> None:
    run = import_all(folder)
    with pytest.raises(InvalidInputError, match=f"leave out --{next(iter(setting)).replace('_', '-')}"):
        measure(run, **setting)


def test_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    (folder.parent / "runs" / "paper" / "maps").mkdir(parents=True)
    kept = folder.parent / "runs" / "paper" / "maps" / "mine.npy"
    np.save(kept, np.zeros(3))
    with pytest.raises(CheckpointError, match="exists and is not empty; give the new run another name"):
        import_all(folder)
    assert kept.exists()


def test_a_stopped_import_leaves_nothing(folder: Path) -> None:
    progress = import_folder(folder, ImportConfig(out=folder.parent / "runs")).progress
    for _ in range(5):
        next(progress)
    assert (folder.parent / "runs" / "paper" / "maps").is_dir()
    progress.close()
    assert not (folder.parent / "runs" / "paper").exists()


@pytest.mark.slow
def test_the_command_imports_measures_and_says_what_it_read(folder: Path, tmp_path: Path) -> None:
    done = hlcore("import", folder, "--out", tmp_path / "runs", "--low-is-hard", "trust", "--units", "doubt=nats")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "doubt: 0 to 2.5 nats (read from the data), high is hard"
    assert lines[1] == "trust: 0 to 1 (read from the data), low is hard"
    assert lines[-1] == f"complete: {tmp_path / 'runs' / 'paper'}; look at it with: hlcore app {tmp_path / 'runs'}"
    assert (tmp_path / "runs" / "paper" / "analyses" / "imported" / "report.html").is_file()
    listed = json.loads(hlcore("runs", tmp_path / "runs", "--json").stdout)
    assert listed[0]["network"] == "maps of doubt, trust"


@pytest.mark.slow
def test_a_score_that_is_low_where_pixels_are_wrong_is_named(folder: Path, tmp_path: Path) -> None:
    for name in NAMES:
        doubt = np.load(folder / "scores" / "doubt" / f"{name}-doubt.npy")
        np.save(folder / "scores" / "doubt" / f"{name}-doubt.npy", 3 - doubt)
    hint = "doubt: wrong pixels have low values; if low means hard, import it with --low-is-hard doubt"
    assert hint in hlcore("import", folder, "--out", tmp_path / "runs").stdout.splitlines()
    turned = hlcore("import", folder, "--out", tmp_path / "others", "--low-is-hard", "doubt")
    assert "wrong pixels have low values" not in turned.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("fit", "{run}"),
        ("suspicion", "{run}"),
        ("train", "--hardness-from", "{run}"),
        ("predict", "{run}", "{image}", "--out", "maps"),
        ("evaluate", "{run}"),
        ("export", "onnx", "{run}", "--out", "x.onnx"),
    ],
)
def test_commands_that_need_a_network_say_so(folder: Path, command: tuple[str, ...], monkeypatch, tmp_path) -> None:
    run = import_all(folder)
    monkeypatch.chdir(tmp_path)
    words = [word.format(run=run.path, image=folder / "images" / "one.png") for word in command]
    done = hlcore(*words)
    assert done.returncode == 1
    assert f"{run.path} holds imported maps and no network" in done.stderr
