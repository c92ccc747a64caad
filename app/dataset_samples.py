"""The data set of an analysis, found again where it lies."""

import os
from pathlib import Path

from hlcore.config import DataConfig
from hlcore.data.catalog import STREETS, open_data
from hlcore.data.samples import SegmentationData
from hlcore.errors import DatasetError
from hlcore.storage.analyses import AnalysisRecord

PLACES = "HLCORE_DATA"
"""Environment variable: folders, separated like $PATH, that hold data sets by their names."""

_MOST_SCENES = 10_000
"""Their names have four digits; how many there are changes none of them."""


def open_analysed(record: AnalysisRecord) -> SegmentationData:
    """The split an analysis was made of: drawn again, or read from its folder or one of its name in $HLCORE_DATA.

    Raises:
        DatasetError: it lies in none of them, or what lies there is not complete or has other classes.
    """
    if record.dataset == STREETS:
        size = record.scene_size or DataConfig().scene_size
        return open_data(STREETS, split=record.split, count=_MOST_SCENES, size=size)
    root = _root(record)
    data = open_data(record.dataset, root=root, split=record.split)
    if data.classes.names != record.class_names:
        raise DatasetError(
            f"{root} has the classes {', '.join(data.classes.names)}, but the analysis scored "
            f"{', '.join(record.class_names)}; run `hlcore analyze` again on this folder"
        )
    return data


def _root(record: AnalysisRecord) -> Path:
    """The first folder there is among those where a data set may lie."""
    further = [Path(folder) / record.dataset for folder in os.environ.get(PLACES, "").split(os.pathsep) if folder]
    places = [*([] if record.root is None else [record.root]), *further]
    for place in places:
        if place.is_dir():
            return place
    looked = f"; looked for {', '.join(map(str, places))}" if places else ""
    raise DatasetError(
        f"the images of {record.dataset} are not at hand{looked}. Set {PLACES} to the folder that holds "
        f"'{record.dataset}' and start the app again"
    )
