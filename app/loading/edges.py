"""Measures at the edges of one picture, cached."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Bool, Float32, UInt8

from app.loading.pictures import Picture
from app.loading.predictions import load_maps, load_prediction
from hlcore.analysis import edges
from hlcore.analysis.boundaries import EdgeSource, edge_distance, edge_map
from hlcore.analysis.statistics import ImageSums
from hlcore.storage.runs import Run


@dataclass(frozen=True)
class EdgeMaps:
    """The edges of one source in a picture.

    Attributes:
        identity: Changes with the checkpoint file, the picture, its labels and the source.
        edge: H W.
        distance: H W px to the nearest edge; NaN where ignored or if there is no edge.
        bins: H W index into DISTANCES, 255 where ignored.
    """

    identity: str
    edge: Bool[np.ndarray, "H W"]
    distance: Float32[np.ndarray, "H W"]
    bins: UInt8[np.ndarray, "H W"]


def load_edge_tables(run: Run, epoch: int, picture: Picture) -> dict[str, pd.DataFrame]:
    """The tables of `analysis.edges` for one picture and all its edge sources, without intervals."""
    return _cached_tables(load_maps(run, epoch, picture).identity, run, epoch, picture)


def load_edge_maps(run: Run, epoch: int, picture: Picture, source: EdgeSource) -> EdgeMaps:
    """The edge map, distance map and distance bins of one edge source."""
    return _cached_maps(f"{load_maps(run, epoch, picture).identity}:{source}", run, epoch, picture, source)


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_data(max_entries=16, show_spinner="Measuring the edges …")
def _cached_tables(identity: str, _run: Run, _epoch: int, _picture: Picture) -> dict[str, pd.DataFrame]:
    record = load_prediction(_run, _epoch, _picture)
    sums = ImageSums(resamplings=1)
    sums.add(record.name, edges.count(record))
    return edges.make_tables(sums, record.class_names)


@st.cache_data(max_entries=8, show_spinner=False)
def _cached_maps(identity: str, _run: Run, _epoch: int, _picture: Picture, _source: EdgeSource) -> EdgeMaps:
    record = load_prediction(_run, _epoch, _picture)
    distance = edge_distance(record, _source)
    bins = np.where(np.isnan(distance), 255, edges.distance_bins(distance)).astype(np.uint8)
    distance = np.where(np.isinf(distance), np.nan, distance).astype(np.float32)
    return EdgeMaps(identity, edge_map(record, _source), distance, bins)
