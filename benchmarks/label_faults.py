"""How well label suspicion, plain loss and cleanlab find faults that were planted into the labels of a held-out split.

    python -m benchmarks.label_faults --run checkpoints/streets
    python -m benchmarks.label_faults --run checkpoints/camvid --root CAMVID

Faults are planted into every second image; then pixels, disputed regions and images are ranked. Average precision is
the mean precision over what is faulty; chance is its share, which stands beside it. Intervals (95 %) resample the
images; sd_of_seeds is the standard deviation between plantings.
"""

from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.segmentation.filter import find_label_issues
from cleanlab.segmentation.rank import get_label_quality_scores
from cyclopts import App

from benchmarks.fault_rankings import GROUPS, KEYS, NUM_BINS, RESAMPLINGS, bins_of, groups_of, histograms_of, rows_of
from hlcore.analysis.label_faults import PlantedFaults, plant_faults
from hlcore.analysis.label_suspicion import SCORES, SUMMARIES, disagreements, faults_in, score_map, summarise
from hlcore.analysis.statistics import Counts, ImageSums
from hlcore.data.catalog import open_data
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run
from hlcore.types import PredictionRecord

RESULTS = Path(__file__).parent / "results" / "label_faults.csv"
app = App(name="python -m benchmarks.label_faults", help=__doc__)


@app.default
def main(
    *, run: Path, split: str = "test", root: Path | None = None, images: int = 80, seeds: int = 3, out: Path = RESULTS
) -> None:
    """Plant faults, rank, and replace the rows of this run and split in the table.

    Parameters
    ----------
    run
        Run folder.
    split
        A split the run has not learnt from.
    root
        Folder of the data set, where it is not what the run was trained from.
    images
        So many images, spread evenly over the split; for streets, so many scenes.
    seeds
        How often faults are planted anew.
    out
        The table, CSV.
    """
    records = list(_records(run, split, root, images))
    first = {"run": run.name, "split": split, "images": len(records), "seeds": seeds}
    table = pd.DataFrame([{**first, **row} for row in _table(records, seeds)])
    print(table[[*KEYS, "value", "low", "high"]].to_string())
    if out.is_file():
        before = pd.read_csv(out, keep_default_na=False, na_values=dict.fromkeys(("low", "high", "sd_of_seeds"), ""))
        table = pd.concat([before.loc[(before["run"] != run.name) | (before["split"] != split)], table])
    out.parent.mkdir(exist_ok=True)
    table.to_csv(out, index=False, float_format="%.4f")


def _records(run: Path, split: str, root: Path | None, images: int) -> Iterator[PredictionRecord]:
    """What the last epoch says about the images."""
    opened = open_run(run)
    checkpoint = load_checkpoint(opened.checkpoint_path(opened.epochs[-1]))
    config = opened.record.config.data
    data = open_data(config.dataset, root=root or config.root, split=split, count=images, size=config.scene_size)
    for index in np.unique(np.linspace(0, len(data) - 1, images).round().astype(int)).tolist():
        sample = data[index]
        yield predict(
            checkpoint.network,
            sample.image,
            class_names=checkpoint.class_names,
            name=sample.name,
            label_map=sample.label_map,
        )


def _table(records: list[PredictionRecord], seeds: int) -> Iterator[dict[str, Any]]:
    """The rows of one run and split, all plantings together."""
    each = []
    for seed in range(seeds):
        each.append(_planting(records, seed))
        print(f"planting {seed + 1} of {seeds} ranked", flush=True)
    of_seeds = [list(rows_of(*planting)) for planting in each]
    pixels, regions, images = zip(*each, strict=True)
    together = rows_of(reduce(add, pixels), pd.concat(regions), pd.concat(images))
    for row, *apart in zip(together, *of_seeds, strict=True):
        yield {**row, "sd_of_seeds": np.std([one["value"] for one in apart], ddof=1) if seeds > 1 else np.nan}


def _planting(records: list[PredictionRecord], seed: int) -> tuple[ImageSums, pd.DataFrame, pd.DataFrame]:
    """Faults planted once: what the pixels add, a row a disputed region, a row an image."""
    planted = [
        plant_faults(r.labels, num_classes=len(r.class_names), seed=(seed, i), count=3 if i % 2 else 0)
        for i, r in enumerate(records)
    ]
    faulty = [r.with_label_map(p.label_map) for r, p in zip(records, planted, strict=True)]
    sums, regions, images = ImageSums(RESAMPLINGS), [], []
    for record, faults, rival in zip(faulty, planted, _cleanlab(faulty), strict=True):
        scores = {score: score_map(record, score) for score in SCORES}
        sums.add(record.name, _pixel_counts(record, faults, scores, rival))
        regions.append(_region_table(record, faults, scores, rival))
        images.append(_image_row(record, faults, scores, regions[-1], rival))
    return sums, pd.concat(regions), pd.DataFrame(images)


def _cleanlab(records: list[PredictionRecord]) -> Iterator[dict[str, Any]]:
    """What cleanlab says of each record: `quality` and `issue` of the labels (H W), and two scores of the image.

    It knows no ignored pixels: they get the predicted class as label, which is never an issue.
    """
    labels = np.stack([np.where(r.valid, r.labels, r.prediction).astype(int) for r in records])
    probabilities = np.stack([r.probabilities for r in records])
    softmin, quality = get_label_quality_scores(labels, probabilities, verbose=False)
    issues = find_label_issues(labels, probabilities, n_jobs=1, verbose=False)
    for of_image, of_pixels, issue in zip(softmin, quality, issues, strict=True):
        yield {
            "quality": of_pixels,
            "issue": issue,
            "cleanlab softmin": 1 - of_image,
            "cleanlab number of issues": issue.mean(),
        }


def _pixel_counts(
    record: PredictionRecord, faults: PlantedFaults, scores: dict[str, np.ndarray], rival: dict[str, Any]
) -> Counts:
    """Pixels, hardness and histograms of the scores; a row for unchanged pixels, then one for each group of faults."""
    valid, hardness = record.valid, record.hardness_map[record.valid]
    group, disputed, rows = groups_of(faults)[faults.faults][valid], record.error[valid], len(GROUPS) + 1
    bins = {name: bins_of(score[valid]) for name, score in scores.items()}
    bins["cleanlab quality"] = bins_of(-np.log(np.maximum(rival["quality"][valid], np.finfo(np.float32).tiny)))
    bins["cleanlab issues"] = bins["loss"] + NUM_BINS * rival["issue"][valid]  # its issues first, by the loss
    ease = np.minimum((1000 * (1 - hardness)).astype(int), 999)
    return {
        "pixels": np.bincount(group, minlength=rows),
        "hardness": np.bincount(group, hardness, rows),
        "disputed pixels": np.bincount(group[disputed], minlength=rows),
        "disputed hardness": np.bincount(group[disputed], hardness[disputed], rows),
        "disputed loss": histograms_of(group[disputed], bins["loss"][disputed]),
        "disputed 1 - hardness": histograms_of(group[disputed], ease[disputed]),
        **{name: histograms_of(group, of_score) for name, of_score in bins.items()},
    }


def _region_table(
    record: PredictionRecord, faults: PlantedFaults, scores: dict[str, np.ndarray], rival: dict[str, Any]
) -> pd.DataFrame:
    """The disputed regions with every score; `group` is that of the fault it shows."""
    regions = disagreements(record.labels, record.prediction)
    shown = faults_in(regions, faults)
    columns = {
        "image": np.full(len(shown), record.name),
        "group": groups_of(faults)[shown],
        **{f"{name}/{how}": summarise(regions, scores[name], how) for name in SCORES for how in SUMMARIES},
        "cleanlab quality/mean": summarise(regions, 1 - rival["quality"], "mean"),
        "cleanlab issues/mean": summarise(regions, rival["issue"].astype(float), "mean"),
    }
    return pd.DataFrame(columns)


def _image_row(
    record: PredictionRecord,
    faults: PlantedFaults,
    scores: dict[str, np.ndarray],
    regions: pd.DataFrame,
    rival: dict[str, Any],
) -> dict[str, Any]:
    """An image with every score of the image as a whole."""
    return {
        "image": record.name,
        "group": int(len(faults.kinds) > 0),
        **{f"{name}/mean of pixels": np.nanmean(scores[name]) for name in SCORES},
        **{f"{name}/highest region": regions[f"{name}/p95"].max() if len(regions) else 0.0 for name in SCORES},
        **{f"{name}/image": rival[name] for name in ("cleanlab softmin", "cleanlab number of issues")},
    }


if __name__ == "__main__":
    app()
