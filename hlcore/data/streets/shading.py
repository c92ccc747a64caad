"""Shade the index image: position, material and sunlight of each pixel."""

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from PIL import Image as PillowImage
from PIL import ImageDraw
from scipy.ndimage import zoom

from hlcore.data.streets.canvas import BRICK, BRICK_FACADE, FACADE, HEAVENS, NEAR_M, PAVING, Canvas, Colour, clip_near

Pixels: TypeAlias = Float32[np.ndarray, " N"]

NOISE_SIZE = 512
FINE_TEXELS_PER_M = 24.0
COARSE_TEXELS_PER_M = 3.0
GRAIN_HALVED_AT_M = 30.0
FAR_M = 4000.0
GROUND_BIAS_M = 0.05
UPRIGHT_BIAS_M = 0.35
FAINT_SUN = 0.2
"""Sunlight below this casts no shadow worth painting."""
GAMMA = 2.2
DARK_PANE, CURTAIN, LIT_PANE = (0.03, 0.035, 0.045), (0.45, 0.42, 0.36), (0.9, 0.62, 0.25)
"""Linear colours seen in windows."""


@cache
def noise_tile() -> Float32[np.ndarray, "S S"]:
    """Value noise of six octaves that tiles, with mean 0 and deviation 1."""
    rng = np.random.Generator(np.random.PCG64(2305_08462))
    tile = np.zeros((NOISE_SIZE, NOISE_SIZE))
    for octave in range(6):
        knots = NOISE_SIZE >> octave
        values = rng.standard_normal((knots, knots))
        octave_noise = np.asarray(zoom(values, NOISE_SIZE // knots, order=1, mode="grid-wrap", grid_mode=True))
        tile += octave_noise * 0.75 ** (6 - octave)
    return ((tile - tile.mean()) / tile.std()).astype(np.float32)


def as_column(colour: Colour) -> Float32[np.ndarray, "3 1"]:
    """A colour that broadcasts over pixels."""
    return np.array(colour, dtype=np.float32)[:, None]


def noise_at(across: Pixels, up: Pixels, texels_per_m: float, shift: int = 0) -> Pixels:
    """Noise at places given in metres."""
    i = (up * np.float32(texels_per_m) + np.float32(shift)).astype(np.int32)
    j = (across * np.float32(texels_per_m) + np.float32(3 * shift)).astype(np.int32)
    i &= NOISE_SIZE - 1
    j &= NOISE_SIZE - 1
    i *= NOISE_SIZE
    i += j
    return noise_tile().take(i)


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


def radiance(canvas: Canvas, rng: np.random.Generator) -> Float32[np.ndarray, "3 H W"]:
    """Linear red, green and blue light that reaches each canvas pixel."""
    part = canvas.part_index().ravel()
    table = canvas.part_table()
    light = canvas.light
    shift = int(rng.integers(NOISE_SIZE))
    places = locate(canvas, part, table)
    material = table["material"].astype(np.uint8).take(part)
    sunlight = table["lambert"].take(part)
    sunlight *= 1 - shadow(canvas, places, np.flatnonzero(sunlight > 0), table["upright"].take(part) > 0)
    texture = surface_texture(part, table, material, places, shift)
    glow = table["glow"].take(part)
    albedo = np.stack([(table[name] ** np.float32(GAMMA)).take(part) for name in ("red", "green", "blue")])
    albedo *= texture
    facade = np.flatnonzero((material == FACADE) | (material == BRICK_FACADE))
    paint_windows(albedo, glow, canvas, facade, part, table, places)

    heavens = np.flatnonzero(material == HEAVENS)
    sky = sky_colour(canvas, places.u[heavens], places.v[heavens], shift)
    clear = np.exp(places.z * np.float32(-light.haze_per_m))
    for channel in range(3):
        seen = albedo[channel]
        seen *= sunlight * np.float32(light.sun_colour[channel]) + (glow + np.float32(light.ambient_colour[channel]))
        seen -= np.float32(light.sky_low[channel])
        seen *= clear
        seen += np.float32(light.sky_low[channel])
        seen[heavens] = sky[channel]
    return albedo.reshape(3, canvas.height, canvas.width)


def surface_texture(
    part: Int32[np.ndarray, " N"],
    table: dict[str, Float32[np.ndarray, " P"]],
    material: UInt8[np.ndarray, " N"],
    places: Places,
    shift: int,
) -> Pixels:
    """Factor by which grain, stains and joints change the colour of each pixel."""
    texture = noise_at(places.across, places.up, COARSE_TEXELS_PER_M, shift)
    texture *= table["coarse"].take(part)
    fine = noise_at(places.across, places.up, FINE_TEXELS_PER_M, shift)
    fine *= table["fine"].take(part)
    fine *= 1 / (1 + places.z * np.float32(1 / GRAIN_HALVED_AT_M))
    texture += fine
    texture += 1
    np.maximum(texture, np.float32(0.15), out=texture)
    tile_joints(texture, places, np.flatnonzero((material == BRICK) | (material == BRICK_FACADE)), (0.5, 0.25))
    tile_joints(texture, places, np.flatnonzero(material == PAVING), (0.9, 0.6))
    return texture


def locate(canvas: Canvas, part: Int32[np.ndarray, " N"], table: dict[str, Float32[np.ndarray, " P"]]) -> Places:
    """The place of every canvas pixel on the plane of its part."""
    camera = canvas.camera
    straight = 1 / (camera.focal_px * (1 + camera.roll**2))
    across = (np.arange(canvas.width, dtype=np.float32) + np.float32(0.5 - camera.centre_u)) * np.float32(straight)
    down = (np.arange(canvas.height, dtype=np.float32) + np.float32(0.5 - camera.horizon_v)) * np.float32(straight)
    roll = np.float32(camera.roll)
    u = (across + roll * down[:, None]).ravel()
    v = (roll * across - down[:, None]).ravel()
    inverse = table["inverse_u"].take(part) * u + table["inverse_v"].take(part) * v + table["inverse_1"].take(part)
    z = 1 / np.maximum(inverse, np.float32(1 / FAR_M))
    x, y = u * z, np.float32(camera.height_m) + v * z
    along = table["along_x"].take(part) * x + table["along_z"].take(part) * z + table["along_0"].take(part)
    return Places(u, v, x, y, z, along, np.where(table["upright"].take(part) > 0, y, z))


def tile_joints(texture: Pixels, places: Places, where: Int64[np.ndarray, " M"], tile_m: tuple[float, float]) -> None:
    """Darken the joints between tiles or bricks laid in running bond, fading where they get too small to see."""
    width_m, height_m = (np.float32(length) for length in tile_m)
    row = places.up[where] / height_m
    course = np.floor(row)
    column = places.across[where] / width_m + 0.5 * (course % 2)
    joint = (row - course < 0.14) | (column - np.floor(column) < 0.08)
    texture[where] *= 1 - np.where(joint, 0.3, 0.0) * np.clip(1.4 - places.z[where] / 22, 0, 1)


def paint_windows(
    albedo: Float32[np.ndarray, "3 N"],
    glow: Pixels,
    canvas: Canvas,
    where: Int64[np.ndarray, " M"],
    part: Int32[np.ndarray, " N"],
    table: dict[str, Float32[np.ndarray, " P"]],
    places: Places,
) -> None:
    """Give facades their rows of windows: dark, curtained, reflecting the sky or lit."""
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
    dice = chance_of_cell(i.astype(np.int64), j.astype(np.int64), index)

    frame = where[opening & ~pane]
    albedo[:, frame] = 0.25 * albedo[:, frame] + 0.4
    dark, mirror, curtain = pane & (dice < 0.62), pane & (dice >= 0.62) & (dice < 0.85), pane & (dice >= 0.85)
    albedo[:, where[dark]] = as_column(DARK_PANE)
    albedo[:, where[curtain]] = as_column(CURTAIN)
    albedo[:, where[mirror]] = as_column(canvas.light.sky_low) * np.float32(0.45)
    if canvas.light.lamps_lit:
        lit = where[pane & (dice < 0.3)]
        albedo[:, lit] = as_column(LIT_PANE)
        glow[lit] = 0.6


def chance_of_cell(i: Int64[np.ndarray, " M"], j: Int64[np.ndarray, " M"], k: Int32[np.ndarray, " M"]) -> Pixels:
    """A pseudo-random number in 0..1, always the same for one window (i, j) of wall k."""
    mixed = (i * 73_856_093) ^ (j * 19_349_663) ^ (k.astype(np.int64) * 83_492_791)
    mixed = (mixed ^ (mixed >> 13)) * 1_274_126_177
    return ((mixed >> 8) & 1023).astype(np.float32) / 1024


def shadow(canvas: Canvas, places: Places, where: Int64[np.ndarray, " M"], upright: Bool[np.ndarray, " N"]) -> Pixels:
    """1 for each of the pixels `where` that is in shadow, else 0.

    Casters are painted onto the ground as the camera sees it, each with the height at which the ray to the sun meets
    it; a place is shaded if the ray through it meets a caster higher up.
    """
    camera, light = canvas.camera, canvas.light
    shaded = np.zeros_like(places.z)
    if max(light.sun_colour) < FAINT_SUN:
        return shaded
    margin = canvas.width // 4
    width, height = canvas.width // 2 + 2 * margin, canvas.height // 2 + margin
    ground = PillowImage.new("F", (width, height), -1.0)
    draw = ImageDraw.Draw(ground)
    for caster_height, points in sorted(canvas.shadow_casters, key=lambda caster: caster[0]):
        visible = clip_near(points)
        if len(visible) > 2:
            corners = [(u / 2 + margin, v / 2) for u, v in camera.project(visible)]
            draw.polygon(corners, fill=caster_height)
    blocked_at = np.asarray(ground).ravel()

    dx, dz = (np.float32(offset) for offset in light.shadow_offset)
    y = places.y[where]
    z = places.z[where] + y * dz
    scale = np.float32(camera.focal_px / 2) / np.maximum(z, np.float32(0.3))
    across, down = (places.x[where] + y * dx) * scale, np.float32(camera.height_m) * scale
    roll = np.float32(camera.roll)
    u = np.clip(across - roll * down + np.float32(camera.centre_u / 2 + margin), -1, width).astype(np.int32)
    v = np.clip(down + roll * across + np.float32(camera.horizon_v / 2), -1, height).astype(np.int32)
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height) & (z > NEAR_M)
    blocked = blocked_at.take(np.where(inside, v * width + u, 0))
    bias = np.where(upright[where], np.float32(UPRIGHT_BIAS_M), np.float32(-GROUND_BIAS_M))
    shaded[where] = inside & (blocked > y + bias)
    return shaded


def sky_colour(canvas: Canvas, u: Pixels, v: Pixels, shift: int) -> Float32[np.ndarray, "3 M"]:
    """Linear colour of the sky along the given rays."""
    light = canvas.light
    low, high, sun = as_column(light.sky_low), as_column(light.sky_high), as_column(light.sun_colour)
    up = np.clip(v * np.float32(1.8), 0, 1)
    colour = low + up * (high - low)
    stretch = 1 / (np.maximum(v, 0) + np.float32(0.12))
    clouds = noise_at(u * stretch, stretch, 20.0, shift) * 0.5 + noise_at(u * stretch, stretch, 60.0, shift) * 0.25
    cover = np.clip(clouds + np.float32(2 * light.cloudiness - 1), 0, 1)
    colour += cover * (np.float32(1.05) * low.max() - colour)
    x, y, z = (np.float32(component) for component in light.sun_direction)
    towards_sun = np.maximum((u * x + v * y + z) / np.sqrt(u * u + v * v + 1), 0)
    glare = towards_sun ** np.float32(40) * np.float32(0.8 * (1 - light.cloudiness))
    return colour + glare * sun
