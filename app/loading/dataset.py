"""The data set behind an analysis: finding it again, its images, tables and thumbnails."""

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
from hlcore.data.ordering import reorder_classes
from hlcore.data.samples import Sample, SegmentationData
from hlcore.errors import DatasetError
from hlcore.imported import ImportedData
from hlcore.storage.analyses import Analysis, AnalysisRecord
from hlcore.storage.runs import Run, open_run

DATA_FOLDERS = "HLCORE_DATA"
"""Environment variable: folders, separated like $PATH, each with data sets in subfolders of their names."""
_MAX_SCENES = 10_000
"""Scene names have four digits. A scene does not depend on how many there are."""


def open_dataset(record: AnalysisRecord) -> SegmentationData:
    """The data set split of an analysis: generated (street scenes), or read from its folder or from $HLCORE_DATA.

    Raises:
        DatasetError: it is in none of these folders, is incomplete, or has other classes.
    """
    if record.dataset == STREETS:
        size = record.scene_size or DataConfig().scene_size
        return open_data(STREETS, split=record.split, count=_MAX_SCENES, size=size)
    root = _find_root(record)
    data = open_data(record.dataset, root=root, split=record.split, white_level=record.white_level)
    if record.merged is None:
        data = reorder_classes(data, record.class_names, record.palette)
    merged = record.merged_labels
    expected = record.class_names if merged is None else (*merged, *record.ignored_labels)
    fits = data.classes.names == expected if merged is None else set(data.classes.names) == set(expected)
    if not fits:
        raise DatasetError(
            f"{root} has the classes {', '.join(data.classes.names)}, but the analysis scored {', '.join(expected)}; "
            "run `hlcore analyze` again on this folder"
        )
    return data


def is_synthetic(analysis: Analysis) -> bool:
    """Whether the data set is the built-in street scenes, whose labels are never wrong."""
    return analysis.record.dataset == STREETS


def read_dataset_sample(analysis: Analysis, name: str, *, data: SegmentationData | None = None) -> Sample:
    """An image of an analysed data set, with its label map in the run's classes.

    If the analysis merged the run's classes into others, the labels do not fit the run and there is no label map.

    Args:
        analysis: The analysis.
        name: Image name.
        data: The result of `open_dataset`, to avoid listing the files again.

    Raises:
        DatasetError: the data set was not found, has no such image, or cannot be read.
    """
    found = _open_data(analysis) if data is None else data
    if name not in found.names:
        raise DatasetError(
            f"there is no image '{name}' in {analysis.record.dataset}, split {analysis.record.split}; "
            "choose another, or run `hlcore analyze` again if the data set has changed"
        )
    sample = found[found.names.index(name)]
    return sample if analysis.record.merged is None else Sample(name, sample.image, None)


def load_listed_analyses(run: Run) -> dict[str, Analysis]:
    """The analyses that have a table of images, by name."""
    return {name: found for name, found in load_analyses(run).items() if found.table_path("images").is_file()}


def list_images(analysis: Analysis) -> list[str]:
    """Names of the analysed images.

    Raises:
        CheckpointError: the table of images is missing or cannot be read.
    """
    return load_table(analysis, "images")["image"].tolist()


def load_dataset_sample(analysis: Analysis, name: str) -> Sample:
    """`read_dataset_sample`, cached; raises the same errors."""
    return _cached_sample(analysis, name, *_make_key(analysis))


def load_dataset_picture(analysis: Analysis, name: str) -> Picture:
    """The image as `hlcore analyze` saw it: at its own size and with the same sliding window.

    Raises:
        DatasetError: the data set was not found, has no such image, or cannot be read.
    """
    found = load_dataset_sample(analysis, name)
    return Picture(found, found.image.shape[:2], analysis.record.window)


def load_image_table(analysis: Analysis, class_name: str) -> pd.DataFrame:
    """One row per analysed image, over all its pixels or, if a class is named, over the pixels of that class.

    Raises:
        CheckpointError: the table is missing or cannot be read.
    """
    if not class_name:
        return load_table(analysis, "images")
    classes = load_table(analysis, "image_classes")
    return classes.loc[classes["class_name"] == class_name]


def load_thumbnail(analysis: Analysis, name: str) -> bytes | None:
    """A thumbnail of the image beside its hardness map, as WebP; None if the analysis has none.

    Raises:
        DatasetError: a thumbnail file cannot be read.
    """
    paths = tuple(analysis.thumbnail_path(part) for part in (name, f"{name}.hardness"))
    return _cached_thumbnail(paths, tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths))


def _open_data(analysis: Analysis) -> SegmentationData:
    """The data set of an analysis; imported maps are measured on the images in their run."""
    if analysis.record.imported is not None:
        return ImportedData(open_run(analysis.path.parents[1]))
    return open_dataset(analysis.record)


def _find_root(record: AnalysisRecord) -> Path:
    """The first existing folder among those that may hold the data set."""
    further = [Path(folder) / record.dataset for folder in os.environ.get(DATA_FOLDERS, "").split(os.pathsep) if folder]
    places = [*([] if record.root is None else [record.root]), *further]
    for place in places:
        if place.is_dir():
            return place
    searched = f"; looked for {', '.join(map(str, places))}" if places else ""
    raise DatasetError(
        f"the images of {record.dataset} were not found{searched}. Set {DATA_FOLDERS} to the folder that contains "
        f"'{record.dataset}' and restart the app"
    )


def _make_key(analysis: Analysis) -> tuple[str, str]:
    """Cache key of an analysed data set: the analysis record and the folders that are searched."""
    return analysis.record.model_dump_json(), os.environ.get(DATA_FOLDERS, "")


# Streamlit builds the cache keys below from all arguments whose names do not start with an underscore.


@st.cache_resource(max_entries=4, show_spinner="Looking for the data set …")
def _cached_dataset(_analysis: Analysis, record: str, places: str) -> SegmentationData:
    return _open_data(_analysis)


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
