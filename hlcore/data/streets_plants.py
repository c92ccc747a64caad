"""Trees and hedges, from ragged clumps of leaves."""

import math

import numpy as np

from hlcore.data.streets_canvas import TREE, Canvas, Colour, Surface
from hlcore.data.streets_solids import box_faces, chance, limb, outline, pick, shade, upright, varied

LEAVES: tuple[Colour, ...] = (
    (0.25, 0.38, 0.14),
    (0.33, 0.42, 0.16),
    (0.18, 0.32, 0.16),
    (0.42, 0.44, 0.18),
    (0.5, 0.4, 0.16),
)
BARK: Colour = (0.3, 0.25, 0.2)


def draw_tree(canvas: Canvas, rng: np.random.Generator, x: float, z: float, height_m: float) -> None:
    """A tree: trunk, branches and a crown lit from above, bare in places so that the sky shows through."""
    leaves = varied(rng, pick(rng, LEAVES), 0.06)
    trunk = rng.uniform(0.16, 0.4)
    crown_radius = height_m * rng.uniform(0.2, 0.32)
    crown_low = height_m * rng.uniform(0.28, 0.4)
    frame = upright(x, z)
    wood = Surface(TREE, varied(rng, BARK), fine=0.3, coarse=0.2)
    limb(canvas, frame, (0.0, 0.0), (0.0, height_m * 0.6), (trunk * 1.2, trunk * 0.6), wood)
    canvas.cast_wall((x - trunk / 2, z), (x + trunk / 2, z), 0.0, height_m * 0.6)
    density = rng.uniform(0.7, 1.3)
    if not canvas.sees(x, z, 1.3 * crown_radius):
        canvas.cast_ball((x, (height_m + crown_low) / 2, z), crown_radius)
        return
    clumps = int(np.clip(density * 500 / z, 9, 44))
    for rank in range(clumps):
        share = rank / clumps
        angle, reach = rng.uniform(0, 2 * math.pi), math.sqrt(rng.random())
        right = math.cos(angle) * reach * crown_radius * 0.85
        middle = (height_m + crown_low) / 2
        up = middle + math.sin(angle) * reach * (height_m - crown_low) / 2 * 0.85
        brightness = 0.55 + 0.35 * share + 0.35 * (up - crown_low) / (height_m - crown_low)
        size = crown_radius * rng.uniform(0.16, 0.36)
        if chance(rng, 0.3):
            limb(canvas, frame, (0.0, crown_low), (right, up), (trunk * 0.3, trunk * 0.1), wood)
        tuft = Surface(TREE, shade(leaves, brightness), fine=0.7, coarse=0.35, glow=0.12)
        outline(canvas, upright(x, z - 0.2 * share), ragged(rng, right, up, size), tuft)
        if rank % 2 == 0:
            canvas.cast_ball((x + right, up, z + float(rng.normal(0, crown_radius / 2))), size * 1.1)


def draw_hedge(
    canvas: Canvas, rng: np.random.Generator, start: tuple[float, float], end: tuple[float, float], height_m: float
) -> None:
    """A hedge between two ground points (x, z), with a ragged upper edge."""
    (x0, z0), (x1, z1) = start, end
    leaves = varied(rng, pick(rng, LEAVES), 0.06)
    length = math.hypot(x1 - x0, z1 - z0)
    heading = math.atan2(x1 - x0, z1 - z0)
    bush = Surface(TREE, shade(leaves, 0.8), fine=0.5, coarse=0.35, glow=0.08)
    faces = box_faces(
        (x0 + x1) / 2, (z0 + z1) / 2, heading, 0.7, length, 0.0, height_m, camera_m=canvas.camera.height_m
    )
    for face in faces:
        canvas.face(face.corners, bush)
    tufts = int(np.clip(length * 1.5, 3, 14))
    for tuft in range(tufts):
        share = (tuft + rng.random()) / tufts
        x, z = x0 + share * (x1 - x0), z0 + share * (z1 - z0)
        spray = Surface(TREE, shade(leaves, rng.uniform(0.7, 1.15)), fine=0.5, coarse=0.3, glow=0.08)
        outline(
            canvas, upright(x, z), ragged(rng, 0.0, height_m * rng.uniform(0.75, 1.0), rng.uniform(0.2, 0.4)), spray
        )
    canvas.cast_wall(start, end, 0.0, height_m)


def ragged(rng: np.random.Generator, right: float, up: float, radius: float) -> list[tuple[float, float]]:
    """A star-like outline round (right, up)."""
    spikes = 13
    reach = radius * rng.uniform(0.55, 1.25, spikes)
    angles = [2 * math.pi * i / spikes for i in range(spikes)]
    return [(right + r * math.cos(a), up + r * math.sin(a)) for r, a in zip(reach.tolist(), angles, strict=True)]
