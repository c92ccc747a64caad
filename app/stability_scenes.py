"""What the viewers of the pages Stability and Memorise show."""

import numpy as np
import pandas as pd

from app import cache, samples
from app.cache import stability
from app.cache.memorise import KEPT, Memorised
from app.cache.stability import PICTURE, Series
from app.samples import Picture
from app.scenes import Look, hardness_panel, loss_panel, loss_plane
from app.viewer import ColourBar, Panel, Readout, Scene
from app.viewer.planes import Plane
from hlcore.figures.maps import resize_map
from hlcore.figures.style import LOSS_SCALE, ScaleName, colour_scale

LONGEST_PX = 512
"""Longer side of a map that stands beside others; a larger one is shown smaller."""
HIGHEST_VARIATION = 2.0
_PACKED_VARIATION = 16.0
"""Above the highest there is over 256 kept epochs: sqrt(255)."""
VARIATION_SCALE: ScaleName = "cividis"


def at_snapshot(series: Series, *, snapshot: str, look: Look, legend: bool) -> Scene:
    """Hardness and, where there are labels, loss of one image at one snapshot."""
    hardness_map, loss_map = series[snapshot]
    shown, identity = samples.fit(series.picture.sample, LONGEST_PX), f"{series.identity}:{snapshot}"
    planes = [
        cache.image_plane(shown),
        cache.value_plane("hardness", identity, resize_map(hardness_map, shown.size), low=0, high=1),
    ]
    panels = [hardness_panel("Hardness", "hardness", look, f"mean {hardness_map.mean():.3f}")]
    readouts = [Readout("hardness", "hardness")]
    if loss_map is not None:
        planes.append(loss_plane("loss", identity, resize_map(loss_map, shown.size)))
        panels.append(loss_panel("Loss", "loss", look, f"mean {np.nanmean(loss_map):.3f} nats"))
        readouts.append(Readout("loss", "loss", digits=2, unit=" nats"))
    bars = map_bars(look, loss=loss_map is not None) if legend else ()
    return _panels(series, planes, panels, readouts, bars)


def of_variation(series: Series, *, scaled: bool, c: float, legend: bool) -> Scene:
    """Coefficient of variation of each pixel of one image over the kept epochs, of both maps."""
    shown, colours = samples.fit(series.picture.sample, LONGEST_PX), colour_scale(VARIATION_SCALE)
    names = ("Hardness weight", "Loss over its sum") if scaled else ("Hardness", "Loss")
    planes, panels, readouts = [], [], []
    for name, values in zip(names, stability.variation(series, scaled=scaled, c=c), strict=True):
        if values is not None:
            small, identity = resize_map(values, shown.size), f"variation:{series.identity}:{c}"
            planes.append(cache.value_plane(name, identity, small, low=0, high=_PACKED_VARIATION))
            note = f"mean {np.nanmean(values):.2f}"
            panels.append(Panel(name, note, layer=name, colours=colours, high=HIGHEST_VARIATION))
            readouts.append(Readout(name.lower(), name, digits=2))
    bar = ColourBar("Standard deviation over mean", colours, "0", f"{HIGHEST_VARIATION:g}")
    return _panels(series, planes, panels, readouts, (bar,) if legend else ())


def memorised(picture: Picture, learned: Memorised, table: pd.DataFrame, look: Look) -> Scene:
    """Hardness maps after each kept step in a row, the loss maps below; a step still to come keeps its place.

    `table` is memorise.numbers; how the maps stand to the first ones stands beside the panels.
    """
    shown = samples.fit(picture.sample, LONGEST_PX)
    notes = {
        (row["map"], row["step"]): f"{row['relative_level']:.0%}, IoU {row['top10_iou']:.2f}"
        for _, row in table.iterrows()
    }
    planes, readouts = [cache.image_plane(shown)], []
    panels: dict[tuple[str, int], Panel] = {}
    for step, (hardness_map, loss_map) in learned.maps.items():
        identity = f"{learned.identity}:memorised:{step}"
        hardness, loss = f"hardness #{step}", f"loss #{step}"
        planes.append(cache.value_plane(hardness, identity, resize_map(hardness_map, shown.size), low=0, high=1))
        panels["hardness", step] = hardness_panel(f"Hardness #{step}", hardness, look, notes["hardness", step])
        readouts.append(Readout(hardness, hardness))
        if loss_map is not None:
            planes.append(loss_plane(loss, identity, resize_map(loss_map, shown.size)))
            panels["loss", step] = loss_panel(f"Loss #{step}", loss, look, notes["loss", step])
            readouts.append(Readout(loss, loss, digits=2))
    return Scene(
        tuple(planes),
        tuple(panels.get((name, step), Panel("")) for name in ("hardness", "loss") for step in KEPT),
        columns=len(KEPT),
        narrow_columns=2,
        readouts=tuple(readouts),
        bars=map_bars(look, loss=True),
        size=picture.size,
        height_vh=50,
    )


def map_bars(look: Look, *, loss: bool) -> tuple[ColourBar, ...]:
    """The colour bars of both maps."""
    bars = [ColourBar("Hardness", colour_scale(look.scale), "0", "1")]
    bars += [ColourBar("Loss", colour_scale(LOSS_SCALE), "0", f"{look.nats}", " nats")] if loss else []
    return tuple(bars)


def _panels(
    series: Series, planes: list[Plane], panels: list[Panel], readouts: list[Readout], bars: tuple[ColourBar, ...]
) -> Scene:
    """Above each other where several images stand beside each other, else side by side."""
    alone = series.split == PICTURE
    return Scene(
        tuple(planes),
        tuple(panels),
        columns=2 if alone else 1,
        narrow_columns=2,
        readouts=tuple(readouts),
        bars=bars,
        size=series.picture.size,
        height_vh=48 if alone else 28 * len(panels),
    )
