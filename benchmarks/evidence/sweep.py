"""Fill a table: train the missing runs, resume interrupted ones, measure them and write one row each (needs Linux)."""

import platform
import resource
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from benchmarks.evidence.edge_weights import use_edge_weights
from benchmarks.evidence.grid import EVIDENCE_FOLDER, Grid, open_grid
from benchmarks.evidence.measures import measure_fidelity, measure_segmentation, measure_stability
from hlcore.config import TrainConfig
from hlcore.errors import InvalidInputError
from hlcore.storage.files import write_text
from hlcore.storage.run_records import utc_now
from hlcore.storage.runs import Run, open_run
from hlcore.training import loop

FIDELITY = "fidelity/"
"""Prefix of the measures that need the runs of the other seeds."""


def fill_table(
    table: str,
    *,
    data: Path,
    out: Path,
    most: int | None = None,
    only: Sequence[str] = (),
    folder: Path = EVIDENCE_FOLDER,
) -> Iterator[str]:
    """Train and measure the missing runs of a table, resuming interrupted ones; yields lines of progress.

    Several processes may fill one table, each with its own part (`only`).

    Args:
        table: Name of the grid.
        data: Folder of the data sets, each in a subfolder of its name.
        out: Folder of the runs; a finished run keeps its last weights, to measure the fidelity of others.
        most: Maximum number of runs to train.
        only: Fill only the runs with all of these values, such as camvid_fpn and sgd_1.
        folder: Folder of the grid and its rows.

    Raises:
        InvalidInputError: no run has one of these values.
    """
    grid = open_grid(table, folder)
    asked = _select_cells(grid, only)
    done = [{axis: row[axis] for axis in grid.axes} for row in read_rows(table, folder)]
    missing = [cell for cell in asked if cell not in done]
    yield f"{table}: {len(asked) - len(missing)} rows exist, {len(missing)} are missing"
    for cell in missing[:most]:
        config = grid.config(cell, table=table, data=data, out=out)
        yield f"{config.name}: training"
        run = yield from _train_or_resume(use_edge_weights(config, out))
        split = grid.score_split[cell["data"]]
        row = {**cell, **measure_segmentation(run, split), **measure_stability(run, split), **_describe_training(run)}
        _append_row(folder / f"{table}.csv", row)
        _keep_last_weights(run)
        yield f"{config.name}: {row['scored_on']} mIoU {row['mean_iou_last']:.4f}"
        yield from fill_fidelity(table, out=out, only=only, folder=folder)
    yield from fill_fidelity(table, out=out, only=only, folder=folder)


def train_baselines(
    table: str, *, data: Path, out: Path, only: Sequence[str] = (), folder: Path = EVIDENCE_FOLDER
) -> Iterator[str]:
    """Train again the baselines that have rows but are not in `out`, and measure the fidelity that this makes possible.

    On another machine, the runs that are still to be trained need these networks for their fidelity.
    """
    grid = open_grid(table, folder)
    done = [{axis: row[axis] for axis in grid.axes} for row in read_rows(table, folder)]
    missing = [cell for cell in _select_cells(grid, only) if cell not in done]
    needed = {grid.run_name(table, other): other for cell in missing for other in grid.others(cell) if other in done}
    for name, cell in needed.items():
        if _is_complete(out / name):
            continue
        yield f"{name}: training, without a new row"
        _keep_last_weights((yield from _train_or_resume(grid.config(cell, table=table, data=data, out=out))))
    yield from fill_fidelity(table, out=out, only=only, folder=folder)


def fill_fidelity(table: str, *, out: Path, only: Sequence[str] = (), folder: Path = EVIDENCE_FOLDER) -> Iterator[str]:
    """Measure the fidelity of each run that lacks it, if its weights and those of its references are in `out`."""
    grid = open_grid(table, folder)
    path = folder / f"{table}.fidelity.csv"
    judged = [{axis: row[axis] for axis in grid.axes} for row in _read_rows(path)]
    finished = [{axis: row[axis] for axis in grid.axes} for row in _read_rows(folder / f"{table}.csv")]
    asked = _select_cells(grid, only)
    for cell in finished:
        runs = [out / grid.run_name(table, c) for c in (cell, *grid.others(cell))]
        if cell in judged or cell not in asked or not all(map(_is_complete, runs)):
            continue
        run, *others = map(open_run, runs)
        found = measure_fidelity(run, others, grid.score_split[cell["data"]])
        _append_row(path, {**cell, **{FIDELITY + key: value for key, value in found.items()}})
        yield f"{run.name}: fidelity of hardness {found['hardness_spearman']:.3f}"


def read_rows(table: str, folder: Path = EVIDENCE_FOLDER) -> list[dict[str, Any]]:
    """The rows of a table in the order they were finished, each with its fidelity if that is known."""
    axes = tuple(open_grid(table, folder).axes)
    later = {tuple(row[axis] for axis in axes): row for row in _read_rows(folder / f"{table}.fidelity.csv")}
    return [row | later.get(tuple(row[axis] for axis in axes), {}) for row in _read_rows(folder / f"{table}.csv")]


def _select_cells(grid: Grid, only: Sequence[str]) -> list[dict[str, str]]:
    known = {value for cell in grid.cells() for value in cell.values()}
    if unknown := sorted(set(only) - known):
        raise InvalidInputError(
            f"no run has the value {', '.join(unknown)}; expected one of {', '.join(sorted(known))}"
        )
    return [cell for cell in grid.cells() if set(only) <= set(cell.values())]


def _is_complete(run: Path) -> bool:
    return (run / "run.json").is_file() and open_run(run).record.state == "complete"


def _read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table, each with the columns that it has."""
    if not path.exists():
        return []
    table = pd.read_csv(path)
    return [{str(name): value for name, value in row.items() if pd.notna(value)} for row in table.to_dict("records")]


def _append_row(path: Path, row: dict[str, Any]) -> None:
    with FileLock(path.with_name(f".{path.name}.lock")):  # another process may append at the same time
        rows = pd.DataFrame([*_read_rows(path), row])
        write_text(path, rows.to_csv(index=False, lineterminator="\n"))


def _train_or_resume(config: TrainConfig) -> Generator[str, None, Run]:
    path = config.out / config.run_name
    if _is_complete(path):
        return open_run(path)
    reports = loop.resume(path) if (path / "run.json").exists() else loop.train(config)
    for report in reports:
        if report.ends_epoch:
            logged = report.values  # noqa: PD011  (of a report)
            yield f"{config.name}, epoch {report.epoch}: val mIoU {logged['mean_iou']:.4f}"
    return open_run(path)


def _keep_last_weights(run: Run) -> None:
    for epoch in run.epochs[:-1]:
        run.checkpoint_path(epoch).unlink()


def _describe_training(run: Run) -> dict[str, object]:
    steps = run.step_table()
    late = steps[steps["epoch"] == steps["epoch"].max()]
    batch_size = run.record.config.optim.batch_size
    return {
        "steps": len(steps),
        "hardness_lift": round(float(np.mean(late["hardness_lift"])), 4),
        "step_ms": round(float(np.median(1000 * batch_size / late["images_per_s"])), 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "device": run.record.device,
        "machine": f"{platform.machine()}, {platform.system()}",
        "torch": run.record.versions["torch"],
        "finished": utc_now().isoformat(),
    }
