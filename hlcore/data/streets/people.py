"""People on foot and on bicycles, drawn in a frame that places them in the street or on a poster."""

import math
from itertools import pairwise

import numpy as np

from hlcore.data.streets.canvas import BICYCLIST, PEDESTRIAN, Canvas, Colour, Surface
from hlcore.data.streets.solids import Frame, Sketch, Spot, chance, pick, shade, upright, vary

SKINS: tuple[Colour, ...] = ((0.87, 0.68, 0.56), (0.78, 0.58, 0.45), (0.55, 0.38, 0.28), (0.36, 0.24, 0.18))
CLOTHES: tuple[Colour, ...] = (
    *((0.12, 0.13, 0.17), (0.22, 0.24, 0.32), (0.55, 0.12, 0.14), (0.8, 0.78, 0.72), (0.25, 0.4, 0.6)),
    *((0.45, 0.4, 0.33), (0.75, 0.55, 0.2), (0.3, 0.42, 0.28), (0.62, 0.62, 0.64), (0.72, 0.4, 0.5)),
)
TROUSERS: tuple[Colour, ...] = (
    *((0.13, 0.14, 0.2), (0.2, 0.27, 0.4), (0.3, 0.28, 0.25), (0.1, 0.1, 0.1), (0.5, 0.46, 0.4)),
)
HAIR: tuple[Colour, ...] = ((0.1, 0.08, 0.07), (0.3, 0.2, 0.12), (0.6, 0.5, 0.3), (0.55, 0.55, 0.55))
BICYCLE: tuple[Colour, ...] = ((0.1, 0.1, 0.1), (0.6, 0.1, 0.1), (0.1, 0.25, 0.5), (0.75, 0.75, 0.75))
SHOE: Colour = (0.1, 0.09, 0.08)
RUBBER: Colour = (0.08, 0.08, 0.08)
REFLECTOR: Colour = (0.7, 0.05, 0.05)
FIGURE_HEIGHT_M = 1.75
"""Height for which the proportions of a figure are given."""
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
    sketch = _sketch(canvas, frame, label)
    s = height_m / FIGURE_HEIGHT_M
    girth = s * rng.uniform(0.9, 1.2)
    coat, legs = vary(rng, pick(rng, CLOTHES)), vary(rng, pick(rng, TROUSERS))
    stride = rng.uniform(-0.28, 0.28) * s
    hip, shoulder = 0.86 * s, 1.44 * s
    skin = pick(rng, SKINS)
    for foot, tone in ((-stride, 0.8), (stride, 1.0)):
        side = math.copysign(0.07 * s, foot)
        knee, ankle = (side + foot * 0.6, 0.46 * s), (side + foot, 0.04 * s)
        sketch.limb((side, hip + 0.03 * s), knee, (0.19 * girth, 0.14 * girth), shade(legs, tone))
        sketch.limb(knee, ankle, (0.14 * girth, 0.1 * girth), shade(legs, tone))
        sketch.limb((ankle[0], 0.03 * s), (ankle[0] + 0.1 * s, 0.03 * s), (0.08 * s, 0.06 * s), SHOE)
    hem = hip - (rng.uniform(0.05, 0.4) * s if chance(rng, 0.5) else 0.05 * s)
    right_half = [(0.18 * girth, hem), (0.22 * girth, shoulder), (0.1 * girth, shoulder + 0.06 * s)]
    left_half = [(-right, up) for right, up in reversed(right_half)]
    sketch.polygon([left_half[-1], *right_half, *left_half[:-1]], coat)
    lee = [(0.04 * girth, hem), (0.18 * girth, hem), (0.22 * girth, shoulder), (0.06 * girth, shoulder)]
    sketch.polygon(lee, shade(coat, 0.8))
    for side in (-1, 1):
        hand = (side * (0.27 * girth) - side * stride * 0.5, 0.82 * s)
        sketch.limb((side * 0.21 * girth, shoulder - 0.02 * s), hand, (0.12 * girth, 0.09 * girth), shade(coat, 0.9))
        sketch.oval(hand, (0.045 * s, 0.05 * s), skin)
    sketch.oval((0.0, 1.61 * s), (0.1 * s, 0.135 * s), skin)
    hair = ((-0.11, 1.6), (-0.1, 1.72), (0.0, 1.77), (0.1, 1.72), (0.11, 1.6), (0.0, 1.68))
    sketch.polygon([(right * s, up * s) for right, up in hair], pick(rng, HAIR))
    if chance(rng, 0.35):
        left = rng.uniform(0.2, 0.3) * s
        bag = [(left, 0.6 * s), (left + 0.2 * s, 0.6 * s), (left + 0.18 * s, 0.88 * s), (left, 0.88 * s)]
        sketch.polygon(bag, pick(rng, CLOTHES))


def draw_cyclist(canvas: Canvas, rng: np.random.Generator, x: float, z: float, *, sideways: bool) -> None:
    """A bicycle with its rider at (x, z), seen from behind or from the side."""
    sketch = _sketch(canvas, upright(x, z), BICYCLIST)
    if sideways:
        _ride_across(sketch, rng)
    else:
        _ride_ahead(sketch, rng)
    canvas.cast_wall((x - 0.25, z), (x + 0.25, z), 0.0, 1.7)


def _ride_across(sketch: Sketch, rng: np.random.Generator) -> None:
    metal = pick(rng, BICYCLE)
    facing = 1 if chance(rng, 0.5) else -1
    rear, front = (-0.52 * facing, WHEEL_RADIUS_M), (0.52 * facing, WHEEL_RADIUS_M)
    crank, saddle, bars = (-0.08 * facing, 0.3), (-0.22 * facing, 0.95), (0.4 * facing, 1.02)
    legs, coat = vary(rng, pick(rng, TROUSERS)), vary(rng, pick(rng, CLOTHES))
    _leg(sketch, saddle, (0.12 * facing, 0.62), (-0.02 * facing, 0.2), shade(legs, 0.75))
    for hub in (rear, front):
        _wheel(sketch, hub)
    head = (0.36 * facing, 0.85)
    tubes = ((rear, crank), (rear, saddle), (crank, saddle), (crank, head), (saddle, head), (front, bars))
    for start, end in tubes:
        sketch.limb(start, end, (0.05, 0.05), metal)
    _leg(sketch, saddle, (0.16 * facing, 0.66), (-0.06 * facing, 0.16), legs)
    shoulder, elbow = (0.1 * facing, 1.48), (0.3 * facing, 1.2)
    sketch.limb((saddle[0], 0.92), shoulder, (0.3, 0.34), coat)
    sketch.limb((shoulder[0], 1.42), elbow, (0.12, 0.1), shade(coat, 0.85))
    sketch.limb(elbow, bars, (0.1, 0.08), shade(coat, 0.85))
    _head(sketch, rng, (0.18 * facing, 1.64))


def _ride_ahead(sketch: Sketch, rng: np.random.Generator) -> None:
    metal = pick(rng, BICYCLE)
    legs, coat = vary(rng, pick(rng, TROUSERS)), vary(rng, pick(rng, CLOTHES))
    lift = rng.uniform(-0.15, 0.15)
    sketch.limb((0.0, 0.0), (0.0, 2 * WHEEL_RADIUS_M), (0.06, 0.06), RUBBER)
    sketch.limb((-0.28, 1.03), (0.28, 1.03), (0.05, 0.05), metal)
    for side in (-1, 1):
        raised = side * lift
        _leg(sketch, (side * 0.09, 0.95), (side * 0.17, 0.58 + raised), (side * 0.12, 0.2 + raised), legs)
        sketch.limb((side * 0.2, 1.42), (side * 0.28, 1.05), (0.12, 0.09), shade(coat, 0.85))
    sketch.polygon([(-0.17, 0.88), (0.17, 0.88), (0.23, 1.42), (0.1, 1.52), (-0.1, 1.52), (-0.23, 1.42)], coat)
    sketch.rectangle((-0.04, 0.66), (0.04, 0.74), REFLECTOR)
    _head(sketch, rng, (0.0, 1.65))


def _leg(sketch: Sketch, hip: Spot, knee: Spot, foot: Spot, colour: Colour) -> None:
    sketch.limb(hip, knee, (0.19, 0.14), colour)
    sketch.limb(knee, foot, (0.14, 0.1), colour)
    sketch.limb((foot[0] - 0.06, foot[1]), (foot[0] + 0.12, foot[1]), (0.08, 0.07), SHOE)


def _wheel(sketch: Sketch, hub: Spot) -> None:
    """A see-through wheel: only the tyre is drawn."""
    turns = [i * math.pi / 6 for i in range(13)]
    rim = [(hub[0] + WHEEL_RADIUS_M * math.cos(a), hub[1] + WHEEL_RADIUS_M * math.sin(a)) for a in turns]
    for start, end in pairwise(rim):
        sketch.limb(start, end, (0.06, 0.06), RUBBER)


def _head(sketch: Sketch, rng: np.random.Generator, middle: Spot) -> None:
    sketch.oval(middle, (0.1, 0.135), pick(rng, SKINS))
    cap = pick(rng, CLOTHES) if chance(rng, 0.5) else pick(rng, HAIR)
    dome = ((-0.13, 0.0), (-0.11, 0.12), (0.0, 0.17), (0.11, 0.12), (0.13, 0.0))
    sketch.polygon([(middle[0] + a, middle[1] + 0.02 + b) for a, b in dome], cap)


def _sketch(canvas: Canvas, frame: Frame, label: int) -> Sketch:
    return Sketch(canvas, frame, Surface(label, SHOE, fine=0.08, coarse=0.06, glow=0.04))
