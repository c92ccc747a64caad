"""Objects, cached: those of a picture or data set, their curve over size and their correlation with it."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.loading.analyses import load_table
from app.loading.pictures import Picture
from app.loading.predictions import load_maps, load_prediction
from hlcore.analysis import edges
from hlcore.analysis.object_sizes import SizeBins, size_correlations, size_curve, sum_objects
from hlcore.analysis.objects import add_edge_profile, measure_objects
from hlcore.analysis.statistics import ImageSums
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord

CONTROLS = ("hardness_mean", "hardness_interior", "hardness_over_edge")
"""Hardness as it is and edge-matched."""


@dataclass(frozen=True)
class Objects:
    """Measured objects.

    Attributes:
        identity: Changes with the objects.
        table: One row per object, from `analysis.objects.add_edge_profile`.
        images: Number of images searched.
        labelled: Whether they come from a label map; otherwise from a prediction, without loss, error or IoU.
        class_names: In the order of the class indices.
    """

    identity: str
    table: pd.DataFrame
    images: int
    labelled: bool
    class_names: tuple[str, ...]


def load_picture_objects(run: Run, epoch: int, picture: Picture) -> Objects:
    """The objects of a picture, compared with its own edge profile. Raises what `load_maps` raises."""
    record = load_prediction(run, epoch, picture)
    identity = load_maps(run, epoch, picture).identity
    return Objects(identity, _cached_objects(identity, record), 1, record.label_map is not None, record.class_names)


def load_dataset_objects(analysis: Analysis) -> Objects:
    """The objects of a data set.

    Raises:
        CheckpointError: the table of objects is missing or cannot be read.
    """
    record, table = analysis.record, load_table(analysis, "objects")
    identity = f"{analysis.path}:{record.created}:{len(table)}"
    return Objects(identity, table, record.images, labelled=True, class_names=record.class_names)


def load_size_curve(
    objects: Objects, classes: tuple[str, ...], *, quantity: str, bins: SizeBins
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Size curve and size correlations of the quantity and of CONTROLS, over the objects of these classes."""
    return _cached_size_curve(objects.identity, objects.table, classes, quantity, bins)


def filter_classes(table: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """The objects of these classes; all if none is named."""
    return table.loc[table["class_name"].isin(classes)] if classes else table


@st.cache_data(max_entries=16, show_spinner="Measuring the objects …")
def _cached_objects(identity: str, _record: PredictionRecord) -> pd.DataFrame:
    source = "prediction" if _record.label_map is None else "label"
    sums = ImageSums()
    sums.add(_record.name, edges.count(_record, sources=(source,)))
    profile = edges.make_tables(sums, _record.class_names)["edges"]
    return add_edge_profile(measure_objects(_record), profile, source=source)


@st.cache_data(max_entries=32, show_spinner="Summarising the objects …")
def _cached_size_curve(
    identity: str, _table: pd.DataFrame, classes: tuple[str, ...], quantity: str, bins: SizeBins
) -> tuple[pd.DataFrame, pd.DataFrame]:
    quantities = tuple(dict.fromkeys((quantity, *CONTROLS)))
    sums = sum_objects(filter_classes(_table, classes), bins=bins, quantities=quantities, sizes=(bins.size,))
    return size_curve(sums, bins=bins), size_correlations(sums)
