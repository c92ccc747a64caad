"""What a viewer shows: layers of numbers, the panels they lie in, and the steps of training they are known at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from app.viewer.planes import Plane
from hlcore.figures.style import HARDNESS_SCALES, MISSING, Colour, ScaleName, colour_scale

ALL_STEPS = ""
"""Key of a plane that is the same at every step."""
MEASURES = ("mean", "threshold", "rectangle", "object", "error")
"""What is measured in the browser, besides the values of layers."""
COMPARED_STEP = "other"
"""Of a panel: the step that is compared with, not the one shown."""


@dataclass(frozen=True)
class Layer:
    """Something a panel can show.

    Attributes:
        name: What it is called on the page and in links.
        kind: "image"; "values", coloured from `low` to `high`; "classes", one colour an index; "objects", numbers of
            objects, 0 for none, drawn as outlines. Derived in the browser: "errors", where the classes of the two
            layers named in `of` differ, and "change", the layer named in `of` minus itself at the compared step.
        planes: Step to plane; EVERY_STEP stands for all. Steps may still be missing.
        of: Names of the layers a derived one is made of.
        scale: Colours of values; None lets the reader choose.
        low: Value of the first colour.
        high: Value of the last colour.
        ranges: Upper ends the reader may choose in place of `high`.
        unit: Stands behind a value, with its space.
        digits: After the decimal point.
        over: Lies over the image, as opaque as the reader wishes; else it hides it.
        dim: The image below is dark grey.
        classes: Name and colour of each index; without colour it is not drawn.
        legend: Its classes stand in the legend.
        definition: Address of what it means.
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
        """What the browser needs to know of it."""
        content = {name: getattr(self, name) for name in _LAYER_FIELDS}
        return {**content, "planes": {step: plane.header() for step, plane in self.planes.items()}}


_LAYER_FIELDS = (
    *("name", "kind", "of", "scale", "low", "high", "ranges", "unit", "digits"),
    *("over", "dim", "classes", "legend", "definition"),
)


@dataclass(frozen=True)
class Panel:
    """One picture of a viewer.

    Attributes:
        layer: Name of the layer it shows; "" keeps its place empty.
        at: Step it shows: "" the chosen one, OTHER the compared one, else that step always.
        title: Default: the layer's name, with its step where the panels differ in it.
        note: Stands beside the title. Default: the mean of its values.
    """

    layer: str
    at: str = ""
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Step:
    """A moment of training: its name in links, what it is called, and further what is known of it."""

    name: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class Scene:
    """All a viewer shows.

    Attributes:
        size: (H, W) of every plane, px.
        layers: What panels and read-outs can show.
        panels: In reading order; none makes a viewer of controls alone, for others of its group.
        steps: Moments of training, in their order; without them there is no slider.
        step: The link's parameter that names the step.
        columns: Panels beside each other. Default: as many as show them largest.
        narrow_columns: The same on a phone.
        free: The reader chooses how many panels there are and what they show.
        controls: Has tools and colour bars of its own; else it follows the others of its group.
        group: Viewers of one group move together.
        private: Zoom, pixel and rectangle are its own, and stand in no link.
        quiet: Tells the page nothing, for a page that a choice would interrupt.
        frame: (left, top, right, bottom) in px of what should be seen, such as an object.
        selected: Number of the object that is marked.
        objects_of: Begins the names of this picture's objects in links; a clicked object is then reported.
        caption: Stands below a saved picture.
        height_vh: The panels' height in all, in percent of the window's.
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
        """Changes with the picture; "" where none is shown."""
        images = [layer.planes for layer in self.layers if layer.kind == "image"]
        return images[0][ALL_STEPS].digest if images and ALL_STEPS in images[0] else ""

    def message(self, view: Mapping[str, str], *, revision: int, definitions: Mapping[str, str]) -> dict[str, Any]:
        """The scene as the browser gets it.

        Args:
            view: The reader's choices, as they stand in a link.
            revision: Number of the last report from this viewer that these choices include.
            definitions: Address of what each of MEASURED means.
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
    """256 RGB colours, six digits each."""
    return np.ascontiguousarray(colours, np.uint8).tobytes().hex()
