"""What the viewers of the pages Stability and Memorise show."""

from app.components import definitions
from app.components import layers as map_layers
from app.loading import planes as plane_loading
from app.loading import stability as stability_loading
from app.loading.stability import PICTURE, Series
from app.viewer.scene import EVERY_STEP, Layer, Panel, Scene, Step
from hlcore.figures.stability import snapshot_text
from hlcore.figures.style import ScaleName

GROUP = "stability"
HIGHEST_VARIATION = 2.0
_PACKED_VARIATION = 16.0
"""Above the highest there is over 256 kept epochs: sqrt(255)."""
VARIATION_SCALE: ScaleName = "cividis"


def of_snapshots(series: Series) -> Scene:
    """Hardness and, where there are labels, loss of one image at the snapshot that is chosen."""
    planes = stability_loading.planes(series)
    by_name = {
        name: {s: of_snapshot[name] for s, of_snapshot in planes.items()} for name in next(iter(planes.values()))
    }
    layers = [map_layers.image_layer(series.picture), map_layers.hardness_layer(by_name["hardness"])]
    layers += [map_layers.loss_layer(by_name["loss"])] if "loss" in by_name else []
    steps = tuple(Step(name, _step_title(name)) for name in series.snapshots)
    return _scene(series, layers, [layer.name for layer in layers[1:]], steps)


def of_variation(series: Series, *, scaled: bool, c: float) -> Scene:
    """Coefficient of variation of each pixel of one image over the kept epochs, of both maps."""
    names = ("Hardness weight", "Loss over its sum") if scaled else ("Hardness", "Loss")
    layers = [map_layers.image_layer(series.picture)]
    for name, values in zip(names, stability_loading.variation(series, scaled=scaled, c=c), strict=True):
        if values is not None:
            plane = plane_loading.value_plane(
                name, f"variation:{series.identity}:{c}", values, low=0, high=_PACKED_VARIATION
            )
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


def controls_scene(scene: Scene) -> Scene:
    """The tools for several scenes beside each other, made from the first of them."""
    return Scene(scene.size, scene.layers, (), steps=scene.steps, step=scene.step, group=GROUP)


def _step_title(snapshot: str) -> str:
    text = snapshot_text(snapshot)
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
