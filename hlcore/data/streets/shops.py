"""The ground floor of a building: doors, shop windows and posters, which all count as building."""

import numpy as np

from hlcore.data.streets.canvas import BUILDING, Canvas, Colour, Surface
from hlcore.data.streets.people import draw_figure
from hlcore.data.streets.solids import Face, chance, pick, shade, vary

AWNINGS: tuple[Colour, ...] = ((0.6, 0.1, 0.12), (0.1, 0.3, 0.25), (0.12, 0.2, 0.45), (0.75, 0.6, 0.2), (0.2, 0.2, 0.2))
DOORS: tuple[Colour, ...] = ((0.25, 0.12, 0.1), (0.1, 0.16, 0.3), (0.12, 0.25, 0.16), (0.75, 0.73, 0.68))
PAPERS: tuple[Colour, ...] = ((0.8, 0.75, 0.5), (0.3, 0.5, 0.65), (0.7, 0.35, 0.3), (0.85, 0.85, 0.85))
DOOR_FRAME: Colour = (0.8, 0.78, 0.74)
LETTERS: Colour = (0.9, 0.88, 0.8)
GLASS, LIT_GLASS = (0.14, 0.16, 0.18), (0.8, 0.65, 0.4)


def draw_ground_floor(
    canvas: Canvas, rng: np.random.Generator, face: Face, *, shop_height_m: float | None, trim: Surface
) -> None:
    """Doors and, in a building with shops of the given height, shop fronts, posters and a downpipe."""
    place = 0.5
    while place < face.width_m - 2.0:
        wanted = rng.uniform(2.5, 5.0) if shop_height_m else rng.uniform(3.0, 6.0)
        bay = min(wanted, face.width_m - place)
        kind = rng.random()
        x, _, z = face.at((place + bay / 2) / face.width_m, 0.0)
        if canvas.sees(x, z, bay):
            if shop_height_m and kind < 0.55:
                _shop(canvas, rng, face, (place, bay - 0.3), shop_height_m)
            elif shop_height_m and kind < 0.68:
                _poster(canvas, rng, face, place)
            elif kind < 0.9:
                _door(canvas, rng, face, place, trim)
        place += bay
    if shop_height_m and chance(rng, 0.3):
        downpipe = Surface(BUILDING, shade(trim.colour, 0.6))
        canvas.face(face.panel(face.width_m * 0.5, 0.0, 0.12, face.height_m * 0.97), downpipe)


def _door(canvas: Canvas, rng: np.random.Generator, face: Face, left: float, trim: Surface) -> None:
    """A door whose pale frame looks like a pair of poles."""
    top = rng.uniform(2.1, 2.5)
    frame = Surface(BUILDING, vary(rng, DOOR_FRAME), fine=0.05)
    canvas.face(face.panel(left, 0.0, 1.3, top + 0.15), frame)
    canvas.face(face.panel(left + 0.14, 0.0, 1.02, top), Surface(BUILDING, vary(rng, pick(rng, DOORS)), fine=0.05))
    canvas.face(face.panel(left - 0.1, 0.0, 1.5, 0.15), trim)


def _shop(canvas: Canvas, rng: np.random.Generator, face: Face, span: tuple[float, float], height_m: float) -> None:
    """A shop window with a name board above, sometimes with a mannequin or a reflected passer-by in it."""
    left, width = span
    lit = canvas.light.lamps_lit
    front = Surface(BUILDING, vary(rng, pick(rng, AWNINGS)), fine=0.05)
    canvas.face(face.panel(left, 0.0, width, height_m - 0.1), front)
    glass = LIT_GLASS if lit else shade(GLASS, rng.uniform(0.7, 1.8))
    pane = Surface(BUILDING, glass, fine=0.05, coarse=0.3, glow=0.4 if lit else 0.02)
    canvas.face(face.panel(left + 0.15, 0.45, width - 0.3, height_m - 0.95), pane)
    for shelf in range(int(rng.integers(2, 6))):
        goods = Surface(BUILDING, vary(rng, pick(rng, AWNINGS), 0.3), glow=0.1)
        place = left + 0.25 + shelf * (width - 0.8) / 5
        canvas.face(face.panel(place, 0.45, rng.uniform(0.2, 0.6), rng.uniform(0.7, 1.4)), goods)
    if chance(rng, 0.45):
        frame = face.frame(left + width * rng.uniform(0.3, 0.7), 0.4)
        draw_figure(canvas, rng, frame, rng.uniform(1.5, 1.75), BUILDING)
    letters = Surface(BUILDING, LETTERS, glow=0.6 if lit else 0.0)
    step = width / 9
    for letter in range(1, int(rng.integers(4, 8))):
        canvas.face(face.panel(left + letter * step, height_m - 0.65, step * 0.6, height_m - 0.3), letters)


def _poster(canvas: Canvas, rng: np.random.Generator, face: Face, left: float) -> None:
    """A poster of a person on the wall: building, not pedestrian."""
    paper = Surface(BUILDING, vary(rng, pick(rng, PAPERS), 0.1))
    canvas.face(face.panel(left, 0.5, 1.5, 2.7), paper)
    draw_figure(canvas, rng, face.frame(left + 0.75, 0.65), rng.uniform(1.5, 1.9), BUILDING)
