"""The ground: pavements, the road with its side streets, and the markings and patches on it."""

import math
from itertools import pairwise

import numpy as np

from hlcore.data.streets.canvas import PAVEMENT, PAVING, PLAIN, ROAD, Canvas, Colour, Point, Surface
from hlcore.data.streets.layout import HORIZON_DISTANCE_M, Side, Street
from hlcore.data.streets.solids import chance, pick, shade, vary

STATIONS_M = (
    0.7,
    3.0,
    6.0,
    9.0,
    12.0,
    16.0,
    20.0,
    25.0,
    31.0,
    38.0,
    46.0,
    56.0,
    68.0,
    82.0,
    95.0,
    120.0,
    HORIZON_DISTANCE_M,
)
"""Depths between which the ground is painted in straight pieces."""
PAINT_WHITE: Colour = (0.78, 0.78, 0.74)
KERB_HEIGHT_M = 0.12
SIDE_STREET_M = 60.0


def draw_ground(canvas: Canvas, rng: np.random.Generator, street: Street) -> None:
    """Paint the ground up to the skyline."""
    slabs = Surface(
        PAVEMENT,
        vary(rng, pick(rng, ((0.55, 0.53, 0.5), (0.62, 0.58, 0.52), (0.5, 0.5, 0.5), (0.56, 0.46, 0.42))), 0.04),
        PAVING,
        fine=0.12,
        coarse=0.08,
    )
    wide = HORIZON_DISTANCE_M * 2
    canvas.face(
        [(-wide, 0.0, 0.7), (wide, 0.0, 0.7), (wide, 0.0, HORIZON_DISTANCE_M), (-wide, 0.0, HORIZON_DISTANCE_M)], slabs
    )
    grey = rng.uniform(0.27, 0.42)
    asphalt = Surface(ROAD, vary(rng, (grey, grey, grey * 1.02), 0.02), fine=0.16, coarse=0.06)
    left, right = street.sides
    _strip(canvas, street, -left.kerb_m, right.kerb_m, asphalt)
    stone = Surface(PAVEMENT, shade(slabs.colour, 1.2), fine=0.1)
    for side in street.sides:
        _side_street(canvas, rng, street, side, asphalt)
    for side in street.sides:
        _kerb(canvas, street, side, stone)
    _wear(canvas, rng, street, asphalt)
    _markings(canvas, rng, street)


def _strip(canvas: Canvas, street: Street, left_m: float, right_m: float, surface: Surface) -> None:
    near = [street.at(left_m, z) for z in STATIONS_M]
    far = [street.at(right_m, z) for z in reversed(STATIONS_M)]
    canvas.face([(x, 0.0, z) for x, z in near + far], surface)


def _patch(canvas: Canvas, street: Street, box: tuple[float, float, float, float], surface: Surface) -> None:
    """A rectangle of road between offsets left, right and depths near, far."""
    left, right, near, far = box
    corners = street.at(left, near), street.at(right, near), street.at(right, far), street.at(left, far)
    canvas.face([(x, 0.0, z) for x, z in corners], surface)


def _side_street(canvas: Canvas, rng: np.random.Generator, street: Street, side: Side, asphalt: Surface) -> None:
    start, end = side.junction
    if end <= start:
        return
    inner, outer = side.sign * (side.kerb_m - 1.0), side.sign * (side.kerb_m + SIDE_STREET_M)
    flare = 1.0
    mouth = [
        street.at(inner, start - flare),
        street.at(side.sign * (side.kerb_m + 1.5), start + 0.4),
        street.at(outer, start + 0.4),
    ]
    mouth += [
        street.at(outer, end - 0.4),
        street.at(side.sign * (side.kerb_m + 1.5), end - 0.4),
        street.at(inner, end + flare),
    ]
    canvas.face([(x, 0.0, max(z, 0.3)) for x, z in mouth], asphalt)
    if chance(rng, 0.6):
        line = Surface(ROAD, PAINT_WHITE, fine=0.15)
        _patch(
            canvas,
            street,
            (side.sign * (side.kerb_m + 0.1), side.sign * (side.kerb_m + 0.35), start + 1, end - 1),
            line,
        )


def _kerb(canvas: Canvas, street: Street, side: Side, stone: Surface) -> None:
    """The edge of the pavement: a light stone with a dark upright face."""
    dark = Surface(PAVEMENT, shade(stone.colour, 0.7), fine=0.1)
    for near, far in reversed(list(pairwise(STATIONS_M))):
        pieces = [(near, far)]
        if side.in_junction(near) or side.in_junction(far) or near < side.junction[0] < far:
            start, end = side.junction
            pieces = [(near, min(far, start)), (max(near, end), far)] if end > start else pieces
        for a, b in pieces:
            if b <= a:
                continue
            _patch(canvas, street, (side.sign * side.kerb_m, side.sign * (side.kerb_m + 0.18), a, b), stone)
            low: list[Point] = [
                (x, 0.0, z) for x, z in (street.at(side.sign * side.kerb_m, a), street.at(side.sign * side.kerb_m, b))
            ]
            canvas.face([*low, *((x, KERB_HEIGHT_M, z) for x, _, z in reversed(low))], dark)


def _wear(canvas: Canvas, rng: np.random.Generator, street: Street, asphalt: Surface) -> None:
    """Wheel tracks, patches, manholes, and puddles that reflect the sky."""
    track = Surface(ROAD, shade(asphalt.colour, rng.uniform(0.86, 0.97)), PLAIN, asphalt.fine, asphalt.coarse)
    for lane in (-1, 1):
        for wheel in (-0.75, 0.75):
            middle = lane * street.lane_m / 2 + wheel
            _strip(canvas, street, middle - 0.3, middle + 0.3, track)
    for _ in range(int(rng.integers(1, 6))):
        z, offset = rng.uniform(4, 35), rng.uniform(-street.lane_m, street.lane_m - 1)
        tar = Surface(ROAD, shade(asphalt.colour, rng.uniform(0.65, 1.2)), PLAIN, asphalt.fine, asphalt.coarse)
        _patch(canvas, street, (offset, offset + rng.uniform(0.5, 1.8), z, z + rng.uniform(1, 9)), tar)
    for _ in range(int(rng.integers(0, 3))):
        z, offset = rng.uniform(5, 25), rng.uniform(-street.lane_m, street.lane_m)
        _blot(rng, canvas, street, (offset, z), (0.3, 0.3), Surface(ROAD, shade(asphalt.colour, 0.7), fine=0.3))
    if chance(rng, 0.2):
        mirror = Surface(
            ROAD, tuple(min(1.0, c) ** 0.45 * 0.55 for c in canvas.light.sky_low), fine=0.02, coarse=0.05, glow=0.25
        )
        for _ in range(int(rng.integers(1, 4))):
            side = pick(rng, street.sides)
            offset = side.sign * (side.kerb_m - rng.uniform(0.2, 1.2))
            _blot(
                rng,
                canvas,
                street,
                (offset, rng.uniform(5, 22)),
                (rng.uniform(0.2, 0.6), rng.uniform(0.8, 3.0)),
                mirror,
            )


def _blot(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    place: tuple[float, float],
    radii_m: tuple[float, float],
    surface: Surface,
) -> None:
    """A roundish stain at (offset, z) with the given half width and half length; large ones are ragged."""
    x, z = street.at(*place)
    half_width, half_length = radii_m
    bulges = (1 + 0.25 * half_length * rng.uniform(-1, 1, 16)).tolist()
    rim = [(b * math.cos(i * math.pi / 8), b * math.sin(i * math.pi / 8)) for i, b in enumerate(bulges)]
    canvas.face([(x + half_width * c, 0.0, z + half_length * s) for c, s in rim], surface)


def _markings(canvas: Canvas, rng: np.random.Generator, street: Street) -> None:
    """Centre line, edge lines, parking bays, crossings and arrows; all count as road."""
    worn = rng.uniform(0.75, 1.05)
    white = Surface(ROAD, shade(PAINT_WHITE, worn), fine=0.2, coarse=0.1)
    if chance(rng, 0.8):
        dash, gap = pick(rng, ((3.0, 3.0), (2.0, 4.0), (6.0, 3.0), (1.0, 0.0)))
        z = 1.0
        while z < 80:
            _patch(canvas, street, (-0.07, 0.07, z, z + dash), white)
            z += dash + gap
    for side in street.sides:
        if chance(rng, 0.6):
            colour = (0.75, 0.62, 0.15) if chance(rng, 0.3) else white.colour
            line = Surface(ROAD, colour, fine=0.2, coarse=0.1)
            edge = side.sign * (street.lane_m if side.parking else side.kerb_m - 0.25)
            z = 0.8
            while z < 75:
                if not side.in_junction(z, 2.0):
                    _patch(canvas, street, (edge - 0.06, edge + 0.06, z, z + 3.0), line)
                z += 3.0
    left, right = street.sides
    if chance(rng, 0.35):
        z = rng.uniform(7, 28)
        stripe = -left.kerb_m + 0.4
        while stripe < right.kerb_m - 0.5:
            _patch(canvas, street, (stripe, stripe + 0.5, z, z + 3.0), white)
            stripe += 1.0
    if chance(rng, 0.3):
        z, middle = rng.uniform(8, 20), street.drive_side * street.lane_m / 2
        _patch(canvas, street, (middle - 0.08, middle + 0.08, z, z + 2.5), white)
        tip = [street.at(middle - 0.35, z + 2.4), street.at(middle + 0.35, z + 2.4), street.at(middle, z + 4.0)]
        canvas.face([(x, 0.0, depth) for x, depth in tip], white)
