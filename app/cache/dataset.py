"""Caches of analysed data sets: which there are, their listings and their images."""

import os

import streamlit as st

from app import cache, dataset_samples, samples
from hlcore.data.samples import Sample, SegmentationData
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def listed(run: Run) -> dict[str, Analysis]:
    """The analyses of a run whose images are listed, by name; one that is still running lists none."""
    return {name: found for name, found in cache.analyses(run).items() if found.table_path("images").is_file()}


def names(analysis: Analysis) -> list[str]:
    """Names of the images that were measured.

    Raises:
        CheckpointError: the analysis has no table of images, or it cannot be read.
    """
    return cache.table(analysis, "images")["image"].tolist()


def sample(analysis: Analysis, name: str) -> Sample:
    """samples.analysed, kept.

    Raises:
        DatasetError: the data set is not to be found, or has no such image, or it cannot be read.
    """
    return _sample(analysis, name, *_key(analysis))


def _key(analysis: Analysis) -> tuple[str, str]:
    """What decides which images an analysis has: its record, and where data sets are looked for."""
    return analysis.record.model_dump_json(), os.environ.get(dataset_samples.PLACES, "")


@st.cache_resource(max_entries=4, show_spinner="Looking for the data set …")
def _data(_analysis: Analysis, record: str, places: str) -> SegmentationData:
    return dataset_samples.open_analysed(_analysis.record)


@st.cache_data(max_entries=16, show_spinner="Reading the image …")
def _sample(_analysis: Analysis, name: str, record: str, places: str) -> Sample:
    return samples.analysed(_analysis, name, data=_data(_analysis, record, places))
