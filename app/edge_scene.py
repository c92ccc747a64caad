"""What the viewer of the Edges page shows: which edges are meant, and how far away from them each pixel lies."""

import numpy as np

from app import cache, scenes
from app.cache import Maps
from app.cache.edges import EdgeMaps
from app.samples import Picture
from app.scenes import Look
from app.viewer import ColourBar, Panel, Readout, Scene
from hlcore.analysis.edges import DISTANCES
from hlcore.figures.maps import class_colours
from hlcore.figures.style import Colour, colour_scale

EDGE_COLOUR: Colour = (255, 230, 0)


def edge_scene(picture: Picture, maps: Maps, edges: EdgeMaps, look: Look) -> Scene:
    """The picture with its edges drawn in, the distance to them in the bins of the profile, and hardness."""
    steps = colour_scale("viridis")[np.linspace(255, 20, len(DISTANCES)).astype(int)]
    palette = tuple((int(red), int(green), int(blue)) for red, green, blue in steps)
    drawn = np.zeros((256, 4), np.uint8)
    drawn[1] = (*EDGE_COLOUR, 255)
    farthest = max(float(np.nan_to_num(edges.distance).max()), 1.0)
    return Scene(
        planes=(
            cache.image_plane(picture),
            cache.class_plane("edge", edges.identity, edges.edge),
            cache.class_plane("bins", edges.identity, edges.bins),
            cache.value_plane("distance", edges.identity, edges.distance, low=0, high=farthest),
            scenes.hardness_plane("hardness", maps),
        ),
        panels=(
            Panel("Edges", f"{edges.edge.mean():.1%} of the pixels", "image", dim=True, layer="edge", colours=drawn),
            Panel("Distance to the nearest edge", layer="bins", colours=class_colours(palette)),
            scenes.hardness_panel("Hardness", "hardness", look),
        ),
        columns=3,
        readouts=(Readout("distance", "distance", digits=1, unit=" px"), Readout("hardness", "hardness")),
        bars=(ColourBar("Hardness", colour_scale(look.scale), "0", "1"),),
        classes=tuple((f"{name} px", colour) for name, colour in zip(DISTANCES, palette, strict=True)),
    )
