"""Maps of a picture packed for the viewer, cached."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from jaxtyping import Float32

from app.loading.pictures import Picture
from app.loading.predictions import MAX_LOSS_NATS, identify_prediction, load_maps
from app.viewer import planes as packing
from app.viewer.planes import Plane
from hlcore.analysis.components import label_components
from hlcore.storage.maps import ImportedScore
from hlcore.storage.runs import Run
from hlcore.types import Image, LabelMap

SCORE = "score: "
"""Before the title of a further imported score."""


def load_planes(run: Run, epoch: int, picture: Picture) -> Mapping[str, Plane]:
    """Hardness, prediction and entropy of one epoch, packed; also the loss if labelled, otherwise the objects.

    With an error model also the suspicion of error. Imported maps have the hardness, their further scores by their
    titles after SCORE, and a prediction if there is one.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        InvalidInputError: the network has no hardness branch.
    """
    return _cached_planes(identify_prediction(run, epoch, picture), run, epoch, picture)


def compute_highest_entropy(run: Run) -> float:
    """Entropy of a uniform distribution over the classes, in nats."""
    return float(np.log(max(2, len(run.record.class_names))))


def load_image_plane(picture: Picture) -> Plane:
    """The image of a picture, packed."""
    return load_rgb_plane(picture.digest, picture.sample.image)


def load_rgb_plane(identity: str, image: Image) -> Plane:
    """An image, packed."""
    return _cached_plane("rgb", "image", identity, image)


def load_label_plane(picture: Picture) -> Plane:
    """The label map of a picture, packed."""
    return load_class_plane("label", picture.digest, _get_label_map(picture))


def load_object_plane(picture: Picture) -> Plane:
    """The objects of a picture's label map, packed."""
    return _cached_plane("objects", "objects", picture.digest, _get_label_map(picture))


def load_number_plane(name: str, identity: str, numbers: np.ndarray) -> Plane:
    """A map of object numbers, 0 for none, packed."""
    return _cached_plane("number", name, identity, numbers)


def load_class_plane(name: str, identity: str, label_map: LabelMap) -> Plane:
    """A map of class indices, packed."""
    return _cached_plane("u8", name, identity, label_map)


def load_value_plane(name: str, identity: str, values: Float32[np.ndarray, "H W"], *, low: float, high: float) -> Plane:
    """A map of values, packed."""
    return _cached_plane("u16", name, identity, values, low, high)


@st.cache_resource(max_entries=96, show_spinner=False)
def _cached_planes(identity: str, _run: Run, _epoch: int, _picture: Picture) -> Mapping[str, Plane]:
    of = load_maps(_run, _epoch, _picture)
    imported = _run.record.imported
    packed = {"hardness": _pack_score(of.hardness_map, imported and imported.score)}
    if of.has_prediction:
        packed["prediction"] = packing.pack_classes(of.prediction)
    if of.entropy is not None:
        packed["entropy"] = packing.pack_values(of.entropy, low=0, high=compute_highest_entropy(_run))
    for score in imported.further if imported is not None else ():
        packed[SCORE + score.title] = _pack_score(of.scores[score.title], score)
    if of.error_suspicion is not None:
        packed["error_suspicion"] = packing.pack_values(of.error_suspicion, low=0, high=1)
    if of.loss_map is not None:
        packed["loss"] = packing.pack_values(of.loss_map, low=0, high=MAX_LOSS_NATS)
    if _picture.sample.label_map is None and of.has_prediction:
        packed["objects"] = packing.pack_numbers(label_components(of.prediction))
    return packed


def _pack_score(values: Float32[np.ndarray, "H W"], score: ImportedScore | None) -> Plane:
    """Hardness, or an imported score in its own unit."""
    if score is None:
        return packing.pack_values(values, low=0, high=1)
    low, high = score.shown_range
    return packing.pack_values(score.restore(values).astype(np.float32), low=low, high=high)


@st.cache_resource(max_entries=64, show_spinner=False)
def _cached_plane(
    kind: str, name: str, identity: str, _values: np.ndarray, low: float = 0.0, high: float = 1.0
) -> Plane:
    if kind == "rgb":
        return packing.pack_image(_values)
    if kind == "u8":
        return packing.pack_classes(_values)
    if kind == "number":
        return packing.pack_numbers(_values)
    if kind == "objects":
        return packing.pack_numbers(label_components(_values))
    return packing.pack_values(_values, low=low, high=high)


def _get_label_map(picture: Picture) -> LabelMap:
    assert picture.sample.label_map is not None
    return picture.sample.label_map
