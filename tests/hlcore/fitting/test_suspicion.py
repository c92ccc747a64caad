"""`hlcore suspicion`: the error model of a run."""

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from hlcore.analysis.suspicion import ScoredPixels, fit_error_model
from hlcore.config import AnalyzeConfig
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.fitting.run import fit, resume
from hlcore.measuring.loop import analyze
from hlcore.storage.files import lock_folder
from hlcore.storage.runs import Run, open_run
from tests.hlcore.fitting.test_fit import settings
from tests.hlcore.fitting.trained_networks import save_smp
from tests.hlcore.running import hlcore

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fitted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("suspicion")
    torch.manual_seed(0)
    *_, last = fit(save_smp(folder).model, data, settings(folder))
    return last.run


def copy_run(run: Run, folder: Path, **changes: object) -> Path:
    path = Path(shutil.copytree(run.path, folder / "run"))
    record = json.loads((path / "run.json").read_text(encoding="utf-8"))
    (path / "run.json").write_text(json.dumps(record | changes), encoding="utf-8")
    return path


def test_a_fit_ends_with_an_error_model_of_its_training_images(fitted: Run) -> None:
    model = open_run(fitted.path).record.error_model
    assert model is not None
    assert (model.learned_on, model.images, model.epoch) == ("folder train", 9, fitted.epochs[-1])
    assert len(model.class_weights) == 3


def test_a_resumed_fit_learns_the_same_error_model(fitted: Run, data: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    reports = fit(save_smp(tmp_path).model, data, settings(tmp_path))
    stopped = next(report for report in reports if report.iteration == 6 and report.checked)
    reports.close()
    assert open_run(stopped.run.path).record.error_model is None
    *_, last = resume(stopped.run.path)
    assert last.run.record.state == "complete"
    ours, theirs = last.run.record.error_model, fitted.record.error_model
    assert ours is not None
    assert theirs is not None
    assert ours.class_weights == pytest.approx(theirs.class_weights)
    assert ours.weights == pytest.approx(dict(theirs.weights))


def test_a_fit_whose_network_makes_no_error_completes_without_one(
    data: Path, tmp_path: Path, monkeypatch, caplog
) -> None:
    from hlcore.fitting import run as fitting

    def without_errors(network, part):
        for name, pixels in score_pixels(network, part):
            yield name, pixels._replace(error=np.zeros_like(pixels.error))

    score_pixels = fitting.score_pixels
    monkeypatch.setattr(fitting, "score_pixels", without_errors)
    with caplog.at_level(logging.WARNING):
        *_, last = fit(save_smp(tmp_path).model, data, settings(tmp_path))
    assert last.run.record.state == "complete"
    assert last.run.record.error_model is None
    assert "no suspicion of error: none of the" in caplog.text


def test_the_command_learns_it_from_another_split_and_analyze_measures_it(
    fitted: Run, data: Path, tmp_path: Path
) -> None:
    run = copy_run(fitted, tmp_path, error_model=None)
    *_, before = analyze(open_run(run), data, AnalyzeConfig(out=tmp_path / "before"))
    assert "error_suspicion" not in set(before.analysis.table("scores")["score"])
    done = hlcore("suspicion", run, data, "--split", "val")
    assert done.returncode == 0, done.stderr
    assert "hlcore analyze" in done.stdout
    model = open_run(run).record.error_model
    assert model is not None
    assert (model.learned_on, model.images) == ("folder val", 3)
    *_, after = analyze(open_run(run), data, AnalyzeConfig(out=tmp_path / "after"))
    assert "error_suspicion" in set(after.analysis.table("scores")["score"])


def test_a_run_that_another_process_writes_to_is_left_alone(fitted: Run, data: Path, tmp_path: Path) -> None:
    run = copy_run(fitted, tmp_path)
    before = (run / "run.json").read_text()
    with lock_folder(run):
        done = hlcore("suspicion", run, data)
    assert done.returncode == 1
    assert "another process is writing to" in " ".join(done.stderr.split())
    assert (run / "run.json").read_text() == before


def test_images_without_labels_have_nothing_to_learn_from() -> None:
    nothing = ScoredPixels({"entropy": np.zeros(0, np.int16)}, np.zeros(0, np.uint8), np.zeros(0, bool))
    with pytest.raises(InvalidInputError, match="no pixel of the images is labelled"):
        fit_error_model([nothing], num_classes=3)


def test_a_run_whose_error_model_does_not_fit_it_is_refused_by_name(fitted: Run, tmp_path: Path) -> None:
    model = json.loads((fitted.path / "run.json").read_text(encoding="utf-8"))["error_model"]
    run = copy_run(fitted, tmp_path, error_model=model | {"class_weights": [1.0]})
    with pytest.raises(CheckpointError, match="error_model has 1 class_weights for 3 classes"):
        open_run(run)
    shutil.rmtree(run)
    run = copy_run(fitted, tmp_path, error_model=model | {"weights": {"luck": 1.0}})
    with pytest.raises(CheckpointError, match="unknown score 'luck'"):
        open_run(run)
