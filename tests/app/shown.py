"""Contents of a viewer, read from its scene."""

from typing import Any, TypeAlias

Scene: TypeAlias = dict[str, Any]


def titles(scene: Scene) -> list[str]:
    """The title of each panel without its step; "" for an empty panel."""
    return [panel["title"] or panel["layer"] for panel in scene["panels"]]


def layer(scene: Scene, name: str) -> dict[str, Any]:
    """The layer of this name."""
    (found,) = [one for one in scene["layers"] if one["name"] == name]
    return found


def names(scene: Scene) -> list[str]:
    """The names of the layers."""
    return [one["name"] for one in scene["layers"]]


def known_at(scene: Scene, name: str) -> list[str]:
    """The steps at which a layer is available, in order."""
    return sorted(layer(scene, name)["planes"])


def digest(scene: Scene, name: str, step: str = "") -> str:
    """The digest of the plane of a layer at a step; by default of the plane for all steps."""
    return layer(scene, name)["planes"][step]["digest"]


def coloured(scene: Scene, name: str) -> list[str]:
    """The classes of a layer that are drawn."""
    return [title for title, colour in layer(scene, name)["classes"] if colour]
