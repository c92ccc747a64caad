"""Networks and their predictions on a picture, in bounded caches."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float32

from app.loading.pictures import Picture
from app.loading.runs import get_modified_ns
from app.loading.worker import run_in_turn
from hlcore.data.images.resizing import resize_label_map
from hlcore.errors import CheckpointError
from hlcore.figures.maps import resize_map
from hlcore.imported import read_imported_record, read_imported_sample
from hlcore.storage.runs import Run
from hlcore.types import HardnessMap, LabelMap, LossMap, PredictionRecord

if TYPE_CHECKING:  # importing torch takes seconds: only the functions that run a network do it
    from hlcore.storage.checkpoints import Checkpoint

MAX_LOSS_NATS = 88.0
"""Above the largest loss that float32 probabilities allow."""


@dataclass(frozen=True)
class Maps:
    """The maps of one prediction that pages show; the probabilities (C H W, by far the largest part) are dropped.

    Attributes:
        identity: Changes with the checkpoint file, the image and the labels.
        prediction: H W uint8 class indices.
        hardness_map: H W in (0, 1).
        probability: H W, probability of the predicted class; None for imported maps.
        entropy: H W nats, of the probabilities; None for imported maps.
        error_suspicion: H W in (0, 1), or None if the run has no error model.
        loss_map: H W nats, or None without labels or probabilities.
        error: H W, True where the prediction differs from the label; None without labels or prediction.
        scores: Further imported scores, H W in 0..1, by title.
        has_prediction: Whether there is a prediction, which imported maps may lack.
    """

    identity: str
    prediction: LabelMap
    hardness_map: HardnessMap
    probability: Float32[np.ndarray, "H W"] | None
    entropy: Float32[np.ndarray, "H W"] | None
    error_suspicion: Float32[np.ndarray, "H W"] | None
    loss_map: LossMap | None
    error: Bool[np.ndarray, "H W"] | None
    scores: Mapping[str, Float32[np.ndarray, "H W"]]
    has_prediction: bool


def load_maps(run: Run, epoch: int, picture: Picture) -> Maps:
    """The maps that the network of an epoch predicts for a picture.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
        ServerBusyError: too many sessions wait for a network.
    """
    return _cached_maps(identify_prediction(run, epoch, picture), picture, run, epoch)


def load_prediction(run: Run, epoch: int, picture: Picture) -> PredictionRecord:
    """The full prediction of an epoch for a picture. Raises what `load_maps` raises."""
    return _cached_prediction(identify_prediction(run, epoch, picture), picture, run, epoch)


def identify_prediction(run: Run, epoch: int, picture: Picture) -> str:
    """Identity of a prediction: changes with the checkpoint file, the run's error model, the image and its labels."""
    if run.record.imported is not None:
        files = run.maps.list_files(picture.sample.name, epoch)
        return f"{run.path}:{epoch}:{','.join(str(get_modified_ns(path)) for path in files)}:{picture.digest}"
    path, error_model = run.checkpoint_path(epoch), repr(run.record.error_model)
    return f"{path}:{get_modified_ns(path)}:{crc32(error_model.encode()):08x}:{picture.digest}"


def load_network(run: Run, epoch: int) -> "Checkpoint":
    """The network of an epoch. All sessions share it, so copy it before any change.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    path = run.checkpoint_path(epoch)
    return _cached_network(path, get_modified_ns(path), run, epoch)


def measure_agreement(first: Maps, second: Maps, quantity: Literal["hardness_map", "loss_map"]) -> tuple[float, float]:
    """Spearman's rho of two epochs' maps, and the IoU of their highest 10 %."""
    identity = f"{quantity}:{first.identity}:{second.identity}"
    return _cached_agreement(identity, getattr(first, quantity), getattr(second, quantity))


def load_pixel(run: Run, epoch: int, picture: Picture, x: int, y: int) -> dict[str, float | int]:
    """Hardness at one pixel, and if they are known predicted class, its probability, and loss in nats.

    An imported score is in its own unit.
    """
    return _cached_pixel(identify_prediction(run, epoch, picture), x, y, run, epoch, picture)


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=4, show_spinner="Loading the network …")
def _cached_network(path: Path, modified: int, _run: Run, _epoch: int) -> "Checkpoint":
    from hlcore.storage.loading import load_epoch

    checkpoint = load_epoch(_run, _epoch, device="cpu", backend="auto")
    _freeze_imports()
    return checkpoint


@cache
def _freeze_imports() -> None:
    """Take what has been imported out of the garbage collection, which Streamlit runs after each run of a script."""
    gc.collect()
    gc.freeze()


@st.cache_resource(max_entries=1, show_spinner="Predicting …")  # probabilities may take a gigabyte
def _cached_prediction(identity: str, _picture: Picture, _run: Run, _epoch: int) -> PredictionRecord:
    if _run.record.imported is not None:
        return _read_imported(_run, _epoch, _picture)
    checkpoint = load_network(_run, _epoch)
    from hlcore.analysis.suspicion import suspicion_map
    from hlcore.inference import predict

    if not checkpoint.header.has_hardness:
        raise CheckpointError(
            f"{_run.checkpoint_path(_epoch)} has no hardness branch, so it has no hardness map; learn one with "
            "hlcore fit"
        )
    record = run_in_turn(
        predict,
        checkpoint.network,
        _picture.sample.image,
        class_names=checkpoint.class_names,
        name=_picture.sample.name,
        label_map=_picture.sample.label_map,
        window=_picture.window,
    )
    model = _run.record.error_model
    return record if model is None else replace(record, error_suspicion=suspicion_map(record, model))


@st.cache_data(max_entries=32, show_spinner=False)
def _cached_maps(identity: str, _picture: Picture, _run: Run, _epoch: int) -> Maps:
    record = _cached_prediction(identity, _picture, _run, _epoch)
    labelled, known = record.label_map is not None, record.has_probabilities
    return Maps(
        identity=identity,
        prediction=record.prediction,
        hardness_map=record.hardness_map,
        probability=record.probabilities.max(axis=0) if known else None,
        entropy=record.entropy if known else None,
        error_suspicion=record.error_suspicion,
        loss_map=record.loss_map if labelled and known else None,
        error=record.error if labelled and record.has_prediction else None,
        scores=record.scores,
        has_prediction=record.has_prediction,
    )


def _read_imported(run: Run, epoch: int, picture: Picture) -> PredictionRecord:
    """The imported maps of a picture, at its size."""
    record, size = read_imported_record(run, epoch, read_imported_sample(run, picture.sample.name)), picture.size
    if record.hardness_map.shape != size:
        record = replace(
            record,
            image=picture.sample.image,
            label_map=None,
            prediction=resize_label_map(record.prediction, size),
            hardness_map=_resize(record.hardness_map, size),
            probabilities=np.empty((0, *size), np.float32),
            scores={title: _resize(score, size) for title, score in record.scores.items()},
        )
    return replace(record, label_map=picture.sample.label_map)


def _resize(score: HardnessMap, size: tuple[int, int]) -> HardnessMap:
    return np.clip(resize_map(score, size), 0, 1)


@st.cache_data(max_entries=64, show_spinner=False)
def _cached_agreement(identity: str, _first: np.ndarray, _second: np.ndarray) -> tuple[float, float]:
    from hlcore.analysis.map_agreement import hardest_overlap, rank_correlation

    return rank_correlation(_first, _second), hardest_overlap(_first, _second, share=0.1)


@st.cache_data(max_entries=512, show_spinner=False)
def _cached_pixel(identity: str, x: int, y: int, _run: Run, _epoch: int, _picture: Picture) -> dict[str, float | int]:
    of = load_maps(_run, _epoch, _picture)
    score = _run.record.imported and _run.record.imported.score
    row = {"hardness": of.hardness_map[y, x] if score is None else score.restore(of.hardness_map[y, x])}
    if of.has_prediction:
        row["predicted"] = of.prediction[y, x]
    if of.probability is not None:
        row["probability"] = of.probability[y, x]
    return row if of.loss_map is None else row | {"loss": of.loss_map[y, x]}
