"""What stands along a street: lamps, traffic lights, signs, bollards, fences; and bodies that look like others."""

import math

import numpy as np

from hlcore.data.streets_canvas import BRICK, BUILDING, FENCE, POLE, SIGN, Canvas, Colour, Surface
from hlcore.data.streets_people import draw_figure
from hlcore.data.streets_solids import box_faces, chance, limb, mix, outline, oval, pick, shade, upright, varied
from hlcore.types import IGNORE_INDEX

METALS: tuple[Colour, ...] = (
    (0.35, 0.36, 0.37),
    (0.5, 0.5, 0.5),
    (0.16, 0.18, 0.17),
    (0.2, 0.28, 0.22),
    (0.42, 0.38, 0.33),
)
SIGN_RED, SIGN_BLUE, SIGN_WHITE, SIGN_BACK = (
    (0.75, 0.08, 0.08),
    (0.08, 0.22, 0.62),
    (0.88, 0.88, 0.86),
    (0.45, 0.46, 0.47),
)
SIGN_YELLOW, SIGN_GREEN = (0.9, 0.72, 0.1), (0.08, 0.38, 0.22)
OCTAGON = [(math.cos(math.pi * (i + 0.5) / 4), math.sin(math.pi * (i + 0.5) / 4)) for i in range(8)]


def _pole(canvas: Canvas, x: float, z: float, height_m: float, width_m: float, metal: Surface) -> None:
    frame = upright(x, z)
    limb(canvas, frame, (0.0, 0.0), (0.0, height_m), (width_m, width_m * 0.8), metal)
    dark = Surface(POLE, shade(metal.colour, 0.6), fine=0.05, coarse=0.05)
    limb(canvas, frame, (width_m * 0.3, 0.0), (width_m * 0.25, height_m), (width_m * 0.35, width_m * 0.3), dark)
    canvas.cast_wall((x - width_m / 2, z), (x + width_m / 2, z), 0.0, height_m)


def _metal(rng: np.random.Generator) -> Surface:
    return Surface(POLE, varied(rng, pick(rng, METALS)), fine=0.1, coarse=0.08)


def draw_lamp(
    canvas: Canvas, rng: np.random.Generator, x: float, z: float, *, height_m: float, towards_road: float
) -> None:
    """A street lamp whose arm reaches over the road; arm and lamp head count as pole."""
    metal = _metal(rng)
    _pole(canvas, x, z, height_m, rng.uniform(0.13, 0.2), metal)
    frame = upright(x, z)
    reach = towards_road * rng.uniform(0.9, 2.0)
    limb(canvas, frame, (0.0, height_m), (reach, height_m + 0.25), (0.1, 0.07), metal)
    glow = 2.5 if canvas.light.lamps_lit else 0.1
    limb(
        canvas,
        frame,
        (reach * 0.7, height_m + 0.14),
        (reach * 1.15, height_m + 0.24),
        (0.18, 0.14),
        Surface(POLE, (0.8, 0.78, 0.68), glow=glow),
    )


def draw_traffic_light(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A traffic light: its head is a sign, its post a pole."""
    height = rng.uniform(2.6, 3.4)
    _pole(canvas, x, z, height, 0.13, Surface(POLE, pick(rng, METALS), fine=0.1))
    frame = upright(x, z - 0.05)
    case = Surface(SIGN, (0.06, 0.07, 0.07), fine=0.05)
    outline(
        canvas,
        frame,
        [(-0.22, height - 1.0), (0.22, height - 1.0), (0.22, height + 0.08), (-0.22, height + 0.08)],
        case,
    )
    lit = int(rng.integers(3))
    lamps: tuple[Colour, ...] = ((0.1, 0.8, 0.45), (0.95, 0.6, 0.1), (0.9, 0.1, 0.08))
    for place, colour in enumerate(lamps):
        glow = 1.6 if place == lit else 0.0
        bulb = Surface(SIGN, colour if place == lit else shade(colour, 0.25), glow=glow)
        oval(canvas, frame, 0.0, height - 0.82 + 0.34 * place, 0.13, 0.13, bulb)


def draw_sign(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A traffic sign on a thin post: disc, triangle, rectangle, octagon, or seen from its grey back."""
    height = rng.uniform(2.1, 2.7)
    _pole(canvas, x, z, height + 0.25, rng.uniform(0.07, 0.11), _metal(rng))
    frame = upright(x, z - 0.05)
    kind = int(rng.integers(6))
    size = rng.uniform(0.32, 0.42)

    def plate(colour: Colour) -> Surface:
        return Surface(SIGN, varied(rng, colour, 0.04), fine=0.03, coarse=0.04, glow=0.08)

    if kind == 0:
        oval(canvas, frame, 0.0, height, size, size, plate(SIGN_RED))
        oval(canvas, frame, 0.0, height, size * 0.7, size * 0.7, plate(SIGN_WHITE))
    elif kind == 1:
        for scale, colour in ((1.2, SIGN_RED), (0.72, SIGN_WHITE)):
            corners = [(scale * size * math.cos(a), height + scale * size * math.sin(a)) for a in (1.571, 3.665, 5.76)]
            outline(canvas, frame, corners, plate(colour))
    elif kind == 2:
        oval(canvas, frame, 0.0, height, size, size, plate(SIGN_BLUE))
        limb(canvas, frame, (0.0, height - size * 0.5), (0.0, height + size * 0.5), (0.1, 0.1), plate(SIGN_WHITE))
    elif kind == 3:
        outline(canvas, frame, [(size * a, height + size * b) for a, b in OCTAGON], plate(SIGN_RED))
        limb(canvas, frame, (-size * 0.6, height), (size * 0.6, height), (0.16, 0.16), plate(SIGN_WHITE))
    elif kind == 4:
        outline(canvas, frame, [(size * a, height + size * b) for a, b in OCTAGON], plate(SIGN_BACK))
    else:
        draw_direction_board(canvas, rng, x, z, height)


def draw_direction_board(canvas: Canvas, rng: np.random.Generator, x: float, z: float, height_m: float) -> None:
    """A wide board with lines of writing."""
    width, depth = rng.uniform(0.7, 1.6), rng.uniform(0.4, 0.8)
    frame = upright(x, z - 0.06)
    colour = pick(rng, (SIGN_BLUE, SIGN_GREEN, SIGN_WHITE, SIGN_YELLOW))
    letters = (0.1, 0.1, 0.12) if colour in (SIGN_WHITE, SIGN_YELLOW) else (0.9, 0.9, 0.9)
    board = [
        (-width / 2, height_m - depth / 2),
        (width / 2, height_m - depth / 2),
        (width / 2, height_m + depth / 2),
        (-width / 2, height_m + depth / 2),
    ]
    outline(canvas, frame, board, Surface(SIGN, colour, fine=0.03, glow=0.08))
    for line in range(2):
        up = height_m + depth * (0.2 - 0.4 * line)
        limb(
            canvas,
            frame,
            (-width * 0.4, up),
            (width * rng.uniform(0.0, 0.4), up),
            (0.12, 0.12),
            Surface(SIGN, letters, glow=0.08),
        )


def draw_bollard(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A bollard, a short pole."""
    _pole(canvas, x, z, rng.uniform(0.8, 1.05), rng.uniform(0.11, 0.16), _metal(rng))


def draw_fence(
    canvas: Canvas, rng: np.random.Generator, start: tuple[float, float], end: tuple[float, float], style: str
) -> None:
    """A fence between two ground points (x, z): "railing", "boards" or "guard rail"."""
    a, b = (start[0], 0.0, start[1]), (end[0], 0.0, end[1])
    length = math.hypot(end[0] - start[0], end[1] - start[1])

    def strip(left: float, right: float, low: float, high: float, surface: Surface) -> None:
        p, q = mix(a, b, left), mix(a, b, right)
        canvas.face([(p[0], low, p[2]), (q[0], low, q[2]), (q[0], high, q[2]), (p[0], high, p[2])], surface)

    if style == "boards":
        wood = Surface(FENCE, varied(rng, (0.45, 0.33, 0.22), 0.15), fine=0.2, coarse=0.25)
        height = rng.uniform(1.2, 1.8)
        strip(0, 1, 0.0, height, wood)
        gap = Surface(FENCE, shade(wood.colour, 0.5), fine=0.1)
        for board in range(1, int(length / 0.35)):
            strip(board * 0.35 / length, (board * 0.35 + 0.05) / length, 0.0, height, gap)
    elif style == "guard rail":
        height = 0.75
        metal = Surface(FENCE, varied(rng, (0.55, 0.56, 0.57)), fine=0.1)
        for post in range(int(length / 2) + 1):
            strip(min(1, post * 2 / length), min(1, (post * 2 + 0.1) / length), 0.0, height, metal)
        strip(0, 1, 0.45, height, metal)
        strip(0, 1, 0.57, 0.64, Surface(FENCE, shade(metal.colour, 0.6)))
    else:
        height = rng.uniform(0.95, 1.4)
        metal = Surface(FENCE, pick(rng, METALS), fine=0.05)
        spacing = 0.22
        for bar in range(int(length / spacing) + 1):
            strip(min(1, bar * spacing / length), min(1, (bar * spacing + 0.045) / length), 0.05, height, metal)
        for low in (0.12, height - 0.08):
            strip(0, 1, low, low + 0.06, metal)
    canvas.cast_wall(start, end, 0.0, height * (0.9 if style == "boards" else 0.35))


def draw_wall(canvas: Canvas, rng: np.random.Generator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A low garden wall of brick, which counts as fence."""
    heading = math.atan2(end[0] - start[0], end[1] - start[1])
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    length, height = math.hypot(end[0] - start[0], end[1] - start[1]), rng.uniform(0.6, 1.0)
    stone = Surface(FENCE, varied(rng, (0.5, 0.34, 0.28), 0.1), BRICK, fine=0.2, coarse=0.15)
    for face in box_faces(*middle, heading, 0.25, length, 0.0, height, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, stone)
    canvas.cast_wall(start, end, 0.0, height)


def draw_bin(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A litter bin; no class of the eleven, so it is ignored."""
    colour = pick(rng, ((0.15, 0.2, 0.17), (0.25, 0.25, 0.27), (0.1, 0.22, 0.4)))
    for face in box_faces(x, z, 0.0, 0.5, 0.5, 0.0, 1.0, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, Surface(IGNORE_INDEX, colour))


def draw_skip(canvas: Canvas, rng: np.random.Generator, x: float, z: float, heading: float) -> None:
    """A builder's skip in the colour and the place of a parked car; it counts as building, like all works."""
    paint = Surface(
        BUILDING,
        varied(rng, pick(rng, ((0.75, 0.6, 0.12), (0.5, 0.12, 0.1), (0.2, 0.3, 0.45))), 0.06),
        fine=0.15,
        coarse=0.3,
    )
    faces = box_faces(x, z, heading, 1.3, 2.4, 0.0, 1.2, camera_m=canvas.camera.height_m, top=(1.35, 1.5, 0.0))
    for face in faces:
        canvas.face(face.corners, paint)
        if face.side != "top":
            for rib in (0.2, 0.5, 0.8):
                canvas.face(face.inset(rib, 0.0, rib + 0.04, 1.0), Surface(BUILDING, shade(paint.colour, 0.6)))
    canvas.cast_wall((x - 0.8, z), (x + 0.8, z), 0.0, 1.2)


def draw_advertising_pillar(canvas: Canvas, rng: np.random.Generator, x: float, z: float) -> None:
    """A round pillar with posters of people: building, however much it looks like a pole or a person."""
    frame = upright(x, z)
    drum = Surface(BUILDING, varied(rng, (0.6, 0.58, 0.5)), fine=0.1)
    outline(canvas, frame, [(-0.6, 0.0), (0.6, 0.0), (0.6, 2.7), (-0.6, 2.7)], drum)
    outline(
        canvas, frame, [(0.25, 0.0), (0.6, 0.0), (0.6, 2.7), (0.25, 2.7)], Surface(BUILDING, shade(drum.colour, 0.7))
    )
    oval(canvas, frame, 0.0, 2.75, 0.75, 0.2, Surface(BUILDING, (0.2, 0.28, 0.22)))
    paper = Surface(
        BUILDING, varied(rng, pick(rng, ((0.75, 0.3, 0.2), (0.8, 0.75, 0.4), (0.3, 0.5, 0.6))), 0.1), glow=0.05
    )
    outline(canvas, frame, [(-0.45, 0.6), (0.4, 0.6), (0.4, 2.3), (-0.45, 2.3)], paper)
    draw_figure(canvas, rng, upright(x, z - 0.01, 0.65), rng.uniform(1.2, 1.5), BUILDING)
    canvas.cast_wall((x - 0.6, z), (x + 0.6, z), 0.0, 2.7)
