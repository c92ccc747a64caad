"""Experiment trackers get every number of metrics.jsonl."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from hlcore.config import FitConfig
from hlcore.errors import InvalidInputError, TrainingError
from hlcore.training.loggers import make_loggers
from hlcore.training.loop import resume, train
from tests.hlcore.training.tiny_runs import tiny


@pytest.mark.slow
def test_tensorboard_gets_what_the_run_logs_also_when_it_is_resumed(tmp_path: Path) -> None:
    reports = train(tiny(tmp_path, log="tensorboard"))
    path = next(report for report in reports if report.iteration == 1).run.path
    reports.close()
    *_, last = resume(path)
    written = EventAccumulator(str(path / "tensorboard")).Reload()
    tables = last.run.step_table(), last.run.epoch_table()
    assert "hardness_lift" in written.Tags()["scalars"]
    for table in tables:
        for name in table.columns.difference(["epoch", "iteration"]):
            rows = table[["iteration", name]].dropna()
            expected = dict(zip(rows["iteration"].tolist(), rows[name].tolist(), strict=True))
            found = {event.step: event.value for event in written.Scalars(name)} if expected else {}
            assert found == pytest.approx(expected, rel=1e-6), name


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_is_not_installed_is_named(name: Any, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(InvalidInputError, match=rf"^log '{name}' needs {name}, which is not installed; pip install"):
        list(train(tiny(tmp_path, log=name)))
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_gets_the_settings_and_the_numbers(name: Any, tmp_path: Path, monkeypatch) -> None:
    """With a stand-in, because the real ones start services; both were tried by hand (docs/decisions.md)."""
    opened, logged, finished = [], [], []

    def init(**arguments: Any) -> Any:
        opened.append(arguments)
        return SimpleNamespace(
            log=lambda numbers, step: logged.append((step, numbers)),
            finish=lambda **how: finished.append((len(logged), how)),
        )

    monkeypatch.setitem(sys.modules, name, SimpleNamespace(init=init))
    *_, last = train(tiny(tmp_path, log=name))
    assert [(one["project"], one["name"], one["config"]["name"]) for one in opened] == [("hlcore", "tiny", "tiny")]
    assert len(logged) == len(last.run.step_table()) + len(last.run.epoch_table())
    assert {step for step, _ in logged} == set(last.run.step_table()["iteration"])
    assert "mean_iou" in logged[-1][1]
    assert finished == [(len(logged), {})]
    finished.clear()
    reports = train(tiny(tmp_path / "stopped", log=name))
    next(report for report in reports if report.iteration == 1)
    reports.close()
    assert [how for _, how in finished] == [{"exit_code": 1} if name == "wandb" else {}]


@pytest.mark.slow
def test_a_tracker_that_cannot_be_opened_ends_the_run_with_a_sentence(tmp_path: Path, monkeypatch) -> None:
    def init(**_: Any) -> Any:
        raise OSError("no login\nhere")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    with pytest.raises(TrainingError, match="wandb cannot be opened: no login here; run without --log"):
        list(train(tiny(tmp_path, log="wandb")))


def test_a_tracker_gets_other_settings_if_they_are_given(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace())
    (tracker,) = make_loggers(tiny(tmp_path, log="wandb"), tmp_path, FitConfig(target="tcp"))
    assert vars(tracker)["_settings"]["target"] == "tcp"
