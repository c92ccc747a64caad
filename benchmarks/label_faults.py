"""How well label suspicion, plain loss and cleanlab find faults planted into the labels of a held-out split.

    python -m benchmarks.label_faults --run checkpoints/streets
    python -m benchmarks.label_faults --run checkpoints/camvid --root CAMVID

Faults are planted into every second image; then pixels, disputed regions and images are ranked by average precision,
whose chance level is the share of faulty ones. Intervals (95 %) resample the images; sd_of_seeds is the standard
deviation over plantings.
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

from benchmarks.fault_rankings import (
    GROUPS,
    KEYS,
    NUM_BINS,
    RESAMPLINGS,
    bin_scores,
    count_by_group,
    group_faults,
    make_rows,
)
from hlcore.analysis.label_faults import PlantedFaults, plant_faults
from hlcore.analysis.label_suspicion import (
    SCORES,
    SUMMARIES,
    find_disagreements,
    match_faults,
    score_map,
    score_regions,
)
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
        A split the run was not trained on.
    root
        Folder of the data set. Default: the one the run was trained on.
    images
        Number of images, evenly spaced over the split; for streets, number of scenes.
    seeds
        Number of times faults are planted.
    out
        CSV file of the table.
    """
    records = list(_predict_records(run, split, root, images))
    first = {"run": run.name, "split": split, "images": len(records), "seeds": seeds}
    table = pd.DataFrame([{**first, **row} for row in _make_rows(records, seeds)])
    print(table[[*KEYS, "value", "low", "high"]].to_string())
    if out.is_file():
        before = pd.read_csv(out, keep_default_na=False, na_values=dict.fromkeys(("low", "high", "sd_of_seeds"), ""))
        table = pd.concat([before.loc[(before["run"] != run.name) | (before["split"] != split)], table])
    out.parent.mkdir(exist_ok=True)
    table.to_csv(out, index=False, float_format="%.4f")


def _predict_records(run: Path, split: str, root: Path | None, images: int) -> Iterator[PredictionRecord]:
    """Records of the last epoch on the images."""
    opened = open_run(run)
    checkpoint = load_checkpoint(opened.checkpoint_path(opened.epochs[-1]))
    config = opened.record.config.data
    data = open_data(
        config.dataset,
        root=root or config.root,
        split=split,
        count=images,
        size=config.scene_size,
        white_level=config.white_level,
    )
    for index in np.unique(np.linspace(0, len(data) - 1, images).round().astype(int)).tolist():
        sample = data[index]
        yield predict(
            checkpoint.network,
            sample.image,
            class_names=checkpoint.class_names,
            name=sample.name,
            label_map=sample.label_map,
        )


def _make_rows(records: list[PredictionRecord], seeds: int) -> Iterator[dict[str, Any]]:
    """Rows of one run and split, over all plantings."""
    each = []
    for seed in range(seeds):
        each.append(_plant_and_rank(records, seed))
        print(f"planting {seed + 1} of {seeds} ranked", flush=True)
    of_seeds = [list(make_rows(*planting)) for planting in each]
    pixels, regions, images = zip(*each, strict=True)
    together = make_rows(reduce(add, pixels), pd.concat(regions), pd.concat(images))
    for row, *apart in zip(together, *of_seeds, strict=True):
        yield {**row, "sd_of_seeds": np.std([one["value"] for one in apart], ddof=1) if seeds > 1 else np.nan}


def _plant_and_rank(records: list[PredictionRecord], seed: int) -> tuple[ImageSums, pd.DataFrame, pd.DataFrame]:
    """One planting: sums over pixels, a row per disputed region, and a row per image."""
    planted = [
        plant_faults(r.labels, num_classes=len(r.class_names), seed=(seed, i), count=3 if i % 2 else 0)
        for i, r in enumerate(records)
    ]
    faulty = [r.with_label_map(p.label_map) for r, p in zip(records, planted, strict=True)]
    sums, regions, images = ImageSums(RESAMPLINGS), [], []
    for record, faults, rival in zip(faulty, planted, _run_cleanlab(faulty), strict=True):
        scores = {score: score_map(record, score) for score in SCORES}
        sums.add(record.name, _pixel_counts(record, faults, scores, rival))
        regions.append(_region_table(record, faults, scores, rival))
        images.append(_image_row(record, faults, scores, regions[-1], rival))
    return sums, pd.concat(regions), pd.DataFrame(images)


def _run_cleanlab(records: list[PredictionRecord]) -> Iterator[dict[str, Any]]:
    """Result of cleanlab for each record: `quality` and `issue` of the labels (H W), and two scores of the image.

    cleanlab has no ignored pixels; they get the predicted class as label, which is never an issue.
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
    group, disputed, rows = group_faults(faults)[faults.faults][valid], record.error[valid], len(GROUPS) + 1
    bins = {name: bin_scores(score[valid]) for name, score in scores.items()}
    bins["cleanlab quality"] = bin_scores(-np.log(np.maximum(rival["quality"][valid], np.finfo(np.float32).tiny)))
    bins["cleanlab issues"] = bins["loss"] + NUM_BINS * rival["issue"][valid]  # issues first, each part ordered by loss
    ease = np.minimum((1000 * (1 - hardness)).astype(int), 999)
    return {
        "pixels": np.bincount(group, minlength=rows),
        "hardness": np.bincount(group, hardness, rows),
        "disputed pixels": np.bincount(group[disputed], minlength=rows),
        "disputed hardness": np.bincount(group[disputed], hardness[disputed], rows),
        "disputed loss": count_by_group(group[disputed], bins["loss"][disputed]),
        "disputed 1 - hardness": count_by_group(group[disputed], ease[disputed]),
        **{name: count_by_group(group, of_score) for name, of_score in bins.items()},
    }


def _region_table(
    record: PredictionRecord, faults: PlantedFaults, scores: dict[str, np.ndarray], rival: dict[str, Any]
) -> pd.DataFrame:
    """The disputed regions with every score; `group` is that of the fault it shows."""
    regions = find_disagreements(record.labels, record.prediction)
    shown = match_faults(regions, faults)
    columns = {
        "image": np.full(len(shown), record.name),
        "group": group_faults(faults)[shown],
        **{f"{name}/{how}": score_regions(regions, scores[name], how) for name in SCORES for how in SUMMARIES},
        "cleanlab quality/mean": score_regions(regions, 1 - rival["quality"], "mean"),
        "cleanlab issues/mean": score_regions(regions, rival["issue"].astype(float), "mean"),
    }
    return pd.DataFrame(columns)


def _image_row(
    record: PredictionRecord,
    faults: PlantedFaults,
    scores: dict[str, np.ndarray],
    regions: pd.DataFrame,
    rival: dict[str, Any],
) -> dict[str, Any]:
    """The image-level scores of one image."""
    return {
        "image": record.name,
        "group": int(len(faults.kinds) > 0),
        **{f"{name}/mean of pixels": np.nanmean(scores[name]) for name in SCORES},
        **{f"{name}/highest region": regions[f"{name}/p95"].max() if len(regions) else 0.0 for name in SCORES},
        **{f"{name}/image": rival[name] for name in ("cleanlab softmin", "cleanlab number of issues")},
    }


if __name__ == "__main__":
    app()
