"""Measures of a finished run."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from hlcore.analysis import fidelity, segmentation, stability
from hlcore.analysis.map_agreement import MEASURES
from hlcore.analysis.stability import ImageSnapshots
from hlcore.analysis.statistics import ImageSums, filter_rows
from hlcore.data.catalog import open_data
from hlcore.data.samples import Sample
from hlcore.inference import predict
from hlcore.storage.checkpoints import Checkpoint, load_checkpoint
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord

FOLLOWED_IMAGES = 12
"""Number of images of the training split, and of the scored split, on which the maps of all epochs are compared."""
JUDGED_IMAGES = 40
"""Number of images of the scored split on which fidelity is measured."""
SATURATED = 0.95


def measure_segmentation(run: Run, split: str) -> dict[str, float | int | str]:
    """Scores of the last epoch on the scored split and, without those of classes, of the best epoch on val."""
    epochs = run.epoch_table()
    last = run.epochs[-1]
    best = int(epochs["epoch"].to_numpy()[epochs["mean_iou"].argmax()])
    val = epochs["mean_iou"].to_numpy()
    row: dict[str, float | int | str] = {
        "epochs": last,
        "best_epoch": best,
        "val_mean_iou_last": float(val[-1]),
        "val_mean_iou_best": float(val.max()),
        "val_mean_iou_rise": round(float(val[-1] - np.mean(val[-4:-1])), 5) if len(val) > 3 else np.nan,
        "scored_on": split,
    }
    tables = {epoch: _segmentation_scores(run, epoch, split) for epoch in {last, best}}
    row |= {f"{score}_last": value for score, value in tables[last].items()}
    return row | {f"{score}_best": value for score, value in tables[best].items() if "/" not in score}


def _segmentation_scores(run: Run, epoch: int, split: str) -> dict[str, float]:
    """Scores of an epoch on a split: mean_iou, iou/<class>, mean_boundary_iou, mean_iou_small and so on."""
    checkpoint = load_checkpoint(run.checkpoint_path(epoch))
    sums = ImageSums(resamplings=1)
    for sample in read_samples(run, split):
        sums.add(sample.name, segmentation.count(_predict(checkpoint, sample)))
    found = segmentation.make_tables(sums, checkpoint.class_names)["segmentation"]
    names = zip(found["metric"], found["class_name"], strict=True)
    keys = [f"{metric}/{name}" if name else f"mean_{metric}" for metric, name in names]
    return {key: round(value, 5) for key, value in zip(keys, found["value"], strict=True) if np.isfinite(value)}


def measure_stability(run: Run, split: str) -> dict[str, float]:
    """Stability of the maps on training images and on those of a split.

    <map>_<measure>/<train or held_out>: median over consecutive epochs of the mean over images, without epoch 0;
    _last_over_first: the mean of the map at the last epoch divided by that at the first; hardness_saturated/...: share
    of the pixels above 0.95 at the last epoch.
    """
    config = run.record.config
    snapshots = [f"epoch-{epoch:04d}" for epoch in run.epochs]
    networks = dict(zip(snapshots, (load_checkpoint(run.checkpoint_path(epoch)) for epoch in run.epochs), strict=True))
    row = {}
    for place, name in (("train", config.data.train_split), ("held_out", split)):
        sums, saturated = ImageSums(resamplings=1), []
        for sample in read_samples(run, name, images=FOLLOWED_IMAGES):
            records = {snapshot: _predict(checkpoint, sample) for snapshot, checkpoint in networks.items()}
            maps = {snapshot: (record.hardness_map, record.loss_map) for snapshot, record in records.items()}
            followed = ImageSnapshots(sample.name, place, sample.label_map, maps)
            sums.add(sample.name, stability.compare_snapshots(followed.maps, followed.label_map, c=config.loss.c))
            last = records[snapshots[-1]]
            saturated.append((last.hardness_map[last.valid] > SATURATED).mean())
        tables = stability.make_tables({place: sums}, snapshots)
        row[f"hardness_saturated/{place}"] = round(float(np.mean(saturated)), 5)
        kept = list(pairwise(stability.kept_epoch_names(snapshots)))
        for of in stability.MAPS:
            pairs = filter_rows(tables["epoch_pairs"], kind="consecutive", map=of).to_dict("records")
            for measure in MEASURES:
                values = [p["value"] for p in pairs if p["measure"] == measure and (p["first"], p["second"]) in kept]
                row[f"{of}_{measure}/{place}"] = round(float(np.median(values)), 5)
            level = filter_rows(tables["levels"], map=of, measure="relative_level", snapshot=snapshots[-1])
            row[f"{of}_last_over_first/{place}"] = round(float(level["value"].iloc[0]), 5)
    return row


def measure_fidelity(run: Run, others: list[Run], split: str) -> dict[str, float]:
    """Fidelity of a run's maps to the mean loss of other runs, with intervals over images.

    <map>_<measure>, and the same with _low and _high.
    """
    judged = load_checkpoint(run.checkpoint_path(run.epochs[-1]))
    networks = [load_checkpoint(other.checkpoint_path(other.epochs[-1])) for other in others]
    sums = ImageSums()
    for sample in read_samples(run, split, images=JUDGED_IMAGES):
        yardstick = fidelity.mean_loss_map([_predict(network, sample).loss_map for network in networks])
        sums.add(sample.name, fidelity.measure_fidelity(_predict(judged, sample), yardstick))
    row = {}
    for found in fidelity.make_table(sums).to_dict("records"):
        key = f"{found['map']}_{found['measure']}"
        row |= {key: found["value"], f"{key}_low": found["low"], f"{key}_high": found["high"]}
    return {key: round(float(value), 5) for key, value in row.items()}


def read_samples(run: Run, split: str, *, images: int | None = None, root: Path | None = None) -> Iterator[Sample]:
    """Images of a split of the run's data set: all, or `images` evenly spaced ones; `root` if its folder has moved."""
    data = run.record.config.data
    count = data.train_scenes if split == data.train_split else data.val_scenes
    opened = open_data(
        data.dataset,
        root=root or data.root,
        split=split,
        count=count,
        size=data.scene_size,
        white_level=data.white_level,
    )
    number = len(opened) if images is None else min(images, len(opened))
    for index in np.unique(np.linspace(0, len(opened) - 1, number).round().astype(int)):
        yield opened[int(index)]


def _predict(checkpoint: Checkpoint, sample: Sample) -> PredictionRecord:
    return predict(
        checkpoint.network,
        sample.image,
        class_names=checkpoint.class_names,
        name=sample.name,
        label_map=sample.label_map,
    )
