"""Caches of analysed data sets: which there are, their listings, images and small pictures."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image as PillowImage

from app import cache, dataset_samples, samples
from app.samples import Picture
from hlcore.data.images import read_image
from hlcore.data.images.resizing import resize_image
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
    """samples.analysed, kept; raises what it does."""
    return _sample(analysis, name, *_key(analysis))


def picture(analysis: Analysis, name: str) -> Picture:
    """The image as `hlcore analyze` looked at it: at its own size, through the same window.

    Raises:
        DatasetError: the data set is not to be found, or has no such image, or it cannot be read.
    """
    found = sample(analysis, name)
    return Picture(found, found.image, analysis.record.window)


def images(analysis: Analysis, class_name: str) -> pd.DataFrame:
    """The measured images, a row each, as a whole or (where a class is named) in the pixels of that class alone.

    Raises:
        CheckpointError: the analysis has no such table, or it cannot be read.
    """
    if not class_name:
        return cache.table(analysis, "images")
    classes = cache.table(analysis, "image_classes")
    return classes.loc[classes["class_name"] == class_name]


def thumbnail(analysis: Analysis, name: str) -> bytes | None:
    """A small picture of an image with its hardness map beside it, as WebP; None where none was kept.

    Raises:
        DatasetError: a file of it cannot be read.
    """
    paths = tuple(analysis.thumbnail_path(part) for part in (name, f"{name}.hardness"))
    return _thumbnail(paths, tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths))


def _key(analysis: Analysis) -> tuple[str, str]:
    """What decides which images an analysis has: its record, and where data sets are looked for."""
    return analysis.record.model_dump_json(), os.environ.get(dataset_samples.PLACES, "")


@st.cache_resource(max_entries=4, show_spinner="Looking for the data set …")
def _data(_analysis: Analysis, record: str, places: str) -> SegmentationData:
    return dataset_samples.open_analysed(_analysis.record)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnail(paths: tuple[Path, ...], modified: tuple[int, ...]) -> bytes | None:
    pictures = [read_image(path) for path, when in zip(paths, modified, strict=True) if when]
    if not pictures:
        return None
    beside = [resize_image(picture, pictures[0].shape[:2]) for picture in pictures]
    buffer = BytesIO()
    PillowImage.fromarray(np.concatenate(beside, axis=1)).save(buffer, format="WEBP", quality=85)
    return buffer.getvalue()


@st.cache_data(max_entries=16, show_spinner="Reading the image …")
def _sample(_analysis: Analysis, name: str, record: str, places: str) -> Sample:
    return samples.analysed(_analysis, name, data=_data(_analysis, record, places))
