"""Training on files: labels are checked before the first step, and errors arrive as sentences."""

import itertools
import logging
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hlcore.config import AnalyzeConfig, DataConfig, OptimConfig, TrainConfig
from hlcore.errors import CheckpointError, DatasetError
from hlcore.measuring.loop import analyze
from hlcore.progress.training import show_training_progress
from hlcore.report import write_report
from hlcore.storage.runs import Run, open_run
from hlcore.training.loop import resume, train
from tests.hlcore.training.tiny_runs import tiny as tiny_run

pytestmark = pytest.mark.slow
IMAGES = 12


def tiny(root: Path, **changes: Any) -> TrainConfig:
    data = DataConfig(**{"dataset": "folder", "root": root, **changes})
    return tiny_run(root / "runs", data=data, optim=OptimConfig(epochs=1, batch_size=2))


def write_split(root: Path, split: str, *, ids: tuple[int, ...], seed: int) -> None:
    generator = np.random.default_rng(seed)
    for index in range(IMAGES):
        for folder in ("images", "labels"):
            (root / folder / split).mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(generator.integers(0, 255, (32, 32, 3), np.uint8))
        image.save(root / "images" / split / f"{index}.png")
        labels = np.repeat(np.resize(np.array(ids, np.uint8), 32)[None], 32, axis=0)
        Image.fromarray(labels).save(root / "labels" / split / f"{index}.png")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder data set of two classes."""
    (tmp_path / "classes.json").write_text('["background", "object"]')
    write_split(tmp_path, "train", ids=(0, 1), seed=0)
    write_split(tmp_path, "val", ids=(0, 1), seed=1)
    return tmp_path


def finish(reports: Any) -> Run:
    *_, last = reports
    return last.run


def test_labels_are_checked_before_the_run_begins(root: Path) -> None:
    reports = list(train(tiny(root)))
    checked = [report.checked for report in reports if report.checked]
    assert checked == [(done, 2 * IMAGES) for done in range(1, 2 * IMAGES + 1)]
    assert reports[-1].run.record.state == "complete"


@pytest.mark.parametrize(
    ("split", "ids", "sentence"),
    [("train", (0, 255), "write 1 for the object"), ("val", (0, 7), r"val.0\.png contains unknown class ids: 7 ")],
)
def test_labels_that_cannot_be_used_are_refused_before_anything_is_written(
    root: Path, split: str, ids: tuple[int, ...], sentence: str
) -> None:
    write_split(root, split, ids=ids, seed=0)
    with pytest.raises(DatasetError, match=sentence):
        list(train(tiny(root)))
    assert not (root / "runs").exists()


def test_a_stop_during_the_check_writes_nothing(root: Path, capsys, monkeypatch) -> None:
    reports = train(tiny(root))
    next(reports)
    with pytest.raises(StopIteration):
        reports.send(True)
    assert not (root / "runs").exists()

    def stopped(reports: Any) -> Any:
        yield next(reports)
        reports.close()

    assert not show_training_progress(stopped(train(tiny(root))))
    assert capsys.readouterr().out == "stopped before the first step; nothing was written\n"


@pytest.mark.parametrize("workers", [0, 1])
def test_images_that_vanish_during_training_end_it_with_one_sentence(root: Path, workers: int) -> None:
    reports = train(tiny(root, workers=workers, cache_mb=0))
    list(itertools.islice(reports, 2 * IMAGES + 1))  # the check and the first step
    for image in (root / "images" / "train").iterdir():
        image.unlink()
    with pytest.raises(DatasetError, match=r"^.*train.\d+\.png does not exist or is not a regular file; [^\n]*$"):
        list(reports)


def test_a_run_trained_with_a_relative_root_can_be_used_from_any_folder(root: Path, monkeypatch) -> None:
    monkeypatch.chdir(root.parent)
    reports = train(tiny(Path(root.name)))
    path = next(report for report in reports if report.iteration).run.path
    reports.close()
    monkeypatch.chdir("/")
    run = finish(resume(path))
    assert run.record.state == "complete"
    assert run.record.config.data.root == root
    *_, last = analyze(run, None, AnalyzeConfig(limit=1))
    assert last.status == "complete"


def test_a_run_resumes_where_its_data_has_moved(root: Path, tmp_path_factory) -> None:
    reports = train(tiny(root))
    path = next(report for report in reports if report.iteration).run.path
    reports.close()
    moved = tmp_path_factory.mktemp("moved")
    for name in ("images", "labels", "classes.json"):
        (root / name).rename(moved / name)
    with pytest.raises(DatasetError):
        next(resume(path))
    run = finish(resume(path, root=moved, workers=1, device="cpu"))
    assert open_run(run.path).record.config.data.root == moved
    assert open_run(run.path).record.config.data.workers == 1
    (moved / "images" / "train" / "1.png").write_bytes((moved / "images" / "train" / "2.png").read_bytes())
    run.write_state("interrupted")
    run.resume_path.touch()
    with pytest.raises(CheckpointError, match="the training data has changed"):
        next(resume(path))


def test_a_run_with_nothing_to_validate_ends_without_a_score(root: Path, caplog) -> None:
    write_split(root, "val", ids=(255,), seed=1)
    with caplog.at_level(logging.WARNING):
        run = finish(train(tiny(root)))
    assert "no pixel of the validation images is labelled" in caplog.text
    assert run.record.state == "complete"
    assert run.record.best_epoch is None
    assert not run.epoch_table()["mean_iou"].notna().to_numpy().any()
    with pytest.raises(DatasetError, match="the split 'val' has no labelled pixel"):
        list(analyze(run, None, AnalyzeConfig()))
    assert not (run.path / "analyses").exists()
    (root / "prepared").mkdir()
    with pytest.raises(DatasetError, match="the split 'val' has no labelled pixel"):
        list(analyze(run, None, AnalyzeConfig(out=root / "prepared")))


def test_a_report_says_what_the_data_cannot_show(root: Path) -> None:
    run = finish(train(tiny(root)))
    write_split(root, "poor", ids=(255,), seed=2)
    label_map = np.full((32, 32), 255, np.uint8)
    label_map[8, 8] = 1  # a single labelled pixel: no edge, no two objects, and it is right or wrong
    Image.fromarray(label_map).save(root / "labels" / "poor" / "3.png")
    *_, last = analyze(run, None, AnalyzeConfig(split="poor"))
    report = write_report(last.analysis).read_text()
    assert report.count("So there is nothing to measure here.") == 3
    assert set(re.findall(r'data-figure="([^"]+)"', report)) == {"segmentation"}
    assert "nan" not in re.sub(r"<(script|style).*?</\1>|data:[^\"]*", "", report, flags=re.DOTALL)
