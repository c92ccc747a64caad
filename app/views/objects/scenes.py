"""Scene of the Objects page: the selected object outlined on its image."""

from collections.abc import Hashable, Mapping
from typing import Any, TypeAlias

from app.components.layers import make_caption, make_layers_of_epoch
from app.components.words import say_plainly
from app.loading.pictures import Picture
from app.viewer.scene import Panel, Scene
from hlcore.storage.runs import Run

Row: TypeAlias = Mapping[Hashable, Any]
"""A row of the table of objects."""


def make_scene(run: Run, row: Row, picture: Picture, *, epoch: int, labelled: bool) -> Scene:
    """The image and its hardness around an object; clicking another object selects it.

    Args:
        run: The run whose network predicts.
        row: The object.
        picture: Its image; without labels, objects of a label map cannot be outlined.
        epoch: The epoch of the run.
        labelled: Whether the objects come from the label map, otherwise from the prediction.
    """
    known = labelled == (picture.sample.label_map is not None)
    return Scene(
        picture.size,
        tuple(layer for layer in make_layers_of_epoch(run, picture, epoch) if known or layer.kind != "objects"),
        (
            Panel("Image", title=f"{row['image']}, object {row['object']}", note=row["class_name"]),
            Panel(say_plainly("Hardness")),
        ),
        columns=2,
        narrow_columns=2,
        private=True,
        frame=(row["left"], row["top"], row["right"], row["bottom"]),
        selected=row["object"] if known else None,
        objects_of=f"{row['image']}#",
        caption=f"{make_caption(run, picture)}, object {row['object']}",
        height_vh=40,
    )
