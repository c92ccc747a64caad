"""Trees and hedges, from ragged clumps of leaves."""

import math

import numpy as np

from hlcore.data.streets.canvas import TREE, Canvas, Colour, Surface
from hlcore.data.streets.solids import Footprint, Sketch, Spot, box_faces, chance, pick, shade, upright, vary

LEAVES: tuple[Colour, ...] = (
    *((0.25, 0.38, 0.14), (0.33, 0.42, 0.16), (0.18, 0.32, 0.16), (0.42, 0.44, 0.18), (0.5, 0.4, 0.16)),
)
BARK: Colour = (0.3, 0.25, 0.2)
SPIKES = 13
"""Corners of a clump of leaves."""


def draw_tree(canvas: Canvas, rng: np.random.Generator, x: float, z: float, height_m: float) -> None:
    """A tree: trunk, branches and a crown lit from above, bare in places so that the sky shows through."""
    leaves, bark = vary(rng, pick(rng, LEAVES), 0.06), vary(rng, BARK)
    trunk = rng.uniform(0.16, 0.4)
    radius, low = height_m * rng.uniform(0.2, 0.32), height_m * rng.uniform(0.28, 0.4)
    density = rng.uniform(0.7, 1.3)
    middle, half = (height_m + low) / 2, (height_m - low) / 2
    wood = Sketch(canvas, upright(x, z), Surface(TREE, bark, fine=0.3, coarse=0.2))
    wood.limb((0.0, 0.0), (0.0, height_m * 0.6), (trunk * 1.2, trunk * 0.6), bark)
    canvas.cast_wall((x - trunk / 2, z), (x + trunk / 2, z), 0.0, height_m * 0.6)
    if not canvas.sees(x, z, 1.3 * radius):
        canvas.cast_ball((x, middle, z), radius)
        return
    clumps = int(np.clip(density * 500 / z, 9, 44))
    for rank in range(clumps):
        share = rank / clumps
        angle, reach = rng.uniform(0, 2 * math.pi), 0.85 * math.sqrt(rng.random())
        right, up = math.cos(angle) * reach * radius, middle + math.sin(angle) * reach * half
        brightness = 0.55 + 0.35 * share + 0.35 * (up - low) / (height_m - low)
        size = radius * rng.uniform(0.16, 0.36)
        if chance(rng, 0.3):
            wood.limb((0.0, low), (right, up), (trunk * 0.3, trunk * 0.1), bark)
        crown = Sketch(canvas, upright(x, z - 0.2 * share), Surface(TREE, leaves, fine=0.7, coarse=0.35, glow=0.12))
        crown.polygon(ragged(rng, (right, up), size), shade(leaves, brightness))
        if rank % 2 == 0:
            canvas.cast_ball((x + right, up, z + float(rng.normal(0, radius / 2))), size * 1.1)


def draw_hedge(canvas: Canvas, rng: np.random.Generator, start: Spot, end: Spot, height_m: float) -> None:
    """A hedge between two ground points (x, z), with a ragged upper edge."""
    (x0, z0), (x1, z1) = start, end
    leaves = vary(rng, pick(rng, LEAVES), 0.06)
    length, heading = math.hypot(x1 - x0, z1 - z0), math.atan2(x1 - x0, z1 - z0)
    bush = Surface(TREE, shade(leaves, 0.8), fine=0.5, coarse=0.35, glow=0.08)
    footprint = Footprint((x0 + x1) / 2, (z0 + z1) / 2, heading, 0.7, length)
    for face in box_faces(footprint, 0.0, height_m, camera_m=canvas.camera.height_m):
        canvas.face(face.corners, bush)
    sprays = int(np.clip(length * 1.5, 3, 14))
    for spray in range(sprays):
        share = (spray + rng.random()) / sprays
        sketch = Sketch(canvas, upright(x0 + share * (x1 - x0), z0 + share * (z1 - z0)), bush)
        outline = ragged(rng, (0.0, height_m * rng.uniform(0.75, 1.0)), rng.uniform(0.2, 0.4))
        sketch.polygon(outline, shade(leaves, rng.uniform(0.7, 1.15)))
    canvas.cast_wall(start, end, 0.0, height_m)


def ragged(rng: np.random.Generator, middle: Spot, radius_m: float) -> list[Spot]:
    """A star-like outline."""
    reach = (radius_m * rng.uniform(0.55, 1.25, SPIKES)).tolist()
    angles = [2 * math.pi * i / SPIKES for i in range(SPIKES)]
    right, up = middle
    return [(right + r * math.cos(a), up + r * math.sin(a)) for r, a in zip(reach, angles, strict=True)]
