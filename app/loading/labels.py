"""Label suspects, cached: planted faults, the suspects of one picture, and the maps that show a suspect."""

from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from app.loading import dataset as dataset_loading
from app.loading.dataset import load_dataset_picture
from app.loading.pictures import Picture
from app.loading.predictions import load_maps, load_prediction
from hlcore.analysis.label_faults import PlantedFaults, plant_faults
from hlcore.analysis.label_suspicion import find_disagreements, find_suspects, match_faults
from hlcore.analysis.merging import ClassMerge, check_mapping, merge_classes, merge_labels
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import HardnessMap, Image, LabelMap, LossMap

MAX_FAULTS = 6
"""Faults planted into one picture."""


@dataclass(frozen=True)
class Evidence:
    """The maps that show a suspect, in the classes it was found in.

    Attributes:
        identity: Changes with the network, the image and the labels.
        image: H W 3.
        label_map: H W, 255 = ignored.
        prediction: H W.
        loss_map: H W nats.
        hardness_map: H W in (0, 1).
    """

    identity: str
    image: Image
    label_map: LabelMap
    prediction: LabelMap
    loss_map: LossMap
    hardness_map: HardnessMap


def load_planted_picture(run: Run, picture: Picture, label_map: LabelMap, seed: int) -> tuple[Picture, PlantedFaults]:
    """The picture with faults planted into its label map, and the faults."""
    faults = _cached_faults(picture.digest, label_map, len(run.record.class_names), seed)
    return replace(picture, sample=replace(picture.sample, label_map=faults.label_map)), faults


def load_suspects(run: Run, epoch: int, picture: Picture, faults: PlantedFaults | None) -> pd.DataFrame:
    """The suspects of a labelled picture; with planted faults, column `fault` has the number of its fault."""
    maps = load_maps(run, epoch, picture)
    found = _cached_suspects(maps.identity, run, epoch, picture)
    if faults is None:
        return found
    shown = match_faults(find_disagreements(faults.label_map, maps.prediction), faults)
    return found.assign(fault=shown[found["region"] - 1])


def load_evidence(run: Run, epoch: int, picture: Picture) -> Evidence:
    """The maps of a labelled picture."""
    maps, label_map = load_maps(run, epoch, picture), picture.sample.label_map
    assert label_map is not None  # only labelled pictures have suspects
    assert maps.loss_map is not None
    return Evidence(maps.identity, picture.sample.image, label_map, maps.prediction, maps.loss_map, maps.hardness_map)


def load_dataset_evidence(run: Run, analysis: Analysis, name: str) -> Evidence:
    """The maps of an image of an analysed data set, in the classes of the analysis.

    Raises:
        DatasetError: the data set was not found, has no such image, or cannot be read.
    """
    picture, about = load_dataset_picture(analysis, name), analysis.record
    if about.merged is None:
        return load_evidence(run, about.epoch, picture)
    identity = f"{load_maps(run, about.epoch, picture).identity}:{analysis.path}:{about.created}"
    return _cached_merged_evidence(identity, run, analysis, picture)


@st.cache_data(max_entries=32, show_spinner=False)
def _cached_faults(digest: str, _label_map: LabelMap, num_classes: int, seed: int) -> PlantedFaults:
    return plant_faults(_label_map, num_classes=num_classes, seed=seed, count=MAX_FAULTS)


@st.cache_data(max_entries=32, show_spinner=False)
def _cached_suspects(identity: str, _run: Run, _epoch: int, _picture: Picture) -> pd.DataFrame:
    return find_suspects(load_prediction(_run, _epoch, _picture))


@st.cache_resource(max_entries=16, show_spinner=False)
def _cached_merged_evidence(identity: str, _run: Run, _analysis: Analysis, _picture: Picture) -> Evidence:
    about, name = _analysis.record, _picture.sample.name
    data = dataset_loading.open_dataset(about)
    merged = about.merged or {}
    merged_labels = {name: name for name in about.class_names} if about.merged_labels is None else about.merged_labels
    names = {"run_names": _run.record.class_names, "data_names": data.classes.names}
    check_mapping(merged, merged_labels, **names, ignore=(*about.ignored_classes, *about.ignored_labels))
    merge = ClassMerge.from_names(merged, merged_labels, **names, names=about.class_names)
    label_map = data[data.names.index(name)].label_map
    assert label_map is not None  # all images of an analysis are labelled
    record = merge_classes(load_prediction(_run, about.epoch, _picture), merge)
    record = record.with_label_map(merge_labels(label_map, merge))
    return Evidence(
        f"{identity}:merged", record.image, record.labels, record.prediction, record.loss_map, record.hardness_map
    )
