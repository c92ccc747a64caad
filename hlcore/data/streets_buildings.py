"""Buildings: boxes with procedural windows, and doors, shops, roofs and posters where people pass."""

import numpy as np

from hlcore.data.streets_canvas import BRICK_FACADE, BUILDING, FACADE, POLE, Canvas, Colour, Surface
from hlcore.data.streets_people import draw_figure
from hlcore.data.streets_solids import Face, box_faces, chance, limb, pick, shade, varied

WALLS: tuple[Colour, ...] = (
    *(
        (0.72, 0.66, 0.55),
        (0.58, 0.36, 0.28),
        (0.48, 0.28, 0.22),
        (0.66, 0.6, 0.54),
        (0.8, 0.76, 0.68),
        (0.5, 0.5, 0.5),
    ),
    *((0.62, 0.5, 0.36), (0.36, 0.34, 0.33), (0.7, 0.56, 0.46), (0.56, 0.58, 0.6), (0.3, 0.38, 0.22)),
)
"""Wall colours; the last is the green of ivy."""
ROOFS: tuple[Colour, ...] = ((0.3, 0.28, 0.28), (0.42, 0.24, 0.18), (0.25, 0.26, 0.3))
AWNINGS: tuple[Colour, ...] = ((0.6, 0.1, 0.12), (0.1, 0.3, 0.25), (0.12, 0.2, 0.45), (0.75, 0.6, 0.2), (0.2, 0.2, 0.2))
DOORS: tuple[Colour, ...] = ((0.25, 0.12, 0.1), (0.1, 0.16, 0.3), (0.12, 0.25, 0.16), (0.75, 0.73, 0.68))
GLASS: Colour = (0.14, 0.16, 0.18)
DETAIL_FAR_M = 45.0
EAVES_M = 0.5


def draw_building(  # noqa: PLR0913 - a building has this many measures
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    z: float,
    heading: float,
    *,
    width_m: float,
    length_m: float,
    storeys: int,
    street_side: str,
) -> None:
    """A house round (x, z); `length_m` runs along the street, and `street_side` is the face people enter by."""
    floor_m, base_m = rng.uniform(2.8, 3.4), rng.uniform(3.2, 4.2)
    if storeys <= 2:
        base_m = 0.6
    height = base_m + storeys * floor_m + 0.5
    wall = varied(rng, pick(rng, WALLS), 0.07)
    windows = (rng.uniform(1.7, 3.2), floor_m, rng.uniform(0.35, 0.68), base_m)
    material = BRICK_FACADE if chance(rng, 0.5) else FACADE
    leafy = wall[1] > 1.15 * wall[0]
    surface = Surface(
        BUILDING, wall, material, fine=0.35 if leafy else 0.1, coarse=0.3 if leafy else 0.09, windows=windows
    )
    camera_m = canvas.camera.height_m
    cornice = Surface(BUILDING, shade(wall, 0.75), fine=0.05)
    faces = box_faces(x, z, heading, width_m, length_m, 0.0, height, camera_m=camera_m)
    for face in faces:
        canvas.face(face.corners, surface)
        canvas.face(face.inset(0.0, 0.97, 1.0, 1.0), cornice)
        if face.side == street_side and min(corner[2] for corner in face.corners) < DETAIL_FAR_M:
            _ground_floor(canvas, rng, face, base_m, height, cornice)
    if storeys <= 2 or chance(rng, 0.35):
        _roof(canvas, rng, x, z, heading, width_m, length_m, height)
    sides = ("left", "right") if street_side in ("left", "right") else ("rear", "front")
    for face in _all_walls(x, z, heading, width_m, length_m, height):
        if face.side in (*sides, "rear", "front"):
            (x0, _, z0), (x1, _, z1) = face.corners[:2]
            canvas.cast_wall((x0, z0), (x1, z1), 0.0, height)


def _all_walls(x: float, z: float, heading: float, width_m: float, length_m: float, height: float) -> list[Face]:
    fx, fz = float(np.sin(heading)), float(np.cos(heading))
    spots = {}
    for across in (-1, 1):
        for along in (-1, 1):
            a, b = across * width_m / 2, along * length_m / 2
            spots[across, along] = (x + a * fz + b * fx, 0.0, z - a * fx + b * fz)
    rings = {
        "left": ((-1, 1), (-1, -1)),
        "right": ((1, -1), (1, 1)),
        "rear": ((-1, -1), (1, -1)),
        "front": ((1, 1), (-1, 1)),
    }

    def lift(point: tuple[float, float, float]) -> tuple[float, float, float]:
        return point[0], height, point[2]

    return [Face(side, (spots[p], spots[q], lift(spots[q]), lift(spots[p]))) for side, (p, q) in rings.items()]


def _roof(
    canvas: Canvas,
    rng: np.random.Generator,
    x: float,
    z: float,
    heading: float,
    width: float,
    length: float,
    low: float,
) -> None:
    high = low + rng.uniform(1.5, 3.0)
    low -= EAVES_M
    tiles = Surface(BUILDING, varied(rng, pick(rng, ROOFS)), fine=0.25, coarse=0.15)
    for face in box_faces(
        x, z, heading, width + 0.6, length, low, high, camera_m=canvas.camera.height_m, top=(0.15, 1.0, 0.0)
    ):
        canvas.face(face.corners, tiles)
    if chance(rng, 0.7):
        brick = Surface(BUILDING, (0.45, 0.28, 0.22), fine=0.2)
        for face in box_faces(
            x, z + length * 0.25, heading, 1.0, 0.8, high - 1.0, high + 0.9, camera_m=canvas.camera.height_m
        ):
            canvas.face(face.corners, brick)


def _ground_floor(
    canvas: Canvas, rng: np.random.Generator, face: Face, base_m: float, height: float, trim: Surface
) -> None:
    """Doors, shop fronts and posters, from one end of the face to the other."""
    shops = base_m > 2
    place = 0.5
    while place < face.width_m - 2.0:
        bay = min(rng.uniform(2.5, 5.0) if shops else rng.uniform(3.0, 6.0), face.width_m - place)
        kind = rng.random()
        x, _, z = face.at((place + bay / 2) / face.width_m, 0.0)
        if not canvas.sees(x, z, bay):
            place += bay
            continue
        if shops and kind < 0.55:
            _shop(canvas, rng, face, place, bay - 0.3, base_m, height)
        elif shops and kind < 0.68:
            _poster(canvas, rng, face, place, height)
        elif kind < 0.9:
            _door(canvas, rng, face, place, height, trim)
        place += bay
    if shops and chance(rng, 0.3):
        downpipe = Surface(BUILDING, shade(trim.colour, 0.6))
        limb(
            canvas, face.frame(), (face.width_m * 0.5, 0.0), (face.width_m * 0.5, height * 0.97), (0.12, 0.12), downpipe
        )


def _quad(
    canvas: Canvas, face: Face, left_m: float, low_m: float, width_m: float, high_m: float, surface: Surface
) -> None:
    height = face.corners[3][1] - face.corners[0][1]
    left, right = left_m / face.width_m, (left_m + width_m) / face.width_m
    canvas.face(face.inset(left, low_m / height, right, high_m / height), surface)


def _door(canvas: Canvas, rng: np.random.Generator, face: Face, left: float, height: float, trim: Surface) -> None:
    """A door whose pale frame looks like a pair of poles."""
    top = rng.uniform(2.1, 2.5)
    frame = Surface(BUILDING, varied(rng, (0.8, 0.78, 0.74)), fine=0.05)
    _quad(canvas, face, left, 0.0, 1.3, min(top + 0.15, height), frame)
    _quad(canvas, face, left + 0.14, 0.0, 1.02, top, Surface(BUILDING, varied(rng, pick(rng, DOORS)), fine=0.05))
    _quad(canvas, face, left - 0.1, 0.0, 1.5, 0.15, trim)


def _shop(
    canvas: Canvas, rng: np.random.Generator, face: Face, left: float, width: float, base_m: float, height: float
) -> None:
    """A shop window with a name board above, sometimes with a mannequin or a mirrored passer-by in it."""
    colour = varied(rng, pick(rng, AWNINGS))
    lit = canvas.light.lamps_lit
    _quad(canvas, face, left, 0.0, width, base_m - 0.1, Surface(BUILDING, colour, fine=0.05))
    pane = Surface(
        BUILDING,
        (0.8, 0.65, 0.4) if lit else shade(GLASS, rng.uniform(0.7, 1.8)),
        fine=0.05,
        coarse=0.3,
        glow=0.4 if lit else 0.02,
    )
    _quad(canvas, face, left + 0.15, 0.45, width - 0.3, base_m - 0.95, pane)
    for goods in range(int(rng.integers(2, 6))):
        place = left + 0.25 + goods * (width - 0.8) / 5
        stuff = Surface(BUILDING, varied(rng, pick(rng, AWNINGS), 0.3), glow=0.1)
        _quad(canvas, face, place, 0.45, rng.uniform(0.2, 0.6), rng.uniform(0.7, 1.4), stuff)
    if chance(rng, 0.45):
        draw_figure(
            canvas, rng, face.frame(left + width * rng.uniform(0.3, 0.7), 0.4), rng.uniform(1.5, 1.75), BUILDING
        )
    letters = Surface(BUILDING, (0.9, 0.88, 0.8), glow=0.6 if lit else 0.0)
    step = width / 9
    for letter in range(1, int(rng.integers(4, 8))):
        _quad(canvas, face, left + letter * step, base_m - 0.65, step * 0.6, base_m - 0.3, letters)


def _poster(canvas: Canvas, rng: np.random.Generator, face: Face, left: float, height: float) -> None:
    """A poster of a person on the wall: building, not pedestrian."""
    paper = Surface(
        BUILDING,
        varied(rng, pick(rng, ((0.8, 0.75, 0.5), (0.3, 0.5, 0.65), (0.7, 0.35, 0.3), (0.85, 0.85, 0.85))), 0.1),
    )
    _quad(canvas, face, left, 0.5, 1.5, min(2.7, height), paper)
    draw_figure(canvas, rng, face.frame(left + 0.75, 0.65), rng.uniform(1.5, 1.9), BUILDING)


def draw_skyline(canvas: Canvas, rng: np.random.Generator, distance_m: float) -> None:
    """Far buildings across the whole view, so that the street ends somewhere."""
    half = 0.9 * distance_m * canvas.width / canvas.camera.focal_px
    place = -half
    while place < half:
        width, height = rng.uniform(8, 26), rng.uniform(4, 15)
        wall = Surface(BUILDING, varied(rng, pick(rng, WALLS)), FACADE, windows=(3.0, 3.0, 0.5, 1.0))
        corners = [
            (place, 0.0, distance_m),
            (place + width, 0.0, distance_m),
            (place + width, height, distance_m),
            (place, height, distance_m),
        ]
        canvas.face(corners, wall)
        place += width * rng.uniform(0.7, 1.3)
        if chance(rng, 0.15):
            mast = Surface(POLE, (0.4, 0.4, 0.4))
            x = place - width / 2
            canvas.face(
                [
                    (x, 0, distance_m - 1),
                    (x + 0.4, 0, distance_m - 1),
                    (x + 0.4, height + 8, distance_m - 1),
                    (x, height + 8, distance_m - 1),
                ],
                mast,
            )
