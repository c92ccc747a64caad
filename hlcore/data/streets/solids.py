"""Boxes and sketches: the shapes that street objects are made of."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np

from hlcore.data.streets.canvas import NEAR_M, Canvas, Colour, Point, Surface

COARSE_OVAL_PX = 5
"""Radius up to which an oval has eight corners."""
CIRCLE = tuple((math.cos(i * math.pi / 8), math.sin(i * math.pi / 8)) for i in range(16))
RING = {
    "rear": ((-1.0, -1.0), (1.0, -1.0)),
    "right": ((1.0, -1.0), (1.0, 1.0)),
    "front": ((1.0, 1.0), (-1.0, 1.0)),
    "left": ((-1.0, 1.0), (-1.0, -1.0)),
}
"""The sides of a box, each from its lower left to its lower right corner (across, along) as seen from outside."""

Spot: TypeAlias = tuple[float, float]
"""A place in a plane, in metres."""
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

    def panel(self, left_m: float, low_m: float, width_m: float, high_m: float) -> list[Point]:
        """The quadrilateral from `left_m`, `width_m` wide, between two heights above the lower edge in metres."""
        left, right = left_m / self.width_m, (left_m + width_m) / self.width_m
        return self.inset(left, low_m / self.height_m, right, high_m / self.height_m)

    @property
    def height_m(self) -> float:
        """Height of the left edge in metres."""
        return self.corners[3][1] - self.corners[0][1]

    @property
    def width_m(self) -> float:
        """Length of the lower edge in metres."""
        (x0, _, z0), (x1, _, z1) = self.corners[:2]
        return math.hypot(x1 - x0, z1 - z0)

    def frame(self, left_m: float = 0.0, bottom_m: float = 0.0) -> Frame:
        """A frame in the plane of the face, with its origin `left_m` and `bottom_m` from the lower left corner."""
        width, height = max(self.width_m, 1e-6), max(self.height_m, 1e-6)
        return lambda right, up: self.at((left_m + right) / width, (bottom_m + up) / height)


def mix(a: Point, b: Point, share: float) -> Point:
    """The point at `share` of the way from a to b."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made brighter or darker, clipped to 0..1."""
    return min(1.0, colour[0] * factor), min(1.0, colour[1] * factor), min(1.0, colour[2] * factor)


def pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of the choices, all equally likely."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """True with the given probability."""
    return bool(rng.random() < probability)


def vary(rng: np.random.Generator, colour: Colour, spread: float = 0.08) -> Colour:
    """A colour near the given one."""
    r, g, b = (min(1.0, max(0.0, c + d)) for c, d in zip(colour, rng.normal(0, spread / 2, 3).tolist(), strict=True))
    return r, g, b


def upright(x: float, z: float, y: float = 0.0) -> Frame:
    """A frame that faces the camera and stands at (x, y, z)."""
    return lambda right, up: (x + right, y + up, z)


@dataclass(frozen=True)
class Footprint:
    """A rectangle on the ground round (x, z); `heading` turns its length from the z axis towards x, in radians."""

    x: float
    z: float
    heading: float
    width_m: float
    length_m: float

    def at(self, across_m: float, along_m: float) -> Spot:
        """The ground point (x, z) at the given distances from the middle."""
        sine, cosine = math.sin(self.heading), math.cos(self.heading)
        return self.x + across_m * cosine + along_m * sine, self.z - across_m * sine + along_m * cosine

    def corner(self, across: float, along: float) -> Spot:
        """The ground point at the given shares, -1 to 1, of half the width and half the length."""
        return self.at(across * self.width_m / 2, along * self.length_m / 2)

    @property
    def corners(self) -> tuple[Spot, ...]:
        """The four corners, in a ring."""
        return tuple(self.corner(across, along) for across, along in ((-1, -1), (1, -1), (1, 1), (-1, 1)))

    def moved(self, along_m: float) -> "Footprint":
        """The same rectangle further along."""
        x, z = self.at(0.0, along_m)
        return replace(self, x=x, z=z)

    def resized(self, width_m: float, length_m: float) -> "Footprint":
        """A rectangle of another size round the same middle."""
        return replace(self, width_m=width_m, length_m=length_m)


def box_faces(
    footprint: Footprint, low_m: float, high_m: float, *, camera_m: float, taper: tuple[float, float] = (1.0, 1.0)
) -> list[Face]:
    """The faces of an upright box that a camera over the origin sees: the top first, then sides.

    Args:
        footprint: The ground it covers.
        low_m: Height of its lower face.
        high_m: Height of its upper face.
        camera_m: Height of the camera.
        taper: Width and length of the upper face as shares of the lower one's.
    """

    def corner(side: float, end: float, *, upper: bool) -> Point:
        x, z = footprint.corner(side * taper[0], end * taper[1]) if upper else footprint.corner(side, end)
        return x, high_m if upper else low_m, z

    seen: list[Face] = []
    if camera_m > high_m:
        spots = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
        a, b, c, d = (corner(side, end, upper=True) for side, end in spots)
        seen.append(Face("top", (a, b, c, d)))
    for name, (left, right) in RING.items():
        low = corner(*left, upper=False), corner(*right, upper=False)
        face = Face(name, (*low, corner(*right, upper=True), corner(*left, upper=True)))
        (x0, _, z0), (x1, _, z1) = low
        if x0 * (z1 - z0) - z0 * (x1 - x0) < 0:
            seen.append(face)
    return seen


@dataclass(frozen=True)
class Sketch:
    """A plane to draw in, in metres; everything drawn has the same label and finish."""

    canvas: Canvas
    frame: Frame
    finish: Surface

    def polygon(self, points: Sequence[Spot], colour: Colour) -> None:
        """Paint a polygon."""
        self.canvas.face([self.frame(right, up) for right, up in points], replace(self.finish, colour=colour))

    def rectangle(self, low_left: Spot, high_right: Spot, colour: Colour) -> None:
        """Paint an upright rectangle between two corners."""
        (left, low), (right, high) = low_left, high_right
        self.polygon([(left, low), (right, low), (right, high), (left, high)], colour)

    def oval(self, middle: Spot, radii: Spot, colour: Colour) -> None:
        """Paint an oval."""
        (right, up), (width, height) = middle, radii
        radius_px = self.canvas.camera.focal_px * max(radii) / max(self.frame(right, up)[2], NEAR_M)
        circle = CIRCLE if radius_px > COARSE_OVAL_PX else CIRCLE[::2]
        self.polygon([(right + width * c, up + height * s) for c, s in circle], colour)

    def limb(self, start: Spot, end: Spot, widths: Spot, colour: Colour) -> None:
        """Paint a bar between two points, with its width at either end."""
        (x0, y0), (x1, y1) = start, end
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        nx, ny = -(y1 - y0) / length / 2, (x1 - x0) / length / 2
        w0, w1 = widths
        corners = [(x0 - nx * w0, y0 - ny * w0), (x1 - nx * w1, y1 - ny * w1)]
        corners += [(x1 + nx * w1, y1 + ny * w1), (x0 + nx * w0, y0 + ny * w0)]
        self.polygon(corners, colour)
