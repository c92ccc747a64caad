"""Stability of hardness and loss maps over the snapshots of a training run.

Snapshots are named as in a run's probe set: iteration-000010 or epoch-0003; epoch-0000 is before training. Kept epochs
are snapshots at the end of an epoch, so epoch-0000 is not one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise, product
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from hlcore.analysis.boundaries import EDGE_PX, boundary_distance
from hlcore.analysis.map_agreement import MEASURES, PreparedMap, measure_agreement, prepare_map
from hlcore.analysis.snapshots import VARIATIONS, MapTrack
from hlcore.analysis.statistics import Counts, Estimate, ImageSums, divide
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, HardnessMap, LabelMap, LossMap

Maps: TypeAlias = Mapping[str, tuple[HardnessMap, LossMap | None]]
"""Snapshot name, in the order of training, to hardness map and loss map."""

MAPS = ("hardness", "loss")
C = 0.1
"""Constant added to the sigmoid before it is normalised to the hardness weight."""
_PAIR_COLUMNS = ["split", "map", "first", "second", "kind", "measure", "value", "low", "high", "images"]
_LEVEL_COLUMNS = ["split", "map", "snapshot", "measure", "value", "low", "high", "images"]
_VARIATION_COLUMNS = ["split", "map", "measure", "value", "low", "high", "images"]


class ImageSnapshots(NamedTuple):
    """One image and its maps at every snapshot."""

    name: str
    split: str
    label_map: LabelMap | None
    maps: Maps


def compare_snapshots(maps: Maps, label_map: LabelMap | None, *, c: float = C) -> Counts:
    """Each measure of the hardness map (first) and loss map of one image, and whether it is defined.

    Both maps are measured over labelled pixels, or over all pixels of an unlabelled image, which has no loss and no
    edges. Each snapshot is looked up once (the last twice), so `maps` may read from disk.

    Args:
        maps: The maps of the image at two or more snapshots.
        label_map: Its label map.
        c: Added to the hardness map before it is normalised to the weight that sums to 1.

    Returns:
        Sums over one image, each with a `_known` beside it: `consecutive` and `last` (2 maps, MEASURES, pairs),
        `overlap` (2 maps, K, K: IoU of the hardest 10 % of any two), `level` and `edge_share` (2 maps, K) and
        `variation` (2 maps, VARIATIONS).

    Raises:
        InvalidInputError: there are fewer than two snapshots, or a map has another shape or lacks a labelled pixel.
    """
    names = list(maps)
    if len(names) < 2:
        raise InvalidInputError(f"stability needs at least two snapshots, got {len(names)}")
    last = maps[names[-1]]
    counted = np.ones(last[0].shape, bool) if label_map is None else label_map != IGNORE_INDEX
    edge = None if label_map is None else (boundary_distance(label_map) <= EDGE_PX)[counted]
    tracks = []
    for values, floor in zip(last, (c, 0.0), strict=True):
        seen = np.empty(0) if values is None else _select_pixels(values, counted, names[-1])
        tracks.append(MapTrack(seen, snapshots=len(names), floor=floor, edge=None if values is None else edge))
    kept = kept_epoch_names(names)
    for name in names:
        for values, track in zip(maps[name], tracks, strict=True):
            if track.pixels and values is not None:
                track.add(_select_pixels(values, counted, name), kept=name in kept)
    measured = [track.measured() for track in tracks]
    both = {field: np.stack([of_map[field] for of_map in measured]) for field in measured[0]}
    return {field: np.nan_to_num(values) for field, values in both.items()} | {
        f"{field}_known": np.isfinite(values).astype(float) for field, values in both.items()
    }


def sum_by_split(images: Iterable[ImageSnapshots], *, c: float = C) -> dict[str, ImageSums]:
    """Sums over the images of each split; one image is in memory at a time."""
    sums: dict[str, ImageSums] = {}
    for image in images:
        sums.setdefault(image.split, ImageSums()).add(image.name, compare_snapshots(image.maps, image.label_map, c=c))
    return sums


def make_tables(sums_by_split: Mapping[str, ImageSums], snapshots: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The tables of stability: means over images (value, low, high) and the number of images.

    Args:
        sums_by_split: Sums of `compare_snapshots` over the images of each split.
        snapshots: Names of the snapshots, in order.

    Returns:
        `epoch_pairs`: split, map, first, second, kind (consecutive, last, or all: the top10_iou of any two), measure.
        `levels`: split, map, snapshot, measure: level (mean of the sigmoid, or nats), relative_level (the mean level
        divided by that at the first kept epoch) and edge_share (of the weight, or of the summed loss, within 2 px of an
        edge). `variation`: split, map, measure (VARIATIONS: of each pixel over the kept epochs, averaged).

    Raises:
        InvalidInputError: a split has no image.
    """
    consecutive, against = list(pairwise(snapshots)), [(first, snapshots[-1]) for first in snapshots[:-1]]
    first_kept = [snapshots.index(name) for name in kept_epoch_names(snapshots)[:1]]
    upper = np.triu_indices(len(snapshots), 1)
    pairs, levels, variation = [], [], []
    for split, sums in sums_by_split.items():
        for kind, named in (("consecutive", consecutive), ("last", against)):
            estimate, images = _mean_over_images(sums, kind)
            keys = [(split, m, *pair, kind, measure) for m, measure, pair in product(MAPS, MEASURES, named)]
            pairs += _make_rows(keys, estimate, images)
        estimate, images = _mean_over_images(sums, "overlap")
        above = Estimate(*(values[:, *upper] for values in estimate))
        keys = [(split, m, *pair, "all", "top10_iou") for m, pair in product(MAPS, combinations(snapshots, 2))]
        pairs += _make_rows(keys, above, images[:, *upper])
        relative = sums.estimate(lambda total: _relative_level(total["level"], first_kept))
        of_levels = {"level": _mean_over_images(sums, "level"), "relative_level": (relative, sums.total["level_known"])}
        for measure, (estimate, images) in {**of_levels, "edge_share": _mean_over_images(sums, "edge_share")}.items():
            keys = [(split, m, snapshot, measure) for m, snapshot in product(MAPS, snapshots)]
            levels += _make_rows(keys, estimate, images)
        keys = [(split, m, measure) for m, measure in product(MAPS, VARIATIONS)]
        variation += _make_rows(keys, *_mean_over_images(sums, "variation"))
    return {
        "epoch_pairs": pd.DataFrame(pairs, columns=_PAIR_COLUMNS),
        "levels": pd.DataFrame(levels, columns=_LEVEL_COLUMNS),
        "variation": pd.DataFrame(variation, columns=_VARIATION_COLUMNS),
    }


def kept_epoch_names(snapshots: Iterable[str]) -> tuple[str, ...]:
    """Snapshots at the end of an epoch, in order, without epoch-0000.

    Example:
        >>> kept_epoch_names(["epoch-0000", "iteration-000001", "epoch-0003", "epoch-0012"])
        ('epoch-0003', 'epoch-0012')
    """
    return tuple(name for name in snapshots if name.startswith("epoch-") and name != "epoch-0000")


def compare_with_first(maps: Maps, label_map: LabelMap | None, *, c: float = C) -> pd.DataFrame:
    """Comparison of each map of one image with its first: a row per map and snapshot, without intervals.

    Columns: map, snapshot, level, relative_level (divided by the first snapshot's), and MEASURES against the first.

    Raises:
        InvalidInputError: no pixel is labelled, or a map has another shape or no value at a labelled pixel.
    """
    names, rows = list(maps), []
    start = maps[names[0]]
    counted = np.ones(start[0].shape, bool) if label_map is None else label_map != IGNORE_INDEX
    if not counted.any():
        raise InvalidInputError("no pixel is labelled, so there is nothing to compare")
    for index, floor in enumerate((c, 0.0)):
        first: PreparedMap | None = None
        level = np.nan
        for name in names:
            values = maps[name][index]
            if values is None:
                continue
            pixels = _select_pixels(values, counted, name)
            seen, mean = prepare_map(pixels, floor=floor), float(pixels.mean(dtype=np.float64))
            if first is None:
                first, level = seen, mean
            rows.append(
                [MAPS[index], name, mean, mean / level if level > 0 else np.nan, *measure_agreement(first, seen)]
            )
    return pd.DataFrame(rows, columns=["map", "snapshot", "level", "relative_level", *MEASURES])


def _select_pixels(
    values: Float[np.ndarray, "H W"], counted: Bool[np.ndarray, "h w"], snapshot: str
) -> Float[np.ndarray, " N"]:
    if values.shape != counted.shape:
        raise InvalidInputError(f"the maps at {snapshot} must have shape {counted.shape}, got {values.shape}")
    pixels = values[counted]
    if not np.isfinite(pixels).all():
        raise InvalidInputError(f"a map at {snapshot} has no value at a labelled pixel")
    return pixels


def _mean_over_images(sums: ImageSums, field: str) -> tuple[Estimate, np.ndarray]:
    """Mean over the images where a measure is defined, and their number."""
    known = f"{field}_known"
    return sums.estimate(lambda total: divide(total[field], total[known])), sums.total[known]


def _relative_level(level: Float[np.ndarray, "*B 2 K"], first_kept: list[int]) -> Float[np.ndarray, "*B 2 K"]:
    return divide(level, level[..., first_kept]) if first_kept else np.full(level.shape, np.nan)


def _make_rows(keys: list[tuple[str, ...]], estimate: Estimate, images: np.ndarray) -> list[tuple]:
    """One row per key, in the order of the flattened values."""
    columns = (*(values.ravel().tolist() for values in estimate), images.ravel().astype(int).tolist())
    return [(*key, *row) for key, row in zip(keys, zip(*columns, strict=True), strict=True)]
