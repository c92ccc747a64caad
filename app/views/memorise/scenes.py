"""What the viewer of the Memorise page shows: both maps after each kept step."""

import pandas as pd

from app.components import layers as map_layers
from app.loading import planes as plane_loading
from app.loading import predictions as prediction_loading
from app.loading.memorise import KEPT, Memorised
from app.loading.pictures import Picture
from app.viewer.planes import Plane
from app.viewer.scene import Panel, Scene, Step


def memorised(picture: Picture, learned: Memorised, table: pd.DataFrame, *, caption: str, quiet: bool) -> Scene:
    """Hardness maps after each kept step in a row, the loss maps below; a step still to come keeps its place.

    `table` is memorise.numbers; how the maps stand to the first ones stands beside the panels.
    """
    notes = {
        (row["map"], row["step"]): f"{row['relative_level']:.0%}, IoU {row['top10_iou']:.2f}"
        for _, row in table.iterrows()
    }
    planes: dict[str, dict[str, Plane]] = {"hardness": {}, "loss": {}}
    for step, (hardness_map, loss_map) in learned.maps.items():
        identity = f"{learned.identity}:memorised:{step}"
        planes["hardness"][str(step)] = plane_loading.value_plane("hardness", identity, hardness_map, low=0, high=1)
        if loss_map is not None:
            high = prediction_loading.LARGEST_LOSS_NATS
            planes["loss"][str(step)] = plane_loading.value_plane("loss", identity, loss_map, low=0, high=high)
    panels = [
        Panel(name.capitalize(), str(step), f"{name.capitalize()} #{step}", notes.get((name, step), ""))
        if str(step) in planes[name]
        else Panel("")
        for name in planes
        for step in KEPT
    ]
    return Scene(
        picture.size,
        (
            map_layers.image_layer(picture),
            map_layers.hardness_layer(planes["hardness"]),
            map_layers.loss_layer(planes["loss"]),
        ),
        tuple(panels),
        steps=tuple(Step(str(step), f"#{step}") for step in learned.maps),
        step="step",
        columns=len(KEPT),
        narrow_columns=2,
        quiet=quiet,
        caption=caption,
        height_vh=50,
    )
