"""Error prediction on one picture, cached: score maps, tables and MC dropout."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Bool, Float32

from app.loading.pictures import Picture
from app.loading.predictions import load_maps, load_network, load_prediction
from app.loading.worker import run_in_turn
from hlcore.analysis import error_prediction
from hlcore.analysis.error_prediction import REGIONS, Region
from hlcore.analysis.flagging import region_mask
from hlcore.analysis.scores import ScoreMap, list_scores
from hlcore.analysis.statistics import ImageSums
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord

PASSES = 20
"""Number of MC dropout passes."""


@dataclass(frozen=True)
class ScoredPicture:
    """The score maps of one picture.

    Attributes:
        identity: Changes with the checkpoint file, the image, the labels and the use of dropout.
        scores: Name to score map, high where an error is expected.
        where: Region to mask of the pixels in it.
        error: Mask of the wrong pixels; None without labels.
    """

    identity: str
    scores: Mapping[str, ScoreMap]
    where: Mapping[Region, Bool[np.ndarray, "H W"]]
    error: Bool[np.ndarray, "H W"] | None


def load_scores(run: Run, epoch: int, picture: Picture, *, dropout: bool) -> ScoredPicture:
    """The score maps of a picture, with MC dropout if `dropout`. Raises what `load_maps` raises."""
    return _cached_scores(_identify(run, epoch, picture, dropout=dropout), run, epoch, picture, dropout)


def load_error_tables(run: Run, epoch: int, picture: Picture, *, dropout: bool) -> dict[str, pd.DataFrame]:
    """The tables of `analysis.error_prediction` for one labelled picture, without intervals."""
    return _cached_tables(_identify(run, epoch, picture, dropout=dropout), run, epoch, picture, dropout)


def has_dropout(run: Run, epoch: int) -> bool:
    """Whether the network of an epoch has dropout; imported maps have no network."""
    if run.record.imported is not None:
        return False
    from hlcore import inference  # importing torch takes seconds

    return inference.has_dropout(load_network(run, epoch).network)


def _identify(run: Run, epoch: int, picture: Picture, *, dropout: bool) -> str:
    return f"{load_maps(run, epoch, picture).identity}:{dropout}"


def _load_prediction(identity: str, run: Run, epoch: int, picture: Picture, *, dropout: bool) -> PredictionRecord:
    record = load_prediction(run, epoch, picture)
    return replace(record, mc_entropy=_cached_mc_entropy(identity, run, epoch, picture)) if dropout else record


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=4, show_spinner=False)
def _cached_scores(identity: str, _run: Run, _epoch: int, _picture: Picture, _dropout: bool) -> ScoredPicture:  # noqa: FBT001 - the underscore keeps it out of the cache key
    record = _load_prediction(identity, _run, _epoch, _picture, dropout=_dropout)
    measured = {name: score.measure(record) for name, score in list_scores(record.scores).items()}
    return ScoredPicture(
        identity,
        {name: values for name, values in measured.items() if values is not None},
        {region: region_mask(record, region) for region in REGIONS},
        record.error if record.label_map is not None and record.has_prediction else None,
    )


@st.cache_data(max_entries=16, show_spinner="Ranking the pixels …")
def _cached_tables(identity: str, _run: Run, _epoch: int, _picture: Picture, _dropout: bool) -> dict[str, pd.DataFrame]:  # noqa: FBT001 - the same
    record = _load_prediction(identity, _run, _epoch, _picture, dropout=_dropout)
    sums = ImageSums(resamplings=1)
    sums.add(record.name, error_prediction.count(record))
    return error_prediction.make_tables(sums, record.scores)


@st.cache_data(max_entries=8, show_spinner=f"Running {PASSES} passes with dropout …")
def _cached_mc_entropy(identity: str, _run: Run, _epoch: int, _picture: Picture) -> Float32[np.ndarray, "H W"]:
    from hlcore.inference import mc_dropout_entropy

    shared, image = load_network(_run, _epoch).network, _picture.sample.image
    return run_in_turn(lambda: mc_dropout_entropy(copy.deepcopy(shared), image, passes=PASSES))
