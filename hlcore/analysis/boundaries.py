"""Edges of label maps, predictions and images, and the distance of each pixel to them."""

from typing import Literal, get_args

import edt
import numpy as np
from jaxtyping import Bool, Float32, Integer
from scipy.ndimage import distance_transform_edt
from skimage.color import rgb2gray
from skimage.feature import canny

from hlcore.types import IGNORE_INDEX, Image, LabelMap, PredictionRecord, kept_with_record

EdgeSource = Literal["label", "prediction", "gradient"]
"""Edges between labelled classes, between predicted classes, or of the image's brightness (needs no label)."""

EDGE_PX = 2.0
"""Pixels up to this far from the nearest boundary pixel are edge pixels; all others are interior."""


def boundary(label_map: LabelMap, *, ignore_index: int = IGNORE_INDEX) -> Bool[np.ndarray, "H W"]:
    """Where a pixel has a 4-neighbour of another class; ignored pixels make no boundary and have none.

    Example:
        >>> boundary(np.array([[0, 0, 1, 255, 2]])).astype(int)
        array([[0, 1, 1, 0, 0]])
    """
    edge = np.zeros(label_map.shape, bool)
    for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
        differs = (label_map[a] != label_map[b]) & (label_map[a] != ignore_index) & (label_map[b] != ignore_index)
        edge[a] |= differs
        edge[b] |= differs
    return edge


def boundary_distance(label_map: LabelMap, *, ignore_index: int = IGNORE_INDEX) -> Float32[np.ndarray, "H W"]:
    """Distance of each pixel to the nearest boundary pixel, exact Euclidean, in pixels.

    A boundary pixel has distance 0, an ignored pixel none (NaN). Without any boundary every distance is infinite.

    Example:
        >>> boundary_distance(np.array([[0, 0, 0, 1, 1, 255]]))
        array([[ 2.,  1.,  0.,  0.,  1., nan]], dtype=float32)

    Source: Csurka et al., BMVC 2013 (trimap evaluation).
    """
    distance = distance_to(boundary(label_map, ignore_index=ignore_index))
    distance[label_map == ignore_index] = np.nan
    return distance


def gradient_edges(image: Image) -> Bool[np.ndarray, "H W"]:
    """Edges of the image's brightness.

    Source: Canny 1986, as in scikit-image, after a Gaussian of 2 px.
    """
    return canny(rgb2gray(image), sigma=2.0)


def distance_to(edge: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
    """Distance of each pixel to the nearest true pixel, exact Euclidean, in pixels; infinite if none is true."""
    if not edge.any():
        return np.full(edge.shape, np.inf, np.float32)
    return edt.edt(~edge)


def nearest_edge(
    edge: Bool[np.ndarray, "H W"],
) -> tuple[Float32[np.ndarray, "H W"], Integer[np.ndarray, "H W"]]:
    """`distance_to`, and the nearest true pixel as its index into the ravelled map; -1 if none is true.

    Ties are broken deterministically, but by no particular rule.

    Example:
        >>> distance, index = nearest_edge(np.array([[False, False, True, False]]))
        >>> distance.tolist(), index.tolist()
        ([[2.0, 1.0, 0.0, 1.0]], [[2, 2, 2, 2]])
    """
    if not edge.any():
        return distance_to(edge), np.full(edge.shape, -1)
    row, column = np.asarray(distance_transform_edt(~edge, return_distances=False, return_indices=True))
    y, x = np.ogrid[: edge.shape[0], : edge.shape[1]]
    down, across = (row - y).astype(np.float32), (column - x).astype(np.float32)
    return np.sqrt(down * down + across * across), row * edge.shape[1] + column


def edge_map(record: PredictionRecord, source: EdgeSource) -> Bool[np.ndarray, "H W"]:
    """The edges of a record from one source.

    Raises:
        InvalidInputError: the source is the label map and the record has none.
    """
    if source == "label":
        return boundary(record.labels)
    if source == "prediction":
        return boundary(record.prediction, ignore_index=-1)
    return gradient_edges(record.image)


def edge_sources(record: PredictionRecord) -> tuple[EdgeSource, ...]:
    """The edge sources of a record: the image, and label map and prediction if it has them."""
    has = {"label": record.label_map is not None, "prediction": record.has_prediction, "gradient": True}
    return tuple(source for source in get_args(EdgeSource) if has[source])


@kept_with_record
def edge_distance(record: PredictionRecord, source: EdgeSource) -> Float32[np.ndarray, "H W"]:
    """Distance of each pixel of a record to the nearest edge from one source, in pixels.

    With the label map as source, ignored pixels are NaN.

    Raises:
        InvalidInputError: the source is the label map and the record has none.
    """
    if source == "gradient":  # nobody asks which of these edges is the nearest
        return distance_to(edge_map(record, source))
    distance, _ = nearest_edge_of(record, source)
    return np.where(record.valid, distance, np.float32(np.nan)) if source == "label" else distance


@kept_with_record
def nearest_edge_of(
    record: PredictionRecord, source: EdgeSource
) -> tuple[Float32[np.ndarray, "H W"], Integer[np.ndarray, "H W"]]:
    """`nearest_edge` for the edges of a record from one source.

    Raises:
        InvalidInputError: the source is the label map and the record has none.
    """
    return nearest_edge(edge_map(record, source))
