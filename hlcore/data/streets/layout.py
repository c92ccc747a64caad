"""Layout of a scene: light, lens, the course of the street and the zones on either side."""

import math
from dataclasses import dataclass, replace

import numpy as np

from hlcore.data.streets.canvas import Camera, Light
from hlcore.data.streets.lens import Lens
from hlcore.data.streets.solids import chance, pick

FAR_M = 95.0
HORIZON_DISTANCE_M = 150.0
FENCES = ("railing", "railing", "boards", "hedge", "wall")


@dataclass(frozen=True)
class Side:
    """One side of the street.

    Attributes:
        sign: -1 left, 1 right.
        kerb_m: Distance of the kerb from the middle of the road.
        frontage_m: Distance of the house fronts from it.
        style: "terrace", "houses" or "park".
        junction: Start and end (z, metres) of a side street; two equal numbers for none.
        parking: Whether a row of cars is parked along the kerb.
        fence: One of `FENCES`, between pavement and gardens.
    """

    sign: int
    kerb_m: float
    frontage_m: float
    style: str
    junction: tuple[float, float]
    parking: bool
    fence: str

    def in_junction(self, z: float, margin_m: float = 0.0) -> bool:
        """Whether the side street passes at z."""
        start, end = self.junction
        return self.has_junction and start - margin_m < z < end + margin_m

    @property
    def has_junction(self) -> bool:
        """Whether a side street joins here."""
        return self.junction[1] > self.junction[0]

    @property
    def faced_by(self) -> str:
        """The side of its houses that faces the street."""
        return "right" if self.sign < 0 else "left"


@dataclass(frozen=True)
class Street:
    """The course of the road: its middle line, its two sides, and where traffic drives."""

    camera_x: float
    bend_per_m: float
    lane_m: float
    drive_side: int
    sides: tuple[Side, Side]

    def middle(self, z: float) -> float:
        """The x of the middle line at depth z, seen from the camera."""
        reach = max(0.0, min(z, FAR_M) - 6.0)
        return -self.camera_x + self.bend_per_m * reach * (reach / 2 + max(0.0, z - FAR_M))

    def heading(self, z: float) -> float:
        """The direction of the road at depth z, radians from straight ahead."""
        return math.atan(self.bend_per_m * max(0.0, min(z, FAR_M) - 6.0))

    def at(self, offset_m: float, z: float) -> tuple[float, float]:
        """The ground point (x, z) at a distance to the right of the middle line."""
        heading = self.heading(z)
        return self.middle(z) + offset_m * math.cos(heading), z - offset_m * math.sin(heading)


def choose_street(rng: np.random.Generator) -> Street:
    """A street with a random course, width and use."""
    lane = rng.uniform(2.7, 3.4)
    drive_side = pick(rng, (-1, 1))
    left, right = _choose_side(rng, -1, lane), _choose_side(rng, 1, lane)
    if chance(rng, 0.4):
        right = replace(right, junction=left.junction)
    bend = float(rng.normal(0, 0.009)) if chance(rng, 0.75) else 0.0
    camera_x = drive_side * lane / 2 + rng.uniform(-0.3, 0.3)
    return Street(camera_x, bend, lane, drive_side, (left, right))


def _choose_side(rng: np.random.Generator, sign: int, lane_m: float) -> Side:
    style = pick(rng, ("terrace", "terrace", "terrace", "houses", "houses", "park"))
    parking = chance(rng, 0.45)
    kerb = lane_m + (2.2 if parking else rng.uniform(0.15, 0.7))
    pavement = rng.uniform(2.5, 5.5)
    garden = 0.2 if style == "terrace" else rng.uniform(2.5, 6.0)
    start = rng.uniform(9, 45)
    end = start + (rng.uniform(6, 9) if chance(rng, 0.5) else 0.0)
    fence = pick(rng, FENCES)
    return Side(sign, kerb, kerb + pavement + garden, style, (start, end), parking, fence)


def choose_camera(rng: np.random.Generator, size: tuple[int, int]) -> Camera:
    """A dash camera for a canvas of the given height and width."""
    height, width = size
    return Camera(
        height_m=rng.uniform(1.25, 1.75),
        focal_px=rng.uniform(0.85, 1.15) * width,
        centre_u=rng.uniform(0.38, 0.62) * width,
        horizon_v=rng.uniform(0.4, 0.52) * height,
        roll=float(rng.normal(0, 0.008)),
    )


def choose_light(rng: np.random.Generator) -> Light:
    """Noon, low sun, an overcast sky or dusk."""
    hour = pick(rng, ("noon", "noon", "low sun", "low sun", "overcast", "overcast", "dusk"))
    elevation = {"noon": rng.uniform(0.6, 1.0), "low sun": rng.uniform(0.22, 0.5), "overcast": 0.9, "dusk": 0.25}[hour]
    azimuth = rng.uniform(-math.pi, math.pi)
    direction = (math.cos(elevation) * math.sin(azimuth), math.sin(elevation), math.cos(elevation) * math.cos(azimuth))
    sun, ambient, low, high = {
        "noon": ((1.9, 1.8, 1.6), (0.42, 0.47, 0.56), (0.85, 0.93, 1.05), (0.3, 0.5, 0.9)),
        "low sun": ((2.1, 1.6, 1.05), (0.36, 0.4, 0.5), (1.05, 0.95, 0.85), (0.35, 0.5, 0.8)),
        "overcast": ((0.14, 0.14, 0.14), (0.72, 0.75, 0.8), (1.15, 1.17, 1.2), (0.85, 0.9, 0.97)),
        "dusk": ((0.06, 0.05, 0.06), (0.24, 0.25, 0.34), (0.42, 0.34, 0.36), (0.14, 0.18, 0.32)),
    }[hour]
    cloudiness = rng.uniform(0.75, 1.0) if hour == "overcast" else rng.uniform(0.0, 0.75)
    haze = math.exp(rng.uniform(math.log(0.0008), math.log(0.007)))
    return Light(direction, sun, ambient, low, high, cloudiness, haze, hour == "dusk")


def choose_lens(rng: np.random.Generator, light: Light, width: int) -> Lens:
    """Exposure and image defects; dusk stays darker, and blur grows with the width of the image."""
    scale = width / 256
    return Lens(
        brightness=rng.uniform(0.22, 0.5) * (0.55 if light.lamps_lit else 1.0),
        white_balance=(rng.uniform(0.92, 1.1), 1.0, rng.uniform(0.9, 1.1)),
        defocus_px=scale * (rng.uniform(0.15, 0.5) if chance(rng, 0.85) else rng.uniform(0.6, 1.0)),
        motion_px=1 + round(scale * rng.uniform(1, 3)) if chance(rng, 0.15) else 1,
        noise=rng.uniform(1.0, 7.0),
        quality=int(rng.integers(55, 94)),
    )
