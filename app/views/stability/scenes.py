"""Scenes of the Stability page: maps at one snapshot, and their variation over the epochs."""

from app.components import definitions
from app.components.layers import make_hardness_layer, make_image_layer, make_loss_layer
from app.components.words import find_score, say_plainly
from app.loading.planes import load_value_plane
from app.loading.stability import PICTURE, Series, load_series_planes, load_variation
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene, Step
from hlcore.figures.stability import format_snapshot
from hlcore.figures.style import ScaleName

GROUP = "stability"
MAX_VARIATION = 2.0
_PACKED_VARIATION = 16.0
"""Above the largest possible value for 256 kept epochs, sqrt(255)."""
VARIATION_SCALE: ScaleName = "cividis"


def make_snapshot_scene(series: Series) -> Scene:
    """Hardness and, with labels, loss of one image at the selected snapshot."""
    planes = load_series_planes(series)
    by_name = {
        name: {s: of_snapshot[name] for s, of_snapshot in planes.items()} for name in next(iter(planes.values()))
    }
    layers = [make_image_layer(series.picture), make_hardness_layer(by_name["hardness"])]
    layers += [make_loss_layer(by_name["loss"])] if "loss" in by_name else []
    steps = tuple(Step(name, _format_step(name)) for name in series.snapshots)
    return _make_scene(series, layers, [layer.name for layer in layers[1:]], steps)


def make_variation_scene(series: Series, *, scaled: bool, c: float) -> Scene:
    """Coefficient of variation of each pixel of one image over the kept epochs, for both maps."""
    names = ("Hardness weight", "Loss divided by its sum") if scaled else (say_plainly("Hardness"), "Loss")
    if scaled and find_score() is not None:
        names = (say_plainly("Hardness scaled to sum 1"), names[1])
    layers = [make_image_layer(series.picture)]
    for name, values in zip(names, load_variation(series, scaled=scaled, c=c), strict=True):
        if values is not None:
            plane = load_value_plane(name, f"variation:{series.identity}:{c}", values, low=0, high=_PACKED_VARIATION)
            layers.append(
                Layer(
                    name,
                    "values",
                    {ALL_STEPS: plane},
                    scale=VARIATION_SCALE,
                    high=MAX_VARIATION,
                    digits=2,
                    definition=definitions.make_link("Variation"),
                )
            )
    return _make_scene(series, layers, [layer.name for layer in layers[1:]], ())


def make_tools_scene(scene: Scene) -> Scene:
    """The tools for several scenes side by side, made from the first."""
    return Scene(scene.size, scene.layers, (), steps=scene.steps, step=scene.step, group=GROUP)


def _format_step(snapshot: str) -> str:
    text = format_snapshot(snapshot)
    return text if text.startswith("#") else f"epoch {text}"


def _make_scene(series: Series, layers: list[Layer], names: list[str], steps: tuple[Step, ...]) -> Scene:
    """A scene with its panels side by side for a single image, otherwise above each other."""
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
