"""The only place that knows Streamlit's caches: runs, networks and maps, each bounded; a file more for each subject."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Bool, Float32

from app import samples
from app.samples import Picture
from hlcore.data.samples import Sample
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis, find_analyses, open_analysis
from hlcore.storage.runs import Run, find_runs, open_run
from hlcore.types import HardnessMap, LabelMap, LossMap, PredictionRecord

if TYPE_CHECKING:  # importing torch takes seconds: only the functions that run a network do it
    from hlcore.storage.checkpoints import Checkpoint

PROJECT = Path(__file__).parents[2]
LARGEST_LOSS_NATS = 88.0
"""Above the largest loss float32 probabilities can give."""


@dataclass(frozen=True)
class Maps:
    """What the pages show of one epoch's PredictionRecord; its probabilities (C H W, the bulk of it) are let go.

    Attributes:
        identity: Changes with the checkpoint file, the image and the labels.
        prediction: H W uint8 class indices.
        hardness_map: H W in (0, 1).
        probability: H W, of the predicted class.
        loss_map: H W nats, or None without labels.
        error: H W, where the prediction differs from the label, or None without labels.
    """

    identity: str
    prediction: LabelMap
    hardness_map: HardnessMap
    probability: Float32[np.ndarray, "H W"]
    loss_map: LossMap | None
    error: Bool[np.ndarray, "H W"] | None


def run_folders() -> dict[str, Path]:
    """The run folders by the name shown: those of checkpoints/, runs/ and $HLCORE_RUNS."""
    further = [Path(folder) for folder in os.environ.get("HLCORE_RUNS", "").split(os.pathsep) if folder]
    folders: dict[str, Path] = {}
    for path in find_runs(PROJECT / "checkpoints", PROJECT / "runs", *further):
        folders[path.name if path.name not in folders else f"{path.name} in {path.parent}"] = path
    return folders


def run(path: Path) -> Run:
    """The run of a folder, read anew when run.json changes.

    Raises:
        CheckpointError: its run.json cannot be read.
    """
    return _run(path, _modified(path / "run.json"))


def epoch_table(run: Run) -> pd.DataFrame:
    """Run.epoch_table, read anew when metrics.jsonl changes."""
    return _epoch_table(run, str(run.path), _modified(run.path / "metrics.jsonl"))


def sample(run: Run, source: str, name: str) -> Sample:
    """samples.load, kept."""
    return _sample(run, str(run.path), _modified(run.path / "run.json"), source, name)


def uploaded(run: Run, name: str, photograph: bytes, labels: bytes | None) -> Sample:
    """samples.uploaded, kept."""
    return _uploaded(run, str(run.path), name, photograph, labels)


def maps(run: Run, epoch: int, picture: Picture) -> Maps:
    """What the network of an epoch says about a picture.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    path = run.checkpoint_path(epoch)
    return _maps(path, _modified(path), picture.digest, picture)


def record(run: Run, epoch: int, picture: Picture) -> PredictionRecord:
    """All the network of an epoch says about a picture, for what is measured on it. Raises as `maps` does."""
    path = run.checkpoint_path(epoch)
    return _record(path, _modified(path), picture.digest, picture)


def identity(run: Run, epoch: int, picture: Picture) -> str:
    """Changes with the checkpoint file of an epoch, the image and its labels: that of what the epoch says of them."""
    path = run.checkpoint_path(epoch)
    return f"{path}:{_modified(path)}:{picture.digest}"


def checkpoint(run: Run, epoch: int) -> "Checkpoint":
    """The network of an epoch, which all sessions share: whoever changes anything in it takes a copy.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    path = run.checkpoint_path(epoch)
    return _checkpoint(path, _modified(path))


def analyses(run: Run) -> dict[str, Analysis]:
    """What `hlcore analyze` has measured of a run, by name; one that is not complete has no tables and is left out.

    So is one that cannot be read, of which `unreadable_analyses` tells.
    """
    found = [one for one in _analyses(run) if isinstance(one, Analysis) and one.record.state == "complete"]
    return {analysis.name: analysis for analysis in found}


def unreadable_analyses(run: Run) -> list[str]:
    """A sentence for each analysis of a run that cannot be read, as one of another version."""
    return [str(one) for one in _analyses(run) if isinstance(one, CheckpointError)]


def table(analysis: Analysis, name: str) -> pd.DataFrame:
    """A table of an analysis.

    Raises:
        CheckpointError: it has no such table, or it cannot be read.
    """
    path = analysis.table_path(name)
    return _table(analysis, name, path, _modified(path))


def agreement(first: Maps, second: Maps, quantity: Literal["hardness_map", "loss_map"]) -> tuple[float, float]:
    """Spearman's rho of two epochs' maps, and the overlap (IoU) of their highest 10 %."""
    identity = f"{quantity}:{first.identity}:{second.identity}"
    return _agreement(identity, getattr(first, quantity), getattr(second, quantity))


def pixel(run: Run, epoch: int, picture: Picture, x: int, y: int) -> dict[str, float | int]:
    """What an epoch says of one pixel: hardness, predicted class, its probability and, with labels, loss in nats."""
    path = run.checkpoint_path(epoch)
    return _pixel(path, _modified(path), picture.digest, x, y, run, epoch, picture)


# An argument that a function below does not use is part of its cache's key; one with a leading underscore is not.


def _analyses(run: Run) -> Iterator[Analysis | CheckpointError]:
    """Every analysis of a run, or why it cannot be read."""
    for path in find_analyses(run.path):
        try:
            yield _analysis(path, _modified(path / "analysis.json"))
        except CheckpointError as error:
            yield error


def _modified(path: Path) -> int:
    """When a file was last written, in ns; 0 where there is none, which its reader then says."""
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(max_entries=16, show_spinner=False)
def _run(path: Path, modified: int) -> Run:
    return open_run(path)


@st.cache_data(max_entries=16, show_spinner=False)
def _epoch_table(_run: Run, path: str, modified: int) -> pd.DataFrame:
    return _run.epoch_table()


@st.cache_data(max_entries=16, show_spinner="Drawing the scene …")
def _sample(_run: Run, path: str, modified: int, source: str, name: str) -> Sample:
    return samples.load(_run, source, name)


@st.cache_resource(max_entries=4, show_spinner="Reading the photograph …")
def _uploaded(_run: Run, path: str, name: str, photograph: bytes, labels: bytes | None) -> Sample:
    return samples.uploaded(_run, name, photograph, labels)


@st.cache_resource(max_entries=4, show_spinner="Loading the network …")
def _checkpoint(path: Path, modified: int) -> "Checkpoint":
    from hlcore.storage.checkpoints import load_checkpoint

    return load_checkpoint(path)


@st.cache_resource(max_entries=16, show_spinner=False)
def _analysis(path: Path, modified: int) -> Analysis:
    return open_analysis(path)


@st.cache_data(max_entries=32, show_spinner=False)
def _table(_analysis: Analysis, name: str, path: Path, modified: int) -> pd.DataFrame:
    return _analysis.table(name)


@st.cache_resource(max_entries=1, show_spinner="Looking at the picture …")  # its probabilities may take a gigabyte
def _record(path: Path, modified: int, digest: str, _picture: Picture) -> PredictionRecord:
    checkpoint = _checkpoint(path, modified)
    from hlcore.inference import predict

    if not checkpoint.header.has_hardness:
        raise CheckpointError(
            f"{path} has no hardness branch, so it has no hardness map; train with loss.observe_hardness on"
        )
    return predict(
        checkpoint.network,
        _picture.sample.image,
        class_names=checkpoint.class_names,
        name=_picture.sample.name,
        label_map=_picture.sample.label_map,
        window=_picture.window,
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _maps(path: Path, modified: int, digest: str, _picture: Picture) -> Maps:
    record = _record(path, modified, digest, _picture)
    labelled = record.label_map is not None
    return Maps(
        identity=f"{path}:{modified}:{digest}",
        prediction=record.prediction,
        hardness_map=record.hardness_map,
        probability=record.probabilities.max(axis=0),
        loss_map=record.loss_map if labelled else None,
        error=record.error if labelled else None,
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _agreement(identity: str, _first: np.ndarray, _second: np.ndarray) -> tuple[float, float]:
    from hlcore.analysis.map_agreement import hardest_overlap, rank_correlation

    return rank_correlation(_first, _second), hardest_overlap(_first, _second, share=0.1)


@st.cache_data(max_entries=512, show_spinner=False)
def _pixel(
    path: Path, modified: int, digest: str, x: int, y: int, _run: Run, _epoch: int, _picture: Picture
) -> dict[str, float | int]:
    of = maps(_run, _epoch, _picture)
    row = {"hardness": of.hardness_map[y, x], "predicted": of.prediction[y, x], "probability": of.probability[y, x]}
    return row if of.loss_map is None else row | {"loss": of.loss_map[y, x]}
