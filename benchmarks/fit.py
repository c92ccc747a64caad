"""Hardness branches fitted to frozen networks, with the paper's objective and with rival targets.

    python -m benchmarks.fit --data FOLDER       # fits and measures what is missing; about an hour on two cores

The bundled runs `streets` and `camvid` stay as they are; each branch is learned on their frozen features. FOLDER holds
the data sets, each in a subfolder of its name.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
from cyclopts import App
from scipy.stats import rankdata

from hlcore.config import AnalyzeConfig, FitConfig, Target
from hlcore.data.catalog import open_data
from hlcore.fitting.run import fit
from hlcore.inference import predict
from hlcore.measuring.loop import analyze
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run, open_run

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "fit.csv"
SEEDS = 3
LEARNED_IN_TRAINING = "in training"
AGREEMENT = "agreement of seeds"
"""Rank correlation of the maps of a seed and the next one, over 20 test images."""
FREE_SCORES = ("max_softmax", "entropy", "margin")
"""Scores that every network provides."""
IMAGES = 100
"""Images on which a branch is measured, at most; evenly spaced."""
STEP_PX = 16
"""One pixel in this many, along each axis, is compared between maps."""
app = App(name="python -m benchmarks.fit", help=__doc__)


class Variant(NamedTuple):
    """What a branch learns from."""

    run: str
    target: Target = "hardness"
    images: str = "train"
    """all training images, "20 of train", or "val"."""
    seed: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of `hlcore fit`."""
        named = {"train": {}, "20 of train": {"limit": 20}, "val": {"split": "val", "val_split": "val"}}
        return {"target": self.target, "seed": self.seed, **named[self.images]}

    @property
    def name(self) -> str:
        """Name of the run folder."""
        return f"{self.run}-{self.target}-{self.images.replace(' ', '-')}-{self.seed}"


def list_variants() -> Iterator[Variant]:
    """All branches, by seed."""
    for seed, run in product(range(SEEDS), ("camvid", "streets")):
        for target in get_args(Target):
            yield Variant(run, target, "train", seed)
        yield Variant(run, "hardness", "20 of train", seed)
    yield from (Variant("camvid", "hardness", "val", seed) for seed in range(SEEDS))


@app.default
def main(*, data: Path, out: Path = Path("runs/fit"), results: Path = RESULTS) -> None:
    """Fit and measure what is missing in the table.

    Parameters
    ----------
    data
        Folder of the data sets.
    out
        Folder of the fitted runs.
    results
        The table.
    """
    rows = pd.read_csv(results, keep_default_na=False).to_dict("records") if results.is_file() else []
    done = {(row["run"], row["target"], row["images"], row["seed"]) for row in rows}
    for run in ("camvid", "streets"):
        if (run, "hardness", LEARNED_IN_TRAINING, 0) not in done:
            about = {"run": run, "target": "hardness", "images": LEARNED_IN_TRAINING, "seed": 0}
            of_run = open_run(PROJECT / "checkpoints" / run)
            rows += [about | row for row in measure(of_run, of_run, data, out / f"{run}-trained", free_scores=True)]
            _write(rows, results)
    for variant in list_variants():
        if tuple(variant) in done:
            continue
        trained, fitted = open_run(PROJECT / "checkpoints" / variant.run), fit_variant(variant, data, out)
        about = variant._asdict()
        rows += [about | row for row in measure(fitted, trained, data, fitted.path / "analyses")]
        _write(rows, results)
        print(f"{variant.name}: val lift {fitted.epoch_table()['val_hardness_lift'].max():.3f}")
    compared = {(row["run"], row["target"], row["images"], row["seed"]) for row in rows if row["measure"] == AGREEMENT}
    for variant in list_variants():
        if tuple(variant) not in compared:
            first, second = (
                fit_variant(variant._replace(seed=seed), data, out)
                for seed in (variant.seed, (variant.seed + 1) % SEEDS)
            )
            trained = open_run(PROJECT / "checkpoints" / variant.run)
            value = round(compare_maps(first, trained, data, other=second)["rank correlation"], 5)
            about = {"on": trained.record.config.data.dataset, "score": "hardness", "measure": AGREEMENT}
            rows.append(variant._asdict() | about | {"value": value})
            _write(rows, results)


def fit_variant(variant: Variant, data: Path, out: Path) -> Run:
    """The fitted run, which may exist."""
    path = out / variant.name
    if (path / "run.json").is_file() and open_run(path).record.state == "complete":
        return open_run(path)
    root = None if variant.run == "streets" else data / variant.run
    config = FitConfig(name=variant.name, out=out, keep_epochs=2, probe_images=0, **variant.settings)
    *_, last = fit(str(PROJECT / "checkpoints" / variant.run), root, config)
    return last.run


def measure(run: Run, trained: Run, data: Path, folder: Path, *, free_scores: bool = False) -> Iterator[dict[str, Any]]:
    """Rows of what a run's hardness map finds, at home and, for camvid, on IDD-Lite.

    Args:
        run: With the branch.
        trained: With the branch learned in training, on the same network.
        data: Folder of the data sets.
        folder: Of the analyses.
        free_scores: Also measure the scores that every network provides.
    """
    dataset = trained.record.config.data.dataset
    for where, split in ((dataset, "test"), ("idd_lite", "val")) if dataset == "camvid" else ((dataset, "test"),):
        root = None if where == "streets" else data / where
        config = AnalyzeConfig(out=folder / where, dataset=where, split=split, limit=IMAGES, thumbnails=False)
        *_, last = analyze(run, root, config)
        table = last.analysis.table("scores")
        images = last.analysis.table("images")
        for score in ("hardness", *(FREE_SCORES if free_scores else ())):
            for metric, region in product(("auroc", "ap", "aurc"), ("all", "edge", "interior")):
                found = table.query("score == @score and metric == @metric and region == @region")["value"].tolist()
                yield {"on": where, "score": score, "measure": f"{metric}, {region}", "value": round(found[0], 5)}
        yield {"on": where, "score": "hardness", "measure": "images", "value": len(images)}
    for name, value in compare_maps(run, trained, data).items():
        yield {"on": dataset, "score": "hardness", "measure": name, "value": round(value, 5)}


def compare_maps(run: Run, trained: Run, data: Path, *, other: Run | None = None) -> dict[str, float]:
    """Lift over 20 test images, and mean rank correlation with another map, by default that learned in training."""
    dataset = trained.record.config.data.dataset
    root = None if dataset == "streets" else data / dataset
    test = open_data(dataset, root=root, split="test", count=40, size=trained.record.config.data.scene_size)
    networks = [load_epoch(one).network for one in (run, other or trained)]
    c, sums, correlations = trained.record.config.loss.c, np.zeros(4), []
    for index in np.linspace(0, len(test) - 1, 20).round().astype(int):
        sample = test[int(index)]
        own, compared = (
            predict(network, sample.image, class_names=run.record.class_names, label_map=sample.label_map)
            for network in networks
        )
        weight, loss = own.hardness_map[own.valid].astype(float) + c, own.loss_map[own.valid].astype(float)
        sums += [(weight * loss).sum(), weight.sum(), loss.sum(), loss.size]
        thinned = (one.hardness_map[::STEP_PX, ::STEP_PX].ravel() for one in (own, compared))
        ranks = [rankdata(values) for values in thinned]
        correlations.append(np.corrcoef(*ranks)[0, 1])
    weighted, weights, losses, pixels = sums
    lift = (weighted / weights) / (losses / pixels)
    return {"lift": float(lift), "rank correlation": float(np.mean(correlations))}


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    app()
