"""Buildings: boxes with procedural windows, roofs and ground floors."""

import numpy as np

from hlcore.data.streets.canvas import BRICK_FACADE, BUILDING, FACADE, POLE, Canvas, Colour, Point, Surface
from hlcore.data.streets.shops import draw_ground_floor
from hlcore.data.streets.solids import RING, Footprint, box_faces, chance, pick, shade, vary

WALLS: tuple[Colour, ...] = (
    *((0.72, 0.66, 0.55), (0.58, 0.36, 0.28), (0.48, 0.28, 0.22), (0.66, 0.6, 0.54), (0.8, 0.76, 0.68)),
    *((0.5, 0.5, 0.5), (0.62, 0.5, 0.36), (0.36, 0.34, 0.33), (0.7, 0.56, 0.46), (0.56, 0.58, 0.6)),
    (0.3, 0.38, 0.22),
)
"""Wall colours; the last is the green of ivy."""
ROOFS: tuple[Colour, ...] = ((0.3, 0.28, 0.28), (0.42, 0.24, 0.18), (0.25, 0.26, 0.3))
CHIMNEY: Colour = (0.45, 0.28, 0.22)
MAST: Colour = (0.4, 0.4, 0.4)
DETAIL_FAR_M = 45.0
EAVES_M = 0.5
HOUSE_STOREYS = 2
"""A building of at most this many storeys is a house with a pitched roof and no shops."""


def draw_building(
    canvas: Canvas, rng: np.random.Generator, footprint: Footprint, *, storeys: int, street_side: str
) -> None:
    """A building whose length runs along the street; `street_side` names the face with the doors."""
    floor_m, base_m = rng.uniform(2.8, 3.4), rng.uniform(3.2, 4.2)
    house = storeys <= HOUSE_STOREYS
    if house:
        base_m = 0.6
    height = base_m + storeys * floor_m + 0.5
    surface = _wall(rng, (rng.uniform(1.7, 3.2), floor_m, rng.uniform(0.35, 0.68), base_m))
    cornice = Surface(BUILDING, shade(surface.colour, 0.75), fine=0.05)
    for face in box_faces(footprint, 0.0, height, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, surface)
        canvas.face(face.inset(0.0, 0.97, 1.0, 1.0), cornice)
        if face.side == street_side and min(corner[2] for corner in face.corners) < DETAIL_FAR_M:
            draw_ground_floor(canvas, rng, face, shop_height_m=None if house else base_m, trim=cornice)
    if house or chance(rng, 0.35):
        _roof(canvas, rng, footprint, height)
    for left, right in RING.values():
        canvas.cast_wall(footprint.corner(*left), footprint.corner(*right), 0.0, height)


def _wall(rng: np.random.Generator, windows: tuple[float, float, float, float]) -> Surface:
    """Plaster or brick; a green wall is ivy, as rough as leaves."""
    colour = vary(rng, pick(rng, WALLS), 0.07)
    material = BRICK_FACADE if chance(rng, 0.5) else FACADE
    ivy = colour[1] > 1.15 * colour[0]
    fine, coarse = (0.35, 0.3) if ivy else (0.1, 0.09)
    return Surface(BUILDING, colour, material, fine=fine, coarse=coarse, windows=windows)


def _roof(canvas: Canvas, rng: np.random.Generator, footprint: Footprint, eaves_m: float) -> None:
    """A pitched roof, usually with a chimney."""
    ridge = eaves_m + rng.uniform(1.5, 3.0)
    tiles = Surface(BUILDING, vary(rng, pick(rng, ROOFS)), fine=0.25, coarse=0.15)
    camera_m = canvas.camera.height_m
    broad = footprint.resized(footprint.width_m + EAVES_M, footprint.length_m)
    for face in box_faces(broad, eaves_m - EAVES_M, ridge, camera_m=camera_m, taper=(0.15, 1.0)):
        canvas.face(face.corners, tiles)
    if chance(rng, 0.7):
        brick = Surface(BUILDING, CHIMNEY, fine=0.2)
        chimney = footprint.moved(footprint.length_m * 0.25).resized(1.0, 0.8)
        for face in box_faces(chimney, ridge - 1.0, ridge + 0.9, camera_m=camera_m):
            canvas.face(face.corners, brick)


def draw_skyline(canvas: Canvas, rng: np.random.Generator, distance_m: float) -> None:
    """Distant buildings and a mast or two across the whole view, to close off the street."""
    half = 0.9 * distance_m * canvas.width / canvas.camera.focal_px
    place = -half
    while place < half:
        width, height = rng.uniform(8, 26), rng.uniform(4, 15)
        wall = Surface(BUILDING, vary(rng, pick(rng, WALLS)), FACADE, windows=(3.0, 3.0, 0.5, 1.0))
        canvas.face(_screen(place, width, height, distance_m), wall)
        if chance(rng, 0.15):
            canvas.face(_screen(place + width / 2, 0.4, height + 8, distance_m - 1), Surface(POLE, MAST))
        place += width * rng.uniform(0.7, 1.3)


def _screen(left: float, width_m: float, height_m: float, distance_m: float) -> list[Point]:
    right = left + width_m
    low, high = ((left, 0.0, distance_m), (right, 0.0, distance_m)), (right, height_m, distance_m)
    return [*low, high, (left, height_m, distance_m)]
