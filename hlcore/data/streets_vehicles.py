"""Cars, vans and buses, from boxes with windows, lights and wheels."""

import numpy as np

from hlcore.data.streets_canvas import CAR, Canvas, Colour, Surface
from hlcore.data.streets_solids import Face, box_faces, chance, oval, outline, pick, shade, varied

PAINTS: tuple[Colour, ...] = (
    *((0.82, 0.82, 0.84), (0.62, 0.64, 0.66), (0.33, 0.34, 0.36), (0.09, 0.09, 0.1), (0.55, 0.08, 0.08)),
    *((0.1, 0.18, 0.42), (0.2, 0.32, 0.5), (0.08, 0.26, 0.2), (0.7, 0.62, 0.45), (0.85, 0.6, 0.1)),
)
GLASS: Colour = (0.16, 0.19, 0.22)
SKY_IN_GLASS: Colour = (0.55, 0.62, 0.68)
TYRE: Colour = (0.07, 0.07, 0.075)
RIM: Colour = (0.5, 0.5, 0.52)
WHEEL_RADIUS_M = 0.32
WHEEL_DETAIL_M = 25.0


def draw_car(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float, *, oncoming: bool) -> None:
    """A car whose middle stands at (x, z); `heading` is the direction of the street there."""
    length, width, height = rng.uniform(3.7, 4.7), rng.uniform(1.68, 1.85), rng.uniform(1.4, 1.58)
    deck, floor = rng.uniform(0.82, 0.95), 0.3
    paint = _paint(rng, varied(rng, pick(rng, PAINTS), 0.06))
    camera_m = canvas.camera.height_m
    estate = chance(rng, 0.45)
    cabin_length = length * (0.68 if estate else 0.58)
    cabin_shift = -length * (0.13 if estate else 0.06) * (-1 if oncoming else 1)
    taper = (0.8, 0.84 if estate else 0.7, 0.0)
    _ground_shadow(canvas, x, z, heading, width, length)
    body = box_faces(x, z, heading, width, length, floor, deck, camera_m=camera_m, top=(0.95, 0.98, 0.0))
    for face in body:
        canvas.face(face.corners, paint)
        if face.side in ("left", "right"):
            _wheels(canvas, face, (0.19, 0.81))
            outline(
                canvas, face.frame(), [(0, 0), (length, 0), (length, 0.07), (0, 0.07)], _matt(shade(paint.colour, 0.35))
            )
        elif face.side != "top":
            _end(canvas, rng, face, front=(face.side == "front") != oncoming)
    cx, cz = x + cabin_shift * np.sin(heading), z + cabin_shift * np.cos(heading)
    cabin = box_faces(
        float(cx), float(cz), heading, width * 0.93, cabin_length, deck, height, camera_m=camera_m, top=taper
    )
    for face in cabin:
        canvas.face(face.corners, paint)
        if face.side == "top":
            continue
        panes = [(0.06, 0.5), (0.54, 0.94)] if face.side in ("left", "right") else [(0.05, 0.95)]
        for left, right in panes:
            canvas.face(face.inset(left, 0.06, right, 0.88), _matt(GLASS))
            canvas.face(face.inset(left, 0.66, right, 0.88), _matt(shade(SKY_IN_GLASS, rng.uniform(0.35, 0.8))))
    _cast_box(canvas, x, z, heading, width, length, height)


def draw_van(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float, *, oncoming: bool) -> None:
    """A delivery van, lorry or bus."""
    bus = chance(rng, 0.3)
    length, width = (rng.uniform(9, 11), 2.5) if bus else (rng.uniform(4.8, 6.5), 2.05)
    height = rng.uniform(2.9, 3.4) if bus else rng.uniform(2.1, 2.9)
    colour = (
        pick(rng, ((0.7, 0.1, 0.1), (0.15, 0.35, 0.6), (0.85, 0.7, 0.2)))
        if bus
        else pick(rng, PAINTS[:3] + PAINTS[6:7])
    )
    paint = _paint(rng, varied(rng, colour, 0.06))
    _ground_shadow(canvas, x, z, heading, width, length)
    faces = box_faces(
        x, z, heading, width, length, 0.35, height, camera_m=canvas.camera.height_m, top=(0.95, 0.97, 0.0)
    )
    for face in faces:
        canvas.face(face.corners, paint)
        if face.side in ("left", "right"):
            _wheels(canvas, face, (0.16, 0.82))
            panes = 6 if bus else 0
            for pane in range(panes):
                canvas.face(face.inset(0.04 + pane * 0.16, 0.48, 0.17 + pane * 0.16, 0.82), _matt(GLASS))
        else:
            front = (face.side == "front") != oncoming
            if front or bus:
                canvas.face(face.inset(0.08, 0.5, 0.92, 0.86), _matt(GLASS))
            else:
                canvas.face(face.inset(0.49, 0.08, 0.51, 0.95), _matt(shade(paint.colour, 0.4)))
                canvas.face(face.inset(0.14, 0.58, 0.42, 0.82), _matt(GLASS))
                canvas.face(face.inset(0.58, 0.58, 0.86, 0.82), _matt(GLASS))
            _lights(canvas, face, front=front, height=0.22)
    _cast_box(canvas, x, z, heading, width, length, height)


def _paint(rng: np.random.Generator, colour: Colour) -> Surface:
    return Surface(CAR, colour, fine=0.02, coarse=rng.uniform(0.03, 0.1), glow=0.03)


def _matt(colour: Colour, glow: float = 0.0) -> Surface:
    return Surface(CAR, colour, fine=0.03, coarse=0.05, glow=glow)


def _wheels(canvas: Canvas, face: Face, shares: tuple[float, ...]) -> None:
    low = face.corners[0][1]
    frame = face.frame(0.0, -low)
    for share in shares:
        middle = share * face.width_m
        if face.corners[0][2] > WHEEL_DETAIL_M:
            oval(canvas, frame, middle, WHEEL_RADIUS_M, WHEEL_RADIUS_M, WHEEL_RADIUS_M, _matt(TYRE))
            continue
        oval(
            canvas,
            frame,
            middle,
            WHEEL_RADIUS_M + 0.03,
            WHEEL_RADIUS_M * 1.2,
            WHEEL_RADIUS_M * 1.2,
            _matt(shade(TYRE, 0.6)),
        )
        oval(canvas, frame, middle, WHEEL_RADIUS_M, WHEEL_RADIUS_M, WHEEL_RADIUS_M, _matt(TYRE))
        oval(canvas, frame, middle, WHEEL_RADIUS_M, WHEEL_RADIUS_M * 0.6, WHEEL_RADIUS_M * 0.6, _matt(RIM))


def _end(canvas: Canvas, rng: np.random.Generator, face: Face, *, front: bool) -> None:
    """Bumper, grille or boot, number plate, lights and the wheels below."""
    for left in (0.06, 0.8):
        low = [face.at(left, 0.1), face.at(left + 0.14, 0.1), face.at(left + 0.14, -0.45), face.at(left, -0.45)]
        canvas.face(low, _matt(TYRE))
    canvas.face(face.inset(0.0, 0.0, 1.0, 0.24), _matt((0.14, 0.14, 0.15)))
    if front:
        canvas.face(face.inset(0.28, 0.36, 0.72, 0.62), _matt((0.1, 0.1, 0.11)))
    plate = (0.85, 0.85, 0.8) if front or chance(rng, 0.5) else (0.85, 0.7, 0.15)
    canvas.face(face.inset(0.36, 0.26 if front else 0.4, 0.64, 0.42 if front else 0.58), _matt(plate, 0.1))
    _lights(canvas, face, front=front, height=0.6)


def _lights(canvas: Canvas, face: Face, *, front: bool, height: float) -> None:
    lit = canvas.light.lamps_lit
    colour = (0.9, 0.9, 0.8) if front else (0.65, 0.05, 0.05)
    for left in (0.03, 0.8):
        canvas.face(face.inset(left, height, left + 0.17, height + 0.22), _matt(colour, 1.2 if lit else 0.1))


def _ground_shadow(canvas: Canvas, x: float, z: float, heading: float, width: float, length: float) -> None:
    """The dark under the body, whatever the sun does; it counts as car, as annotators draw it."""
    for face in box_faces(x, z, heading, width, length * 0.96, 0.0, 0.31, camera_m=1.0):
        if face.side != "top":
            canvas.face(face.corners, _matt((0.04, 0.04, 0.045)))


def _cast_box(canvas: Canvas, x: float, z: float, heading: float, width: float, length: float, height: float) -> None:
    fx, fz = float(np.sin(heading)), float(np.cos(heading))
    ends = (x - fx * length / 2, z - fz * length / 2), (x + fx * length / 2, z + fz * length / 2)
    canvas.cast_wall(*ends, 0.0, height)
    for side in (-0.48, 0.48):
        across = side * width
        canvas.cast_wall(*((ex + across * fz, ez - across * fx) for ex, ez in ends), 0.0, height * 0.6)
    for ex, ez in ends:
        half = width / 2
        canvas.cast_wall((ex - half * fz, ez + half * fx), (ex + half * fz, ez - half * fx), 0.0, height * 0.55)
