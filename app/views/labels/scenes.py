"""What the viewers show on the Labels page: a region and its surroundings; one picture and what was planted in it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.components import layers as map_layers
from app.components.layers import Classes
from app.loading import planes as plane_loading
from app.loading.labels import Evidence
from app.loading.pictures import Picture
from app.loading.predictions import LARGEST_LOSS_NATS
from app.viewer.scene import EVERY_STEP, Layer, Panel, Scene
from hlcore.analysis.label_faults import KINDS, PlantedFaults
from hlcore.figures.style import Colour
from hlcore.storage.runs import Run

KIND_COLOURS: tuple[Colour, ...] = ((213, 94, 0), (240, 228, 66), (86, 180, 233))
"""Of the kinds of faults, told apart with any colour vision (Okabe and Ito 2008)."""
SUSPICION = "Loss × (1 − hardness)"
GROUP = "labels"


def suspected(run: Run, picture: Picture, evidence: Evidence, faults: PlantedFaults | None) -> Scene:
    """The image, its labels, loss x (1 - hardness) and, where faults were planted, these."""
    planted = () if faults is None else (_planted_layer(picture, faults),)
    return Scene(
        picture.size,
        (*_layers(evidence, map_layers.classes_of(run)), *planted),
        (
            Panel("Labels", title="Labels" if faults is None else "Labels with faults"),
            Panel("Prediction"),
            Panel(SUSPICION),
            *(Panel(layer.name) for layer in planted),
        ),
        caption=map_layers.caption(run, picture),
    )


def card_scene(evidence: Evidence, suspect: Mapping[str, Any], classes: Classes) -> Scene:
    """A suspect outlined on its image, brought into sight, beside the maps of the same place."""
    left, top, right, bottom = (int(suspect[side]) for side in ("left", "top", "right", "bottom"))
    frame = (left, top, right, bottom)
    region = _region(evidence, suspect, [name for name, _ in classes])
    place = f"{evidence.identity}:{frame}:{suspect['region']}"
    outline = map_layers.objects_layer("Labels", {EVERY_STEP: plane_loading.number_plane("region", place, region)})
    return Scene(
        evidence.label_map.shape,
        (*_layers(evidence, classes), outline),
        tuple(Panel(name) for name in ("Image", "Labels", "Prediction", "Loss", "Hardness")),
        columns=5,
        narrow_columns=3,
        controls=False,
        group=GROUP,
        private=True,
        frame=frame,
        selected=1,
        caption=f"{suspect['image']}, region {suspect['region']}",
        height_vh=22,
    )


def controls(evidence: Evidence, classes: Classes) -> Scene:
    """The tools for all cards of the page."""
    return Scene(evidence.label_map.shape, _layers(evidence, classes), (), group=GROUP, private=True)


def _layers(evidence: Evidence, classes: Classes) -> tuple[Layer, ...]:
    identity, suspicion = evidence.identity, evidence.loss_map * (1 - evidence.hardness_map)
    labels = plane_loading.class_plane("label", identity, evidence.label_map)
    prediction = plane_loading.class_plane("prediction", identity, evidence.prediction)
    hardness = plane_loading.value_plane("hardness", identity, evidence.hardness_map, low=0, high=1)
    of_loss = {
        name: {EVERY_STEP: plane_loading.value_plane(name, identity, values, low=0, high=LARGEST_LOSS_NATS)}
        for name, values in (("suspicion", suspicion), ("loss", evidence.loss_map))
    }
    return (
        Layer("Image", "image", {EVERY_STEP: plane_loading.rgb_plane(identity, evidence.image)}),
        map_layers.class_layer("Labels", classes, {EVERY_STEP: labels}),
        map_layers.class_layer("Prediction", classes, {EVERY_STEP: prediction}),
        map_layers.loss_layer(of_loss["loss"]),
        map_layers.loss_layer(of_loss["suspicion"], SUSPICION, "Suspect"),
        map_layers.hardness_layer({EVERY_STEP: hardness}),
        map_layers.errors_layer(),
    )


def _region(evidence: Evidence, suspect: Mapping[str, Any], names: list[str]) -> np.ndarray:
    """1 on the pixels in the suspect's box that have its label and its prediction, 0 elsewhere."""
    inside = np.zeros(evidence.label_map.shape, np.uint16)
    rows, columns = slice(suspect["top"], suspect["bottom"]), slice(suspect["left"], suspect["right"])
    label, predicted = names.index(suspect["class_name"]), names.index(suspect["predicted"])
    inside[rows, columns] = (evidence.label_map[rows, columns] == label) & (
        evidence.prediction[rows, columns] == predicted
    )
    return inside


def _planted_layer(picture: Picture, faults: PlantedFaults) -> Layer:
    kinds = sum(number * faults.where(kind) for number, kind in enumerate(KINDS, start=1))
    plane = plane_loading.class_plane("planted", f"{picture.digest}:planted", np.asarray(kinds))
    named = zip((f"planted: {kind}" for kind in KINDS), KIND_COLOURS, strict=True)
    return Layer("Planted", "classes", {EVERY_STEP: plane}, dim=True, classes=(("not planted", None), *named))
