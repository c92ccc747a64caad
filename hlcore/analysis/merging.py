"""A record in the classes of another data set, so that a network can be scored abroad."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Integer

from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord


def find_target_indices(
    merged: Mapping[str, str], class_names: Sequence[str], target_names: Sequence[str]
) -> Integer[np.ndarray, " C"]:
    """The target class of each class, as indices.

    Args:
        merged: Name of each class to the name of its target; several classes may share one.
        class_names: The classes of the network.
        target_names: The classes of the data set.

    Raises:
        InvalidInputError: a class of either side is missing in the mapping or is unknown; the message names it.

    Example:
        >>> merged = {"car": "vehicle", "bus": "vehicle", "road": "road"}
        >>> find_target_indices(merged, ("road", "car", "bus"), ("road", "vehicle"))
        array([0, 1, 1])
    """
    faults = {
        "the run has no class {}": [name for name in merged if name not in class_names],
        "the data set has no class {}": [name for name in merged.values() if name not in target_names],
        "the run's {} is merged into nothing": [name for name in class_names if name not in merged],
        "nothing is merged into the data set's {}": [name for name in target_names if name not in merged.values()],
    }
    texts = [text.format(", ".join(dict.fromkeys(names))) for text, names in faults.items() if names]
    if texts:
        raise InvalidInputError(
            f"the classes cannot be merged: {'; '.join(texts)}. The run has {', '.join(class_names)}; the data set "
            f"has {', '.join(target_names)}; name a class of the data set for each class of the run"
        )
    return np.array([list(target_names).index(merged[name]) for name in class_names])


def merge_classes(
    record: PredictionRecord, targets: Integer[np.ndarray, " C"], target_names: tuple[str, ...]
) -> PredictionRecord:
    """The record with its prediction renamed after the argmax, and its probabilities summed over the merged classes.

    The likeliest class after summing may be another one than the class the prediction is merged into: what counts is
    the decision the network made. The label map must not be there yet, since it could only name the network's classes;
    the entropy under MC dropout is dropped, since it is one over the network's classes: measure it with `targets`.

    Example:
        >>> probabilities = np.array([[[0.4]], [[0.3]], [[0.3]]], np.float32)
        >>> black, zero = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)
        >>> home = PredictionRecord("a", black, zero, np.float32(zero), probabilities, ("road", "car", "bus"))
        >>> abroad = merge_classes(home, np.array([0, 1, 1]), ("road", "vehicle"))
        >>> abroad.prediction.tolist(), (100 * abroad.probabilities).round().ravel().tolist()
        ([[0]], [40.0, 60.0])
    """
    if record.label_map is not None:
        raise InvalidInputError(f"{record.name} is labelled already; merge its classes first, then give the label map")
    probabilities = np.zeros((len(target_names), *record.prediction.shape), np.float32)
    np.add.at(probabilities, targets, record.probabilities)
    prediction = targets.astype(record.prediction.dtype)[record.prediction]
    return replace(
        record, prediction=prediction, probabilities=probabilities, class_names=target_names, mc_entropy=None
    )
