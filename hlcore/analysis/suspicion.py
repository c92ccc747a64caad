"""Suspicion of error: a small model of where a network is wrong, fitted to labelled images.

Its inputs are scores that every network provides and the predicted class. docs/results/suspicion.md has what it finds.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float32, Integer
from scipy.special import expit

from hlcore.analysis.scores import BINS, SCORES
from hlcore.errors import InvalidInputError
from hlcore.types import ErrorModel, FreeScore, PredictionRecord

INPUTS: tuple[FreeScore, ...] = get_args(FreeScore)
PIXELS = 2500
"""Pixels of an image that the model is fitted to."""


class ScoredPixels(NamedTuple):
    """Some labelled pixels of an image."""

    bins: dict[str, Integer[np.ndarray, " P"]]
    """Name of a score to the bin of each pixel."""
    prediction: Integer[np.ndarray, " P"]
    error: Bool[np.ndarray, " P"]


def sample_pixels(
    record: PredictionRecord, generator: np.random.Generator, *, scores: Sequence[str] = INPUTS
) -> ScoredPixels:
    """Random labelled pixels of an image, at most PIXELS.

    Raises:
        InvalidInputError: the record has no label map.
    """
    labelled = np.flatnonzero(record.valid)
    chosen = generator.choice(labelled, min(PIXELS, len(labelled)), replace=False)
    bins = {name: _find_bins(record, name).ravel()[chosen] for name in scores}
    return ScoredPixels(bins, record.prediction.ravel()[chosen], record.error.ravel()[chosen])


def fit_error_model(
    images: Sequence[ScoredPixels], *, num_classes: int, learned_on: str = "", epoch: int = 0
) -> ErrorModel:
    """Logistic regression on all scores of the pixels and their predicted class.

    Args:
        images: Pixels of each image.
        num_classes: Number of the network's classes.
        learned_on: Data set and split of the images.
        epoch: Epoch of the network.

    Raises:
        InvalidInputError: no pixel is wrong, or all are.
    """
    from sklearn.linear_model import LogisticRegression  # takes a second
    from sklearn.preprocessing import StandardScaler

    error = np.concatenate([image.error for image in images])
    if len(np.unique(error)) < 2:
        if not len(error):
            raise InvalidInputError("no pixel of the images is labelled, so nothing can be learned about errors")
        raise InvalidInputError(
            f"{'all' if error.any() else 'none'} of the {len(error)} labelled pixels are wrong, so nothing can be "
            "learned about errors; use other images"
        )
    names = list(images[0].bins)
    scores = np.stack([np.concatenate([image.bins[name] for image in images]) for name in names]) / BINS
    prediction = np.concatenate([image.prediction for image in images])
    inputs = np.concatenate([scores, prediction == np.arange(num_classes)[:, None]]).T
    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(inputs), error)
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    of_scores, of_classes = slopes[: len(names)], slopes[len(names) :]
    return ErrorModel(
        dict(zip(names, of_scores.tolist(), strict=True)),
        tuple((of_classes + intercept).tolist()),
        learned_on,
        len(images),
        epoch,
    )


def suspicion_map(record: PredictionRecord, model: ErrorModel) -> Float32[np.ndarray, "H W"]:
    """How often such pixels were wrong in the images the model was fitted to, 0 to 1.

    The network errs less on images it was trained on, so after fitting to those it is too low elsewhere; what counts is
    the order.
    """
    return apply_error_model({name: _find_bins(record, name) for name in model.weights}, record.prediction, model)


def apply_error_model(
    bins: Mapping[str, Integer[np.ndarray, "*shape"]], prediction: Integer[np.ndarray, "*shape"], model: ErrorModel
) -> Float32[np.ndarray, "*shape"]:
    """The same for pixels whose bins are known by score."""
    logit = np.array(model.class_weights, np.float32)[prediction]
    for name, weight in model.weights.items():
        logit += (np.arange(BINS, dtype=np.float32) * np.float32(weight / BINS))[bins[name]]
    return expit(logit)


def _find_bins(record: PredictionRecord, name: str) -> Integer[np.ndarray, "H W"]:
    score = SCORES[name]
    values = score.measure(record)
    if values is None:
        raise InvalidInputError(f"{record.name} lacks the score {name}")
    return score.bins.index(values)
