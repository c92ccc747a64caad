"""People on foot and on bicycles, drawn in a frame; the frame says whether they stand in the street or on a poster."""

import math

import numpy as np

from hlcore.data.streets_canvas import BICYCLIST, PEDESTRIAN, Canvas, Colour, Surface
from hlcore.data.streets_solids import Frame, chance, limb, outline, oval, pick, shade, upright, varied

SKINS: tuple[Colour, ...] = ((0.87, 0.68, 0.56), (0.78, 0.58, 0.45), (0.55, 0.38, 0.28), (0.36, 0.24, 0.18))
CLOTHES: tuple[Colour, ...] = (
    *((0.12, 0.13, 0.17), (0.22, 0.24, 0.32), (0.55, 0.12, 0.14), (0.8, 0.78, 0.72), (0.25, 0.4, 0.6)),
    *((0.45, 0.4, 0.33), (0.75, 0.55, 0.2), (0.3, 0.42, 0.28), (0.62, 0.62, 0.64), (0.72, 0.4, 0.5)),
)
TROUSERS: tuple[Colour, ...] = (
    (0.13, 0.14, 0.2),
    (0.2, 0.27, 0.4),
    (0.3, 0.28, 0.25),
    (0.1, 0.1, 0.1),
    (0.5, 0.46, 0.4),
)
HAIR: tuple[Colour, ...] = ((0.1, 0.08, 0.07), (0.3, 0.2, 0.12), (0.6, 0.5, 0.3), (0.55, 0.55, 0.55))
BICYCLE: tuple[Colour, ...] = ((0.1, 0.1, 0.1), (0.6, 0.1, 0.1), (0.1, 0.25, 0.5), (0.75, 0.75, 0.75))
WHEEL_RADIUS_M = 0.34


def draw_pedestrian(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """Someone standing or walking at (x, z)."""
    if not canvas.sees(x, z, 1.0):
        return
    height = rng.uniform(1.5, 1.88) if chance(rng, 0.88) else rng.uniform(1.0, 1.3)
    draw_figure(canvas, rng, upright(x, z), height, PEDESTRIAN)
    canvas.cast_wall((x - 0.2, z), (x + 0.2, z), 0.0, height)


def draw_figure(canvas: Canvas, rng: np.random.Generator, frame: Frame, height_m: float, label: int) -> None:
    """A walking figure of any class, feet at the origin of the frame."""
    s = height_m / 1.75
    girth = s * rng.uniform(0.9, 1.2)
    coat, legs = varied(rng, pick(rng, CLOTHES)), varied(rng, pick(rng, TROUSERS))
    stride = rng.uniform(-0.28, 0.28) * s
    hip, shoulder = 0.86 * s, 1.44 * s
    skin = _cloth(label, pick(rng, SKINS))
    for foot, tone in ((-stride, 0.8), (stride, 1.0)):
        side = math.copysign(0.07 * s, foot)
        knee = (side + foot * 0.6, 0.46 * s)
        limb(
            canvas, frame, (side, hip + 0.03 * s), knee, (0.19 * girth, 0.14 * girth), _cloth(label, shade(legs, tone))
        )
        limb(
            canvas, frame, knee, (side + foot, 0.04 * s), (0.14 * girth, 0.1 * girth), _cloth(label, shade(legs, tone))
        )
        limb(
            canvas,
            frame,
            (side + foot, 0.03 * s),
            (side + foot + 0.1 * s, 0.03 * s),
            (0.08 * s, 0.06 * s),
            _cloth(label, (0.1, 0.09, 0.08)),
        )
    hem = hip - (rng.uniform(0.05, 0.4) * s if chance(rng, 0.5) else 0.05 * s)
    torso = [(-0.18 * girth, hem), (0.18 * girth, hem), (0.22 * girth, shoulder), (0.1 * girth, shoulder + 0.06 * s)]
    outline(
        canvas, frame, [*torso, (-0.1 * girth, shoulder + 0.06 * s), (-0.22 * girth, shoulder)], _cloth(label, coat)
    )
    shaded = [(0.04 * girth, hem), (0.18 * girth, hem), (0.22 * girth, shoulder), (0.06 * girth, shoulder)]
    outline(canvas, frame, shaded, _cloth(label, shade(coat, 0.8)))
    for side in (-1, 1):
        hand = (side * (0.27 * girth) - side * stride * 0.5, 0.82 * s)
        limb(
            canvas,
            frame,
            (side * 0.21 * girth, shoulder - 0.02 * s),
            hand,
            (0.12 * girth, 0.09 * girth),
            _cloth(label, shade(coat, 0.9)),
        )
        oval(canvas, frame, *hand, 0.045 * s, 0.05 * s, skin)
    oval(canvas, frame, 0.0, 1.61 * s, 0.1 * s, 0.135 * s, skin)
    hair = [
        (-0.11 * s, 1.6 * s),
        (-0.1 * s, 1.72 * s),
        (0.0, 1.77 * s),
        (0.1 * s, 1.72 * s),
        (0.11 * s, 1.6 * s),
        (0.0, 1.68 * s),
    ]
    outline(canvas, frame, hair, _cloth(label, pick(rng, HAIR)))
    if chance(rng, 0.35):
        bag = rng.uniform(0.2, 0.3) * s
        outline(
            canvas,
            frame,
            [(bag, 0.6 * s), (bag + 0.2 * s, 0.6 * s), (bag + 0.18 * s, 0.88 * s), (bag, 0.88 * s)],
            _cloth(label, pick(rng, CLOTHES)),
        )


def draw_cyclist(canvas: Canvas, rng: np.random.Generator, x: float, z: float, *, sideways: bool) -> None:
    """A bicycle with its rider, seen from behind or from the side; with `sideways`, sometimes parked without one."""
    frame = upright(x, z)
    if sideways:
        _bicycle_side(canvas, rng, frame)
    else:
        _bicycle_rear(canvas, rng, frame)
    canvas.cast_wall((x - 0.25, z), (x + 0.25, z), 0.0, 1.7)


def _bicycle_side(canvas: Canvas, rng: np.random.Generator, frame: Frame) -> None:
    metal = _cloth(BICYCLIST, pick(rng, BICYCLE))
    rubber = _cloth(BICYCLIST, (0.08, 0.08, 0.08))
    facing = 1 if chance(rng, 0.5) else -1
    rear, front = (-0.52 * facing, WHEEL_RADIUS_M), (0.52 * facing, WHEEL_RADIUS_M)
    crank, saddle, bars = (-0.08 * facing, 0.3), (-0.22 * facing, 0.95), (0.4 * facing, 1.02)
    legs, coat = varied(rng, pick(rng, TROUSERS)), varied(rng, pick(rng, CLOTHES))
    _leg(canvas, frame, saddle, (0.12 * facing, 0.62), (-0.02 * facing, 0.2), shade(legs, 0.75))
    for hub in (rear, front):
        _rim(canvas, frame, hub, rubber)
    head_tube = (0.36 * facing, 0.85)
    for start, end in (
        (rear, crank),
        (rear, saddle),
        (crank, saddle),
        (crank, head_tube),
        (saddle, head_tube),
        (front, bars),
    ):
        limb(canvas, frame, start, end, (0.05, 0.05), metal)
    _leg(canvas, frame, saddle, (0.16 * facing, 0.66), (-0.06 * facing, 0.16), legs)
    shoulder = (0.1 * facing, 1.48)
    limb(canvas, frame, (saddle[0], 0.92), shoulder, (0.3, 0.34), _cloth(BICYCLIST, coat))
    limb(canvas, frame, (shoulder[0], 1.42), (0.3 * facing, 1.2), (0.12, 0.1), _cloth(BICYCLIST, shade(coat, 0.85)))
    limb(canvas, frame, (0.3 * facing, 1.2), bars, (0.1, 0.08), _cloth(BICYCLIST, shade(coat, 0.85)))
    _head(canvas, rng, frame, 0.18 * facing, 1.64)


def _bicycle_rear(canvas: Canvas, rng: np.random.Generator, frame: Frame) -> None:
    metal = _cloth(BICYCLIST, pick(rng, BICYCLE))
    legs, coat = varied(rng, pick(rng, TROUSERS)), varied(rng, pick(rng, CLOTHES))
    lift = rng.uniform(-0.15, 0.15)
    limb(canvas, frame, (0.0, 0.0), (0.0, 0.68), (0.06, 0.06), _cloth(BICYCLIST, (0.07, 0.07, 0.07)))
    limb(canvas, frame, (-0.28, 1.03), (0.28, 1.03), (0.05, 0.05), metal)
    for side in (-1, 1):
        _leg(
            canvas,
            frame,
            (side * 0.09, 0.95),
            (side * 0.17, 0.58 + side * lift),
            (side * 0.12, 0.2 + side * lift),
            legs,
        )
        limb(canvas, frame, (side * 0.2, 1.42), (side * 0.28, 1.05), (0.12, 0.09), _cloth(BICYCLIST, shade(coat, 0.85)))
    torso = [(-0.17, 0.88), (0.17, 0.88), (0.23, 1.42), (0.1, 1.52), (-0.1, 1.52), (-0.23, 1.42)]
    outline(canvas, frame, torso, _cloth(BICYCLIST, coat))
    outline(
        canvas, frame, [(-0.04, 0.66), (0.04, 0.66), (0.04, 0.74), (-0.04, 0.74)], _cloth(BICYCLIST, (0.7, 0.05, 0.05))
    )
    _head(canvas, rng, frame, 0.0, 1.65)


def _leg(
    canvas: Canvas,
    frame: Frame,
    hip: tuple[float, float],
    knee: tuple[float, float],
    foot: tuple[float, float],
    colour: Colour,
) -> None:
    limb(canvas, frame, hip, knee, (0.19, 0.14), _cloth(BICYCLIST, colour))
    limb(canvas, frame, knee, foot, (0.14, 0.1), _cloth(BICYCLIST, colour))
    limb(
        canvas,
        frame,
        (foot[0] - 0.06, foot[1]),
        (foot[0] + 0.12, foot[1]),
        (0.08, 0.07),
        _cloth(BICYCLIST, (0.1, 0.1, 0.1)),
    )


def _rim(canvas: Canvas, frame: Frame, hub: tuple[float, float], surface: Surface) -> None:
    spots = [
        (hub[0] + WHEEL_RADIUS_M * math.cos(i * math.pi / 6), hub[1] + WHEEL_RADIUS_M * math.sin(i * math.pi / 6))
        for i in range(13)
    ]
    for start, end in zip(spots, spots[1:], strict=False):
        limb(canvas, frame, start, end, (0.06, 0.06), surface)


def _head(canvas: Canvas, rng: np.random.Generator, frame: Frame, right: float, up: float) -> None:
    oval(canvas, frame, right, up, 0.1, 0.135, _cloth(BICYCLIST, pick(rng, SKINS)))
    cap = pick(rng, CLOTHES) if chance(rng, 0.5) else pick(rng, HAIR)
    dome = [(-0.13, 0.0), (-0.11, 0.12), (0.0, 0.17), (0.11, 0.12), (0.13, 0.0)]
    outline(canvas, frame, [(right + a, up + 0.02 + b) for a, b in dome], _cloth(BICYCLIST, cap))


def _cloth(label: int, colour: Colour) -> Surface:
    return Surface(label, colour, fine=0.08, coarse=0.06, glow=0.04)
