"""Map a record to the classes of another data set, so that a network can be scored on it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Integer

from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord


def find_target_indices(
    merged: Mapping[str, str], class_names: Sequence[str], target_names: Sequence[str]
) -> Integer[np.ndarray, " C"]:
    """Index of the target class of each class.

    Args:
        merged: Class name to target class name; several classes may share a target.
        class_names: The classes of the network.
        target_names: The classes of the data set.

    Raises:
        InvalidInputError: a class on either side is missing from the mapping or unknown; the message names it.

    Example:
        >>> merged = {"car": "vehicle", "bus": "vehicle", "road": "road"}
        >>> find_target_indices(merged, ("road", "car", "bus"), ("road", "vehicle"))
        array([0, 1, 1])
    """
    faults = {
        "the run has no class {}": [name for name in merged if name not in class_names],
        "the data set has no class {}": [name for name in merged.values() if name not in target_names],
        "the run's {} is not mapped": [name for name in class_names if name not in merged],
        "no class is mapped to the data set's {}": [name for name in target_names if name not in merged.values()],
    }
    texts = [text.format(", ".join(dict.fromkeys(names))) for text, names in faults.items() if names]
    if texts:
        raise InvalidInputError(
            f"the classes cannot be merged: {'; '.join(texts)}. The run has {', '.join(class_names)}; the data set "
            f"has {', '.join(target_names)}; map each class of the run to a class of the data set"
        )
    return np.array([list(target_names).index(merged[name]) for name in class_names])


def merge_classes(
    record: PredictionRecord, targets: Integer[np.ndarray, " C"], target_names: tuple[str, ...]
) -> PredictionRecord:
    """The record in the target classes: predictions are mapped, probabilities are summed.

    The prediction stays the network's own argmax, even if another merged class has a larger summed probability. The
    record must have no label map yet, as that would be in the network's classes. The MC dropout entropy is dropped,
    as it is over the network's classes; compute it again with `targets`.

    Example:
        >>> probabilities = np.array([[[0.4]], [[0.3]], [[0.3]]], np.float32)
        >>> black, zero = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)
        >>> home = PredictionRecord("a", black, zero, np.float32(zero), probabilities, ("road", "car", "bus"))
        >>> abroad = merge_classes(home, np.array([0, 1, 1]), ("road", "vehicle"))
        >>> abroad.prediction.tolist(), (100 * abroad.probabilities).round().ravel().tolist()
        ([[0]], [40.0, 60.0])
    """
    if record.label_map is not None:
        raise InvalidInputError(f"{record.name} already has a label map; merge the classes first, then add it")
    probabilities = np.zeros((len(target_names), *record.prediction.shape), np.float32)
    np.add.at(probabilities, targets, record.probabilities)
    prediction = targets.astype(record.prediction.dtype)[record.prediction]
    return replace(
        record, prediction=prediction, probabilities=probabilities, class_names=target_names, mc_entropy=None
    )
