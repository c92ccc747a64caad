"""Fills a table: trains what is missing, goes on with what was stopped, scores it and writes one row a run."""

import json
import platform
import resource
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from benchmarks.evidence.grid import Grid, open_grid, rows_path
from hlcore.analysis import segmentation
from hlcore.analysis.statistics import ImageSums
from hlcore.config import TrainConfig
from hlcore.data.catalog import open_data
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import Run, now, open_run
from hlcore.training import loop


def fill(table: str, *, data: Path, out: Path, most: int | None = None) -> Iterator[str]:
    """Trains and scores the missing runs of a table, saying how far it is; what was stopped goes on.

    Args:
        table: Name of the grid.
        data: Folder that holds the data sets, each under its name.
        out: Folder of the runs; a finished run's weights are removed once its row is written.
        most: So many runs and no more.
    """
    grid = open_grid(table)
    done = [{axis: row[axis] for axis in grid.axes} for row in read_rows(table)]
    missing = [cell for cell in grid.cells() if cell not in done]
    yield f"{table}: {len(done)} rows are there, {len(missing)} are missing"
    for cell in missing[:most]:
        config = grid.config(cell, table=table, data=data, out=out)
        yield f"{config.name} begins"
        run = yield from _trained(config)
        row = {**cell, **_scores(run, grid, cell), **_circumstances(run)}
        with rows_path(table).open("a", encoding="utf-8") as rows:
            rows.write(json.dumps(row) + "\n")
        shutil.rmtree(run.path / "checkpoints")
        yield f"{config.name}: {row['scored_on']} mIoU {row['mean_iou_last']:.4f}"


def read_rows(table: str) -> list[dict[str, object]]:
    """The rows of a table, in the order they were finished."""
    path = rows_path(table)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _trained(config: TrainConfig) -> Generator[str, None, Run]:
    path = config.out / config.run_name
    if (path / "run.json").exists() and open_run(path).record.state != "complete":
        reports = loop.resume(path)
    elif (path / "run.json").exists():
        return open_run(path)
    else:
        reports = loop.train(config)
    for report in reports:
        if report.ends_epoch:
            logged = report.values
            yield f"{config.name}, epoch {report.epoch}: val mIoU {logged['mean_iou']:.4f}"
    return open_run(path)


def _scores(run: Run, grid: Grid, cell: dict[str, str]) -> dict[str, float | int | str]:
    """Scores of the last epoch and of the best on val, on the split that is scored."""
    epochs = run.epoch_table()
    last = run.epochs[-1]
    best = int(epochs["epoch"].to_numpy()[epochs["mean_iou"].argmax()])
    split = grid.score_split[cell["data"]]
    row: dict[str, float | int | str] = {
        "epochs": last,
        "best_epoch": best,
        "val_mean_iou_last": float(epochs["mean_iou"].to_numpy()[-1]),
        "val_mean_iou_best": float(epochs["mean_iou"].to_numpy().max()),
        "scored_on": split,
    }
    tables = {epoch: _segmentation(run, epoch, split) for epoch in {last, best}}
    for name, epoch in (("last", last), ("best", best)):
        scores = tables[epoch]
        row |= {f"{score}_{name}": value for score, value in scores.items()}
    return row


def _segmentation(run: Run, epoch: int, split: str) -> dict[str, float]:
    """Scores of an epoch on a split: mean_iou, iou/<class>, mean_boundary_iou, mean_iou_small and so on."""
    checkpoint = load_checkpoint(run.checkpoint_path(epoch))
    config = run.record.config.data
    sums = ImageSums(resamplings=1)
    for sample in open_data(config.dataset, root=config.root, split=split):
        record = predict(
            checkpoint.network,
            sample.image,
            class_names=checkpoint.class_names,
            name=sample.name,
            label_map=sample.label_map,
        )
        sums.add(sample.name, segmentation.count(record))
    scores = segmentation.tables(sums, checkpoint.class_names)["segmentation"]
    names = zip(scores["metric"], scores["class_name"], strict=True)
    keys = [f"{metric}/{name}" if name else f"mean_{metric}" for metric, name in names]
    return {key: round(value, 5) for key, value in zip(keys, scores["value"], strict=True) if np.isfinite(value)}


def _circumstances(run: Run) -> dict[str, object]:
    steps = run.steps()
    late = steps[steps["epoch"] == steps["epoch"].max()]
    batch_size = run.record.config.optim.batch_size
    return {
        "hardness_lift": round(float(np.mean(late["hardness_lift"])), 4),
        "step_ms": round(float(np.median(1000 * batch_size / late["images_per_s"])), 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "device": run.record.device,
        "machine": f"{platform.machine()}, {platform.system()}",
        "torch": run.record.versions["torch"],
        "finished": now().isoformat(),
    }
