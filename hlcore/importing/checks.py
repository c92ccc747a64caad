"""Read the maps of a source, checked: each array fits its image, or one sentence says why not."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from hlcore.data.images import read_image
from hlcore.data.images.decoding import check_label_size, describe_turn
from hlcore.data.labels import ClassTable
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.importing.folder import Files
from hlcore.importing.source import Arrays, MapSource
from hlcore.storage.files import check_name
from hlcore.types import IGNORE_INDEX, LabelMap

LONGEST_NAME = 200
"""Bytes of a file's name; file systems allow 255."""


class ClassMaps(NamedTuple):
    """The class maps of an image at a step."""

    label_map: LabelMap | None
    prediction: LabelMap | None


def read_all(
    source: MapSource, classes: ClassTable, white_level: float | None
) -> Iterator[tuple[str, int, ClassMaps, dict[str, Float32[np.ndarray, "H W"]]]]:
    """Everything, checked: name of the image, step from 1, class maps, and scores by name.

    Raises:
        DatasetError: an array is missing, or does not fit its image.
        InvalidInputError: an image has an unusable name.
    """
    for name, image in source.images.items():
        _check_image_name(name)
        pixels = read_image(Path(image), white_level=white_level) if is_file(image) else np.asarray(image)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise DatasetError(f"the image {name} must be H W 3 uint8, got {pixels.dtype} {pixels.shape}")
        size = pixels.shape[:2]
        label_map = _read_classes(source.labels, name, size, classes, "label map") if source.labels else None
        for epoch, (step, by_score) in enumerate(source.scores.items(), start=1):
            of_step = source.predictions.get(step)
            prediction = None if of_step is None else _read_classes(of_step, name, size, classes, "prediction")
            scores = {score: _read_score(maps, name, score, size) for score, maps in by_score.items()}
            yield name, epoch, ClassMaps(label_map, prediction), scores


def is_file(image: object) -> bool:
    """Whether an image is given as the path of a file."""
    return isinstance(image, str | Path)


def _check_image_name(name: object) -> None:
    if not isinstance(name, str):
        raise InvalidInputError(f"the name of an image must be a text, got {name!r}")
    try:
        check_name(name)
    except ValueError as error:
        raise InvalidInputError(f"an image cannot have the name {name[:60]!r}: {error}") from error
    if any(len(part.encode()) > LONGEST_NAME for part in Path(name).parts):
        raise InvalidInputError(f"the name of the image {name[:60]!r} ... is longer than {LONGEST_NAME} bytes")


def _read_score(maps: Arrays, name: str, score: str, size: tuple[int, int]) -> Float32[np.ndarray, "H W"]:
    """A score of an image, with the size of the image and a number everywhere."""
    values, what = read_array(maps, name, score), _name_file(maps, name, f"{score} of {name}")
    if values.dtype.kind not in "biuf" or isinstance(values, np.ma.MaskedArray):
        held = "a masked array" if isinstance(values, np.ma.MaskedArray) else values.dtype
        raise DatasetError(f"{what} must hold one real number per pixel, got {held}")
    if values.shape != size:
        if values.ndim != 2:
            raise DatasetError(f"{what} must have the shape (height, width), got {values.shape}")
        raise DatasetError(
            f"{what} is {values.shape[1]} x {values.shape[0]} px, but its image is {size[1]} x {size[0]} px; resize it "
            f"to the size of the image{describe_turn(values.shape, size)}"
        )
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise DatasetError(f"{what} has pixels that are not finite, or too large; give every pixel a number")
    return single


def _read_classes(maps: Arrays, name: str, size: tuple[int, int], classes: ClassTable, kind: str) -> LabelMap:
    """A label map or prediction of an image, as uint8."""
    class_map, what = read_array(maps, name, f"{kind}s"), _name_file(maps, name, f"the {kind} of {name}")
    check_label_size(class_map.shape[:2], size, name=what)
    if class_map.dtype.kind not in "iu" or class_map.ndim != 2:
        raise DatasetError(f"{what} must hold one whole number per pixel, got {class_map.dtype} {class_map.shape}")
    used = class_map[class_map != IGNORE_INDEX]
    if kind == "prediction" and used.size < class_map.size:
        unknown = class_map.size - used.size
        raise DatasetError(f"{what} has {unknown} pixels without a class (255); a prediction needs one everywhere")
    count = len(classes.names)
    if used.size and not 0 <= used.min() <= used.max() < count:
        raise DatasetError(
            f"{what} has class indices {used.min()} to {used.max()}, but the number of classes is {count}; 255 is "
            "ignored"
        )
    return class_map.astype(np.uint8)


def read_array(maps: Arrays, name: str, what: str) -> np.ndarray:
    """The array of an image.

    Raises:
        DatasetError: there is none.
    """
    try:
        return np.asanyarray(maps[name])  # once: a mapping may read a file, also when it is asked whether it has a name
    except KeyError as error:
        raise DatasetError(f"{what} has nothing for the image {name}") from error
    except ValueError as error:
        raise DatasetError(f"{what} of {name} is no array: {error}") from error


def _name_file(maps: Arrays, name: str, otherwise: str) -> str:
    return str(maps.paths[name]) if isinstance(maps, Files) else otherwise
