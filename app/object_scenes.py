"""What the viewer shows of one object: where it lies on its image, and a close-up."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool

from app import cache, scenes
from app.cache import Maps
from app.samples import Picture
from app.scenes import Look
from app.viewer import Panel, Readout, Scene
from app.viewer.planes import Plane, class_plane, image_plane, value_plane
from hlcore.analysis.components import components, outline
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.types import LabelMap

Row: TypeAlias = Mapping[Hashable, Any]
"""An object's row of the table of objects."""

LINE = (0, 229, 255, 255)
"""Colour of the outline, RGBA: unlike photographs and unlike the scales of hardness."""
LINE_SHARE = 1 / 320
"""Width of the outline as a share of the longer side of what is shown."""
CLOSE_UP = 2.5
"""Side of the close-up over the longer side of the object."""
SMALLEST_CLOSE_UP_PX = 64


def inside(row: Row, classes: LabelMap | None, *, size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """The pixels of an object; its bounding box where the map it is a part of is not at hand."""
    if classes is not None and classes.shape == size:
        objects = components(classes)
        return objects == row["object"]
    box = np.zeros(size, bool)
    box[row["top"] : row["bottom"], row["left"] : row["right"]] = True
    return box


def whole(row: Row, picture: Picture, of_object: Bool[np.ndarray, "H W"]) -> Scene:
    """The image with the object's outline."""
    return Scene(
        planes=(cache.image_plane(picture), _line(of_object)),
        panels=(_outlined(f"{row['image']}, object {row['object']}"),),
        columns=1,
        height_vh=40,
    )


def close_up(row: Row, picture: Picture, maps: Maps, of_object: Bool[np.ndarray, "H W"]) -> Scene:
    """The object's surroundings: image and hardness."""
    window = close_window(row, picture.size)
    look = Look(HARDNESS_SCALES[0], opacity=1.0, nats=4)
    planes: list[Plane] = [
        image_plane("image", picture.sample.image[window]),
        _line(of_object[window]),
        value_plane("hardness", maps.hardness_map[window], low=0, high=1),
        class_plane("prediction", maps.prediction[window]),
    ]
    return Scene(
        planes=tuple(planes),
        panels=(_outlined("Close-up", note=row["class_name"]), scenes.hardness_panel("Hardness", "hardness", look)),
        columns=2,
        narrow_columns=2,
        readouts=(Readout("hardness", "hardness"),),
        height_vh=26,
    )


def close_window(row: Row, size: tuple[int, int]) -> tuple[slice, slice]:
    """The square around an object that the close-up shows, as far as it lies within the image."""
    reach = max(row["bottom"] - row["top"], row["right"] - row["left"])
    side = max(SMALLEST_CLOSE_UP_PX, round(CLOSE_UP * reach))
    middle = ((row["top"] + row["bottom"]) // 2, (row["left"] + row["right"]) // 2)
    top, left = (max(0, min(at - side // 2, length - side)) for at, length in zip(middle, size, strict=True))
    return slice(top, top + side), slice(left, left + side)


def _outlined(title: str, note: str = "") -> Panel:
    colours = np.zeros((256, 4), np.uint8)
    colours[1] = LINE
    return Panel(title, note, base="image", layer="line", colours=colours)


def _line(of_object: Bool[np.ndarray, "H W"]) -> Plane:
    width_px = max(1, round(LINE_SHARE * max(of_object.shape)))
    return class_plane("line", outline(of_object, width_px=width_px).astype(np.uint8))
