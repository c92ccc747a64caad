"""Viewer layers of a run and a picture, for one epoch or for all that are ready."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from app.components import definitions
from app.components.image_viewer import LOSS_LIMITS_NATS
from app.components.words import find_score, say_plainly
from app.loading.pictures import Picture
from app.loading.planes import (
    SCORE,
    compute_highest_entropy,
    load_image_plane,
    load_label_plane,
    load_object_plane,
    load_planes,
)
from app.loading.predictions import MAX_LOSS_NATS
from app.loading.runs import load_epoch_table
from app.viewer.planes import Plane
from app.viewer.scene import ALL_STEPS, Layer, Panel, Step
from hlcore.figures.style import DIFFERENCE_SCALE, ENTROPY_SCALE, ERROR, LOSS_SCALE, Colour
from hlcore.figures.words import capitalise
from hlcore.storage.maps import ImportedScore
from hlcore.storage.runs import Run

EpochPlanes: TypeAlias = Mapping[int, Mapping[str, Plane]]
"""Epoch to name to plane, for the epochs that are ready."""
Classes: TypeAlias = tuple[tuple[str, Colour], ...]
"""Name and colour of each class index."""
PANELS = {
    "labelled": ("Image", "Hardness", "Loss", "Errors"),
    "unlabelled": ("Image", "Hardness", "Prediction", "Entropy"),
    "imported": ("Image", "Hardness", "Labels", "Errors", "Prediction"),
}
"""Layers that panels show at first, if they exist."""
MAX_PANELS = 4


def choose_panels(run: Run, picture: Picture, layers: Sequence[Layer]) -> tuple[Panel, ...]:
    """The panels that are shown at first; of imported maps also the further scores."""
    kind = "unlabelled" if picture.sample.label_map is None else "labelled"
    names = list(map(say_plainly, PANELS[kind if run.record.imported is None else "imported"]))
    if run.record.imported is not None:
        names[2:2] = [capitalise(score.title) for score in list_further_scores(run)]
    known = {layer.name for layer in layers}
    return tuple(Panel(name) for name in names if name in known)[:MAX_PANELS]


def list_further_scores(run: Run) -> list[ImportedScore]:
    """The imported scores besides the first."""
    return [] if run.record.imported is None else list(run.record.imported.further)


def make_layers(run: Run, picture: Picture, planes: EpochPlanes) -> tuple[Layer, ...]:
    """All layers of a picture, with the planes of every epoch that is ready."""
    labelled, several = picture.sample.label_map is not None, len(run.epochs) > 1
    by_name = {name: {str(epoch): of_epoch[name] for epoch, of_epoch in planes.items()} for name in _list_names(planes)}
    hardness = make_hardness_layer(by_name["hardness"])
    layers = [make_image_layer(picture), hardness]
    layers += [make_score_layer(score, by_name[SCORE + score.title]) for score in list_further_scores(run)]
    if "prediction" in by_name:
        layers.append(make_class_layer("Prediction", list_classes(run), by_name["prediction"]))
    if labelled:
        layers.append(make_class_layer("Labels", list_classes(run), {ALL_STEPS: load_label_plane(picture)}))
    if "loss" in by_name:
        layers.append(make_loss_layer(by_name["loss"]))
    if "entropy" in by_name:
        layers.append(make_entropy_layer(run, by_name["entropy"]))
    if "error_suspicion" in by_name:
        layers.append(make_suspicion_layer(by_name["error_suspicion"]))
    if labelled and "prediction" in by_name:
        layers.append(make_errors_layer())
    if several:
        layers.append(
            make_change_layer(
                hardness.name, high=hardness.high - hardness.low, unit=hardness.unit, digits=hardness.digits
            )
        )
    if several and "loss" in by_name:
        layers.append(make_change_layer("Loss", ranges=LOSS_LIMITS_NATS, unit=" nats", digits=2))
    if labelled or "objects" in by_name:
        layers.append(make_objects_layer("Labels" if labelled else "Prediction", _make_object_planes(picture, by_name)))
    return tuple(layers)


def make_layers_of_epoch(run: Run, picture: Picture, epoch: int) -> tuple[Layer, ...]:
    """All layers of a picture at one epoch, for a viewer without an epoch slider."""
    known = make_layers(run, picture, {epoch: load_planes(run, epoch, picture)})
    return tuple(replace(layer, planes=_take_first(layer.planes)) for layer in known if layer.kind != "change")


def make_image_layer(picture: Picture) -> Layer:
    """The image itself."""
    return Layer("Image", "image", {ALL_STEPS: load_image_plane(picture)})


def make_hardness_layer(planes: Mapping[str, Plane]) -> Layer:
    """Hardness over the image, 0 to 1, or the score in its place; in the selected colours."""
    score = find_score()
    if score is not None:
        return make_score_layer(score, planes)
    return Layer("Hardness", "values", planes, over=True, definition=definitions.make_link("Hardness"))


def make_score_layer(score: ImportedScore, planes: Mapping[str, Plane]) -> Layer:
    """An imported score over the image in its own unit, in the selected colours."""
    low, high = score.shown_range
    return Layer(
        capitalise(score.title),
        "values",
        planes,
        low=low,
        high=high,
        unit=score.shown_unit,
        digits=int(np.clip(3 - np.floor(np.log10(high - low)), 0, 12)),
        over=True,
        definition=definitions.make_link("Imported score"),
    )


def make_loss_layer(planes: Mapping[str, Plane], name: str = "Loss", definition: str = "Loss") -> Layer:
    """Cross entropy, or a map derived from it, in nats; users choose the upper limit of its colours."""
    return Layer(
        name,
        "values",
        planes,
        scale=LOSS_SCALE,
        high=MAX_LOSS_NATS,
        ranges=LOSS_LIMITS_NATS,
        unit=" nats",
        digits=2,
        definition=definitions.make_link(definition),
    )


def make_entropy_layer(run: Run, planes: Mapping[str, Plane]) -> Layer:
    """Entropy of the class probabilities, in nats, up to that of a uniform distribution."""
    high = compute_highest_entropy(run)
    return Layer(
        "Entropy",
        "values",
        planes,
        scale=ENTROPY_SCALE,
        high=high,
        unit=" nats",
        digits=2,
        definition=definitions.make_link("Entropy"),
    )


def make_suspicion_layer(planes: Mapping[str, Plane]) -> Layer:
    """Suspicion of error, 0 to 1."""
    defined = definitions.make_link("Suspicion of error")
    return Layer("Suspicion of error", "values", planes, scale=ENTROPY_SCALE, high=1, definition=defined)


def make_class_layer(name: str, classes: Classes, planes: Mapping[str, Plane]) -> Layer:
    """A class map over the image, in the class colours."""
    defined = definitions.make_link("Prediction and label")
    return Layer(name, "classes", planes, over=True, classes=classes, legend=True, definition=defined)


def list_classes(run: Run) -> Classes:
    """Names and colours of the run's classes."""
    return tuple(zip(run.record.class_names, run.record.palette, strict=True))


def make_errors_layer() -> Layer:
    """The pixels whose prediction differs from the label."""
    classes = (("right", None), ("wrong", ERROR), ("unlabelled", None))
    return Layer("Errors", "errors", of=("Prediction", "Labels"), dim=True, classes=classes)


def make_change_layer(
    name: str, *, high: float = 1.0, ranges: Sequence[float] = (), unit: str = "", digits: int = 3
) -> Layer:
    """Change of a layer since the compared epoch."""
    return Layer(
        f"{name} change",
        "change",
        of=(name,),
        scale=DIFFERENCE_SCALE,
        high=high,
        ranges=tuple(ranges),
        unit=unit,
        digits=digits,
        definition=definitions.make_link("Change between two epochs"),
    )


def make_objects_layer(of: str, planes: Mapping[str, Plane]) -> Layer:
    """Numbered objects, drawn as outlines."""
    return Layer("Objects", "objects", planes, of=(of,))


def make_steps(run: Run) -> tuple[Step, ...]:
    """The kept epochs as steps, with their iterations if known; the best on validation is named."""
    table = load_epoch_table(run)
    iterations = {0: 0} | dict(zip(table["epoch"], table["iteration"], strict=True))
    notes = {epoch: f"iteration {iterations[epoch]:,.0f}" for epoch in run.epochs if epoch in iterations}
    best = run.record.best_epoch
    if best in notes:
        notes[best] += f", best on {run.record.config.data.val_split}"
    return tuple(Step(str(epoch), run.name_epoch(epoch), notes.get(epoch, "")) for epoch in run.epochs)


def make_caption(run: Run, picture: Picture) -> str:
    """Caption of a saved image."""
    height, width = picture.size
    return f"{run.name}, {picture.sample.name}, {width} x {height} px"


def _take_first(planes: Mapping[str, Plane]) -> Mapping[str, Plane]:
    return {ALL_STEPS: next(iter(planes.values()))} if planes else {}


def _list_names(planes: EpochPlanes) -> list[str]:
    return list(next(iter(planes.values())))


def _make_object_planes(picture: Picture, by_name: Mapping[str, Mapping[str, Plane]]) -> Mapping[str, Plane]:
    if picture.sample.label_map is not None:
        return {ALL_STEPS: load_object_plane(picture)}
    return by_name["objects"]
