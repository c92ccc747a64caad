"""Hardness, loss and errors by distance to the nearest edge: over all pixels, by class and by pair of classes.

A pixel's class is its label or, in an unlabelled image, the predicted class. Its pair is the two classes that meet at
the nearest edge pixel. In a labelled image ignored pixels are left out for every edge source, so that sources are
compared over the same pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Integer

from hlcore.analysis.boundaries import EdgeSource, edge_distance, edge_sources, nearest_edge_of
from hlcore.analysis.statistics import Counts, Estimate, ImageSums, divide
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, LabelMap, PredictionRecord

BIN_ENDS_PX = (0, 1, 2, 4, 8, 16, 32)
"""Upper ends of the bins, inclusive; the last bin is open."""
DISTANCES = ("0", "1", "2", "3–4", "5–8", "9–16", "17–32", "> 32")
"""Names of the bins. Distances are rounded up to whole pixels, so "3–4" holds 2 < d <= 4."""
_BIN_OF_PX = np.searchsorted(BIN_ENDS_PX, np.arange(BIN_ENDS_PX[-1] + 2)).astype(np.uint8)
"""Bin of each distance in whole pixels, up to the first in the last bin."""
NEAR, FAR = slice(0, 3), slice(6, 8)
"""Bins that the edge contrast compares: edge pixels (d <= 2) and far pixels (d > 16)."""
AT_EDGE = "≤ 2"
"""Name of the edge pixels in the distances of a pair."""
QUANTITIES = {"hardness": ("hardness", "pixels"), "loss": ("loss", "labelled"), "error_rate": ("errors", "labelled")}
"""Each quantity as the ratio of two sums."""
PAIR_COLUMNS = ("source", "first", "second", "distance", "quantity", "pixels", "value", "low", "high")
MOST_CLASSES_BY_DISTANCE = 40
"""With more classes only the edge pixels of a pair are counted, to keep the sums of 150 classes below 250 MB."""


def distance_bins(distance: Float32[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
    """Bin of each distance, as an index into DISTANCES; infinite and NaN distances are in the last bin.

    Example:
        >>> distance_bins(np.float32([0, 1, 1.4, 2, 2.2, 4, 33, np.inf])).tolist()
        [0, 1, 2, 2, 3, 3, 7, 7]
    """
    # fmin returns the number when the other is NaN
    whole_px = np.fmin(np.ceil(distance), BIN_ENDS_PX[-1] + 1).astype(np.uint8)
    return _BIN_OF_PX[whole_px]


def count(record: PredictionRecord, *, sources: Sequence[EdgeSource] | None = None) -> Counts:
    """Sums over the pixels of one image, by class and distance and by pair of classes and distance.

    Arrays "<source>/<sum>" are class by distance, arrays "<source>/pairs/<sum>" are pair by distance, with pairs in the
    order of itertools.combinations. Brightness edges do not separate classes, so they have no pairs. The sums are
    pixels, labelled (pixels), hardness, loss (nats) and errors; without labels all but pixels and hardness are 0.

    Args:
        record: One image.
        sources: The edge sources. Default: all of the record's (boundaries.edge_sources).

    Raises:
        InvalidInputError: the label map is a source and the record has none.
    """
    sources = edge_sources(record) if sources is None else tuple(sources)
    pixels = _CountedPixels.of(record)
    classes = record.prediction if record.label_map is None else record.label_map
    num_classes = len(record.class_names)
    bins = {source: distance_bins(edge_distance(record, source)[pixels.where]) for source in sources}
    by_class = pixels.sum_by(classes[pixels.where], [*bins.values()], rows=num_classes)
    counts = {}
    for axis, source in enumerate(sources, start=1):
        others = tuple(other for other in range(1, 1 + len(sources)) if other != axis)
        counts |= {f"{source}/{name}": sums.sum(axis=others) for name, sums in by_class.items()}
    for source in sources:
        if source == "gradient":
            continue
        parted = record.labels if source == "label" else record.prediction
        pairs = boundary_pairs(parted, num_classes=num_classes, ignore_index=IGNORE_INDEX if source == "label" else -1)
        _, nearest = nearest_edge_of(record, source)
        of_pixel = np.where(nearest < 0, -1, pairs.ravel()[nearest])[pixels.where]
        by_pair = pixels.sum_by(of_pixel, [bins[source]], rows=num_classes * (num_classes - 1) // 2)
        if num_classes > MOST_CLASSES_BY_DISTANCE:
            by_pair = {name: sums[:, NEAR].sum(axis=1, keepdims=True) for name, sums in by_pair.items()}
        counts |= {f"{source}/pairs/{name}": sums for name, sums in by_pair.items()}
    return counts


def boundary_pairs(
    label_map: LabelMap, *, num_classes: int, ignore_index: int = IGNORE_INDEX
) -> Integer[np.ndarray, "H W"]:
    """The pair of classes that meet at each boundary pixel; -1 elsewhere.

    A pair is an index into itertools.combinations(range(num_classes), 2). If several other classes adjoin the pixel,
    the one above takes precedence, then left, right and below.

    Example:
        >>> boundary_pairs(np.array([[0, 0, 2, 1]]), num_classes=3).tolist()
        [[-1, 1, 1, 2]]
    """
    pairs = np.full(label_map.shape, -1, np.int64)
    index = np.full((num_classes, num_classes), -1)
    index[np.triu_indices(num_classes, 1)] = np.arange(num_classes * (num_classes - 1) // 2)
    index = np.maximum(index, index.T)
    up, down, left, right = np.s_[:-1, :], np.s_[1:, :], np.s_[:, :-1], np.s_[:, 1:]
    for own, other in ((up, down), (left, right), (right, left), (down, up)):  # the last written wins
        a, b = label_map[own], label_map[other]
        meets = (a != b) & (a != ignore_index) & (b != ignore_index)
        pairs[own][meets] = index[a[meets], b[meets]]
    return pairs


def make_tables(sums: ImageSums, class_names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables "edges", "edge_pairs" and "edge_contrast" in long form: one row per value, with its interval.

    edges: source, class_name ("" = all), distance (DISTANCES), quantity, pixels, value, low, high.
    edge_pairs: source, first, second (in the order of the classes), distance (AT_EDGE, then DISTANCES), quantity,
    pixels, value, low, high; only pairs that occur, and only AT_EDGE with many classes.
    edge_contrast: source, class_name, quantity, value (mean at d <= 2 divided by mean at d > 16), low, high.

    Quantities: hardness (0 to 1), loss (nats), error_rate (0 to 1). pixels is the number of pixels averaged.

    Raises:
        InvalidInputError: no image was added.
    """
    if not sums.images:
        raise InvalidInputError("no image was added, so there are no edges to tabulate")
    sources = [source for source in get_args(EdgeSource) if f"{source}/pixels" in sums.total]
    parting = [source for source in sources if f"{source}/pairs/pixels" in sums.total]
    pairs = [table for source in parting if len(table := _pair_table(sums, source, class_names))]
    return {
        "edges": pd.concat([_profile_table(sums, source, class_names) for source in sources], ignore_index=True),
        "edge_pairs": pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(columns=[*PAIR_COLUMNS]),
        "edge_contrast": pd.concat(
            [_contrast_table(sums, source, class_names) for source in sources], ignore_index=True
        ),
    }


@dataclass(frozen=True)
class _CountedPixels:
    """The pixels of an image that count, and what is summed over them.

    Attributes:
        where: The labelled pixels, or all of an unlabelled image.
        hardness: Of each counted pixel.
        loss: Of each counted pixel, nats; None without labels.
        wrong: Indices of the counted pixels that are wrong; None if that is not known.
    """

    where: Bool[np.ndarray, "H W"]
    hardness: Float32[np.ndarray, " N"]
    loss: Float32[np.ndarray, " N"] | None
    wrong: Integer[np.ndarray, " E"] | None

    @classmethod
    def of(cls, record: PredictionRecord) -> "_CountedPixels":
        """The counted pixels of a record."""
        if record.label_map is None:
            where = np.ones(record.prediction.shape, bool)
            return cls(where, record.hardness_map[where], None, np.empty(0, np.intp))
        where = record.valid
        wrong = np.flatnonzero(record.error[where]) if record.has_prediction else None
        return cls(where, record.hardness_map[where], record.loss_map[where], wrong)

    def sum_by(
        self, rows_of: Integer[np.ndarray, " N"], bins: Sequence[Integer[np.ndarray, " N"]], *, rows: int
    ) -> dict[str, Float[np.ndarray, "R *D"]]:
        """Each sum by row and by the bins of each source; pixels with row -1 are not counted."""
        key = rows_of.astype(np.intp) + 1
        for of_source in bins:
            key *= len(DISTANCES)
            key += of_source
        shape = (rows + 1, *[len(DISTANCES)] * len(bins))

        def total(key: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
            return np.bincount(key, values, minlength=prod(shape)).reshape(shape)[1:].astype(float)

        pixels = total(key)
        nothing = np.zeros_like(pixels)
        return {
            "pixels": pixels,
            "hardness": total(key, self.hardness),
            "labelled": nothing if self.loss is None else pixels,
            "loss": nothing if self.loss is None else total(key, self.loss),
            "errors": np.full_like(pixels, np.nan) if self.wrong is None else total(key[self.wrong]),
        }


def _profile_table(sums: ImageSums, source: str, class_names: Sequence[str]) -> pd.DataFrame:
    keys = pd.MultiIndex.from_product([["", *class_names], DISTANCES], names=["class_name", "distance"])
    return _long_table(sums, source, keys, _prepend_all_classes)


def _pair_table(sums: ImageSums, source: str, class_names: Sequence[str]) -> pd.DataFrame:
    """Rows of the pairs that occur, so that the table does not grow with the square of the classes."""
    pixels = sums.total[f"{source}/pairs/pixels"]
    seen = np.flatnonzero(pixels.sum(axis=-1))
    every = list(combinations(class_names, 2))
    distances = (AT_EDGE, *DISTANCES) if pixels.shape[-1] > 1 else (AT_EDGE,)
    keys = [(*every[pair], distance) for pair in seen for distance in distances]
    index = pd.MultiIndex.from_frame(pd.DataFrame(keys, columns=["first", "second", "distance"]))

    def of_seen(values: np.ndarray) -> np.ndarray:
        values = values[..., seen, :]
        near = values[..., NEAR].sum(axis=-1, keepdims=True)
        return values if values.shape[-1] == 1 else np.concatenate([near, values], axis=-1)

    return _long_table(sums, f"{source}/pairs", index, of_seen)


def _contrast_table(sums: ImageSums, source: str, class_names: Sequence[str]) -> pd.DataFrame:
    def contrast(sums: Counts, part: str, whole: str) -> np.ndarray:
        parts, wholes = (_prepend_all_classes(sums[f"{source}/{name}"]) for name in (part, whole))
        near, far = (divide(parts[..., at].sum(axis=-1), wholes[..., at].sum(axis=-1)) for at in (NEAR, FAR))
        return divide(near, far)

    keys = pd.Index(["", *class_names], name="class_name")
    parts = [
        _estimate_rows(
            keys, sums.estimate(lambda s, names=names: contrast(s, *names)), source=source, quantity=quantity
        )
        for quantity, names in QUANTITIES.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _long_table(
    sums: ImageSums, prefix: str, keys: pd.Index, arranged: Callable[[np.ndarray], np.ndarray]
) -> pd.DataFrame:
    """Rows of every quantity with their keys, which are in the order of `arranged`."""

    def parts() -> Iterator[pd.DataFrame]:
        for quantity, names in QUANTITIES.items():
            part, whole = (f"{prefix}/{name}" for name in names)
            estimate = sums.estimate(lambda s, p=part, w=whole: divide(arranged(s[p]), arranged(s[w])))
            pixels = arranged(sums.total[whole]).ravel().astype(np.int64)
            yield _estimate_rows(keys, estimate, source=prefix.removesuffix("/pairs"), quantity=quantity, pixels=pixels)

    return pd.concat(parts(), ignore_index=True)


def _estimate_rows(keys: pd.Index, estimate: Estimate, *, source: str, **columns: object) -> pd.DataFrame:
    table = keys.to_frame(index=False).assign(**columns)
    table.insert(0, "source", source)
    return table.assign(value=estimate.value.ravel(), low=estimate.low.ravel(), high=estimate.high.ravel())


def _prepend_all_classes(values: Float[np.ndarray, "... C D"]) -> Float[np.ndarray, "... K D"]:
    """The values by class, preceded by their sum over all classes."""
    return np.concatenate([values.sum(axis=-2, keepdims=True), values], axis=-2)
