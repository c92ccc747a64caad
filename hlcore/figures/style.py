"""Colours of maps, curves and states, distinguishable with any colour vision."""

from functools import cache
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import plotly.graph_objects as go
from jaxtyping import UInt8
from plotly.colors import get_colorscale, unlabel_rgb

from hlcore.errors import InvalidInputError

ColourScale: TypeAlias = UInt8[np.ndarray, "256 3"]
ScaleName = Literal["inferno", "cividis", "grey", "viridis", "dense", "difference"]
Colour: TypeAlias = tuple[int, int, int]

HARDNESS_SCALES: tuple[ScaleName, ...] = ("inferno", "cividis", "grey")
"""Colour scales for hardness maps; the first is the default."""
LOSS_SCALE: ScaleName = "viridis"
"""Colour scale of loss maps; not one of the hardness scales, so that the maps are not confused."""
ENTROPY_SCALE: ScaleName = "dense"
"""Colour scale of entropy maps, different for the same reason."""
DIFFERENCE_SCALE: ScaleName = "difference"
"""Blue where a value fell, white where it did not change, red where it rose."""

MISSING: Colour = (122, 122, 122)
"""Colour of a pixel without a value or class."""
ERROR: Colour = (230, 97, 1)
"""Colour of a pixel whose prediction differs from its label."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800")
"""Colours of curves, distinguishable with any colour vision (Okabe and Ito 2008, with a darker yellow)."""
QUANTITIES = {"hardness": "#d55e00", "loss": "#009e73", "error_rate": "#0072b2"}
"""Colour of each quantity, the same in every figure."""
OVERLAID = "#8250df"
"""Colour of a curve over points coloured by class: not in SERIES, and visible on white and on black."""

GRID = "rgba(128,128,128,0.25)"
"""Colour of grid lines, visible on white and on black."""

_STOPS = {
    "inferno": "Inferno",
    "cividis": "Cividis",
    "grey": "Greys_r",
    "viridis": "Viridis",
    "dense": "dense_r",
    "difference": "RdBu_r",
}


@cache
def colour_scale(name: str) -> ColourScale:
    """The 256 RGB colours of a scale, from low to high.

    Raises:
        InvalidInputError: unknown scale.

    Example:
        >>> colour_scale("grey")[[0, 255]].tolist()
        [[0, 0, 0], [255, 255, 255]]
    """
    if name not in _STOPS:
        raise InvalidInputError(f"unknown colour scale {name!r}; known are {', '.join(_STOPS)}")
    stops = get_colorscale(_STOPS[name])
    at = [position for position, _ in stops]
    colours = np.array([_rgb(colour) for _, colour in stops], dtype=np.float64)
    steps = np.linspace(0, 1, 256)
    scale = np.stack([np.interp(steps, at, channel) for channel in colours.T], axis=1).round().astype(np.uint8)
    scale.setflags(write=False)  # all callers share the cached array
    return scale


def make_template() -> go.layout.Template:
    """Template of every figure: transparent background, thin lines, horizontal legend on top."""
    axis = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GRID, "ticks": "outside", "tickcolor": GRID}
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": SERIES,
            "font": {"size": 13},
            "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
            "xaxis": axis,
            "yaxis": axis,
        }
    )


def make_plotly_scale(name: ScaleName) -> list[list[float | str]]:
    """The colours of a scale for Plotly, as rgb().

    Streamlit replaces hexadecimal colours near black, such as the first of Plotly's own Inferno, by those of its theme.
    """
    colours = colour_scale(name)[::15]
    return [[index / (len(colours) - 1), f"rgb({r}, {g}, {b})"] for index, (r, g, b) in enumerate(colours.tolist())]


def make_translucent(colour: str, opacity: float = 0.18) -> str:
    """A hexadecimal colour as rgba(), for the band of an interval.

    Example:
        >>> make_translucent("#ff0000", 0.5)
        'rgba(255,0,0,0.5)'
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def escape_name(name: object) -> str:
    """A name as Plotly shows it literally: names of classes, runs and images may look like markup.

    Example:
        >>> escape_name("<b>car</b> & van")
        '&lt;b&gt;car&lt;/b&gt; &amp; van'
    """
    return escape(str(name), quote=False)


def _rgb(colour: str) -> tuple[float, ...]:
    if colour.startswith("#"):
        return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return unlabel_rgb(colour)
