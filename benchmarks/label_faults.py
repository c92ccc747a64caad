"""How well label suspicion, plain loss and cleanlab find faults that were planted into the labels of a held-out split.

    python -m benchmarks.label_faults --run checkpoints/streets
    python -m benchmarks.label_faults --run checkpoints/camvid --root CAMVID

Faults are planted into every second image; then pixels, disputed regions and images are ranked. Average precision is
the mean precision over what is faulty; chance is its share, which stands beside it. Intervals (95 %) resample the
images; sd_of_seeds is the standard deviation between plantings.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cleanlab.segmentation.filter import find_label_issues
from cleanlab.segmentation.rank import get_label_quality_scores
from cyclopts import App
from jaxtyping import Bool, Float, Integer

from hlcore.analysis.label_faults import KINDS, PlantedFaults, plant_faults
from hlcore.analysis.label_suspicion import SCORES, SUMMARIES, disagreements, faults_in, score_map, summarise
from hlcore.analysis.ranking import auroc, average_precision
from hlcore.analysis.statistics import Counts, Estimate, ImageSums, divide, times_drawn
from hlcore.data.catalog import open_data
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run
from hlcore.types import PredictionRecord

RESULTS = Path(__file__).parent / "results" / "label_faults.csv"
KEYS = ["level", "method", "summary", "kind", "measure"]
PIXEL_METHODS = (*SCORES, "cleanlab quality", "cleanlab issues")
RESAMPLINGS = 200
LOG_SCORES = np.linspace(-7, 2, 3001)
"""Edges of the bins of log10(score) in which pixels are counted: a bin is 0.7 % wide."""
NUM_BINS = len(LOG_SCORES) + 1

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
    of_seeds = [list(_rows(*planting)) for planting in each]
    pixels, regions, images = zip(*each, strict=True)
    together = _rows(reduce(add, pixels), pd.concat(regions), pd.concat(images))
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
    """Pixels, hardness and histograms of the scores; a row for unchanged pixels, then one for each kind of fault."""
    valid, hardness = record.valid, record.hardness_map[record.valid]
    kind = np.asarray(sum(number * faults.where(kind) for number, kind in enumerate(KINDS, start=1)))[valid]
    disputed, rows = record.error[valid], len(KINDS) + 1
    bins = {name: _bins(score[valid]) for name, score in scores.items()}
    bins["cleanlab quality"] = _bins(-np.log(np.maximum(rival["quality"][valid], np.finfo(np.float32).tiny)))
    bins["cleanlab issues"] = bins["loss"] + NUM_BINS * rival["issue"][valid]  # its issues first, by the loss
    ease = np.minimum((1000 * (1 - hardness)).astype(int), 999)
    return {
        "pixels": np.bincount(kind, minlength=rows),
        "hardness": np.bincount(kind, hardness, rows),
        "disputed pixels": np.bincount(kind[disputed], minlength=rows),
        "disputed hardness": np.bincount(kind[disputed], hardness[disputed], rows),
        "disputed loss": _histograms(kind[disputed], bins["loss"][disputed]),
        "disputed 1 - hardness": _histograms(kind[disputed], ease[disputed]),
        **{name: _histograms(kind, of_score) for name, of_score in bins.items()},
    }


def _bins(scores: Float[np.ndarray, " N"]) -> Integer[np.ndarray, " N"]:
    """The bin of each score, by its logarithm."""
    return np.digitize(np.log10(np.maximum(scores, 1e-9)), LOG_SCORES)


def _histograms(kind: Integer[np.ndarray, " N"], bins: Integer[np.ndarray, " N"]) -> Integer[np.ndarray, "K B"]:
    """Number of pixels by kind (row) and bin."""
    rows = len(KINDS) + 1
    return np.bincount(kind * 2 * NUM_BINS + bins, minlength=rows * 2 * NUM_BINS).reshape(rows, -1)


def _region_table(
    record: PredictionRecord, faults: PlantedFaults, scores: dict[str, np.ndarray], rival: dict[str, Any]
) -> pd.DataFrame:
    """The disputed regions with every score; `kind` is that of the fault it shows, if any."""
    regions = disagreements(record.labels, record.prediction)
    shown = faults_in(regions, faults)
    columns = {
        "image": np.full(len(shown), record.name),
        "kind": np.array(["", *faults.kinds])[shown],
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
        "kind": "some" if faults.kinds else "",
        **{f"{name}/mean of pixels": np.nanmean(scores[name]) for name in SCORES},
        **{f"{name}/highest region": regions[f"{name}/p95"].max() if len(regions) else 0.0 for name in SCORES},
        **{f"{name}/image": rival[name] for name in ("cleanlab softmin", "cleanlab number of issues")},
    }


def _rows(pixels: ImageSums, regions: pd.DataFrame, images: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """A row a value."""
    for kind in ("all", *KINDS):
        kinds = range(1, len(KINDS) + 1) if kind == "all" else [1 + KINDS.index(kind)]
        for method in PIXEL_METHODS:
            ratio = partial(_ranking, rank=average_precision, histograms=method, kinds=kinds)
            yield _row("pixel", method, "", kind, "average precision", pixels.estimate(ratio))
        chance = pixels.estimate(partial(_faulty_share, kinds=kinds))
        yield _row("pixel", "chance", "", kind, "average precision", chance)
        for method in ("1 - hardness", "loss"):
            ratio = partial(_ranking, rank=auroc, histograms=f"disputed {method}", kinds=kinds)
            yield _row("disputed pixel", method, "", kind, "auroc", pixels.estimate(ratio))
        yield from _exact(regions if kind == "all" else regions.loc[regions["kind"].isin(["", kind])], "region", kind)
    for number, kind in enumerate(("unchanged", *KINDS)):
        for level, which in (("pixel", ""), ("disputed pixel", "disputed ")):
            hardness = pixels.estimate(partial(_mean_hardness, which=which, number=number))
            yield _row(level, "hardness", "mean", kind, "hardness", hardness)
    yield from _exact(images, "image", "all")


def _ranking(
    counts: Counts, *, rank: Callable[..., np.ndarray], histograms: str, kinds: Sequence[int]
) -> Float[np.ndarray, "*axes"]:
    """How well a score ranks the pixels of these kinds above the unchanged."""
    return rank(counts[histograms][..., 0, :], counts[histograms][..., list(kinds), :].sum(axis=-2))


def _faulty_share(counts: Counts, *, kinds: Sequence[int]) -> Float[np.ndarray, "*axes"]:
    """Share of the pixels ranked that are of these kinds."""
    faulty = counts["pixels"][..., list(kinds)].sum(axis=-1, keepdims=True)
    return divide(faulty, faulty + counts["pixels"][..., :1])[..., 0]


def _mean_hardness(counts: Counts, *, which: str, number: int) -> Float[np.ndarray, "*axes"]:
    return divide(counts[f"{which}hardness"], counts[f"{which}pixels"])[..., number]


def _exact(table: pd.DataFrame, level: str, kind: str) -> Iterator[dict[str, Any]]:
    """Average precision of each score of a table of regions or images."""
    faulty = np.array(table["kind"] != "")
    drawn = {name: times_drawn(name, resamplings=RESAMPLINGS) for name in sorted(set(table["image"]))}
    weights = np.array([drawn[name] for name in table["image"]], float).reshape(-1, RESAMPLINGS).T
    for column in table.columns[2:]:
        method, summary = column.split("/")
        precision = _ranked(np.array(table[column], float), faulty, weights)
        yield _row(level, method, summary, kind, "average precision", precision)
    shares = divide((weights * faulty).sum(axis=1), weights.sum(axis=1))
    chance = Estimate(faulty.mean(), *_interval(shares))
    yield _row(level, "chance", "", kind, "average precision", chance)


def _ranked(
    scores: Float[np.ndarray, " N"], faulty: Bool[np.ndarray, " N"], weights: Float[np.ndarray, "B N"]
) -> Estimate:
    """Exact average precision, equal scores tied, with its interval over the resamplings' weights."""
    values, ranks = np.unique(scores, return_inverse=True)
    sums = np.zeros((2, len(weights) + 1, len(values)))
    all_and_resampled = np.vstack([np.ones(len(scores)), weights])
    for counts, chosen in zip(sums, (~faulty, faulty), strict=True):
        np.add.at(counts.T, ranks[chosen], all_and_resampled[:, chosen].T)
    value, *resampled = average_precision(sums[0], sums[1])
    return Estimate(value, *_interval(np.array(resampled)))


def _interval(resampled: Float[np.ndarray, " B"]) -> Float[np.ndarray, "2"]:
    """The ends of the 95 % interval; NaN where no resampling has a value."""
    known = resampled[np.isfinite(resampled)]
    return np.quantile(known, [0.025, 0.975]) if len(known) else np.full(2, np.nan)


def _row(level: str, method: str, summary: str, kind: str, measure: str, estimate: Estimate) -> dict[str, Any]:
    value, low, high = (float(end) for end in estimate)
    keys = dict(zip(KEYS, (level, method, summary, kind, measure), strict=True))
    return {**keys, "value": value, "low": low, "high": high}


if __name__ == "__main__":
    app()
