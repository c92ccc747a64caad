"""What a viewer was told to show, read from its scene."""

from typing import Any, TypeAlias

Scene: TypeAlias = dict[str, Any]


def titles(scene: Scene) -> list[str]:
    """What stands above each panel, but for the step; "" for a place that is kept empty."""
    return [panel["title"] or panel["layer"] for panel in scene["panels"]]


def layer(scene: Scene, name: str) -> dict[str, Any]:
    """The layer of this name."""
    (found,) = [one for one in scene["layers"] if one["name"] == name]
    return found


def names(scene: Scene) -> list[str]:
    """What the layers are called."""
    return [one["name"] for one in scene["layers"]]


def known_at(scene: Scene, name: str) -> list[str]:
    """The steps at which a layer is known, in order."""
    return sorted(layer(scene, name)["planes"])


def digest(scene: Scene, name: str, step: str = "") -> str:
    """Of a layer's numbers at a step; of those that are the same at all steps, where none is given."""
    return layer(scene, name)["planes"][step]["digest"]


def coloured(scene: Scene, name: str) -> list[str]:
    """The classes of a layer that are drawn."""
    return [title for title, colour in layer(scene, name)["classes"] if colour]
