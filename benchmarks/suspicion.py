"""Does a small model find more errors than the network's own largest probability?

    python -m benchmarks.suspicion --data FOLDER       # about five minutes

Logistic regression on the free scores, with and without hardness and with the predicted class, fitted on one set of
images of CamVid and tested on others; and each score alone. Intervals (95 %) resample the test images, paired.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from cyclopts import App
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hlcore.analysis.scores import SCORES
from hlcore.data.catalog import open_data
from hlcore.inference import predict
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "suspicion.csv"
FREE = ("max_softmax", "entropy", "margin", "edge_distance")
MODELS = {"free scores": FREE, "free scores and hardness": (*FREE, "hardness")}
BASELINE = "max_softmax"
IMAGES, PIXELS, RESAMPLINGS = 60, 2500, 300
"""Images of a split, pixels of an image, and resamplings of the images."""
app = App(name="python -m benchmarks.suspicion", help=__doc__)


class Pixels(NamedTuple):
    """Some labelled pixels of an image."""

    scores: dict[str, np.ndarray]
    """Each score, on the scale of its bins, which is nearly uniform."""
    prediction: np.ndarray
    error: np.ndarray


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
    splits = {split: list(read_pixels(checkpoint, data / "camvid", split)) for split in ("train", "val", "test")}
    rows = []
    for learned_on in ("val", "train"):
        found = score_models(splits[learned_on], splits["test"], checkpoint)
        rows += [{"learned_on": learned_on, "tested_on": "test", **row} for row in compare(found, splits["test"])]
    results.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(results, index=False, lineterminator="\n")
    print(pd.DataFrame(rows).to_string(index=False))


def read_pixels(checkpoint: Checkpoint, root: Path, split: str) -> Iterator[Pixels]:
    """Random labelled pixels of evenly spaced images."""
    data, generator = open_data("camvid", root=root, split=split), np.random.default_rng(0)
    for index in np.linspace(0, len(data) - 1, min(IMAGES, len(data))).round().astype(int):
        sample = data[int(index)]
        record = predict(
            checkpoint.network, sample.image, class_names=checkpoint.class_names, label_map=sample.label_map
        )
        chosen = generator.choice(np.flatnonzero(record.valid), PIXELS)
        scores = {}
        for name in {*FREE, "hardness"}:
            values, bins = SCORES[name].measure(record), SCORES[name].bins
            assert values is not None
            scores[name] = bins.index(values.ravel()[chosen]).astype(float)
        yield Pixels(scores, record.prediction.ravel()[chosen], record.error.ravel()[chosen])


def score_models(train: list[Pixels], test: list[Pixels], checkpoint: Checkpoint) -> dict[str, list[np.ndarray]]:
    """Scores of the test pixels by image, of each model and of each score alone."""
    found = {name: [image.scores[name] for image in test] for name in (*FREE, "hardness")}
    for name, scores in MODELS.items():
        for with_class in (False, True):

            def inputs(image: Pixels, scores: tuple[str, ...] = scores, *, classes: bool = with_class) -> np.ndarray:
                columns = [image.scores[score] for score in scores]
                if classes:
                    columns += [image.prediction == index for index in range(len(checkpoint.class_names))]
                return np.stack(columns, axis=1).astype(float)

            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            model.fit(np.concatenate([inputs(image) for image in train]), np.concatenate([i.error for i in train]))
            title = f"logistic regression on {name}{' and the class' if with_class else ''}"
            found[title] = [model.decision_function(inputs(image)) for image in test]
    return found


def compare(found: dict[str, list[np.ndarray]], test: list[Pixels]) -> Iterator[dict[str, object]]:
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
