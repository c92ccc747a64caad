"""A run folder."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hlcore.errors import CheckpointError
from hlcore.storage.probes import Probe
from hlcore.storage.run_records import RunRecord, installed_versions, utc_now
from hlcore.storage.runs import STEP_COLUMNS, Run, create_run, find_runs, open_run


def step(iteration: int, **values: float | None) -> dict[str, float | None]:
    given = {"epoch": 1, "iteration": iteration, "hardness_lift": None, **values}
    return {column: given.get(column, 0.5) for column in STEP_COLUMNS}


def epoch(number: int) -> dict[str, float | None]:
    scores = {"mean_iou": 0.5, "pixel_accuracy": 0.75, "val_ce": 1.5, "iou/Sky": 0.5, "iou/Road": None}
    return {"epoch": number, "iteration": 10 * number, **scores}


def test_run_read_back_is_the_run_created(run: Run, run_record: RunRecord) -> None:
    again = open_run(run.path)
    assert again.record == run_record
    assert again.name == "small"
    assert (again.epochs, again.probe) == ((), None)


def test_state_is_kept_on_disk(run: Run) -> None:
    assert run.write_state("complete").record.state == "complete"
    assert open_run(run.path).record.state == "complete"
    assert run.record.state == "running", "a record is never changed in place"


@pytest.mark.parametrize("saved", ["resume.pt", "metrics.jsonl", "checkpoints/epoch-0003.safetensors"])
def test_second_run_of_the_same_name_is_refused_with_the_way_out(run: Run, run_record: RunRecord, saved: str) -> None:
    run.checkpoint_path(0).parent.mkdir(exist_ok=True)
    (run.path / saved).touch()
    with pytest.raises(
        CheckpointError, match=r"small already holds a run; continue it with --resume .*small or give another"
    ):
        create_run(run_record, run.path.parent)


def test_saved_epochs_are_found_in_order_and_unfinished_files_ignored(run: Run) -> None:
    for number in (10, 0, 2):
        run.checkpoint_path(number).parent.mkdir(exist_ok=True)
        run.checkpoint_path(number).touch()
    run.checkpoint_path(3).with_name(".epoch-0003.safetensors.99.part").touch()
    assert run.epochs == (0, 2, 10)
    assert run.checkpoint_path(2).name == "epoch-0002.safetensors"


def test_steps_and_epochs_are_read_back_as_tables_of_numbers(run: Run) -> None:
    run.append_metrics("step", step(1))
    run.append_metrics("step", step(2, mean_ce=0.25))
    run.append_metrics("epoch", epoch(1))
    steps, epochs = open_run(run.path).step_table(), open_run(run.path).epoch_table()
    assert tuple(steps.columns) == STEP_COLUMNS
    assert steps["iteration"].tolist() == [1, 2]
    assert steps["mean_ce"].tolist() == [0.5, 0.25]
    assert steps["hardness_lift"].isna().tolist() == [True, True]
    assert epochs["iou/Sky"].tolist() == [0.5]
    assert math.isnan(epochs["iou/Road"][0])
    for table in (steps, epochs):
        assert [kind.kind for kind in table.dtypes] == ["i", "i"] + ["f"] * (table.shape[1] - 2)


def test_new_run_has_tables_with_columns_and_no_rows(run: Run) -> None:
    assert tuple(run.step_table().columns) == STEP_COLUMNS
    assert {"mean_iou", "iou/Sky", "iou/Road"} < set(run.epoch_table().columns)
    assert len(run.step_table()) == len(run.epoch_table()) == 0


@pytest.mark.parametrize("kept", [1, 10, -2])
def test_last_line_truncated_by_a_crash_is_ignored(run: Run, kept: int) -> None:
    run.append_metrics("step", step(1))
    run.append_metrics("step", step(2))
    metrics = run.path / "metrics.jsonl"
    first, second = metrics.read_text().splitlines(keepends=True)
    metrics.write_text(first + second[:kept])
    assert run.step_table()["iteration"].tolist() == [1]


LINES = {
    "binary": b"\xff\xfe\x00",
    "no JSON": b'{"kind": "st',
    "a list": b"[1, 2]",
    "a number": b"7",
    "null": b"null",
    "no kind": b'{"epoch": 1, "iteration": 2}',
    "another kind": b'{"kind": "note", "epoch": 1, "iteration": 2}',
    "no epoch": b'{"kind": "step", "iteration": 2}',
    "an epoch of null": b'{"kind": "step", "epoch": null, "iteration": 2}',
    "a negative epoch": b'{"kind": "step", "epoch": -1, "iteration": 2}',
    "a number of 5000 digits": b'{"kind": "step", "epoch": 1, "iteration": ' + b"9" * 5000 + b"}",
    "text for a number": b'{"kind": "step", "epoch": 1, "iteration": 2, "mean_ce": "low"}',
    "a flag for a number": b'{"kind": "step", "epoch": 1, "iteration": 2, "mean_ce": true}',
    "nested numbers": b'{"kind": "step", "epoch": 1, "iteration": 2, "mean_ce": {"a": [1]}}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_holds_no_row_is_left_out_with_a_sentence(run: Run, line: bytes) -> None:
    for iteration in (1, 3):
        run.append_metrics("step", step(iteration))
    metrics = run.path / "metrics.jsonl"
    first, last = metrics.read_bytes().splitlines()
    metrics.write_bytes(b"\n".join([first, line, last, b""]))
    assert run.step_table()["iteration"].tolist() == [1, 3]
    (sentence,) = run.list_faults()
    assert sentence.startswith(f"{metrics}: left out line 2: ")
    assert len(sentence) < 400 + len(str(metrics))
    with pytest.raises(
        CheckpointError, match=r"left out line 2: .*; correct or delete the damaged lines and resume again"
    ):
        run.drop_metrics_after(3, epoch=1)
    assert metrics.read_bytes().splitlines() == [first, line, last], "nothing is lost"


def test_metrics_that_are_a_folder_or_all_wrong_leave_empty_tables(run: Run) -> None:
    metrics = run.path / "metrics.jsonl"
    metrics.write_bytes(b"\x00\xff\n" * 3)
    assert len(run.step_table()) == len(run.epoch_table()) == 0
    assert "left out line 1: " in run.list_faults()[0]
    assert run.list_faults()[0].endswith(" and 2 more")
    metrics.unlink()
    metrics.mkdir()
    assert len(run.step_table()) == 0
    assert "metrics.jsonl cannot be read: " in run.list_faults()[0]


def test_a_run_as_it_was_written_has_no_faults(run: Run) -> None:
    run.append_metrics("step", step(1, gradient_norm=float("inf"), mean_ce=float("nan")))
    run.append_metrics("epoch", epoch(1))
    run.checkpoint_path(0).parent.mkdir()
    run.checkpoint_path(0).touch()
    assert run.list_faults() == []


@pytest.mark.parametrize(
    "name",
    ["epoch-abc", "epoch-0024 (copy)", "epoch-24", "epoch-", "epoch--001", "epoch-٠٠٢٤", "best", "epoch-" + "9" * 99],
)
def test_a_stray_file_among_the_checkpoints_is_left_out_with_a_sentence(run: Run, name: str) -> None:
    run.checkpoint_path(2).parent.mkdir()
    run.checkpoint_path(2).touch()
    run.checkpoint_path(2).with_name(f"{name}.safetensors").touch()
    assert run.epochs == (2,)
    (sentence,) = run.list_faults()
    assert f"left out '{name}.safetensors'; a checkpoint has a name such as epoch-0024.safetensors" in sentence


def test_a_probe_set_that_cannot_be_read_is_a_fault_of_the_run(run: Run) -> None:
    run.probe_path.mkdir()
    (run.probe_path / "manifest.json").write_text("[]")
    (sentence,) = run.list_faults()
    assert sentence.startswith(f"{run.probe_path / 'manifest.json'} cannot be read: ")
    assert sentence.endswith("; the followed images are left out")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"palette": [[0, 0, 255]]}, "palette: expected 2 colours, one per class, got 1"),
        ({"class_names": []}, "class_names: tuple should have at least 1 item"),
        ({"parameters": -1}, "parameters: input should be greater than or equal to 0, got -1"),
        ({"parameters": 10**4000}, "parameters: input should be less than 9007199254740992, got 1000000000"),
        ({"name": "../../elsewhere"}, "name: expected a name inside the folder"),
        ({"config": {"loss": {"c": math.inf}}}, "config.loss.c: input should be a finite number, got inf"),
        ({"config": {"optim": {"lr": math.nan}}}, "config.optim.lr: "),
        ({"config": {"optim": {"epochs": 10**4000}}}, "config.optim.epochs: input should be less than"),
        ({"config": {"data": {"scene_size": [3, 64]}}}, "config.data.scene_size.0: input should be greater than"),
        ({"config": {"data": {"scene_size": [64, 10**9]}}}, "config.data.scene_size.1: input should be less than"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused_with_its_key(run: Run, change: dict, sentence: str) -> None:
    record = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(record | change))
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read: ") as caught:
        open_run(run.path)
    assert sentence in str(caught.value)


def test_resumed_run_has_each_step_and_epoch_once_even_after_a_truncated_line(run: Run) -> None:
    for iteration in range(1, 26):
        run.append_metrics("step", step(iteration))
        if iteration % 10 == 0:
            run.append_metrics("epoch", epoch(iteration // 10))
    with (run.path / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"kind": "st')
    run.drop_metrics_after(20, epoch=1)  # the run stopped after training the second epoch, before validating it
    run.append_metrics("epoch", epoch(2))
    run.append_metrics("step", step(21))
    assert run.step_table()["iteration"].tolist() == list(range(1, 22))
    assert run.epoch_table()["epoch"].tolist() == [1, 2]
    for line in (run.path / "metrics.jsonl").read_text().splitlines():
        json.loads(line)


def test_runs_are_found_among_the_roots_and_directly_below_them(run_record: RunRecord, tmp_path: Path) -> None:
    for name in ("b", "a"):
        create_run(run_record.model_copy(update={"name": name}), tmp_path / "runs")
    create_run(run_record.model_copy(update={"name": "deep"}), tmp_path / "runs" / "not" / "this")
    (tmp_path / "runs" / "no-run").mkdir()
    runs = tmp_path / "runs"
    assert find_runs(runs) == (runs / "a", runs / "b")
    assert find_runs(runs / "b", runs, runs) == (runs / "b", runs / "a")
    assert find_runs(tmp_path / "gone") == ()


def test_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is not a run: it has no run\.json"):
        open_run(tmp_path)


def test_misspelt_key_in_run_json_gets_a_clear_error(run: Run) -> None:
    record = run.path / "run.json"
    record.write_text(record.read_text().replace('"hardness_lambda"', '"hardnes_lambda"'))
    with pytest.raises(CheckpointError) as caught:
        open_run(run.path)
    assert str(caught.value) == (
        f"{record} cannot be read: unknown key 'config.loss.hardnes_lambda'; did you mean 'hardness_lambda'?"
    )


def test_probe_of_a_run_is_found_where_it_was_written(run: Run) -> None:
    picture = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)
    Probe.create(run.probe_path, {"a": "val"}, {"a": picture})
    probe = open_run(run.path).probe
    assert probe is not None
    assert probe.images == ("a",)


def test_versions_name_the_packages_a_result_depends_on() -> None:
    versions = installed_versions()
    assert {"python", "torch", "timm", "numpy"} <= set(versions)
    assert versions["torch"].startswith("2.")


def test_current_time_has_a_time_zone_and_whole_seconds() -> None:
    moment = pd.Timestamp(utc_now())
    assert moment.tzinfo is not None
    assert moment.microsecond == 0
