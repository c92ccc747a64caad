"""Scene of the Edges page: the edges, the distance to them, and hardness."""

import numpy as np

from app.components import definitions
from app.components.layers import make_hardness_layer, make_image_layer
from app.components.words import say_plainly
from app.loading.edges import EdgeMaps
from app.loading.pictures import Picture
from app.loading.planes import load_class_plane, load_value_plane
from app.viewer.planes import Plane
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene
from hlcore.analysis.edges import DISTANCES
from hlcore.figures.style import Colour, colour_scale

EDGE_COLOUR: Colour = (255, 230, 0)


def make_scene(picture: Picture, hardness: Plane, edges: EdgeMaps, *, caption: str) -> Scene:
    """The edges over the image, the distance to them in bins, and hardness."""
    steps = colour_scale("viridis")[np.linspace(255, 20, len(DISTANCES)).astype(int)]
    palette: list[Colour] = [(int(red), int(green), int(blue)) for red, green, blue in steps]
    bins = tuple((f"{name} px", colour) for name, colour in zip(DISTANCES, palette, strict=True))
    farthest = max(float(np.nan_to_num(edges.distance).max()), 1.0)
    edge, bin_plane = (
        load_class_plane(name, edges.identity, values) for name, values in (("edge", edges.edge), ("bins", edges.bins))
    )
    distance = load_value_plane("distance", edges.identity, edges.distance, low=0, high=farthest)
    defined = definitions.make_link("Distance to the edge")
    return Scene(
        picture.size,
        (
            make_image_layer(picture),
            Layer("Edges", "classes", {ALL_STEPS: edge}, dim=True, classes=(("no edge", None), ("edge", EDGE_COLOUR))),
            Layer("Distance bins", "classes", {ALL_STEPS: bin_plane}, classes=bins, legend=True),
            Layer(
                "Distance",
                "values",
                {ALL_STEPS: distance},
                scale="viridis",
                high=farthest,
                unit=" px",
                digits=1,
                definition=defined,
            ),
            make_hardness_layer({ALL_STEPS: hardness}),
        ),
        (
            Panel("Edges", note=f"{edges.edge.mean():.1%} of the pixels"),
            Panel("Distance bins", title="Distance to the nearest edge"),
            Panel(say_plainly("Hardness")),
        ),
        columns=3,
        narrow_columns=1,
        caption=caption,
    )
