"""The command `hlcore fit`."""

from pathlib import Path

import pytest

from hlcore.config import AnalyzeConfig
from hlcore.fitting.run import fit
from hlcore.measuring.loop import analyze
from hlcore.storage.runs import open_run
from tests.hlcore.fitting.test_fit import settings
from tests.hlcore.fitting.trained_networks import save_segformer, save_smp
from tests.hlcore.running import hlcore

pytestmark = pytest.mark.slow


def test_a_network_on_disk_and_a_folder_of_images_give_a_run_with_maps(data: Path, tmp_path: Path) -> None:
    model = save_smp(tmp_path).model
    done = hlcore("fit", model, data, "--out", tmp_path / "runs", "--steps", 6, "--batch-size", 3, "--keep-epochs", 2)
    run = tmp_path / "runs" / "smp-fit"
    assert (done.returncode, done.stdout) == (0, f"complete: {run}\n"), done.stderr
    assert "epoch 2: val lift" in done.stderr
    assert open_run(run).epochs == (0, 2)
    predicted = hlcore("predict", run, data / "images" / "val", "--out", tmp_path / "maps")
    assert predicted.returncode == 0, predicted.stderr
    assert (tmp_path / "maps" / "0.png.hardness.png").is_file() or list((tmp_path / "maps").rglob("*hardness*"))
    assert "fitted" in hlcore("runs", tmp_path / "runs").stdout


def test_an_interrupted_fit_continues_and_names_the_command(data: Path, tmp_path: Path) -> None:
    reports = fit(save_smp(tmp_path).model, data, settings(tmp_path))
    path = next(report for report in reports if report.iteration == 2).run.path
    reports.close()
    done = hlcore("fit", "--resume", path)
    assert (done.returncode, done.stdout) == (0, f"complete: {path}\n"), done.stderr


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "expected a trained network as MODEL, or --resume RUN"),
        (("--resume", "RUN", "--steps", "5", "--seed", "1"), "leave out --seed, --steps"),
        (("--resume", "nowhere"), "is not a run: it has no run.json"),
        (("nobody/nothing", "DATA"), "neither a folder nor a network on the Hugging Face hub that can be reached"),
    ],
)
def test_errors_are_one_sentence(given: tuple[str, ...], sentence: str, data: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = hlcore("fit", *(str(data) if word == "DATA" else word for word in given))
    assert done.returncode == 1
    assert sentence in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr


def test_a_network_with_its_classes_in_another_order_is_evaluated_and_measured(data: Path, tmp_path: Path) -> None:
    *_, last = fit(save_segformer(tmp_path).model, data, settings(tmp_path))
    run = last.run
    assert run.record.class_names == ("Door", "Ground", "Wall")
    done = hlcore("evaluate", run.path, "--split", "val")
    assert done.returncode == 0, done.stderr
    expected = run.epoch_table()["mean_iou"].iloc[-1]
    assert f"{expected:.3f}" in done.stdout
    *_, measured = analyze(run, None, AnalyzeConfig(split="val"))
    record, table = measured.analysis.record, measured.analysis.table("scores")
    assert (record.merged, record.class_names) == (None, run.record.class_names)
    assert "error_suspicion" in set(table["score"])
    found = measured.analysis.table("segmentation").query("class_name == '' and metric == 'iou'")["value"].tolist()
    assert found == pytest.approx([expected], rel=1e-4)
