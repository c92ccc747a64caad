"""One street scene, painted from the horizon towards the camera."""

import math
from collections.abc import Callable

import numpy as np

from hlcore.data.streets_buildings import draw_building, draw_skyline
from hlcore.data.streets_canvas import OVERSAMPLING, Canvas, Surface
from hlcore.data.streets_furniture import (
    draw_advertising_pillar,
    draw_bin,
    draw_bollard,
    draw_fence,
    draw_lamp,
    draw_sign,
    draw_skip,
    draw_traffic_light,
    draw_wall,
)
from hlcore.data.streets_ground import draw_ground
from hlcore.data.streets_layout import (
    FAR_M,
    HORIZON_DISTANCE_M,
    Side,
    Street,
    choose_camera,
    choose_lens,
    choose_light,
    choose_street,
)
from hlcore.data.streets_lens import majority_label, photograph
from hlcore.data.streets_people import draw_cyclist, draw_pedestrian
from hlcore.data.streets_plants import draw_hedge, draw_tree
from hlcore.data.streets_shading import radiance
from hlcore.data.streets_solids import chance, pick
from hlcore.data.streets_vehicles import draw_car, draw_van
from hlcore.types import IGNORE_INDEX, Image, LabelMap

FENCE_PANEL_M = 3.0
NEAREST_CAR_M = 6.5
NEAREST_VAN_M = 13.0
VEHICLE_ROOM_M = 7.0


class Scenery:
    """The objects of a scene, each with its distance, waiting to be painted back to front."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        self.canvas = canvas
        self.rng = rng
        self._waiting: list[tuple[float, Callable[[], None]]] = []

    def place(self, far_m: float, draw: Callable[..., None], *args: object, **kwargs: object) -> None:
        """Have `draw(canvas, rng, *args, **kwargs)` called when all that is farther than `far_m` is painted."""
        self._waiting.append((far_m, lambda: draw(self.canvas, self.rng, *args, **kwargs)))

    def paint(self) -> None:
        """Paint everything, the farthest first."""
        for _, draw in sorted(self._waiting, key=lambda item: -item[0]):
            draw()


def render_scene(seed: np.random.SeedSequence, size: tuple[int, int]) -> tuple[Image, LabelMap]:
    """The photograph of a random street and the class of each of its pixels.

    Args:
        seed: Decides everything but the size.
        size: Height and width in pixels.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    canvas_size = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    camera, light, street = choose_camera(rng, canvas_size), choose_light(rng), choose_street(rng)
    lens = choose_lens(rng, light, size[1])
    canvas = Canvas(camera, light, canvas_size[1], canvas_size[0])
    canvas.sky()
    draw_skyline(canvas, rng, HORIZON_DISTANCE_M)
    draw_ground(canvas, rng, street)
    scenery = Scenery(canvas, rng)
    for side in street.sides:
        place_frontage(scenery, street, side)
        place_furniture(scenery, street, side)
        place_people(scenery, street, side)
    place_traffic(scenery, street)
    scenery.paint()
    if chance(rng, 0.15):
        draw_bonnet(canvas, rng)

    image = photograph(radiance(canvas, rng), lens, rng)
    part = canvas.part_index()
    label = canvas.part_table()["label"].astype(np.uint8)[part]
    return image, majority_label(label, part)


def place_frontage(scenery: Scenery, street: Street, side: Side) -> None:
    """Houses along one side, or the trees of a park."""
    rng = scenery.rng
    z = -8.0
    entered_by = "right" if side.sign < 0 else "left"
    while z < FAR_M:
        length = rng.uniform(7, 16)
        if side.junction[0] < z + length and side.in_junction(z + length / 2, length / 2):
            if z + 3 < side.junction[0]:
                length = side.junction[0] - z
            else:
                z = side.junction[1]
        middle = z + length / 2
        gap = 0.0 if side.style == "terrace" else rng.uniform(2, 7)
        if side.style == "park" or chance(rng, 0.06):
            for _ in range(int(rng.integers(2, 4))):
                depth = z + length * rng.random()
                x, tree_z = street.at(side.sign * (side.frontage_m + rng.uniform(1, 9)), depth)
                scenery.place(tree_z + 4, draw_tree, x, tree_z, rng.uniform(5, 12))
        else:
            storeys = int(rng.integers(2, 6)) if side.style == "terrace" else int(rng.integers(1, 3))
            width = rng.uniform(8, 13)
            x, house_z = street.at(side.sign * (side.frontage_m + width / 2), middle)
            measures = {"width_m": width, "length_m": length + 0.3, "storeys": storeys, "street_side": entered_by}
            scenery.place(z + length + 0.5, draw_building, x, house_z, street.heading(middle), **measures)
            if gap > 3 and chance(rng, 0.6):
                x, tree_z = street.at(side.sign * (side.frontage_m + rng.uniform(1, 8)), z + length + gap / 2)
                scenery.place(tree_z + 1, draw_tree, x, tree_z, rng.uniform(4, 9))
        z += length + gap
    if side.junction[1] > side.junction[0]:
        middle = sum(side.junction) / 2
        x, house_z = street.at(side.sign * (side.frontage_m + rng.uniform(30, 45)), middle)
        measures = {"width_m": 8.0, "length_m": 30.0, "storeys": int(rng.integers(2, 5)), "street_side": entered_by}
        scenery.place(side.junction[1] + 40, draw_building, x, house_z, street.heading(middle), **measures)


def place_furniture(scenery: Scenery, street: Street, side: Side) -> None:
    """Fences, hedges, lamps, trees, signs and the like on one pavement."""
    rng = scenery.rng

    def spot(offset_m: float, z: float) -> tuple[float, float]:
        return street.at(side.sign * offset_m, z)

    if side.style != "terrace":
        edge = side.frontage_m - rng.uniform(1.5, 2.3)
        z = 1.0
        style = side.fence
        while z < FAR_M * 0.7:
            if chance(rng, 0.1):
                style = pick(rng, ("railing", "boards", "hedge", "wall"))
            if not side.in_junction(z, FENCE_PANEL_M) and not chance(rng, 0.08):
                ends = spot(edge, z), spot(edge, z + FENCE_PANEL_M)
                draw = {"hedge": draw_hedge, "wall": draw_wall}.get(style, draw_fence)
                extra = (rng.uniform(0.9, 1.9),) if style == "hedge" else (style,) if draw is draw_fence else ()
                scenery.place(z + FENCE_PANEL_M, draw, *ends, *extra)
            z += FENCE_PANEL_M
    elif chance(rng, 0.5):
        start = rng.uniform(4, 25)
        for panel in range(int(rng.integers(3, 10))):
            z = start + panel * FENCE_PANEL_M
            if not side.in_junction(z, FENCE_PANEL_M):
                scenery.place(
                    z + FENCE_PANEL_M,
                    draw_fence,
                    spot(side.kerb_m + 0.3, z),
                    spot(side.kerb_m + 0.3, z + FENCE_PANEL_M),
                    "railing",
                )

    kerb = side.kerb_m + 0.45
    lamp_height, spacing = rng.uniform(5, 8), rng.uniform(16, 28)
    z = rng.uniform(4, 20)
    while z < FAR_M:
        if not side.in_junction(z, 1.0):
            scenery.place(z, draw_lamp, *spot(kerb, z), height_m=lamp_height, towards_road=-side.sign)
        z += spacing
    if chance(rng, 0.5):
        spacing, height = rng.uniform(8, 16), rng.uniform(4.5, 8.5)
        z = rng.uniform(8, 18)
        while z < FAR_M * 0.8:
            if not side.in_junction(z, 3.0):
                scenery.place(z + 0.2, draw_tree, *spot(kerb + 0.4, z), height * rng.uniform(0.85, 1.15))
            z += spacing * rng.uniform(0.8, 1.6)
    for _ in range(int(rng.integers(1, 4))):
        z = rng.uniform(6, 40)
        scenery.place(z, draw_sign, *spot(kerb - 0.1, z))
    if side.junction[1] > side.junction[0] and chance(rng, 0.6):
        for z in (side.junction[0] - 1.0, side.junction[1] + 1.0):
            scenery.place(z, draw_traffic_light, *spot(kerb, z))
    if chance(rng, 0.35):
        start = rng.uniform(4, 25)
        for bollard in range(int(rng.integers(2, 7))):
            z = start + 1.6 * bollard
            scenery.place(z, draw_bollard, *spot(side.kerb_m + 0.3, z))
    if chance(rng, 0.3):
        z = rng.uniform(7, 30)
        scenery.place(z, draw_bin, *spot(kerb + 0.3, z))
    if chance(rng, 0.15):
        z = rng.uniform(9, 25)
        scenery.place(z, draw_advertising_pillar, *spot(kerb + 0.8, z))


def place_people(scenery: Scenery, street: Street, side: Side) -> None:
    """People on one pavement, near and far, alone and in twos."""
    rng = scenery.rng
    for _ in range(int(rng.poisson(3.2))):
        z = 5 + 50 * rng.random() ** 1.3
        offset = rng.uniform(side.kerb_m + 0.4, min(side.frontage_m - 0.4, side.kerb_m + 3.2))
        for companion in range(2 if chance(rng, 0.3) else 1):
            x, person_z = street.at(side.sign * offset + 0.55 * companion, z)
            scenery.place(person_z, draw_pedestrian, x, person_z)


def place_traffic(scenery: Scenery, street: Street) -> None:
    """Parked rows, cars in both lanes and in side streets, then cyclists and people on what road is left."""
    rng = scenery.rng
    taken: list[tuple[float, float]] = []
    for side in street.sides:
        if side.parking:
            place_parked_row(scenery, street, side)
        if side.junction[1] > side.junction[0] and chance(rng, 0.4):
            x, z = street.at(side.sign * (side.kerb_m + rng.uniform(2.0, 9.0)), sum(side.junction) / 2)
            scenery.place(z + 1, draw_car, x, z, street.heading(z) + math.pi / 2, oncoming=chance(rng, 0.5))
    for direction in (1, -1):
        z = rng.uniform(NEAREST_CAR_M, 40) + (3 if direction == 1 else 0)
        while z < FAR_M * 0.8:
            draw = draw_van if z > NEAREST_VAN_M and chance(rng, 0.13) else draw_car
            offset = direction * street.drive_side * street.lane_m / 2
            x, car_z = street.at(offset, z)
            taken.append((offset, z))
            scenery.place(car_z + 2, draw, x, car_z, street.heading(z), oncoming=direction == -1)
            z += rng.uniform(11, 45)

    def free(offset: float, z: float) -> bool:
        return all(abs(offset - o) > 1.5 or abs(z - vehicle_z) > VEHICLE_ROOM_M for o, vehicle_z in taken)

    for _ in range(int(rng.poisson(1.8))):
        z = 6 + 32 * rng.random() ** 1.3
        offset = pick(rng, (-1, 1)) * (street.lane_m - rng.uniform(0.2, 0.7))
        if free(offset, z):
            x, cyclist_z = street.at(offset, z)
            scenery.place(cyclist_z, draw_cyclist, x, cyclist_z, sideways=chance(rng, 0.35))
    if chance(rng, 0.35):
        z = rng.uniform(9, 35)
        for _ in range(int(rng.integers(1, 4))):
            offset = rng.uniform(-street.lane_m, street.lane_m)
            if free(offset, z):
                x, person_z = street.at(offset, z + rng.uniform(-1, 1))
                scenery.place(person_z, draw_pedestrian, x, person_z)


def place_parked_row(scenery: Scenery, street: Street, side: Side) -> None:
    """Cars along the kerb, here and there a van, a gap or a builder's skip."""
    rng = scenery.rng
    z = rng.uniform(4, 9)
    while z < FAR_M * 0.75:
        length = rng.uniform(4.9, 6.2)
        if not side.in_junction(z, length / 2 + 1) and chance(rng, 0.62):
            x, car_z = street.at(side.sign * (side.kerb_m - 1.05), z)
            if chance(rng, 0.04):
                scenery.place(car_z + 2, draw_skip, x, car_z, street.heading(z))
            else:
                draw = draw_van if z > NEAREST_VAN_M and chance(rng, 0.1) else draw_car
                oncoming = side.sign != street.drive_side
                scenery.place(car_z + 2, draw, x, car_z, street.heading(z), oncoming=oncoming)
        z += length


def draw_bonnet(canvas: Canvas, rng: np.random.Generator) -> None:
    """The bonnet of the camera's own car along the lower edge; it belongs to no class."""
    camera = canvas.camera
    depth = 0.9
    low = camera.height_m - depth * (canvas.height - camera.horizon_v) / camera.focal_px
    rise = rng.uniform(0.04, 0.1)
    half = 0.75 * depth * canvas.width / camera.focal_px
    arch = [(half * share, low + rise * (1 - share * share), depth) for share in np.linspace(-1, 1, 15).tolist()]
    paint = Surface(
        IGNORE_INDEX, pick(rng, ((0.1, 0.1, 0.11), (0.5, 0.5, 0.52), (0.3, 0.06, 0.06))), fine=0.01, coarse=0.05
    )
    canvas.face([(-half, low - 1, depth), *arch, (half, low - 1, depth)], paint)
