"""Contents of a viewer: layers, the panels that show them, and the training steps to choose from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from app.viewer.planes import Plane
from hlcore.figures.style import HARDNESS_SCALES, MISSING, Colour, ScaleName, colour_scale

ALL_STEPS = ""
"""Key of a plane that applies to all steps."""
MEASURES = ("mean", "threshold", "rectangle", "object", "error")
"""What the browser measures in addition to layer values."""
COMPARED_STEP = "other"
"""Value of `Panel.at` for the compared step."""


@dataclass(frozen=True)
class Layer:
    """Something a panel can show.

    Attributes:
        name: Name on the page and in links.
        kind: "image"; "values", coloured from `low` to `high`; "classes", one colour per index; "objects", numbers
            of objects, 0 for none, drawn as outlines. Derived in the browser: "errors", where the classes of the two
            layers named in `of` differ, and "change", the layer named in `of` minus itself at the compared step.
        planes: Step to plane; ALL_STEPS applies to all. Steps that are not ready are missing.
        of: Names of the layers that a derived layer is made from.
        scale: Colour scale of values; None: users choose.
        low: Value of the first colour.
        high: Value of the last colour.
        ranges: Upper limits that users can choose instead of `high`.
        unit: Text after a value, with its space.
        digits: Number of digits after the decimal point.
        over: Drawn over the image with adjustable opacity, otherwise hides it.
        dim: Draws the image below in dark grey.
        classes: Name and colour of each index; not drawn without a colour.
        legend: Lists its classes in the legend.
        definition: URL of its definition.
    """

    name: str
    kind: Literal["image", "values", "classes", "objects", "errors", "change"]
    planes: Mapping[str, Plane] = field(default_factory=dict)
    of: tuple[str, ...] = ()
    scale: ScaleName | None = None
    low: float = 0.0
    high: float = 1.0
    ranges: tuple[float, ...] = ()
    unit: str = ""
    digits: int = 3
    over: bool = False
    dim: bool = False
    classes: tuple[tuple[str, Colour | None], ...] = ()
    legend: bool = False
    definition: str = ""

    def header(self) -> dict[str, Any]:
        """What the browser needs to know about the layer."""
        content = {name: getattr(self, name) for name in _LAYER_FIELDS}
        return {**content, "planes": {step: plane.header() for step, plane in self.planes.items()}}


_LAYER_FIELDS = (
    *("name", "kind", "of", "scale", "low", "high", "ranges", "unit", "digits"),
    *("over", "dim", "classes", "legend", "definition"),
)


@dataclass(frozen=True)
class Panel:
    """One panel of a viewer.

    Attributes:
        layer: Name of the layer; "" leaves the place empty.
        at: Step: "" for the selected one, COMPARED_STEP for the compared one, otherwise a fixed step.
        title: Defaults to the layer's name, with its step if panels differ in it.
        note: Text beside the title; defaults to the mean of the values.
    """

    layer: str
    at: str = ""
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Step:
    """A training step: its name in links, its title and a note."""

    name: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything a viewer shows.

    Attributes:
        size: (H, W) of every plane, px.
        layers: Layers for panels and read-outs.
        panels: Panels in reading order; empty for a viewer that only has the tools of its group.
        steps: Training steps in order; empty for no slider.
        step: URL parameter of the step.
        columns: Number of columns; None: as many as show the panels largest.
        narrow_columns: Number of columns on a phone.
        free: Users can add, close and change panels.
        controls: Shows tools and colour bars; otherwise it follows its group.
        group: Viewers of the same group are linked.
        private: Zoom, pixel and rectangle are its own and not part of links.
        quiet: Reports nothing to the page, which a report would interrupt.
        frame: (left, top, right, bottom) in px to zoom to, such as an object.
        selected: Number of the highlighted object.
        objects_of: Prefix of the objects' names in links; if set, clicked objects are reported.
        caption: Caption of a saved image.
        height_vh: Total height of the panels, in percent of the window.
    """

    size: tuple[int, int]
    layers: tuple[Layer, ...]
    panels: tuple[Panel, ...]
    steps: tuple[Step, ...] = ()
    step: str = "epoch"
    columns: int | None = None
    narrow_columns: int | None = None
    free: bool = False
    controls: bool = True
    group: str = ""
    private: bool = False
    quiet: bool = False
    frame: tuple[int, int, int, int] | None = None
    selected: int | None = None
    objects_of: str = ""
    caption: str = ""
    height_vh: int = 62

    @property
    def identity(self) -> str:
        """Changes with the image; "" if none is shown."""
        images = [layer.planes for layer in self.layers if layer.kind == "image"]
        return images[0][ALL_STEPS].digest if images and ALL_STEPS in images[0] else ""

    def message(self, view: Mapping[str, str], *, revision: int, definitions: Mapping[str, str]) -> dict[str, Any]:
        """The scene as sent to the browser.

        Args:
            view: URL parameters of the current settings.
            revision: Number of the viewer's last report that `view` includes.
            definitions: Name in MEASURES to the URL of its definition.
        """
        scales = {layer.scale for layer in self.layers if layer.scale} | set(HARDNESS_SCALES)
        return {
            "width": self.size[1],
            "height": self.size[0],
            "layers": [layer.header() for layer in self.layers],
            "panels": [asdict(panel) for panel in self.panels],
            "steps": [asdict(step) for step in self.steps],
            **{name: getattr(self, name) for name in _SCENE_FIELDS},
            "scales": {name: _encode_hex(colour_scale(name)) for name in sorted(scales)},
            "hardnessScales": list(HARDNESS_SCALES),
            "missing": list(MISSING),
            "view": dict(view),
            "revision": revision,
            "definitions": dict(definitions),
        }


_SCENE_FIELDS = (
    *("step", "columns", "narrow_columns", "free", "controls", "group", "private", "quiet", "frame", "selected"),
    *("objects_of", "caption", "height_vh"),
)


def _encode_hex(colours: np.ndarray) -> str:
    """256 RGB colours as text, six hexadecimal digits each."""
    return np.ascontiguousarray(colours, np.uint8).tobytes().hex()
