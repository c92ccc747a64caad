"""Scenes of the Labels page: a suspect on its image, and one image with planted faults."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.components.layers import (
    Classes,
    list_classes,
    make_caption,
    make_class_layer,
    make_errors_layer,
    make_hardness_layer,
    make_loss_layer,
    make_objects_layer,
)
from app.loading.labels import Evidence
from app.loading.pictures import Picture
from app.loading.planes import load_class_plane, load_number_plane, load_rgb_plane, load_value_plane
from app.loading.predictions import MAX_LOSS_NATS
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene
from hlcore.analysis.label_faults import KINDS, PlantedFaults
from hlcore.figures.style import Colour
from hlcore.storage.runs import Run

KIND_COLOURS: tuple[Colour, ...] = ((213, 94, 0), (240, 228, 66), (86, 180, 233))
"""Colours of the kinds of faults, safe for colour-blind readers (Okabe and Ito 2008)."""
SUSPICION = "Loss × (1 − hardness)"
GROUP = "labels"


def make_picture_scene(run: Run, picture: Picture, evidence: Evidence, faults: PlantedFaults | None) -> Scene:
    """Labels, prediction, loss x (1 - hardness) and any planted faults of one picture."""
    planted = () if faults is None else (_make_planted_layer(picture, faults),)
    return Scene(
        picture.size,
        (*_make_layers(evidence, list_classes(run)), *planted),
        (
            Panel("Labels", title="Labels" if faults is None else "Labels with faults"),
            Panel("Prediction"),
            Panel(SUSPICION),
            *(Panel(layer.name) for layer in planted),
        ),
        caption=make_caption(run, picture),
    )


def make_card_scene(evidence: Evidence, suspect: Mapping[str, Any], classes: Classes) -> Scene:
    """A suspect outlined on its image, and the maps of the same region."""
    left, top, right, bottom = (int(suspect[side]) for side in ("left", "top", "right", "bottom"))
    frame = (left, top, right, bottom)
    region = _make_region_mask(evidence, suspect, [name for name, _ in classes])
    place = f"{evidence.identity}:{frame}:{suspect['region']}"
    outline = make_objects_layer("Labels", {ALL_STEPS: load_number_plane("region", place, region)})
    return Scene(
        evidence.label_map.shape,
        (*_make_layers(evidence, classes), outline),
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


def make_tools_scene(evidence: Evidence, classes: Classes) -> Scene:
    """The tools for all cards of the page."""
    return Scene(evidence.label_map.shape, _make_layers(evidence, classes), (), group=GROUP, private=True)


def _make_layers(evidence: Evidence, classes: Classes) -> tuple[Layer, ...]:
    identity, suspicion = evidence.identity, evidence.loss_map * (1 - evidence.hardness_map)
    labels = load_class_plane("label", identity, evidence.label_map)
    prediction = load_class_plane("prediction", identity, evidence.prediction)
    hardness = load_value_plane("hardness", identity, evidence.hardness_map, low=0, high=1)
    of_loss = {
        name: {ALL_STEPS: load_value_plane(name, identity, values, low=0, high=MAX_LOSS_NATS)}
        for name, values in (("suspicion", suspicion), ("loss", evidence.loss_map))
    }
    return (
        Layer("Image", "image", {ALL_STEPS: load_rgb_plane(identity, evidence.image)}),
        make_class_layer("Labels", classes, {ALL_STEPS: labels}),
        make_class_layer("Prediction", classes, {ALL_STEPS: prediction}),
        make_loss_layer(of_loss["loss"]),
        make_loss_layer(of_loss["suspicion"], SUSPICION, "Suspect"),
        make_hardness_layer({ALL_STEPS: hardness}),
        make_errors_layer(),
    )


def _make_region_mask(evidence: Evidence, suspect: Mapping[str, Any], names: list[str]) -> np.ndarray:
    """1 on the pixels in the suspect's box with its label and prediction, 0 elsewhere."""
    inside = np.zeros(evidence.label_map.shape, np.uint16)
    rows, columns = slice(suspect["top"], suspect["bottom"]), slice(suspect["left"], suspect["right"])
    label, predicted = names.index(suspect["class_name"]), names.index(suspect["predicted"])
    inside[rows, columns] = (evidence.label_map[rows, columns] == label) & (
        evidence.prediction[rows, columns] == predicted
    )
    return inside


def _make_planted_layer(picture: Picture, faults: PlantedFaults) -> Layer:
    kinds = sum(number * faults.where(kind) for number, kind in enumerate(KINDS, start=1))
    plane = load_class_plane("planted", f"{picture.digest}:planted", np.asarray(kinds))
    named = zip((f"planted: {kind}" for kind in KINDS), KIND_COLOURS, strict=True)
    return Layer("Planted", "classes", {ALL_STEPS: plane}, dim=True, classes=(("not planted", None), *named))
