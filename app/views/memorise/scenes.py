"""Scene of the Memorise page: hardness and loss after each kept step."""

import pandas as pd

from app.components.layers import make_hardness_layer, make_image_layer, make_loss_layer
from app.loading.memorise import KEPT_STEPS, Progress
from app.loading.pictures import Picture
from app.loading.planes import load_value_plane
from app.loading.predictions import MAX_LOSS_NATS
from app.viewer.planes import Plane
from app.viewer.scene import Panel, Scene, Step


def make_scene(picture: Picture, progress: Progress, table: pd.DataFrame, *, caption: str, quiet: bool) -> Scene:
    """A row of hardness maps after each kept step, with the loss maps below; steps to come leave an empty panel.

    `table` is the result of `measure_progress`, from which the notes beside the panel titles come.
    """
    notes = {
        (row["map"], row["step"]): f"{row['relative_level']:.0%}, IoU {row['top10_iou']:.2f}"
        for _, row in table.iterrows()
    }
    planes: dict[str, dict[str, Plane]] = {"hardness": {}, "loss": {}}
    for step, (hardness_map, loss_map) in progress.maps.items():
        identity = f"{progress.identity}:memorised:{step}"
        planes["hardness"][str(step)] = load_value_plane("hardness", identity, hardness_map, low=0, high=1)
        if loss_map is not None:
            high = MAX_LOSS_NATS
            planes["loss"][str(step)] = load_value_plane("loss", identity, loss_map, low=0, high=high)
    panels = [
        Panel(name.capitalize(), str(step), f"{name.capitalize()} #{step}", notes.get((name, step), ""))
        if str(step) in planes[name]
        else Panel("")
        for name in planes
        for step in KEPT_STEPS
    ]
    return Scene(
        picture.size,
        (
            make_image_layer(picture),
            make_hardness_layer(planes["hardness"]),
            make_loss_layer(planes["loss"]),
        ),
        tuple(panels),
        steps=tuple(Step(str(step), f"#{step}") for step in progress.maps),
        step="step",
        columns=len(KEPT_STEPS),
        narrow_columns=2,
        quiet=quiet,
        caption=caption,
        height_vh=50,
    )
