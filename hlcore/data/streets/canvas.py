"""The canvas of a street scene: a camera, and an index image in which every pixel names a flat part.

Scenes are painted back to front at twice their size. A pixel holds the index of the part painted last; class, colour,
plane and material of the parts are in a table. Image and labels thus come from the same geometry.

World axes in metres: x right, y up, z forward; the camera is above the origin and looks along z.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, Int32
from PIL import Image as PillowImage
from PIL import ImageDraw

Point: TypeAlias = tuple[float, float, float]
Colour: TypeAlias = tuple[float, float, float]

SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST = range(11)

PLAIN, FACADE, BRICK_FACADE, BRICK, PAVING, HEAVENS = range(6)
"""Materials, which decide how shading changes a part's colour."""

OVERSAMPLING = 2
NEAR_M = 0.6
ROLL_MARGIN = 0.02
"""Sideways shift that camera roll may cause, as a share of the width."""
SHADOW_STEP_M = 2.0
SHADOW_FAR_M = 70.0
PART_FIELDS = (
    *("label", "red", "green", "blue", "inverse_u", "inverse_v", "inverse_1"),
    *("along_x", "along_z", "along_0", "upright", "lambert", "glow", "fine", "coarse", "material"),
    *("bay_m", "floor_m", "window_share", "base_m"),
)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera along the street; lengths in canvas pixels, the horizon through (centre_u, horizon_v)."""

    height_m: float
    focal_px: float
    centre_u: float
    horizon_v: float
    roll: float

    def project(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        """The canvas positions of points in front of the camera."""
        focal, height, roll, u, v = self.focal_px, self.height_m, self.roll, self.centre_u, self.horizon_v
        outline: list[tuple[float, float]] = []
        for x, y, z in points:
            across, down = x * focal / z, (height - y) * focal / z
            outline.append((u + across - roll * down, v + down + roll * across))
        return outline


@dataclass(frozen=True)
class Light:
    """Sun, sky and air; colours are linear RGB."""

    sun_direction: Point
    sun_colour: Colour
    ambient_colour: Colour
    sky_low: Colour
    sky_high: Colour
    cloudiness: float
    haze_per_m: float
    lamps_lit: bool

    @property
    def shadow_offset(self) -> tuple[float, float]:
        """How far (x, z) a shadow falls for each metre of height."""
        x, y, z = self.sun_direction
        return -x / y, -z / y


@dataclass(frozen=True)
class Surface:
    """The material of a face.

    Attributes:
        label: Its class.
        colour: sRGB in 0..1.
        material: One of the materials above.
        fine: Strength of centimetre-scale noise.
        coarse: Strength of metre-scale noise.
        glow: Share of the colour that is emitted.
        windows: Bay width, floor height (m), window share of the bay, height of the first floor (m); for facades.
    """

    label: int
    colour: Colour
    material: int = PLAIN
    fine: float = 0.1
    coarse: float = 0.12
    glow: float = 0.0
    windows: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass
class Canvas:
    """The index image, its table of parts, and the shadows cast so far."""

    camera: Camera
    light: Light
    width: int
    height: int
    parts: list[tuple[float, ...]] = field(default_factory=list)
    shadow_casters: list[tuple[float, list[Point]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.picture = PillowImage.new("I", (self.width, self.height))
        self._draw = ImageDraw.Draw(self.picture)

    def sky(self) -> None:
        """Fill the canvas with sky."""
        unused = (0.0,) * (len(PART_FIELDS) - 1)
        row = dict(zip(PART_FIELDS, (float(SKY), *unused), strict=True)) | {"material": float(HEAVENS)}
        self.parts.append(tuple(row.values()))

    def face(self, points: Sequence[Point], surface: Surface) -> None:
        """Paint a flat polygon over everything so far, clipped to the front of the camera."""
        visible = clip_near(points)
        if len(visible) < 3:
            return
        outline = self.camera.project(visible)
        plane = plane_through(points) if self._on_canvas(outline) else None
        if plane is None:
            return
        self._draw.polygon(outline, fill=len(self.parts))
        self.parts.append(self._part(points, plane, surface))

    def sees(self, x: float, z: float, radius_m: float) -> bool:
        """Whether anything within `radius_m` of the ground point (x, z) can come into view."""
        if z < NEAR_M + radius_m:
            return z > -radius_m
        u = self.camera.centre_u + x * self.camera.focal_px / z
        reach = radius_m * self.camera.focal_px / z + ROLL_MARGIN * self.width
        return -reach < u < self.width + reach

    def cast_wall(self, start: tuple[float, float], end: tuple[float, float], low_m: float, high_m: float) -> None:
        """Add the shadow of an upright wall between two ground points (x, z)."""
        (x0, z0), (x1, z1) = start, end
        if min(z0, z1) > SHADOW_FAR_M:
            return
        dx, dz = self.light.shadow_offset
        steps = max(1, math.ceil((high_m - low_m) / SHADOW_STEP_M))
        for step in range(steps):
            y0 = low_m + (high_m - low_m) * step / steps
            y1 = low_m + (high_m - low_m) * (step + 1) / steps
            corners = ((x0, z0, y0), (x1, z1, y0), (x1, z1, y1), (x0, z0, y1))
            self.shadow_casters.append((y0, [(x + y * dx, 0.0, z + y * dz) for x, z, y in corners]))

    def cast_ball(self, centre: Point, radius_m: float) -> None:
        """Add the shadow of a ball."""
        x, y, z = centre
        dx, dz = self.light.shadow_offset
        x, z = x + y * dx, z + y * dz
        corners = [(x + radius_m * math.cos(a), 0.0, z + radius_m * math.sin(a)) for a in OCTAGON]
        self.shadow_casters.append((y, corners))

    def part_index(self) -> Int32[np.ndarray, "H W"]:
        """The part seen at each canvas pixel."""
        return np.asarray(self.picture, dtype=np.int32)

    def part_table(self) -> dict[str, Float32[np.ndarray, " P"]]:
        """The fields of all parts, by name."""
        columns = np.array(self.parts, dtype=np.float32).T
        return dict(zip(PART_FIELDS, np.ascontiguousarray(columns), strict=True))

    def _on_canvas(self, outline: list[tuple[float, float]]) -> bool:
        us, vs = zip(*outline, strict=True)
        return max(us) >= 0 and min(us) < self.width and max(vs) >= 0 and min(vs) < self.height

    def _part(self, points: Sequence[Point], plane: tuple[Point, float], surface: Surface) -> tuple[float, ...]:
        (nx, ny, nz), distance = plane
        camera_side = 1.0 if self.camera.height_m * ny < distance else -1.0
        sun_x, sun_y, sun_z = self.light.sun_direction
        lambert = max(0.0, -camera_side * (nx * sun_x + ny * sun_y + nz * sun_z))
        below_camera = distance - self.camera.height_m * ny
        below_camera = math.copysign(max(abs(below_camera), 1e-6), below_camera)
        upright = abs(ny) < 0.7
        along_x, along_z, along_0 = along_face(points) if upright else (1.0, 0.0, 0.0)
        return (
            *(float(surface.label), *surface.colour, nx / below_camera, ny / below_camera, nz / below_camera),
            *(along_x, along_z, along_0, float(upright), lambert, surface.glow, surface.fine, surface.coarse),
            *(float(surface.material), *surface.windows),
        )


OCTAGON = tuple(i * math.pi / 4 for i in range(8))


def clip_near(points: Sequence[Point]) -> Sequence[Point]:
    """The part of a polygon in front of the near plane."""
    for point in points:
        if point[2] < NEAR_M:
            break
    else:
        return points
    kept: list[Point] = []
    for start, end in zip(points, (*points[1:], points[0]), strict=True):
        if start[2] >= NEAR_M:
            kept.append(start)
        if (start[2] >= NEAR_M) != (end[2] >= NEAR_M):
            share = (NEAR_M - start[2]) / (end[2] - start[2])
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]), NEAR_M))
    return kept


def plane_through(points: Sequence[Point]) -> tuple[Point, float] | None:
    """Unit normal and distance from the origin of the plane of a polygon; None for a sliver without a plane.

    Example:
        >>> plane_through([(0.0, 2.0, 0.0), (0.0, 2.0, 1.0), (1.0, 2.0, 0.0)])
        ((0.0, 1.0, 0.0), 2.0)
    """
    x, y, z = points[0]
    second, third = points[len(points) // 3], points[2 * len(points) // 3]
    ax, ay, az = second[0] - x, second[1] - y, second[2] - z
    bx, by, bz = third[0] - x, third[1] - y, third[2] - z
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length < 1e-9:
        return None
    nx, ny, nz = nx / length, ny / length, nz / length
    return (nx, ny, nz), nx * x + ny * y + nz * z


def along_face(points: Sequence[Point]) -> Point:
    """Coefficients (x, z, 1) of the horizontal texture coordinate, which is 0 m at the first point."""
    (x0, _, z0), (x1, _, z1) = points[0], points[1]
    if abs(x1 - x0) + abs(z1 - z0) < 1e-6:
        x1, z1 = points[2][0], points[2][2]
    length = math.hypot(x1 - x0, z1 - z0) or 1.0
    along_x, along_z = (x1 - x0) / length, (z1 - z0) / length
    return along_x, along_z, -(along_x * x0 + along_z * z0)
