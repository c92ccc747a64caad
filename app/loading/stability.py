"""Images with their maps at every snapshot of a run, and the stability measures, cached."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float32

from app.loading.analyses import load_table
from app.loading.pictures import FOLLOWED, SCENES, Picture, format_sample, load_sample
from app.loading.predictions import MAX_LOSS_NATS, identify_prediction, load_maps
from app.loading.runs import load_probe
from app.viewer.planes import Plane, pack_values
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import HardnessMap, LossMap

MapPair: TypeAlias = tuple[HardnessMap, LossMap | None]
Variation: TypeAlias = Float32[np.ndarray, "H W"]
PICTURE = "picture"
"""The split of an image that is in none."""
TABLES = ("epoch_pairs", "levels", "variation")


@dataclass(frozen=True)
class Series(Mapping[str, MapPair]):
    """One image: snapshot to hardness and loss map, read on access.

    Attributes:
        title: Name of the image on the page.
        split: "train" or "val" for a followed image, otherwise PICTURE.
        picture: The image and its labels.
        identity: Changes with the maps.
        snapshots: Names in training order.
        read: Reads the maps of a snapshot.
    """

    title: str
    split: str
    picture: Picture
    identity: str
    snapshots: tuple[str, ...]
    read: Callable[[str], MapPair]

    def __getitem__(self, snapshot: str) -> MapPair:
        return self.read(snapshot)

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshots)

    def __len__(self) -> int:
        return len(self.snapshots)


def has_followed_images(run: Run) -> bool:
    """Whether the run has followed images at two or more snapshots."""
    probe = load_probe(run)
    return probe is not None and bool(probe.images) and len(probe.snapshots) > 1


def load_followed_series(run: Run) -> list[Series]:
    """The followed images of a run, training images first.

    Raises:
        CheckpointError: the followed images cannot be read.
    """
    probe = load_probe(run)
    if probe is None:
        return []
    written = (run.probe_path / "manifest.json").stat().st_mtime_ns
    made = []
    for name in sorted(probe.images, key=lambda name: probe.split(name) != "train"):
        sample = load_sample(run, FOLLOWED, name)
        picture = Picture(sample, sample.image.shape[:2])
        made.append(
            Series(
                format_sample(run, FOLLOWED, name),
                probe.split(name),
                picture,
                f"{probe.path}:{name}:{written}",
                probe.snapshots,
                lambda snapshot, name=name: probe.maps(name, snapshot),
            )
        )
    return made


def make_picture_series(run: Run, picture: Picture) -> Series:
    """One picture with the maps of every kept epoch.

    Raises:
        CheckpointError: fewer than two epochs are kept.
    """
    epochs = {f"epoch-{epoch:04d}": epoch for epoch in run.spaced_epochs}
    if len(epochs) < 2:
        raise CheckpointError(
            f"{run.path} has {len(epochs)} kept epochs, but stability needs two; the run is {run.record.state}"
        )

    def read(snapshot: str) -> MapPair:
        maps = load_maps(run, epochs[snapshot], picture)
        return maps.hardness_map, maps.loss_map

    written = ":".join(identify_prediction(run, epoch, picture) for epoch in epochs.values())
    identity = f"{run.path}:{','.join(epochs)}:{blake2b(written.encode()).hexdigest()}"
    return Series(
        format_sample(run, SCENES, picture.sample.name),
        PICTURE,
        picture,
        identity,
        tuple(epochs),
        read,
    )


def load_stability_tables(series: Sequence[Series], *, c: float) -> dict[str, pd.DataFrame]:
    """The tables of `analysis.stability` for images with the same snapshots.

    Raises:
        InvalidInputError: there are fewer than two snapshots.
        CheckpointError: a map cannot be read.
    """
    return _cached_tables(tuple(one.identity for one in series), c, series)


def load_dataset_stability(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The same tables, as written by `hlcore analyze --epochs all`.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    return {name: load_table(analysis, name) for name in TABLES}


def load_series_planes(series: Series) -> dict[str, dict[str, Plane]]:
    """Snapshot to its packed maps: hardness and, with labels, loss.

    Raises:
        CheckpointError: a map cannot be read.
    """
    return _cached_planes(series.identity, series)


def load_variation(series: Series, *, scaled: bool, c: float) -> tuple[Variation, Variation | None]:
    """Coefficient of variation of each pixel over the kept epochs, for both maps.

    Args:
        series: The image.
        scaled: Use the hardness weight and the loss divided by its sum instead of hardness and loss in nats.
        c: The constant of the hardness weight.

    Raises:
        InvalidInputError: fewer than two epochs are kept.
    """
    return _cached_variation(series.identity, c, scaled, series)


@st.cache_data(max_entries=8, show_spinner="Comparing the snapshots …")
def _cached_tables(identities: tuple[str, ...], c: float, _series: Sequence[Series]) -> dict[str, pd.DataFrame]:
    from hlcore.analysis.stability import ImageSnapshots, make_tables, sum_by_split

    images = (ImageSnapshots(one.identity, one.split, one.picture.sample.label_map, one) for one in _series)
    return make_tables(sum_by_split(images, c=c), _series[0].snapshots)


@st.cache_resource(max_entries=16, show_spinner="Loading the maps of every snapshot …")
def _cached_planes(identity: str, _series: Series) -> dict[str, dict[str, Plane]]:
    packed = {}
    for snapshot, (hardness_map, loss_map) in _series.items():
        packed[snapshot] = {"hardness": pack_values(hardness_map, low=0, high=1)}
        if loss_map is not None:
            packed[snapshot]["loss"] = pack_values(loss_map, low=0, high=MAX_LOSS_NATS)
    return packed


@st.cache_data(max_entries=16, show_spinner="Measuring the variation of each pixel …")
def _cached_variation(identity: str, c: float, scaled: bool, _series: Series) -> tuple[Variation, Variation | None]:  # noqa: FBT001
    from hlcore.analysis.snapshots import variation_map
    from hlcore.analysis.stability import kept_epoch_names

    pairs = [_series[name] for name in kept_epoch_names(_series)]
    hardness_maps = [hardness_map for hardness_map, _ in pairs]
    loss_maps = [loss_map for _, loss_map in pairs if loss_map is not None]
    if scaled:
        hardness_maps = [(values + c) / np.sum(values + c, dtype=np.float64) for values in hardness_maps]
        loss_maps = [values / np.nansum(values, dtype=np.float64) for values in loss_maps]
    return variation_map(hardness_maps), variation_map(loss_maps) if loss_maps else None
