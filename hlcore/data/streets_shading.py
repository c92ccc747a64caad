"""From the index picture to light: where each pixel lies in the world, what material it shows, how much sun reaches it."""

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int32
from PIL import Image as PillowImage
from PIL import ImageDraw
from scipy.ndimage import zoom

from hlcore.data.streets_canvas import BRICK, BRICK_FACADE, FACADE, HEAVENS, PAVING, Canvas, clip_near

Pixels: TypeAlias = Float32[np.ndarray, " N"]

NOISE_SIZE = 512
FINE_TEXELS_PER_M = 24.0
COARSE_TEXELS_PER_M = 3.0
FAR_M = 4000.0
GROUND_BIAS_M = 0.05
UPRIGHT_BIAS_M = 0.35
GAMMA = 2.2


@cache
def noise_tile() -> Float32[np.ndarray, "S S"]:
    """Value noise of six octaves that tiles, with mean 0 and deviation 1."""
    rng = np.random.Generator(np.random.PCG64(2305_08462))
    tile = np.zeros((NOISE_SIZE, NOISE_SIZE))
    for octave in range(6):
        knots = NOISE_SIZE >> octave
        values = rng.standard_normal((knots, knots))
        tile += zoom(values, NOISE_SIZE // knots, order=1, mode="grid-wrap", grid_mode=True) * 0.75 ** (6 - octave)
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


def noise_at(across: Pixels, up: Pixels, texels_per_m: float, shift: int = 0) -> Pixels:
    """Noise at places given in metres."""
    limit = np.float32(1e6)
    i = (np.clip(up * texels_per_m, -limit, limit)).astype(np.int32) + shift
    j = (np.clip(across * texels_per_m, -limit, limit)).astype(np.int32) + 3 * shift
    return noise_tile().ravel()[(i & (NOISE_SIZE - 1)) * NOISE_SIZE + (j & (NOISE_SIZE - 1))]


@dataclass(frozen=True)
class Places:
    """Where the canvas pixels lie: viewing ray (u, v), world position and position along the face, in metres."""

    u: Pixels
    v: Pixels
    x: Pixels
    y: Pixels
    z: Pixels
    across: Pixels
    up: Pixels


def radiance(canvas: Canvas, rng: np.random.Generator) -> Float32[np.ndarray, "H W 3"]:
    """Linear light that reaches each canvas pixel."""
    part = canvas.part_index().ravel()
    table = canvas.part_table()
    shift = int(rng.integers(NOISE_SIZE))
    places = locate(canvas, part, table)
    light = canvas.light

    near = 1 / (1 + places.z / 30)
    texture = 1 + table["coarse"][part] * noise_at(places.across, places.up, COARSE_TEXELS_PER_M, shift)
    texture += table["fine"][part] * near * noise_at(places.across, places.up, FINE_TEXELS_PER_M, shift)
    np.maximum(texture, 0.15, out=texture)

    albedo = np.stack([table[name] ** GAMMA for name in ("red", "green", "blue")], axis=1)[part]
    glow = table["glow"][part]
    material = table["material"].astype(np.int32)[part]
    tile_joints(texture, places, np.flatnonzero((material == BRICK) | (material == BRICK_FACADE)), (0.5, 0.25))
    tile_joints(texture, places, np.flatnonzero(material == PAVING), (0.9, 0.6))
    albedo *= texture[:, None]
    facade = np.flatnonzero((material == FACADE) | (material == BRICK_FACADE))
    paint_windows(albedo, glow, canvas, facade, part, table, places)

    direct = table["lambert"][part] * (1 - shadow(canvas, places, table["upright"][part] > 0))
    arriving = direct[:, None] * np.float32(light.sun_colour)
    arriving += np.float32(light.ambient_colour) + glow[:, None]
    albedo *= arriving
    clear = np.exp(-places.z * np.float32(light.haze_per_m))[:, None]
    albedo *= clear
    albedo += (1 - clear) * np.float32(light.sky_low)
    heavens = np.flatnonzero(material == HEAVENS)
    albedo[heavens] = sky_colour(canvas, places.u[heavens], places.v[heavens], shift)
    return albedo.reshape(canvas.height, canvas.width, 3)


def locate(canvas: Canvas, part: Int32[np.ndarray, " N"], table: dict[str, Float32[np.ndarray, " P"]]) -> Places:
    """The place of every canvas pixel on the plane of its part."""
    camera = canvas.camera
    down, across = np.indices((canvas.height, canvas.width), dtype=np.float32).reshape(2, -1)
    across = across + np.float32(0.5 - camera.centre_u)
    down = down + np.float32(0.5 - camera.horizon_v)
    straight = np.float32(1 / (camera.focal_px * (1 + camera.roll**2)))
    u = (across + np.float32(camera.roll) * down) * straight
    v = (np.float32(camera.roll) * across - down) * straight
    inverse = table["inverse_u"][part] * u + table["inverse_v"][part] * v + table["inverse_1"][part]
    z = 1 / np.maximum(inverse, np.float32(1 / FAR_M))
    x, y = u * z, camera.height_m + v * z
    along = table["along_x"][part] * x + table["along_z"][part] * z + table["along_0"][part]
    return Places(u, v, x, y, z, along, np.where(table["upright"][part] > 0, y, z))


def tile_joints(texture: Pixels, places: Places, where: Int32[np.ndarray, " M"], tile_m: tuple[float, float]) -> None:
    """Darken the joints between tiles or bricks laid in running bond, fading where they get too small to see."""
    width_m, height_m = (np.float32(length) for length in tile_m)
    row = places.up[where] / height_m
    course = np.floor(row)
    column = places.across[where] / width_m + 0.5 * (course % 2)
    joint = (row - course < 0.14) | (column - np.floor(column) < 0.08)
    texture[where] *= 1 - np.where(joint, 0.3, 0.0) * np.clip(1.4 - places.z[where] / 22, 0, 1)


def paint_windows(  # noqa: PLR0913 - the pixel arrays belong together
    albedo: Float32[np.ndarray, "N 3"],
    glow: Pixels,
    canvas: Canvas,
    where: Int32[np.ndarray, " M"],
    part: Int32[np.ndarray, " N"],
    table: dict[str, Float32[np.ndarray, " P"]],
    places: Places,
) -> None:
    """Give facades their rows of windows: dark, curtained, mirroring the sky or lit."""
    index = part[where]
    bay, storey = table["bay_m"][index], table["floor_m"][index]
    column = places.across[where] / bay
    row = (places.up[where] - table["base_m"][index]) / storey
    i, j = np.floor(column), np.floor(row)
    off_centre = np.abs(column - i - 0.5) / (table["window_share"][index] / 2)
    off_middle = np.abs(row - j - 0.52) / 0.3
    edge = np.maximum(off_centre, off_middle)
    opening = (row > 0) & (edge < 1.18)
    pane = opening & (edge < 1) & (np.minimum(off_centre * bay, np.abs(off_middle - 0.2)) > 0.07)
    mixed = (i * 7.13 + j * 3.71 + table["along_0"][index] * 0.37) % 1.0
    dice = np.abs(np.sin(mixed * 91.7 + i * 1.9 + j * 4.3)).astype(np.float32)

    frame = where[opening & ~pane]
    albedo[frame] = 0.25 * albedo[frame] + 0.4
    dark, mirror, curtain = pane & (dice < 0.62), pane & (dice >= 0.62) & (dice < 0.85), pane & (dice >= 0.85)
    albedo[where[dark]] = np.float32((0.03, 0.035, 0.045))
    albedo[where[curtain]] = np.float32((0.45, 0.42, 0.36))
    albedo[where[mirror]] = np.float32(canvas.light.sky_low) * np.float32(0.45)
    if canvas.light.lamps_lit:
        lit = where[pane & (dice < 0.3)]
        albedo[lit] = np.float32((0.9, 0.62, 0.25))
        glow[lit] = 0.6


def shadow(canvas: Canvas, places: Places, upright: Bool[np.ndarray, " N"]) -> Pixels:
    """Share of the sun that others take away from each pixel, 0 or 1.

    Casters are painted onto the ground as the camera sees it, each with the height at which the ray to the sun meets
    it; a place is shaded if the ray through it meets a caster higher up.
    """
    camera, light = canvas.camera, canvas.light
    margin = canvas.width // 4
    width, height = canvas.width // 2 + 2 * margin, canvas.height // 2 + margin
    ground = PillowImage.new("F", (width, height), -1.0)
    draw = ImageDraw.Draw(ground)
    for caster_height, points in sorted(canvas.shadow_casters, key=lambda caster: caster[0]):
        visible = clip_near(points)
        if len(visible) > 2:
            corners = [(u / 2 + margin, v / 2) for u, v in map(camera.project, visible)]
            draw.polygon(corners, fill=caster_height)
    blocked_at = np.asarray(ground).ravel()

    dx, dz = light.shadow_offset
    z = places.z + places.y * np.float32(dz)
    scale = np.float32(camera.focal_px / 2) / np.maximum(z, 0.3)
    across, down = (places.x + places.y * np.float32(dx)) * scale, np.float32(camera.height_m) * scale
    u = np.clip(across - camera.roll * down + (camera.centre_u / 2 + margin), -1, width).astype(np.int32)
    v = np.clip(down + camera.roll * across + camera.horizon_v / 2, -1, height).astype(np.int32)
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height) & (z > 0.3)
    blocked = blocked_at[np.where(inside, v * width + u, 0)]
    bias = np.where(upright, np.float32(UPRIGHT_BIAS_M), np.float32(-GROUND_BIAS_M))
    return (inside & (blocked > places.y + bias)).astype(np.float32)


def sky_colour(canvas: Canvas, u: Pixels, v: Pixels, shift: int) -> Float32[np.ndarray, "M 3"]:
    """Linear colour of the sky along the given rays."""
    light = canvas.light
    up = np.clip(v * 1.8, 0, 1)[:, None]
    colour = (1 - up) * np.float32(light.sky_low) + up * np.float32(light.sky_high)
    stretch = 1 / (np.maximum(v, 0) + 0.12)
    clouds = noise_at(u * stretch, stretch, 20.0, shift) * 0.5 + noise_at(u * stretch, stretch, 60.0, shift) * 0.25
    cover = np.clip(clouds + 2 * light.cloudiness - 1, 0, 1)[:, None]
    bright = np.float32(max(light.sky_low)) * np.float32((1.05, 1.05, 1.08))
    colour += cover * (bright - colour)
    x, y, z = light.sun_direction
    towards_sun = (u * x + v * y + z) / np.sqrt(u * u + v * v + 1)
    glare = np.maximum(towards_sun, 0) ** 40 * (1 - light.cloudiness)
    return colour + glare[:, None] * np.float32(light.sun_colour) * np.float32(0.8)
