"""Scenes of the Epochs page: two epochs with their difference, and every kept epoch."""

from app.components.layers import EpochPlanes, make_caption, make_layers, make_steps
from app.components.words import say_plainly
from app.loading.pictures import Picture
from app.viewer.scene import COMPARED_STEP, Panel, Scene
from hlcore.storage.runs import Run

STRIP_COLUMNS = 8


def has_loss(planes: EpochPlanes) -> bool:
    """Whether the loss is known: with labels and a network."""
    return "loss" in next(iter(planes.values()))


def make_comparison_scene(run: Run, picture: Picture, planes: EpochPlanes, *, group: str) -> Scene:
    """Hardness and, with labels, loss of two epochs and their difference; one panel each if only one epoch is kept."""
    names = [say_plainly("Hardness"), *(["Loss"] if has_loss(planes) else [])]
    several = len(run.epochs) > 1
    rows = [
        (Panel(name, COMPARED_STEP), Panel(name), Panel(f"{name} change")) if several else (Panel(name),)
        for name in names
    ]
    return Scene(
        picture.size,
        make_layers(run, picture, planes),
        tuple(panel for row in rows for panel in row),
        steps=make_steps(run),
        columns=3 if several else len(names),
        narrow_columns=1,
        group=group,
        caption=make_caption(run, picture),
    )


def make_strip_scene(run: Run, picture: Picture, planes: EpochPlanes, *, group: str) -> Scene:
    """Hardness of every epoch and, with labels, the loss below; linked to the other viewers of its group."""
    columns = min(STRIP_COLUMNS, len(run.epochs))
    rows = [run.epochs[start : start + columns] for start in range(0, len(run.epochs), columns)]
    names = [say_plainly("Hardness"), *(["Loss"] if has_loss(planes) else [])]
    panels: list[Panel] = []
    for row in rows:
        for name in names:
            panels += [Panel(name, str(epoch), title=f"{name} {run.name_epoch(epoch, short=True)}") for epoch in row]
            panels += [Panel("")] * (columns - len(row))
    return Scene(
        picture.size,
        make_layers(run, picture, planes),
        tuple(panels),
        steps=make_steps(run),
        columns=columns,
        narrow_columns=4,
        controls=False,
        group=group,
        caption=make_caption(run, picture),
        height_vh=22 * len(rows) * len(names),
    )
