"""What the viewer shows on the Labels page: one picture, its labels, its suspicion and what was planted."""

import numpy as np

from app import cache, scenes
from app.cache.labels import Evidence
from app.samples import Picture
from app.scenes import Look
from app.viewer import ColourBar, Panel, Readout, Scene
from hlcore.analysis.label_faults import KINDS, PlantedFaults
from hlcore.figures.maps import class_colours
from hlcore.figures.style import LOSS_SCALE, Colour, colour_scale
from hlcore.storage.runs import Run

KIND_COLOURS: tuple[Colour, ...] = ((213, 94, 0), (240, 228, 66), (86, 180, 233))
"""Of the kinds of faults, told apart with any colour vision (Okabe and Ito 2008)."""


def suspected(run: Run, picture: Picture, evidence: Evidence, look: Look, faults: PlantedFaults | None) -> Scene:
    """The image, its labels, loss x (1 - hardness) and, where faults were planted, these."""
    record, suspicion = run.record, evidence.loss_map * (1 - evidence.hardness_map)
    palette = class_colours(record.palette)
    planes = [
        cache.image_plane(picture),
        cache.class_plane("label", picture.digest, evidence.label_map),
        cache.class_plane("prediction", evidence.identity, evidence.prediction),
        scenes.loss_plane("suspicion", f"{evidence.identity}:suspicion", suspicion),
        scenes.loss_plane("loss", evidence.identity, evidence.loss_map),
        cache.value_plane("hardness", evidence.identity, evidence.hardness_map, low=0, high=1),
    ]
    title = "Labels" if faults is None else "Labels with faults"
    panels = [
        Panel(title, base="image", layer="label", colours=palette, opacity=look.opacity),
        Panel("Prediction", base="image", layer="prediction", colours=palette, opacity=look.opacity),
        scenes.loss_panel("Loss × (1 − hardness)", "suspicion", look),
    ]
    classes = list(zip(record.class_names, record.palette, strict=True))
    readouts = [
        Readout("labelled", "label", record.class_names),
        Readout("predicted", "prediction", record.class_names),
    ]
    if faults is not None:
        kinds = sum(number * faults.where(kind) for number, kind in enumerate(KINDS, start=1))
        planes.append(cache.class_plane("planted", f"{picture.digest}:planted", np.asarray(kinds)))
        panels.append(Panel("Planted", base="image", dim=True, layer="planted", colours=_kind_colours()))
        readouts.append(Readout("planted", "planted", ("nothing", *KINDS)))
        classes += [(f"planted: {kind}", colour) for kind, colour in zip(KINDS, KIND_COLOURS, strict=True)]
    readouts += [Readout("hardness", "hardness"), Readout("loss", "loss", digits=2, unit=" nats")]
    bar = ColourBar("Loss × (1 − hardness)", colour_scale(LOSS_SCALE), "0", f"{look.nats}", " nats")
    return Scene(
        planes=tuple(planes),
        panels=tuple(panels),
        columns=2 if len(panels) == 4 else 3,
        readouts=tuple(readouts),
        bars=(bar,),
        classes=tuple(classes) if len(classes) <= scenes.MOST_CLASSES_LISTED else (),
    )


def _kind_colours() -> np.ndarray:
    colours = np.zeros((256, 4), np.uint8)
    colours[1 : 1 + len(KINDS), :3], colours[1 : 1 + len(KINDS), 3] = KIND_COLOURS, 255
    return colours
