"""What the viewers of the pages Stability and Memorise show."""

import pandas as pd

from app import cache, definitions, scenes
from app.cache import packed, stability
from app.cache.memorise import KEPT, Memorised
from app.cache.stability import PICTURE, Series
from app.samples import Picture
from app.viewer.planes import Plane
from app.viewer.scene import EVERY_STEP, Layer, Panel, Scene, Step
from hlcore.figures.stability import format_snapshot
from hlcore.figures.style import ScaleName

GROUP = "stability"
HIGHEST_VARIATION = 2.0
_PACKED_VARIATION = 16.0
"""Above the highest there is over 256 kept epochs: sqrt(255)."""
VARIATION_SCALE: ScaleName = "cividis"


def of_snapshots(series: Series) -> Scene:
    """Hardness and, where there are labels, loss of one image at the snapshot that is chosen."""
    planes = stability.planes(series)
    by_name = {
        name: {s: of_snapshot[name] for s, of_snapshot in planes.items()} for name in next(iter(planes.values()))
    }
    layers = [scenes.image_layer(series.picture), scenes.hardness_layer(by_name["hardness"])]
    layers += [scenes.loss_layer(by_name["loss"])] if "loss" in by_name else []
    steps = tuple(Step(name, _step_title(name)) for name in series.snapshots)
    return _scene(series, layers, [layer.name for layer in layers[1:]], steps)


def of_variation(series: Series, *, scaled: bool, c: float) -> Scene:
    """Coefficient of variation of each pixel of one image over the kept epochs, of both maps."""
    names = ("Hardness weight", "Loss over its sum") if scaled else ("Hardness", "Loss")
    layers = [scenes.image_layer(series.picture)]
    for name, values in zip(names, stability.variation(series, scaled=scaled, c=c), strict=True):
        if values is not None:
            plane = packed.value_plane(name, f"variation:{series.identity}:{c}", values, low=0, high=_PACKED_VARIATION)
            layers.append(
                Layer(
                    name,
                    "values",
                    {EVERY_STEP: plane},
                    scale=VARIATION_SCALE,
                    high=HIGHEST_VARIATION,
                    digits=2,
                    definition=definitions.link("Variation"),
                )
            )
    return _scene(series, layers, [layer.name for layer in layers[1:]], ())


def controls(scene: Scene) -> Scene:
    """The tools for several scenes beside each other, made from the first of them."""
    return Scene(scene.size, scene.layers, (), steps=scene.steps, step=scene.step, group=GROUP)


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
        planes["hardness"][str(step)] = packed.value_plane("hardness", identity, hardness_map, low=0, high=1)
        if loss_map is not None:
            high = cache.LARGEST_LOSS_NATS
            planes["loss"][str(step)] = packed.value_plane("loss", identity, loss_map, low=0, high=high)
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
            scenes.image_layer(picture),
            scenes.hardness_layer(planes["hardness"]),
            scenes.loss_layer(planes["loss"]),
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


def _step_title(snapshot: str) -> str:
    text = format_snapshot(snapshot)
    return text if text.startswith("#") else f"epoch {text}"


def _scene(series: Series, layers: list[Layer], names: list[str], steps: tuple[Step, ...]) -> Scene:
    """Above each other where several images stand beside each other, else side by side."""
    alone = series.split == PICTURE
    return Scene(
        series.picture.size,
        tuple(layers),
        tuple(Panel(name) for name in names),
        steps=steps,
        step="snapshot",
        columns=2 if alone else 1,
        narrow_columns=2,
        controls=False,
        group=GROUP,
        caption=series.title,
        height_vh=48 if alone else 26 * len(names),
    )
