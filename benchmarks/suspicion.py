"""Does the suspicion of error find more errors than the network's own largest probability?

    python -m benchmarks.suspicion --data FOLDER       # about five minutes

The error model of `hlcore suspicion`, without the predicted class and with hardness besides, fitted on one set of
images and tested on others; and each score alone. Intervals (95 %) resample the test images, paired.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from cyclopts import App
from scipy.stats import rankdata

from hlcore.analysis.merging import merge_classes, merge_labels
from hlcore.analysis.suspicion import INPUTS, ScoredPixels, apply_error_model, fit_error_model, sample_pixels
from hlcore.data.catalog import open_data
from hlcore.inference import predict
from hlcore.measuring.class_mappings import find_known_mapping
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from hlcore.types import IGNORE_INDEX

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "suspicion.csv"
MODELS = {
    "suspicion of error": (INPUTS, True),
    "suspicion of error, without the class": (INPUTS, False),
    "suspicion of error, with hardness": ((*INPUTS, "hardness"), True),
}
"""Name of a model to its scores, and whether it knows the predicted class."""
BASELINE = "max_softmax"
IMAGES, RESAMPLINGS = 60, 300
"""Images of a split, and resamplings of the images."""
app = App(name="python -m benchmarks.suspicion", help=__doc__)


@app.default
def main(*, data: Path, results: Path = RESULTS) -> None:
    """Fit the models, test them, and write the table.

    Parameters
    ----------
    data
        Folder of the data sets.
    results
        The table.
    """
    checkpoint = load_epoch(open_run(PROJECT / "checkpoints" / "camvid"))
    home = {split: list(read_pixels(checkpoint, data, "camvid", split)) for split in ("train", "val", "test")}
    tests = {"CamVid test": home["test"], "IDD-Lite val": list(read_pixels(checkpoint, data, "idd_lite", "val"))}
    rows = []
    for learned_on, (tested_on, images) in product(("train", "val"), tests.items()):
        found = score_models(home[learned_on], images, num_classes=len(checkpoint.class_names))
        about = {"learned_on": f"CamVid {learned_on}", "tested_on": tested_on}
        rows += [about | row for row in compare(found, images)]
    results.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(results, index=False, lineterminator="\n")
    print(pd.DataFrame(rows).to_string(index=False))


def read_pixels(checkpoint: Checkpoint, data: Path, dataset: str, split: str) -> Iterator[ScoredPixels]:
    """Random labelled pixels of evenly spaced images; a pixel is wrong if its merged class is."""
    opened, generator = open_data(dataset, root=data / dataset, split=split), np.random.default_rng(0)
    names, mapping = checkpoint.class_names, find_known_mapping(checkpoint.class_names, opened.classes.names)
    merge = None if mapping is None else mapping.resolve(names, opened.classes.names)
    for index in np.linspace(0, len(opened) - 1, min(IMAGES, len(opened))).round().astype(int):
        sample = opened[int(index)]
        assert sample.label_map is not None
        record = predict(checkpoint.network, sample.image, class_names=names, name=sample.name)
        labels = sample.label_map
        if merge is not None:
            merged = merge_classes(record, merge).with_label_map(merge_labels(labels, merge))
            other = (record.prediction + 1) % len(names)
            labels = np.where(merged.valid, np.where(merged.error, other, record.prediction), IGNORE_INDEX)
        yield sample_pixels(record.with_label_map(labels), generator, scores=(*INPUTS, "hardness"))


def score_models(
    train: Sequence[ScoredPixels], test: Sequence[ScoredPixels], *, num_classes: int
) -> dict[str, list[np.ndarray]]:
    """Scores of the test pixels by image, of each score alone and of each model."""
    found = {name: [image.bins[name] for image in test] for name in (*INPUTS, "hardness")}
    for title, (scores, with_class) in MODELS.items():

        def choose(image: ScoredPixels, scores: Sequence[str] = scores, *, known: bool = with_class) -> ScoredPixels:
            bins = {name: image.bins[name] for name in scores}
            return ScoredPixels(bins, image.prediction if known else np.zeros_like(image.prediction), image.error)

        model = fit_error_model([choose(image) for image in train], num_classes=num_classes)
        found[title] = [apply_error_model(image.bins, choose(image).prediction, model) for image in test]
    return found


def compare(found: dict[str, list[np.ndarray]], test: Sequence[ScoredPixels]) -> Iterator[dict[str, object]]:
    """AUROC of each score and its difference from the baseline, with intervals over images."""
    generator = np.random.default_rng(0)
    picks = [np.arange(len(test)), *generator.integers(0, len(test), (RESAMPLINGS, len(test)))]
    errors = [image.error for image in test]
    values = {name: np.array([_auroc(scores, errors, pick) for pick in picks]) for name, scores in found.items()}
    for name, resampled in values.items():
        gains = resampled - values[BASELINE]
        low, high = np.quantile(resampled[1:], [0.025, 0.975])
        gain_low, gain_high = np.quantile(gains[1:], [0.025, 0.975])
        yield {
            "score": name,
            "auroc": resampled[0],
            "low": low,
            "high": high,
            "gain": gains[0],
            "gain_low": gain_low,
            "gain_high": gain_high,
        }


def _auroc(scores: list[np.ndarray], errors: list[np.ndarray], pick: np.ndarray) -> float:
    ranks = rankdata(np.concatenate([scores[index] for index in pick]))
    wrong = np.concatenate([errors[index] for index in pick])
    positives = int(wrong.sum())
    return float((ranks[wrong].sum() - positives * (positives + 1) / 2) / (positives * (len(wrong) - positives)))


if __name__ == "__main__":
    app()
