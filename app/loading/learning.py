"""How the pixels of one picture were learned over the kept epochs, cached."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app.loading.analyses import load_table
from app.loading.pictures import Picture
from app.loading.predictions import identify_prediction, load_maps
from app.viewer.planes import Plane, pack_classes, pack_values
from hlcore.analysis import cartography
from hlcore.analysis.cartography import FORGETTING, CourseTracker, PixelCourses
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import IGNORE_INDEX

TABLES = ("cartography", "learning", "learning_correlations")


@dataclass(frozen=True)
class LearnedPicture:
    """How the pixels of a picture were learned.

    Attributes:
        epochs: The epochs, without that before training.
        courses: Packed: `mean_probability`, `spread`, `forgetting` and `learned`.
        probabilities: Epoch to the packed probability of the label.
        tables: The tables of `analysis.cartography`, without intervals.
    """

    epochs: tuple[int, ...]
    courses: Mapping[str, Plane]
    probabilities: Mapping[int, Plane]
    tables: Mapping[str, pd.DataFrame]


def list_trained_epochs(run: Run) -> tuple[int, ...]:
    """The evenly spaced epochs that are kept, without that before training."""
    return tuple(epoch for epoch in run.spaced_epochs if epoch > 0)


def load_learned_picture(run: Run, picture: Picture) -> LearnedPicture:
    """How the pixels of a labelled picture were learned; every kept epoch predicts it.

    Raises:
        CheckpointError: fewer than two epochs are kept, or one cannot be read.
    """
    epochs = list_trained_epochs(run)
    if len(epochs) < 2:
        raise CheckpointError(
            f"{run.path} has {len(epochs)} kept epochs after training began, but how pixels were learned needs two; "
            f"the run is {run.record.state}"
        )
    identity = ",".join(identify_prediction(run, epoch, picture) for epoch in epochs)
    return _cached_courses(identity, run, picture, epochs)


def load_learning_tables(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """The tables of a data set, as written by `hlcore analyze --epochs all`.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    return {name: load_table(analysis, name) for name in TABLES}


def has_learning_tables(analysis: Analysis) -> bool:
    """Whether the analysis is recent enough to have them."""
    return all(analysis.table_path(name).is_file() for name in TABLES)


# Streamlit builds the cache key below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=8, show_spinner="Following the pixels over the epochs …")
def _cached_courses(identity: str, _run: Run, _picture: Picture, _epochs: tuple[int, ...]) -> LearnedPicture:
    tracker, probabilities, hardness_map = CourseTracker(), {}, None
    for epoch in _epochs:
        maps = load_maps(_run, epoch, _picture)
        assert maps.loss_map is not None  # the page asks for labels first
        assert maps.error is not None
        tracker.add(maps.loss_map, maps.error)
        probabilities[epoch] = pack_values(np.exp(-maps.loss_map), low=0, high=1)
        hardness_map = maps.hardness_map
    assert hardness_map is not None
    courses, sums = tracker.measure(), ImageSums(resamplings=1)
    sums.add(_picture.sample.name, cartography.count(courses, hardness_map, epochs=len(_epochs)))
    return LearnedPicture(_epochs, _pack(courses), probabilities, cartography.make_tables(sums, _epochs))


def _pack(courses: PixelCourses) -> dict[str, Plane]:
    ignored = np.isnan(courses.mean_probability)
    most = len(FORGETTING) - 1
    numbers = {"forgetting": np.minimum(courses.forgetting, most), "learned": courses.learned}
    return {
        "mean_probability": pack_values(courses.mean_probability, low=0, high=1),
        "spread": pack_values(courses.spread, low=0, high=cartography.LARGEST_SPREAD),
        **{
            name: pack_classes(np.where(ignored, IGNORE_INDEX, values).astype(np.uint8))
            for name, values in numbers.items()
        },
    }
