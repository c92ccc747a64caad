"""The data set of an analysis, found again where it lies: its images, listings and thumbnails."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image as PillowImage

from app.loading.analyses import load_analyses, load_table
from app.loading.pictures import Picture
from hlcore.config import DataConfig
from hlcore.data.catalog import STREETS, open_data
from hlcore.data.images import read_image
from hlcore.data.images.resizing import resize_image
from hlcore.data.samples import Sample, SegmentationData
from hlcore.errors import DatasetError
from hlcore.storage.analyses import Analysis, AnalysisRecord
from hlcore.storage.runs import Run

DATA_FOLDERS = "HLCORE_DATA"
"""Environment variable: folders, separated like $PATH, that hold data sets by their names."""
_MAX_SCENES = 10_000
"""Their names have four digits; how many there are changes none of them."""


def open_dataset(record: AnalysisRecord) -> SegmentationData:
    """The split an analysis was made of: drawn again, or read from its folder or one of its name in $HLCORE_DATA.

    Raises:
        DatasetError: it lies in none of them, or what lies there is not complete or has other classes.
    """
    if record.dataset == STREETS:
        size = record.scene_size or DataConfig().scene_size
        return open_data(STREETS, split=record.split, count=_MAX_SCENES, size=size)
    root = _find_root(record)
    data = open_data(record.dataset, root=root, split=record.split)
    if data.classes.names != record.class_names:
        raise DatasetError(
            f"{root} has the classes {', '.join(data.classes.names)}, but the analysis scored "
            f"{', '.join(record.class_names)}; run `hlcore analyze` again on this folder"
        )
    return data


def is_synthetic(analysis: Analysis) -> bool:
    """Whether the data set is the built-in street scenes, whose labels are drawn with them and are never wrong."""
    return analysis.record.dataset == STREETS


def read_dataset_sample(analysis: Analysis, name: str, *, data: SegmentationData | None = None) -> Sample:
    """An image of the data set an analysis was made of, with its label map in the run's classes.

    There is no label map where the analysis merged the run's classes into others: its labels are in the others.

    Args:
        analysis: Of the data set.
        name: Of the image.
        data: What `open_analysed` gave before, so that its files need not be listed again.

    Raises:
        DatasetError: the data set is not to be found, or has no image of that name, or it cannot be read.
    """
    found = open_dataset(analysis.record) if data is None else data
    if name not in found.names:
        raise DatasetError(
            f"there is no image '{name}' in {analysis.record.dataset}, split {analysis.record.split}; "
            "choose another, or run `hlcore analyze` again if the data set has changed"
        )
    sample = found[found.names.index(name)]
    return sample if analysis.record.merged is None else Sample(name, sample.image, None)


def load_listed_analyses(run: Run) -> dict[str, Analysis]:
    """The analyses of a run whose images are listed, by name; one that is still running lists none."""
    return {name: found for name, found in load_analyses(run).items() if found.table_path("images").is_file()}


def list_images(analysis: Analysis) -> list[str]:
    """Names of the images that were measured.

    Raises:
        CheckpointError: the analysis has no table of images, or it cannot be read.
    """
    return load_table(analysis, "images")["image"].tolist()


def load_dataset_sample(analysis: Analysis, name: str) -> Sample:
    """samples.analysed, kept; raises what it does."""
    return _cached_sample(analysis, name, *_make_key(analysis))


def load_dataset_picture(analysis: Analysis, name: str) -> Picture:
    """The image as `hlcore analyze` looked at it: at its own size, through the same window.

    Raises:
        DatasetError: the data set is not to be found, or has no such image, or it cannot be read.
    """
    found = load_dataset_sample(analysis, name)
    return Picture(found, found.image, analysis.record.window)


def load_image_table(analysis: Analysis, class_name: str) -> pd.DataFrame:
    """The measured images, a row each, as a whole or (where a class is named) in the pixels of that class alone.

    Raises:
        CheckpointError: the analysis has no such table, or it cannot be read.
    """
    if not class_name:
        return load_table(analysis, "images")
    classes = load_table(analysis, "image_classes")
    return classes.loc[classes["class_name"] == class_name]


def load_thumbnail(analysis: Analysis, name: str) -> bytes | None:
    """A small picture of an image with its hardness map beside it, as WebP; None where none was kept.

    Raises:
        DatasetError: a file of it cannot be read.
    """
    paths = tuple(analysis.thumbnail_path(part) for part in (name, f"{name}.hardness"))
    return _cached_thumbnail(paths, tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths))


def _find_root(record: AnalysisRecord) -> Path:
    """The first folder there is among those where a data set may lie."""
    further = [Path(folder) / record.dataset for folder in os.environ.get(DATA_FOLDERS, "").split(os.pathsep) if folder]
    places = [*([] if record.root is None else [record.root]), *further]
    for place in places:
        if place.is_dir():
            return place
    looked = f"; looked for {', '.join(map(str, places))}" if places else ""
    raise DatasetError(
        f"the images of {record.dataset} are not at hand{looked}. Set {DATA_FOLDERS} to the folder that holds "
        f"'{record.dataset}' and start the app again"
    )


def _make_key(analysis: Analysis) -> tuple[str, str]:
    """What decides which images an analysis has: its record, and where data sets are looked for."""
    return analysis.record.model_dump_json(), os.environ.get(DATA_FOLDERS, "")


# An argument that a function below does not use is part of its cache's key; one with a leading underscore is not.


@st.cache_resource(max_entries=4, show_spinner="Looking for the data set …")
def _cached_dataset(_analysis: Analysis, record: str, places: str) -> SegmentationData:
    return open_dataset(_analysis.record)


@st.cache_data(max_entries=256, show_spinner=False)
def _cached_thumbnail(paths: tuple[Path, ...], modified: tuple[int, ...]) -> bytes | None:
    pictures = [read_image(path) for path, when in zip(paths, modified, strict=True) if when]
    if not pictures:
        return None
    beside = [resize_image(picture, pictures[0].shape[:2]) for picture in pictures]
    buffer = BytesIO()
    PillowImage.fromarray(np.concatenate(beside, axis=1)).save(buffer, format="WEBP", quality=85)
    return buffer.getvalue()


@st.cache_data(max_entries=16, show_spinner="Reading the image …")
def _cached_sample(_analysis: Analysis, name: str, record: str, places: str) -> Sample:
    return read_dataset_sample(_analysis, name, data=_cached_dataset(_analysis, record, places))
