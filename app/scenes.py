"""What the viewer shows on each page: which planes lie in which panels, in which colours. So every page draws alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from app import cache
from app.cache import LARGEST_LOSS_NATS, Maps
from app.samples import Picture
from app.viewer import ColourBar, Panel, Readout, Scene
from app.viewer.planes import Plane
from hlcore.figures.maps import class_colours, resize_map
from hlcore.figures.style import DIFFERENCE_SCALE, ERROR, LOSS_SCALE, Colour, ScaleName, colour_scale
from hlcore.storage.runs import Run
from hlcore.types import LabelMap, LossMap

STRIP_COLUMNS = 5
STRIP_SIDE_PX = 320
"""Longer side of a map in the strip of epochs."""
MOST_CLASSES_LISTED = 24
INSPECTED = ("Image", "Hardness", "Prediction", "Labels", "Loss", "Errors")


@dataclass(frozen=True)
class Look:
    """How maps are shown.

    Attributes:
        scale: Colours of the hardness maps.
        opacity: Of what lies over the image, 0 to 1.
        nats: Upper end of the loss maps' scale.
        above: Only the part at least so hard is shown; None shows all of it.
    """

    scale: ScaleName
    opacity: float
    nats: int
    above: float | None = None


def inspected(run: Run, picture: Picture, maps: Maps, look: Look, *, show: Sequence[str]) -> Scene:
    """One epoch's maps of one picture; `show` names panels of INSPECTED."""
    record, label_map = run.record, picture.sample.label_map
    palette, names = class_colours(record.palette), record.class_names
    planes = [
        cache.image_plane(picture),
        hardness_plane("hardness", maps),
        cache.class_plane("prediction", maps.identity, maps.prediction),
        cache.value_plane("probability", maps.identity, maps.probability, low=0, high=1),
    ]
    readouts = [Readout("predicted", "prediction", names)]
    panels = {
        "Image": Panel("Image", base="image"),
        "Hardness": hardness_panel("Hardness", "hardness", look),
        "Prediction": Panel("Prediction", base="image", layer="prediction", colours=palette, opacity=look.opacity),
    }
    if label_map is not None and maps.loss_map is not None and maps.error is not None:
        planes += [
            cache.class_plane("label", picture.digest, label_map),
            loss_plane("loss", maps.identity, maps.loss_map),
            cache.class_plane("error", maps.identity, maps.error),
        ]
        panels |= {
            "Labels": Panel("Labels", base="image", layer="label", colours=palette, opacity=look.opacity),
            "Loss": loss_panel("Loss", "loss", look),
            "Errors": Panel("Errors", base="image", dim=True, layer="error", colours=_error_colours()),
        }
        readouts.append(Readout("labelled", "label", names))
    readouts += [Readout("hardness", "hardness"), Readout("probability", "probability")]
    readouts += [Readout("loss", "loss", digits=2, unit=" nats")] if "Loss" in panels else []
    shown = tuple(panels[name] for name in INSPECTED if name in panels and name in show) or (panels["Hardness"],)
    return Scene(
        planes=tuple(planes),
        panels=shown,
        columns=min(len(shown), 2 if len(shown) in (2, 4) else 3),
        readouts=tuple(readouts),
        bars=_bars(look, hardness="Hardness" in show, loss="Loss" in show and "Loss" in panels),
        classes=_legend(run, maps.prediction, label_map) if {"Prediction", "Labels"} & set(show) else (),
    )


def compared(
    picture: Picture, first: Maps, second: Maps, look: Look, *, epochs: tuple[int, int], notes: list[str]
) -> Scene:
    """Two epochs' maps of one picture beside each other and their difference, second minus first.

    `notes` stand beside the panels: three of hardness and, where there are labels, three of loss.
    """
    a, b = (f"epoch {epoch}" for epoch in epochs)
    pair, change = f"{first.identity}-{second.identity}", f"Change {epochs[0]} to {epochs[1]}"
    hardness_change = second.hardness_map - first.hardness_map
    planes = [
        cache.image_plane(picture),
        hardness_plane("hardness a", first),
        hardness_plane("hardness b", second),
        cache.value_plane("hardness change", pair, hardness_change, low=-1, high=1),
    ]
    panels = [
        hardness_panel(f"Hardness, {a}", "hardness a", look, notes[0]),
        hardness_panel(f"Hardness, {b}", "hardness b", look, notes[1]),
        difference_panel(change, "hardness change", reach=1, note=notes[2]),
    ]
    readouts = [Readout(a, "hardness a"), Readout(b, "hardness b"), Readout("change", "hardness change")]
    bars = [*_bars(look, hardness=True, loss=first.loss_map is not None), _difference_bar("Hardness change", 1)]
    if first.loss_map is not None and second.loss_map is not None:
        loss_change, reach = second.loss_map - first.loss_map, LARGEST_LOSS_NATS
        planes += [
            loss_plane("loss a", first.identity, first.loss_map),
            loss_plane("loss b", second.identity, second.loss_map),
            cache.value_plane("loss change", pair, loss_change, low=-reach, high=reach),
        ]
        panels += [
            loss_panel(f"Loss, {a}", "loss a", look, notes[3]),
            loss_panel(f"Loss, {b}", "loss b", look, notes[4]),
            difference_panel(change, "loss change", reach=look.nats, note=notes[5]),
        ]
        readouts += [Readout(f"loss, {a}", "loss a", digits=2), Readout(f"loss, {b}", "loss b", digits=2)]
        bars.append(_difference_bar("Loss change", look.nats, " nats"))
    return Scene(tuple(planes), tuple(panels), columns=3, readouts=tuple(readouts), bars=tuple(bars))


def strip(picture: Picture, maps: dict[int, Maps], look: Look) -> Scene:
    """Small hardness maps of every epoch, in rows, with the loss maps below each row where they are known."""
    height, width = picture.size
    scale = min(1.0, STRIP_SIDE_PX / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    planes, panels = [], []
    for start in range(0, len(maps), STRIP_COLUMNS):
        row = dict(list(maps.items())[start : start + STRIP_COLUMNS])
        gap = [Panel("")] * (STRIP_COLUMNS - len(row))
        small = {epoch: resize_map(m.hardness_map, size) for epoch, m in row.items()}
        planes += [
            cache.value_plane(f"hardness {epoch}", f"{row[epoch].identity}:{size}", values, low=0, high=1)
            for epoch, values in small.items()
        ]
        panels += [Panel(f"Epoch {e}", layer=f"hardness {e}", colours=colour_scale(look.scale)) for e in row] + gap
        losses = {epoch: resize_map(m.loss_map, size) for epoch, m in row.items() if m.loss_map is not None}
        planes += [loss_plane(f"loss {e}", f"{row[e].identity}:{size}", values) for e, values in losses.items()]
        panels += [loss_panel(f"Loss, epoch {e}", f"loss {e}", look) for e in losses] + (gap if losses else [])
    return Scene(
        planes=tuple(planes),
        panels=tuple(panels),
        columns=STRIP_COLUMNS,
        narrow_columns=STRIP_COLUMNS,
        readouts=tuple(Readout(f"epoch {epoch}", f"hardness {epoch}") for epoch in maps),
        bars=_bars(look, hardness=True, loss=len(planes) > len(maps)),
        size=picture.size,
        height_vh=24 * len(panels) // STRIP_COLUMNS,
    )


def hardness_plane(name: str, maps: Maps) -> Plane:
    """A hardness map, packed."""
    return cache.value_plane(name, maps.identity, maps.hardness_map, low=0, high=1)


def loss_plane(name: str, identity: str, loss_map: LossMap) -> Plane:
    """A loss map, packed."""
    return cache.value_plane(name, identity, loss_map, low=0, high=LARGEST_LOSS_NATS)


def hardness_panel(title: str, plane: str, look: Look, note: str = "") -> Panel:
    """Hardness over the image, 0 to 1."""
    colours = colour_scale(look.scale)
    return Panel(title, note, base="image", layer=plane, colours=colours, opacity=look.opacity, above=look.above)


def loss_panel(title: str, plane: str, look: Look, note: str = "") -> Panel:
    """Cross entropy; unlabelled pixels in grey."""
    return Panel(title, note, layer=plane, colours=colour_scale(LOSS_SCALE), high=look.nats)


def difference_panel(title: str, plane: str, *, reach: float, note: str = "") -> Panel:
    """What was added or taken away, from -reach to reach."""
    return Panel(title, note, layer=plane, colours=colour_scale(DIFFERENCE_SCALE), low=-reach, high=reach)


def _legend(run: Run, prediction: LabelMap, label_map: LabelMap | None) -> tuple[tuple[str, Colour], ...]:
    """All classes or, where there are many, those in the picture."""
    table = list(zip(run.record.class_names, run.record.palette, strict=True))
    if len(table) <= MOST_CLASSES_LISTED:
        return tuple(table)
    present = np.union1d(prediction, prediction if label_map is None else label_map)
    return tuple(table[index] for index in present if index < len(table))


def _bars(look: Look, *, hardness: bool, loss: bool) -> tuple[ColourBar, ...]:
    bars = [ColourBar("Hardness", colour_scale(look.scale), "0", "1")] if hardness else []
    bars += [ColourBar("Loss", colour_scale(LOSS_SCALE), "0", f"{look.nats}", " nats")] if loss else []
    return tuple(bars)


def _difference_bar(label: str, reach: float, unit: str = "") -> ColourBar:
    return ColourBar(label, colour_scale(DIFFERENCE_SCALE), f"-{reach:g}", f"+{reach:g}", unit)


def _error_colours() -> UInt8[np.ndarray, "256 4"]:
    colours = np.zeros((256, 4), np.uint8)
    colours[1] = (*ERROR, 255)
    return colours
