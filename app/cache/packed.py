"""Caches of planes: the maps of a picture packed for the viewer."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from jaxtyping import Float32

from app import cache
from app.samples import Picture
from app.viewer import planes as planes_of
from app.viewer.planes import Plane
from hlcore.analysis.components import label_components
from hlcore.storage.runs import Run
from hlcore.types import Image, LabelMap


def planes(run: Run, epoch: int, picture: Picture) -> Mapping[str, Plane]:
    """The maps of an epoch packed for the viewer: hardness, prediction, entropy and, with labels, loss; else objects.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    return _epoch_planes(cache.identity(run, epoch, picture), run, epoch, picture)


def highest_entropy(run: Run) -> float:
    """Entropy of classes that are all alike, nats."""
    return float(np.log(max(2, len(run.record.class_names))))


def image_plane(picture: Picture) -> Plane:
    """The picture, packed for the viewer."""
    return rgb_plane(picture.digest, picture.sample.image)


def rgb_plane(identity: str, image: Image) -> Plane:
    """An image, packed for the viewer."""
    return _plane("rgb", "image", identity, image)


def label_plane(picture: Picture) -> Plane:
    """The label map of a picture, packed for the viewer."""
    return class_plane("label", picture.digest, _labels_of(picture))


def object_plane(picture: Picture) -> Plane:
    """The objects of a picture's label map, packed for the viewer."""
    return _plane("objects", "objects", picture.digest, _labels_of(picture))


def number_plane(name: str, identity: str, numbers: np.ndarray) -> Plane:
    """Numbers of parts of a picture, 0 for none, packed for the viewer."""
    return _plane("number", name, identity, numbers)


def class_plane(name: str, identity: str, label_map: LabelMap) -> Plane:
    """A label map, a prediction or an error map, packed for the viewer."""
    return _plane("u8", name, identity, label_map)


def value_plane(name: str, identity: str, values: Float32[np.ndarray, "H W"], *, low: float, high: float) -> Plane:
    """A map of numbers, packed for the viewer."""
    return _plane("u16", name, identity, values, low, high)


@st.cache_resource(max_entries=96, show_spinner=False)
def _epoch_planes(identity: str, _run: Run, _epoch: int, _picture: Picture) -> Mapping[str, Plane]:
    of = cache.maps(_run, _epoch, _picture)
    entropy = cache.record(_run, _epoch, _picture).entropy
    packed = {
        "hardness": planes_of.value_plane(of.hardness_map, low=0, high=1),
        "prediction": planes_of.class_plane(of.prediction),
        "entropy": planes_of.value_plane(entropy, low=0, high=highest_entropy(_run)),
    }
    if of.loss_map is None:
        return packed | {"objects": planes_of.number_plane(label_components(of.prediction))}
    return packed | {"loss": planes_of.value_plane(of.loss_map, low=0, high=cache.LARGEST_LOSS_NATS)}


@st.cache_resource(max_entries=64, show_spinner=False)
def _plane(kind: str, name: str, identity: str, _values: np.ndarray, low: float = 0.0, high: float = 1.0) -> Plane:
    if kind == "rgb":
        return planes_of.image_plane(_values)
    if kind == "u8":
        return planes_of.class_plane(_values)
    if kind == "number":
        return planes_of.number_plane(_values)
    if kind == "objects":
        return planes_of.number_plane(label_components(_values))
    return planes_of.value_plane(_values, low=low, high=high)


def _labels_of(picture: Picture) -> LabelMap:
    assert picture.sample.label_map is not None
    return picture.sample.label_map
