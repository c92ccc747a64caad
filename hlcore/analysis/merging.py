"""Score a run in classes that it shares with a data set of other classes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Integer

from hlcore.analysis.statistics import Counts, ImageSums
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, LabelMap, PredictionRecord

IGNORED = -1
"""The target index of a class that is left out."""


@dataclass(frozen=True)
class ClassMerge:
    """Where the classes of a run and of a data set go.

    Attributes:
        names: The merged classes.
        of_run: Index in `names` of each class of the run; -1 for one that is left out.
        of_data: Index in `names` of each class of the data set; -1 for one that is left out.
    """

    names: tuple[str, ...]
    of_run: Integer[np.ndarray, " C"]
    of_data: Integer[np.ndarray, " D"]

    @classmethod
    def from_names(
        cls,
        run_merged: Mapping[str, str],
        data_merged: Mapping[str, str],
        *,
        run_names: Sequence[str],
        data_names: Sequence[str],
        names: Sequence[str] | None = None,
    ) -> "ClassMerge":
        """The merge that two mappings describe; a class that is in neither is left out.

        Args:
            run_merged: Class of the run to merged class.
            data_merged: Class of the data set to merged class.
            run_names: All classes of the run.
            data_names: All classes of the data set.
            names: The merged classes. Default: in the order of the data set's classes.

        Example:
            >>> run_merged, data_merged = {"Car": "vehicle", "Road": "road"}, {"truck": "vehicle", "road": "road"}
            >>> run_names, data_names = ("Road", "Car", "Tree"), ("truck", "road")
            >>> ClassMerge.from_names(run_merged, data_merged, run_names=run_names, data_names=data_names)
            ClassMerge(names=('vehicle', 'road'), of_run=array([ 1,  0, -1]), of_data=array([0, 1]))
        """
        merged = [data_merged[name] for name in data_names if name in data_merged] if names is None else names
        index = {name: position for position, name in enumerate(dict.fromkeys(merged))}
        of_run = [index.get(run_merged.get(name, ""), IGNORED) for name in run_names]
        of_data = [index.get(data_merged.get(name, ""), IGNORED) for name in data_names]
        return cls(tuple(index), np.array(of_run), np.array(of_data))

    def name_targets(
        self, run_names: Sequence[str], data_names: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Class to merged class, of the run and of the data set; without the classes that are left out."""
        of_run, of_data = (
            {name: self.names[target] for name, target in zip(names, targets, strict=True) if target != IGNORED}
            for names, targets in ((run_names, self.of_run), (data_names, self.of_data))
        )
        return of_run, of_data


def check_mapping(
    run_merged: Mapping[str, str],
    data_merged: Mapping[str, str],
    *,
    run_names: Sequence[str],
    data_names: Sequence[str],
    ignore: Collection[str] = (),
) -> None:
    """Raise InvalidInputError unless every class of both sides is merged or ignored, and at least two are left.

    Args:
        run_merged: Class of the run to merged class.
        data_merged: Class of the data set to merged class.
        run_names: All classes of the run.
        data_names: All classes of the data set.
        ignore: Classes that are left out, of either side.
    """
    texts = []
    for side, names, merged, other in (
        ("run", run_names, run_merged, data_merged),
        ("data set", data_names, data_merged, run_merged),
    ):
        faults = {
            f"unknown classes of the {side}": [name for name in merged if name not in names],
            f"classes of the {side} that are not mapped": [n for n in names if n not in merged and n not in ignore],
            f"classes of the {side} without a counterpart": [
                name for name in names if name in merged and merged[name] not in other.values()
            ],
        }
        texts += [f"{text}: {', '.join(found)}" for text, found in faults.items() if found]
    if unknown := [name for name in ignore if name not in (*run_names, *data_names)]:
        texts.append(f"unknown classes to ignore: {', '.join(unknown)}")
    if not texts and len(set(run_merged.values())) < 2:
        texts.append("fewer than two classes are left")
    if texts:
        raise InvalidInputError(
            f"the classes cannot be merged: {'; '.join(texts)}. The run has {', '.join(run_names)}; the data set has "
            f"{', '.join(data_names)}; map each class of one to a class of the other (--merge FILE), or leave it out "
            "(--ignore NAME)"
        )


def merge_classes(record: PredictionRecord, merge: ClassMerge) -> PredictionRecord:
    """The record in the merged classes: predictions are mapped, probabilities are summed.

    The prediction stays the network's own argmax, even if another merged class has a larger summed probability.
    Classes of the run that are left out cannot be predicted: their probabilities are removed and the others
    scaled to sum to 1. The record must have no label map yet, as that would be in the network's classes. The
    MC dropout entropy is dropped, as it is over the network's classes; compute it again with `merge.of_run`. So is the
    suspicion of error, which is about those classes.

    Example:
        >>> probabilities = np.array([[[0.2]], [[0.3]], [[0.5]]], np.float32)
        >>> black, two = np.zeros((1, 1, 3), np.uint8), np.full((1, 1), 2, np.uint8)
        >>> home = PredictionRecord("a", black, two, np.float32(two) / 4, probabilities, ("road", "car", "tree"))
        >>> abroad = merge_classes(home, ClassMerge(("vehicle", "road"), np.array([1, 0, -1]), np.array([0, 1])))
        >>> abroad.prediction.tolist(), (100 * abroad.probabilities).round().ravel().tolist()
        ([[0]], [60.0, 40.0])
    """
    if record.label_map is not None:
        raise InvalidInputError(f"{record.name} already has a label map; merge the classes first, then add it")
    if not record.has_probabilities:
        raise InvalidInputError(f"{record.name} has no probabilities, so its classes cannot be merged")
    kept = np.flatnonzero(merge.of_run != IGNORED)
    own = record.probabilities[kept]
    probabilities = np.zeros((len(merge.names), *record.prediction.shape), np.float32)
    np.add.at(probabilities, merge.of_run[kept], own)
    prediction = merge.of_run.astype(np.int16)[record.prediction]
    if len(kept) < len(merge.of_run):
        prediction = merge.of_run[kept][own.argmax(0)]
        total = probabilities.sum(0)
        probabilities = np.where(total > 0, probabilities / np.where(total > 0, total, 1), 1 / len(merge.names))
    return replace(
        record,
        prediction=prediction.astype(record.prediction.dtype),
        probabilities=probabilities.astype(np.float32),
        class_names=merge.names,
        mc_entropy=None,
        error_suspicion=None,
    )


def merge_labels(label_map: LabelMap, merge: ClassMerge) -> LabelMap:
    """The label map in the merged classes; pixels of classes that are left out are ignored (255).

    Example:
        >>> merge = ClassMerge(("vehicle", "road"), np.array([1, 0]), np.array([0, 0, 1, -1]))
        >>> merge_labels(np.array([[0, 1, 2, 3, 255]], np.uint8), merge).tolist()
        [[0, 0, 1, 255, 255]]
    """
    table = np.full(256, IGNORE_INDEX, np.uint8)
    mapped = np.flatnonzero(merge.of_data != IGNORED)
    table[mapped] = merge.of_data[mapped]
    return table[label_map]


def count_ignored(prediction: LabelMap, label_map: LabelMap, merge: ClassMerge) -> Counts:
    """Labelled pixels of one image, in all and of each class that is left out.

    Args:
        prediction: H W, in the classes of the run.
        label_map: H W, in the classes of the data set; 255 is ignored.
        merge: The merge.

    Returns:
        `pixels`, 1; `run`, with such a prediction, and `data`, with such a label, in the order of the classes.
    """
    labelled = label_map != IGNORE_INDEX
    sides = {"run": (prediction, merge.of_run), "data": (label_map, merge.of_data)}
    return {"pixels": labelled.sum(keepdims=True).ravel()} | {
        side: np.bincount(classes[labelled], minlength=len(targets))[targets == IGNORED]
        for side, (classes, targets) in sides.items()
    }


def tabulate_ignored(sums: ImageSums, names: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The pixels of each class that is left out.

    Args:
        sums: Sums of `count_ignored`.
        names: Side (run or data) to the names of its classes that are left out, in order.

    Returns:
        side, class_name, pixels, share (of all labelled pixels, in 0..1). A class of the run has the labelled pixels
        where the network predicts it; they are scored with the network's best class among the others.
    """
    sides = [(side, name) for side, listed in names.items() for name in listed]
    pixels = np.concatenate([sums.total[side] for side in names])
    columns = {"side": [side for side, _ in sides], "class_name": [name for _, name in sides]}
    return pd.DataFrame(columns | {"pixels": pixels.astype(np.int64), "share": pixels / sums.total["pixels"]})
