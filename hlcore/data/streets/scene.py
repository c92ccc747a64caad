"""One street scene, painted from the horizon towards the camera."""

import numpy as np

from hlcore.data.streets.buildings import draw_skyline
from hlcore.data.streets.canvas import OVERSAMPLING, Canvas, Colour, Surface
from hlcore.data.streets.ground import draw_ground
from hlcore.data.streets.layout import (
    HORIZON_DISTANCE_M,
    choose_camera,
    choose_lens,
    choose_light,
    choose_street,
)
from hlcore.data.streets.lens import majority_label, photograph
from hlcore.data.streets.placement import Scenery, place_frontage, place_pavement, place_traffic
from hlcore.data.streets.shading import radiance
from hlcore.data.streets.solids import chance, pick
from hlcore.types import IGNORE_INDEX, Image, LabelMap

BONNETS: tuple[Colour, ...] = ((0.1, 0.1, 0.11), (0.5, 0.5, 0.52), (0.3, 0.06, 0.06))
BONNET_DISTANCE_M = 0.9


def render_scene(seed: np.random.SeedSequence, size: tuple[int, int]) -> tuple[Image, LabelMap]:
    """The photograph of a random street and the class of each of its pixels.

    Args:
        seed: Decides everything but the size.
        size: Height and width in pixels.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    height, width = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
    camera, light, street = choose_camera(rng, (height, width)), choose_light(rng), choose_street(rng)
    lens = choose_lens(rng, light, size[1])
    canvas = Canvas(camera, light, width, height)
    canvas.sky()
    draw_skyline(canvas, rng, HORIZON_DISTANCE_M)
    draw_ground(canvas, rng, street)
    scenery = Scenery(canvas, rng)
    for side in street.sides:
        place_frontage(scenery, street, side)
        place_pavement(scenery, street, side)
    place_traffic(scenery, street)
    scenery.paint()
    if chance(rng, 0.15):
        draw_bonnet(canvas, rng)

    image = photograph(radiance(canvas, rng), lens, rng)
    part = canvas.part_index()
    label = canvas.part_table()["label"].astype(np.uint8)[part]
    return image, majority_label(label, part)


def draw_bonnet(canvas: Canvas, rng: np.random.Generator) -> None:
    """The bonnet of the camera's own car along the lower edge; it belongs to no class."""
    camera, z = canvas.camera, BONNET_DISTANCE_M
    low = camera.height_m - z * (canvas.height - camera.horizon_v) / camera.focal_px
    rise = rng.uniform(0.04, 0.1)
    half = 0.75 * z * canvas.width / camera.focal_px
    arch = [(half * share, low + rise * (1 - share * share), z) for share in np.linspace(-1, 1, 15).tolist()]
    paint = Surface(IGNORE_INDEX, pick(rng, BONNETS), fine=0.01, coarse=0.05)
    canvas.face([(-half, low - 1, z), *arch, (half, low - 1, z)], paint)
