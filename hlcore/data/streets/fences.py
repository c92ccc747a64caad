"""Fences and garden walls, panel by panel between two ground points (x, z)."""

import math

import numpy as np

from hlcore.data.streets.canvas import BRICK, FENCE, Canvas, Colour, Surface
from hlcore.data.streets.furniture import METALS
from hlcore.data.streets.solids import Face, Footprint, Spot, box_faces, pick, shade, vary

WOOD: Colour = (0.45, 0.33, 0.22)
BRICK_RED: Colour = (0.5, 0.34, 0.28)
BOARD_M = 0.35
BAR_SPACING_M = 0.22
BAR_M = 0.045
RAILING_SHADE = 0.35
"""Share of a railing's height that casts a shadow; the bars are mostly gaps."""


def draw_board_fence(canvas: Canvas, rng: np.random.Generator, start: Spot, end: Spot) -> None:
    """A fence of upright boards."""
    wood = Surface(FENCE, vary(rng, WOOD, 0.15), fine=0.2, coarse=0.25)
    panel = _panel(start, end, rng.uniform(1.2, 1.8))
    canvas.face(panel.corners, wood)
    gap = Surface(FENCE, shade(wood.colour, 0.5), fine=0.1)
    for board in range(1, int(panel.width_m / BOARD_M)):
        canvas.face(panel.panel(board * BOARD_M, 0.0, 0.05, panel.height_m), gap)
    canvas.cast_wall(start, end, 0.0, panel.height_m)


def draw_railing(canvas: Canvas, rng: np.random.Generator, start: Spot, end: Spot) -> None:
    """A see-through railing of thin bars."""
    panel = _panel(start, end, rng.uniform(0.95, 1.4))
    metal = Surface(FENCE, pick(rng, METALS), fine=0.05)
    for bar in range(int(panel.width_m / BAR_SPACING_M) + 1):
        left = min(bar * BAR_SPACING_M, panel.width_m - BAR_M)
        canvas.face(panel.panel(left, 0.05, BAR_M, panel.height_m), metal)
    for low in (0.12, panel.height_m - 0.08):
        canvas.face(panel.panel(0.0, low, panel.width_m, low + 0.06), metal)
    canvas.cast_wall(start, end, 0.0, panel.height_m * RAILING_SHADE)


def draw_garden_wall(canvas: Canvas, rng: np.random.Generator, start: Spot, end: Spot) -> None:
    """A low brick wall, which counts as fence."""
    (x0, z0), (x1, z1) = start, end
    height = rng.uniform(0.6, 1.0)
    length, heading = math.hypot(x1 - x0, z1 - z0), math.atan2(x1 - x0, z1 - z0)
    footprint = Footprint((x0 + x1) / 2, (z0 + z1) / 2, heading, 0.25, length)
    stone = Surface(FENCE, vary(rng, BRICK_RED, 0.1), BRICK, fine=0.2, coarse=0.15)
    for face in box_faces(footprint, 0.0, height, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, stone)
    canvas.cast_wall(start, end, 0.0, height)


def _panel(start: Spot, end: Spot, height_m: float) -> Face:
    (x0, z0), (x1, z1) = start, end
    return Face("panel", ((x0, 0.0, z0), (x1, 0.0, z1), (x1, height_m, z1), (x0, height_m, z0)))
