"""Boxes and outlines: the shapes that street objects are put together from."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from hlcore.data.streets_canvas import NEAR_M, Canvas, Colour, Point, Surface

Frame: TypeAlias = Callable[[float, float], Point]
"""Maps metres (right, up) in a plane to the world."""

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Face:
    """A quadrilateral of the world: bottom left, bottom right, top right, top left."""

    side: str
    corners: tuple[Point, Point, Point, Point]

    def at(self, right: float, up: float) -> Point:
        """The point at the given shares of width and height."""
        low = mix(self.corners[0], self.corners[1], right)
        high = mix(self.corners[3], self.corners[2], right)
        x, y, z = mix(low, high, up)
        return x, y, z

    def inset(self, left: float, bottom: float, right: float, top: float) -> list[Point]:
        """The quadrilateral between two points given in shares of width and height."""
        return [self.at(left, bottom), self.at(right, bottom), self.at(right, top), self.at(left, top)]

    @property
    def width_m(self) -> float:
        """Length of the lower edge in metres."""
        (x0, _, z0), (x1, _, z1) = self.corners[:2]
        return math.hypot(x1 - x0, z1 - z0)

    def frame(self, left_m: float = 0.0, bottom_m: float = 0.0) -> Frame:
        """A frame in the plane of the face, with its origin `left_m` and `bottom_m` from the lower left corner."""
        width, height = max(self.width_m, 1e-6), max(self.corners[3][1] - self.corners[0][1], 1e-6)
        return lambda right, up: self.at((left_m + right) / width, (bottom_m + up) / height)


def mix(a: Point, b: Point, share: float) -> Point:
    """The point at `share` of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made brighter or darker, held in 0..1."""
    return min(1.0, colour[0] * factor), min(1.0, colour[1] * factor), min(1.0, colour[2] * factor)


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of the choices, all equally likely."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with the given probability."""
    return bool(rng.random() < probability)


def varied(rng: np.random.Generator, colour: Colour, spread: float = 0.08) -> Colour:
    """A colour near the given one."""
    r, g, b = (min(1.0, max(0.0, c + d)) for c, d in zip(colour, rng.normal(0, spread / 2, 3), strict=True))
    return r, g, b


def upright(x: float, z: float, y: float = 0.0) -> Frame:
    """A frame that faces the camera and stands at (x, y, z)."""
    return lambda right, up: (x + right, y + up, z)


def box_faces(  # noqa: PLR0913 - a box has this many measures
    x: float,
    z: float,
    heading: float,
    width_m: float,
    length_m: float,
    low_m: float,
    high_m: float,
    *,
    camera_m: float,
    top: tuple[float, float, float] = (1.0, 1.0, 0.0),
) -> list[Face]:
    """The faces of an upright box that a camera over the origin sees: the top first, then sides.

    Args:
        x, z: Middle of the box.
        heading: Direction of its length, radians from the z axis towards x.
        width_m, length_m, low_m, high_m: Its measures.
        camera_m: Height of the camera.
        top: Width and length of the upper face as shares of the lower one's, and its shift along the length in metres.
    """
    fx, fz = math.sin(heading), math.cos(heading)

    def corner(side: float, end: float, upper: bool) -> Point:
        across = side * width_m / 2 * (top[0] if upper else 1)
        along = end * length_m / 2 * (top[1] if upper else 1) + (top[2] if upper else 0)
        return x + across * fz + along * fx, high_m if upper else low_m, z - across * fx + along * fz

    ring = {
        "rear": ((-1, -1), (1, -1)),
        "right": ((1, -1), (1, 1)),
        "front": ((1, 1), (-1, 1)),
        "left": ((-1, 1), (-1, -1)),
    }
    seen: list[Face] = []
    if camera_m > high_m:
        corners = corner(-1, -1, True), corner(1, -1, True), corner(1, 1, True), corner(-1, 1, True)
        seen.append(Face("top", corners))
    for name, ((s0, e0), (s1, e1)) in ring.items():
        face = Face(name, (corner(s0, e0, False), corner(s1, e1, False), corner(s1, e1, True), corner(s0, e0, True)))
        (x0, _, z0), (x1, _, z1) = face.corners[:2]
        if x0 * (z1 - z0) - z0 * (x1 - x0) < 0:
            seen.append(face)
    return seen


def outline(canvas: Canvas, frame: Frame, points: Sequence[tuple[float, float]], surface: Surface) -> None:
    """Paint a polygon given in a frame's metres."""
    canvas.face([frame(right, up) for right, up in points], surface)


def oval(  # noqa: PLR0913 - an oval has this many measures
    canvas: Canvas, frame: Frame, right: float, up: float, half_width: float, half_height: float, surface: Surface
) -> None:
    """Paint an oval given in a frame's metres."""
    radius_px = canvas.camera.focal_px * max(half_width, half_height) / max(frame(right, up)[2], NEAR_M)
    circle = CIRCLE if radius_px > COARSE_OVAL_PX else CIRCLE[::2]
    outline(canvas, frame, [(right + half_width * c, up + half_height * s) for c, s in circle], surface)


def limb(
    canvas: Canvas,
    frame: Frame,
    start: tuple[float, float],
    end: tuple[float, float],
    widths: tuple[float, float],
    surface: Surface,
) -> None:
    """Paint a bar between two points of a frame, with its width at either end in metres."""
    (x0, y0), (x1, y1) = start, end
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    nx, ny = -(y1 - y0) / length / 2, (x1 - x0) / length / 2
    w0, w1 = widths
    corners = [(x0 - nx * w0, y0 - ny * w0), (x1 - nx * w1, y1 - ny * w1)]
    corners += [(x1 + nx * w1, y1 + ny * w1), (x0 + nx * w0, y0 + ny * w0)]
    outline(canvas, frame, corners, surface)


COARSE_OVAL_PX = 5
"""Radius up to which eight corners make an oval."""
CIRCLE = tuple((math.cos(i * math.pi / 8), math.sin(i * math.pi / 8)) for i in range(16))
