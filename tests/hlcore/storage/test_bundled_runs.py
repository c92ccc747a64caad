"""Runs written by earlier versions still open."""

from pathlib import Path

import pandas as pd
import pytest

from hlcore.storage.analyses import find_analyses, open_analysis
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import find_runs, open_run

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
RUNS = find_runs(CHECKPOINTS)
ANALYSES = [path for run in RUNS for path in find_analyses(run)]


def test_there_are_bundled_runs_and_an_analysis() -> None:
    assert len(RUNS) >= 2
    assert ANALYSES


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_a_bundled_run_opens_and_its_last_checkpoint_loads(path: Path) -> None:
    run = open_run(path)
    checkpoint = load_epoch(run, device="cpu")
    assert checkpoint.epoch == run.epochs[-1]
    assert checkpoint.class_names == run.record.class_names
    assert len(run.step_table()) > 0
    assert len(run.epoch_table()) > 0
    if run.probe is not None:
        image, snapshot = run.probe.images[0], run.probe.snapshots[-1]
        hardness_map, loss_map = run.probe.maps(image, snapshot)
        assert hardness_map.shape == loss_map.shape == run.probe.image(image).shape[:2]


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.name)
def test_every_table_of_a_bundled_analysis_can_be_read(path: Path) -> None:
    analysis = open_analysis(path)
    names = [file.stem for file in path.glob("*.parquet")]
    assert {"edges", "objects", "scores", "segmentation"} <= set(names)
    assert all(isinstance(analysis.table(name), pd.DataFrame) for name in names)
