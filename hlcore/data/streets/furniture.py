"""Street furniture: lamps, traffic lights, signs, bollards, and objects that look like another class."""

import math

import numpy as np

from hlcore.data.streets.canvas import BUILDING, POLE, SIGN, Canvas, Colour, Surface
from hlcore.data.streets.people import draw_figure
from hlcore.data.streets.solids import Footprint, Sketch, box_faces, pick, shade, upright, vary
from hlcore.types import IGNORE_INDEX

METALS: tuple[Colour, ...] = (
    *((0.35, 0.36, 0.37), (0.5, 0.5, 0.5), (0.16, 0.18, 0.17), (0.2, 0.28, 0.22), (0.42, 0.38, 0.33)),
)
RED, BLUE, WHITE, GREY = (0.75, 0.08, 0.08), (0.08, 0.22, 0.62), (0.88, 0.88, 0.86), (0.45, 0.46, 0.47)
YELLOW, GREEN, BLACK = (0.9, 0.72, 0.1), (0.08, 0.38, 0.22), (0.1, 0.1, 0.12)
SIGNAL_CASE: Colour = (0.06, 0.07, 0.07)
SIGNALS: tuple[Colour, ...] = ((0.1, 0.8, 0.45), (0.95, 0.6, 0.1), (0.9, 0.1, 0.08))
LAMP_HEAD: Colour = (0.8, 0.78, 0.68)
BINS: tuple[Colour, ...] = ((0.15, 0.2, 0.17), (0.25, 0.25, 0.27), (0.1, 0.22, 0.4))
SKIPS: tuple[Colour, ...] = ((0.75, 0.6, 0.12), (0.5, 0.12, 0.1), (0.2, 0.3, 0.45))
PAPERS: tuple[Colour, ...] = ((0.75, 0.3, 0.2), (0.8, 0.75, 0.4), (0.3, 0.5, 0.6))
OCTAGON = [(math.cos(math.pi * (i + 0.5) / 4), math.sin(math.pi * (i + 0.5) / 4)) for i in range(8)]
TRIANGLE = [(math.cos(a), math.sin(a)) for a in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)]


def draw_lamp(
    canvas: Canvas, rng: np.random.Generator, x: float, z: float, *, height_m: float, towards_road: float
) -> None:
    """A street lamp whose arm reaches over the road; arm and lamp head count as pole."""
    metal = _metal(rng)
    _pole(canvas, x, z, (height_m, rng.uniform(0.13, 0.2)), metal)
    reach = towards_road * rng.uniform(0.9, 2.0)
    Sketch(canvas, upright(x, z), metal).limb((0.0, height_m), (reach, height_m + 0.25), (0.1, 0.07), metal.colour)
    lamp = Sketch(canvas, upright(x, z), Surface(POLE, LAMP_HEAD, glow=2.5 if canvas.light.lamps_lit else 0.1))
    lamp.limb((reach * 0.7, height_m + 0.14), (reach * 1.15, height_m + 0.24), (0.18, 0.14), LAMP_HEAD)


def draw_traffic_light(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A traffic light: its head is a sign, its post a pole."""
    height = rng.uniform(2.6, 3.4)
    _pole(canvas, x, z, (height, 0.13), Surface(POLE, pick(rng, METALS), fine=0.1))
    frame = upright(x, z - 0.05)
    case = Sketch(canvas, frame, Surface(SIGN, SIGNAL_CASE, fine=0.05))
    case.rectangle((-0.22, height - 1.0), (0.22, height + 0.08), SIGNAL_CASE)
    lit = int(rng.integers(len(SIGNALS)))
    for place, colour in enumerate(SIGNALS):
        bulb = Sketch(canvas, frame, Surface(SIGN, colour, glow=1.6 if place == lit else 0.0))
        bulb.oval((0.0, height - 0.82 + 0.34 * place), (0.13, 0.13), colour if place == lit else shade(colour, 0.25))


def draw_sign(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A traffic sign on a thin post: a disc, a triangle, an octagon, one seen from behind, or a board with writing."""
    height = rng.uniform(2.1, 2.7)
    _pole(canvas, x, z, (height + 0.25, rng.uniform(0.07, 0.11)), _metal(rng))
    plate = Sketch(canvas, upright(x, z - 0.05), Surface(SIGN, GREY, fine=0.03, coarse=0.04, glow=0.08))
    kind = pick(rng, ("prohibition", "warning", "order", "no entry", "back", "board"))
    size = rng.uniform(0.32, 0.42)
    octagon = [(size * a, height + size * b) for a, b in OCTAGON]
    fade = rng.uniform(0.85, 1.1)
    if kind == "prohibition":
        plate.oval((0.0, height), (size, size), shade(RED, fade))
        plate.oval((0.0, height), (size * 0.7, size * 0.7), shade(WHITE, fade))
    elif kind == "warning":
        for scale, colour in ((1.2 * size, RED), (0.72 * size, WHITE)):
            plate.polygon([(scale * a, height + scale * b) for a, b in TRIANGLE], shade(colour, fade))
    elif kind == "order":
        plate.oval((0.0, height), (size, size), shade(BLUE, fade))
        plate.limb((0.0, height - size * 0.5), (0.0, height + size * 0.5), (0.1, 0.1), shade(WHITE, fade))
    elif kind == "no entry":
        plate.polygon(octagon, shade(RED, fade))
        plate.limb((-size * 0.6, height), (size * 0.6, height), (0.16, 0.16), shade(WHITE, fade))
    elif kind == "back":
        plate.polygon(octagon, shade(GREY, fade))
    else:
        _board(plate, rng, height)


def _board(plate: Sketch, rng: np.random.Generator, height_m: float) -> None:
    """A wide board with two lines of writing."""
    width, depth = rng.uniform(0.7, 1.6), rng.uniform(0.4, 0.8)
    colour, letters = pick(rng, ((BLUE, WHITE), (GREEN, WHITE), (WHITE, BLACK), (YELLOW, BLACK)))
    plate.rectangle((-width / 2, height_m - depth / 2), (width / 2, height_m + depth / 2), colour)
    for line in range(2):
        up = height_m + depth * (0.2 - 0.4 * line)
        plate.limb((-width * 0.4, up), (width * rng.uniform(0.0, 0.4), up), (0.12, 0.12), letters)


def draw_bollard(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A bollard, a short pole."""
    _pole(canvas, x, z, (rng.uniform(0.8, 1.05), rng.uniform(0.11, 0.16)), _metal(rng))


def draw_bin(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A litter bin; none of the eleven classes, so it is ignored."""
    surface = Surface(IGNORE_INDEX, pick(rng, BINS))
    for face in box_faces(Footprint(x, z, 0.0, 0.5, 0.5), 0.0, 1.0, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, surface)


def draw_skip(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float) -> None:
    """A builder's skip in the colour and place of a parked car; it counts as building."""
    paint = Surface(BUILDING, vary(rng, pick(rng, SKIPS), 0.06), fine=0.15, coarse=0.3)
    footprint = Footprint(x, z, heading, 1.3, 2.4)
    for face in box_faces(footprint, 0.0, 1.2, camera_m=canvas.camera.height_m, taper=(1.35, 1.5)):
        canvas.face(face.corners, paint)
        if face.side != "top":
            for rib in (0.2, 0.5, 0.8):
                canvas.face(face.inset(rib, 0.0, rib + 0.04, 1.0), Surface(BUILDING, shade(paint.colour, 0.6)))
    canvas.cast_wall((x - 0.8, z), (x + 0.8, z), 0.0, 1.2)


def draw_advertising_pillar(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A round pillar with a poster of a person; it counts as building, though it looks like a pole or a person."""
    drum = vary(rng, (0.6, 0.58, 0.5))
    sketch = Sketch(canvas, upright(x, z), Surface(BUILDING, drum, glow=0.03))
    sketch.rectangle((-0.6, 0.0), (0.6, 2.7), drum)
    sketch.rectangle((0.25, 0.0), (0.6, 2.7), shade(drum, 0.7))
    sketch.oval((0.0, 2.75), (0.75, 0.2), (0.2, 0.28, 0.22))
    sketch.rectangle((-0.45, 0.6), (0.4, 2.3), vary(rng, pick(rng, PAPERS), 0.1))
    draw_figure(canvas, rng, upright(x, z - 0.01, 0.65), rng.uniform(1.2, 1.5), BUILDING)
    canvas.cast_wall((x - 0.6, z), (x + 0.6, z), 0.0, 2.7)


def _pole(canvas: Canvas, x: float, z: float, measures: tuple[float, float], metal: Surface) -> None:
    """A post of the given height and width in metres, darker on one side."""
    height, width = measures
    sketch = Sketch(canvas, upright(x, z), metal)
    sketch.limb((0.0, 0.0), (0.0, height), (width, width * 0.8), metal.colour)
    sketch.limb((width * 0.3, 0.0), (width * 0.25, height), (width * 0.35, width * 0.3), shade(metal.colour, 0.6))
    canvas.cast_wall((x - width / 2, z), (x + width / 2, z), 0.0, height)


def _metal(rng: np.random.Generator) -> Surface:
    return Surface(POLE, vary(rng, pick(rng, METALS)), fine=0.1, coarse=0.08)
