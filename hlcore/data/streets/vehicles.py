"""Cars, vans and buses, from boxes with windows, lights and wheels."""

import numpy as np

from hlcore.data.streets.canvas import CAR, Canvas, Colour, Surface
from hlcore.data.streets.solids import Face, Footprint, Sketch, box_faces, chance, pick, shade, vary

PAINTS: tuple[Colour, ...] = (
    *((0.82, 0.82, 0.84), (0.62, 0.64, 0.66), (0.33, 0.34, 0.36), (0.09, 0.09, 0.1), (0.55, 0.08, 0.08)),
    *((0.1, 0.18, 0.42), (0.2, 0.32, 0.5), (0.08, 0.26, 0.2), (0.7, 0.62, 0.45), (0.85, 0.6, 0.1)),
)
VAN_PAINTS = (*PAINTS[:3], PAINTS[6])
BUS_PAINTS: tuple[Colour, ...] = ((0.7, 0.1, 0.1), (0.15, 0.35, 0.6), (0.85, 0.7, 0.2))
GLASS: Colour = (0.16, 0.19, 0.22)
SKY_IN_GLASS: Colour = (0.55, 0.62, 0.68)
TYRE: Colour = (0.07, 0.07, 0.075)
RIM: Colour = (0.5, 0.5, 0.52)
BUMPER: Colour = (0.14, 0.14, 0.15)
GRILLE: Colour = (0.1, 0.1, 0.11)
UNDERSIDE: Colour = (0.04, 0.04, 0.045)
WHITE_PLATE, YELLOW_PLATE = (0.85, 0.85, 0.8), (0.85, 0.7, 0.15)
HEADLIGHT, REAR_LIGHT = (0.9, 0.9, 0.8), (0.65, 0.05, 0.05)
FLOOR_M = 0.3
WHEEL_RADIUS_M = 0.32
WHEEL_DETAIL_M = 25.0
SIDES = ("left", "right")


def draw_car(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float, *, oncoming: bool) -> None:
    """A car centred at (x, z); `heading` is the direction of the street there."""
    length, width, height = rng.uniform(3.7, 4.7), rng.uniform(1.68, 1.85), rng.uniform(1.4, 1.58)
    deck = rng.uniform(0.82, 0.95)
    paint = _paint(rng, vary(rng, pick(rng, PAINTS), 0.06))
    camera_m = canvas.camera.height_m
    estate = chance(rng, 0.45)
    footprint = Footprint(x, z, heading, width, length)
    _underside(canvas, footprint)
    for face in box_faces(footprint, FLOOR_M, deck, camera_m=camera_m, taper=(0.95, 0.98)):
        canvas.face(face.corners, paint)
        if face.side in SIDES:
            _wheels(canvas, face, (0.19, 0.81))
            canvas.face(face.panel(0.0, 0.0, length, 0.07), _matt(shade(paint.colour, 0.35)))
        elif face.side != "top":
            _end(canvas, rng, face, front=(face.side == "front") != oncoming)
    towards_boot = length * (0.13 if estate else 0.06) * (1 if oncoming else -1)
    cabin = footprint.moved(towards_boot).resized(width * 0.93, length * (0.68 if estate else 0.58))
    for face in box_faces(cabin, deck, height, camera_m=camera_m, taper=(0.8, 0.84 if estate else 0.7)):
        canvas.face(face.corners, paint)
        if face.side != "top":
            _panes(canvas, rng, face)
    _cast(canvas, footprint, height)


def draw_van(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float, *, oncoming: bool) -> None:
    """A delivery van, lorry or bus."""
    bus = chance(rng, 0.3)
    length, width = (rng.uniform(9, 11), 2.5) if bus else (rng.uniform(4.8, 6.5), 2.05)
    height = rng.uniform(2.9, 3.4) if bus else rng.uniform(2.1, 2.9)
    paint = _paint(rng, vary(rng, pick(rng, BUS_PAINTS if bus else VAN_PAINTS), 0.06))
    footprint = Footprint(x, z, heading, width, length)
    _underside(canvas, footprint)
    for face in box_faces(footprint, FLOOR_M, height, camera_m=canvas.camera.height_m, taper=(0.95, 0.97)):
        canvas.face(face.corners, paint)
        if face.side in SIDES:
            _wheels(canvas, face, (0.16, 0.82))
            for pane in range(6 if bus else 0):
                canvas.face(face.inset(0.04 + pane * 0.16, 0.48, 0.17 + pane * 0.16, 0.82), _matt(GLASS))
            continue
        front = (face.side == "front") != oncoming
        if front or bus:
            canvas.face(face.inset(0.08, 0.5, 0.92, 0.86), _matt(GLASS))
        else:
            canvas.face(face.inset(0.49, 0.08, 0.51, 0.95), _matt(shade(paint.colour, 0.4)))
            canvas.face(face.inset(0.14, 0.58, 0.42, 0.82), _matt(GLASS))
            canvas.face(face.inset(0.58, 0.58, 0.86, 0.82), _matt(GLASS))
        _lights(canvas, face, front=front, low=0.22)
    _cast(canvas, footprint, height)


def _paint(rng: np.random.Generator, colour: Colour) -> Surface:
    return Surface(CAR, colour, fine=0.02, coarse=rng.uniform(0.03, 0.1), glow=0.03)


def _matt(colour: Colour, glow: float = 0.0) -> Surface:
    return Surface(CAR, colour, fine=0.03, coarse=0.05, glow=glow)


def _panes(canvas: Canvas, rng: np.random.Generator, face: Face) -> None:
    """The windows of a cabin, with the sky in their upper part."""
    for left, right in ((0.06, 0.5), (0.54, 0.94)) if face.side in SIDES else ((0.05, 0.95),):
        canvas.face(face.inset(left, 0.06, right, 0.88), _matt(GLASS))
        canvas.face(face.inset(left, 0.66, right, 0.88), _matt(shade(SKY_IN_GLASS, rng.uniform(0.35, 0.8))))


def _wheels(canvas: Canvas, face: Face, shares: tuple[float, ...]) -> None:
    sketch = Sketch(canvas, face.frame(0.0, -face.corners[0][1]), _matt(TYRE))
    radius = WHEEL_RADIUS_M
    for share in shares:
        hub = share * face.width_m, radius
        near = face.corners[0][2] <= WHEEL_DETAIL_M
        if near:
            sketch.oval((hub[0], radius + 0.03), (radius * 1.2, radius * 1.2), shade(TYRE, 0.6))
        sketch.oval(hub, (radius, radius), TYRE)
        if near:
            sketch.oval(hub, (radius * 0.6, radius * 0.6), RIM)


def _end(canvas: Canvas, rng: np.random.Generator, face: Face, *, front: bool) -> None:
    """Bumper, grille or boot, number plate, lights and the wheels below."""
    for left in (0.06, 0.8):
        canvas.face(face.inset(left, -0.45, left + 0.14, 0.1), _matt(TYRE))
    canvas.face(face.inset(0.0, 0.0, 1.0, 0.24), _matt(BUMPER))
    if front:
        canvas.face(face.inset(0.28, 0.36, 0.72, 0.62), _matt(GRILLE))
    plate = WHITE_PLATE if front or chance(rng, 0.5) else YELLOW_PLATE
    canvas.face(face.inset(0.36, 0.26 if front else 0.4, 0.64, 0.42 if front else 0.58), _matt(plate, 0.1))
    _lights(canvas, face, front=front, low=0.6)


def _lights(canvas: Canvas, face: Face, *, front: bool, low: float) -> None:
    glow = 1.2 if canvas.light.lamps_lit else 0.1
    for left in (0.03, 0.8):
        surface = _matt(HEADLIGHT if front else REAR_LIGHT, glow)
        canvas.face(face.inset(left, low, left + 0.17, low + 0.22), surface)


def _underside(canvas: Canvas, footprint: Footprint) -> None:
    """The dark area under the body, in any light; it counts as car, as annotators label it."""
    shaded = footprint.resized(footprint.width_m, footprint.length_m * 0.96)
    for face in box_faces(shaded, 0.0, FLOOR_M + 0.01, camera_m=canvas.camera.height_m):
        if face.side != "top":
            canvas.face(face.corners, _matt(UNDERSIDE))


def _cast(canvas: Canvas, footprint: Footprint, height_m: float) -> None:
    """The shadow of the roof along the middle, and of the lower body around it."""
    canvas.cast_wall(footprint.corner(0.0, -1.0), footprint.corner(0.0, 1.0), 0.0, height_m)
    for side in (-0.96, 0.96):
        canvas.cast_wall(footprint.corner(side, -1.0), footprint.corner(side, 1.0), 0.0, height_m * 0.6)
    for end in (-1.0, 1.0):
        canvas.cast_wall(footprint.corner(-1.0, end), footprint.corner(1.0, end), 0.0, height_m * 0.55)
