"""The image viewer: panels of maps that share a cursor, as a Streamlit component without any dependency.

Python sends numbers, not pictures: each plane goes at its own resolution as a PNG (the image) or as deflated
uint8 classes or uint16 values, and viewer.js colours them. The message is binary: a uint32 length,
that many bytes of JSON (the scene), then the planes' bytes in the scene's order.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from app.viewer.planes import Plane
from hlcore.figures.style import MISSING

_HERE = Path(__file__).parent
_mount = component(
    "hlcore_viewer",
    html='<div class="viewer"><div class="panels"></div><div class="readout" aria-live="polite"></div>'
    '<div class="legend"></div></div>',
    css=(_HERE / "viewer.css").read_text(encoding="utf-8"),
    js=(_HERE / "viewer.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Panel:
    """One picture of the viewer; one without base and layer keeps its place empty.

    Attributes:
        title: Stands above the picture.
        note: Stands beside the title, muted.
        base: Name of the image plane that lies below, or None.
        dim: Show the base in dark grey.
        layer: Name of the plane that is coloured above the base, or None.
        colours: 256 RGB or RGBA colours of the layer, from `low` to `high` or by class index.
        low: Value of the first colour.
        high: Value of the last colour.
        opacity: Of the layer above the base, 0 to 1.
        above: Only where the layer is at least this is it shown; None shows it everywhere.
    """

    title: str
    note: str = ""
    base: str | None = None
    dim: bool = False
    layer: str | None = None
    colours: np.ndarray = field(default_factory=lambda: np.zeros((256, 3), np.uint8))
    low: float = 0.0
    high: float = 1.0
    opacity: float = 1.0
    above: float | None = None


@dataclass(frozen=True)
class Readout:
    """One value read under the cursor: of `plane`, a number with `digits` and `unit`, or the name of a class."""

    label: str
    plane: str
    classes: tuple[str, ...] | None = None
    digits: int = 3
    unit: str = ""


@dataclass(frozen=True)
class ColourBar:
    """A colour scale in the legend, with the values at its two ends."""

    label: str
    colours: np.ndarray
    low: str
    high: str
    unit: str = ""


@dataclass(frozen=True)
class Scene:
    """All a viewer shows.

    Attributes:
        planes: What panels and read-outs name, all of one size.
        panels: In reading order.
        columns: Panels beside each other on a wide screen.
        narrow_columns: Panels beside each other on a phone.
        readouts: What is read under the cursor.
        bars: Colour bars of the legend.
        classes: Class names and colours of the legend.
        size: (H, W) in which points are counted. Default: the planes' own.
        height_vh: The panels' height in all, in percent of the window's.
    """

    planes: tuple[Plane, ...]
    panels: tuple[Panel, ...]
    columns: int
    narrow_columns: int = 1
    readouts: tuple[Readout, ...] = ()
    bars: tuple[ColourBar, ...] = ()
    classes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    size: tuple[int, int] | None = None
    height_vh: int = 56


def viewer(
    scene: Scene, *, key: str, point: tuple[int, int] | None = None, on_pinned: Callable[[], None] = lambda: None
) -> None:
    """Draws a scene.

    A click or Enter runs `on_pinned`, in which `st.session_state[key]["pinned"]` holds the pixel as {"x": , "y": }.

    Args:
        scene: What is drawn.
        key: The component's key, unique on the page.
        point: The pinned pixel (x, y).
        on_pinned: Called when a pixel is pinned.
    """
    height, width = scene.planes[0].size
    own_height, own_width = scene.size or (height, width)
    content = {
        "width": width,
        "height": height,
        "ownWidth": own_width,
        "ownHeight": own_height,
        "columns": scene.columns,
        "narrowColumns": scene.narrow_columns,
        "heightVh": scene.height_vh,
        "planes": [plane.header() for plane in scene.planes],
        "panels": [{**asdict(panel), "colours": _rgba(panel.colours)} for panel in scene.panels],
        "readouts": [asdict(readout) for readout in scene.readouts],
        "bars": [{**asdict(bar), "colours": _rgba(bar.colours)} for bar in scene.bars],
        "classes": [{"name": name, "colour": list(colour)} for name, colour in scene.classes],
        "point": point,
    }
    _mount(key=key, data=_message(content, scene.planes), on_pinned_change=on_pinned)


def _message(content: dict[str, Any], planes: tuple[Plane, ...]) -> bytes:
    header = json.dumps(content).encode()
    return b"".join([struct.pack("<I", len(header)), header, *(plane.content for plane in planes)])


def _rgba(colours: np.ndarray) -> list[int]:
    """The 256 colours as RGBA, then the colour of a missing value, flat."""
    alpha = np.full((len(colours), 1), 255, np.uint8)
    rgba = colours if colours.shape[1] == 4 else np.hstack([colours, alpha])
    return [*rgba.ravel().tolist(), *MISSING, 255]
