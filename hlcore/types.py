"""Array types used throughout hlcore, and the record of one image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, Literal, TypeAlias, TypeVar, cast

import numpy as np
from jaxtyping import Bool, Float32, Integer, UInt8

from hlcore.errors import InvalidInputError

IGNORE_INDEX = 255
"""The label of a pixel without a class."""
MAX_PIXELS = 64_000_000
"""Default limit on the size of an image from a file; its RGB array takes 192 MB."""

_RESULTS = "_results"
"""Attribute of a record with what `kept_with_record` keeps."""

Image: TypeAlias = UInt8[np.ndarray, "H W 3"]
LabelMap: TypeAlias = Integer[np.ndarray, "H W"]
HardnessMap: TypeAlias = Float32[np.ndarray, "H W"]
LossMap: TypeAlias = Float32[np.ndarray, "H W"]
Probabilities: TypeAlias = Float32[np.ndarray, "C H W"]
IMPORTED_PREFIX = "imported: "
"""Before the name of an imported score in tables, so that it cannot be mistaken for one that is computed here."""
FreeScore = Literal["max_softmax", "entropy", "margin", "edge_distance"]
"""A score that every network provides at no cost, without a hardness branch."""


@dataclass(frozen=True)
class ErrorModel:
    """Logistic regression that tells a network's wrong pixels from its right ones; `analysis.suspicion` fits it.

    Attributes:
        weights: Name of each input, a `FreeScore`, to the change of the logit from its lowest bin to its highest.
        class_weights: Addend of each predicted class, in the order of the class indices.
        learned_on: Data set and split whose pixels it was fitted to, such as "camvid train".
        images: Number of images they are from.
        epoch: Epoch of the network that predicted them.
    """

    weights: Mapping[str, float]
    class_weights: tuple[float, ...]
    learned_on: str
    images: int
    epoch: int


@dataclass(frozen=True)
class PredictionRecord:
    """One image and a network's output for it: what inference returns and every analysis takes.

    Attributes:
        name: Name of the image, unique within its data set.
        image: H W 3 uint8 RGB.
        prediction: H W class indices.
        hardness_map: H W float32 in (0, 1).
        probabilities: C H W float32, summing to 1 over C; 0 H W if they are unknown, as for imported maps, which then
            have no loss and no entropy.
        class_names: C names, in the order of the class indices.
        label_map: H W class indices with 255 = ignored, or None for an unlabelled image.
        mc_entropy: H W nats, entropy of the mean distribution over Monte Carlo dropout passes, or None without them.
        error_suspicion: H W in (0, 1), from the network's `ErrorModel`, or None without one.
        scores: Further imported scores, H W in 0..1 and high where an error is expected, by name.
        has_prediction: False if `prediction` is only a placeholder, because maps were imported without predictions.

    Raises:
        InvalidInputError: an array has the wrong shape, or the label map a class index out of range.
    """

    name: str
    image: Image
    prediction: LabelMap
    hardness_map: HardnessMap
    probabilities: Probabilities
    class_names: tuple[str, ...]
    label_map: LabelMap | None = None
    mc_entropy: Float32[np.ndarray, "H W"] | None = None
    error_suspicion: Float32[np.ndarray, "H W"] | None = None
    scores: Mapping[str, Float32[np.ndarray, "H W"]] = field(default_factory=dict)
    has_prediction: bool = True

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3:
            raise InvalidInputError(f"image must have shape (H, W, 3), got {self.image.shape}")
        shape = self.image.shape[:2]
        maps = {
            "prediction": self.prediction,
            "hardness_map": self.hardness_map,
            "label_map": self.label_map,
            "mc_entropy": self.mc_entropy,
            "error_suspicion": self.error_suspicion,
            **{f"scores['{name}']": score for name, score in self.scores.items()},
        }
        for name, array in maps.items():
            if array is not None and array.shape != shape:
                raise InvalidInputError(f"{name} must have the image's shape {shape}, got {array.shape}")
        expected = (len(self.class_names), *shape)
        if self.probabilities.shape not in {expected, (0, *shape)}:
            raise InvalidInputError(f"probabilities must have shape {expected}, got {self.probabilities.shape}")
        if self.label_map is not None:
            labels = self.label_map[self.valid]
            if labels.size and not 0 <= labels.min() <= labels.max() < len(self.class_names):
                raise InvalidInputError(
                    f"label_map of {self.name} must hold 0..{len(self.class_names) - 1} or {IGNORE_INDEX} (ignored), "
                    f"got {labels.min()}..{labels.max()}"
                )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != _RESULTS}

    def with_label_map(self, label_map: LabelMap) -> "PredictionRecord":
        """The same record with a label map."""
        return replace(self, label_map=label_map)

    @property
    def has_probabilities(self) -> bool:
        """Whether the probabilities, and with them loss and entropy, are known."""
        return len(self.probabilities) > 0

    @property
    def labels(self) -> LabelMap:
        """The label map.

        Raises:
            InvalidInputError: the record has no label map.
        """
        if self.label_map is None:
            raise InvalidInputError(f"{self.name} has no label map; give one with record.with_label_map(...)")
        return self.label_map

    @property
    def valid(self) -> Bool[np.ndarray, "H W"]:
        """Where a pixel is labelled, that is, not ignored.

        Raises:
            InvalidInputError: the record has no label map.
        """
        return self.labels != IGNORE_INDEX

    @cached_property
    def loss_map(self) -> LossMap:
        """Cross entropy of each pixel in nats, NaN where ignored and without probabilities.

        Probabilities are float32, so the largest loss is -log(1.2e-38) = 87.3.

        Raises:
            InvalidInputError: the record has no label map.
        """
        if not self.has_probabilities:
            return np.full(self.labels.shape, np.nan, np.float32)
        labels = np.where(self.valid, self.labels, 0).astype(np.intp)
        of_label = np.take_along_axis(self.probabilities, labels[None], axis=0)[0]
        loss = -np.log(np.maximum(of_label, np.finfo(np.float32).tiny))
        return np.where(self.valid, loss, np.nan).astype(np.float32)

    @property
    def error(self) -> Bool[np.ndarray, "H W"]:
        """Where the prediction differs from the label; False where ignored and without a prediction.

        Raises:
            InvalidInputError: the record has no label map.
        """
        return (self.prediction != self.labels) & self.valid & self.has_prediction

    @cached_property
    def entropy(self) -> Float32[np.ndarray, "H W"]:
        """Entropy of the predicted distribution in nats, 0 to log(C); NaN without probabilities."""
        if not self.has_probabilities:
            return np.full(self.prediction.shape, np.nan, np.float32)
        entropy = np.zeros(self.probabilities.shape[1:], np.float32)
        for p in self.probabilities:  # one class at a time stays in the processor's cache
            entropy -= p * np.log(np.maximum(p, np.finfo(np.float32).tiny))
        return entropy


Measure = TypeVar("Measure", bound=Callable[..., Any])


def kept_with_record(measure: Measure) -> Measure:
    """Decorator for a function of a record: each result is computed once and kept as long as the record.

    The record is the first argument; the others must be hashable. Arrays in the result are read-only.
    """

    @wraps(measure)
    def measure_once(record: PredictionRecord, *arguments: Any, **named: Any) -> Any:
        results = record.__dict__.setdefault(_RESULTS, {})
        key = (measure.__qualname__, arguments, *named.items())
        if key not in results:
            results[key] = result = measure(record, *arguments, **named)
            for array in result if isinstance(result, tuple) else (result,):
                array.setflags(write=False)
        return results[key]

    return cast("Measure", measure_once)
