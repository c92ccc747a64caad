"""Place houses, fences, lamps, trees, people and traffic along a street."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hlcore.data.streets.buildings import draw_building
from hlcore.data.streets.canvas import Canvas
from hlcore.data.streets.fences import draw_board_fence, draw_garden_wall, draw_railing
from hlcore.data.streets.furniture import (
    draw_advertising_pillar,
    draw_bin,
    draw_bollard,
    draw_lamp,
    draw_sign,
    draw_skip,
    draw_traffic_light,
)
from hlcore.data.streets.layout import FAR_M, FENCES, Side, Street
from hlcore.data.streets.order import painting_order
from hlcore.data.streets.people import draw_cyclist, draw_pedestrian
from hlcore.data.streets.plants import draw_hedge, draw_tree
from hlcore.data.streets.solids import Footprint, Spot, chance, pick
from hlcore.data.streets.vehicles import draw_car, draw_van

FENCE_DRAWERS = {"railing": draw_railing, "boards": draw_board_fence, "wall": draw_garden_wall}
FENCE_PANEL_M = 3.0
FIRST_HOUSE_M = -8.0
"""Houses begin beside the camera, so that they cast shadows into the view."""
LAMP_LINE_M, FENCE_LINE_M = 0.45, 0.3
"""How far behind the kerb lamps and railings stand."""
PARKED_M = 1.05
"""How far before the kerb the middle of a parked car is."""
NEAREST_CAR_M, NEAREST_VAN_M = 6.5, 13.0
VEHICLE_ROOM_M = 7.0
"""Length of road that a vehicle occupies."""
CAR_ROOM_M, VAN_ROOM_M = (1.85, 4.7), (2.5, 6.5)
"""Largest width and length of a vehicle's footprint; buses are longer."""


class Scenery:
    """The objects of a scene, each with its footprint, to be painted back to front."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        self.canvas = canvas
        self.rng = rng
        self._waiting: list[tuple[Sequence[Spot], Callable[[], None]]] = []

    def place(self, footprint: Sequence[Spot], draw: Callable[..., None], *args: object, **kwargs: object) -> None:
        """Call `draw(canvas, rng, *args, **kwargs)` later, when everything behind the footprint is painted."""
        self._waiting.append((footprint, lambda: draw(self.canvas, self.rng, *args, **kwargs)))

    def stand(self, spot: Spot, draw: Callable[..., None], *args: object, **kwargs: object) -> None:
        """Call `draw(canvas, rng, x, z, *args, **kwargs)` later, for an object at a ground point."""
        self.place([spot], draw, *spot, *args, **kwargs)

    def paint(self) -> None:
        """Paint everything, back to front."""
        for index in painting_order([footprint for footprint, _ in self._waiting]):
            _, draw = self._waiting[index]
            draw()


def place_frontage(scenery: Scenery, street: Street, side: Side) -> None:
    """Houses along one side, or the trees of a park, and a house at the end of a side street."""
    rng = scenery.rng
    z = FIRST_HOUSE_M
    while z < FAR_M:
        length = rng.uniform(7, 16)
        if side.in_junction(z + length / 2, length / 2):
            if z + 3 < side.junction[0]:
                length = side.junction[0] - z
            else:
                z = side.junction[1]
        gap = 0.0 if side.style == "terrace" else rng.uniform(2, 7)
        if side.style == "park" or chance(rng, 0.06):
            for _ in range(int(rng.integers(2, 4))):
                offset, depth = side.frontage_m + rng.uniform(1, 9), z + length * rng.random()
                place_tree(scenery, street.at(side.sign * offset, depth), rng.uniform(5, 12))
        else:
            storeys = int(rng.integers(3, 6)) if side.style == "terrace" else int(rng.integers(1, 3))
            place_house(scenery, street, side, (z, length, rng.uniform(8, 13)), storeys=storeys)
            if gap > 3 and chance(rng, 0.6):
                offset = side.frontage_m + rng.uniform(1, 8)
                place_tree(scenery, street.at(side.sign * offset, z + length + gap / 2), rng.uniform(4, 9))
        z += length + gap
    if side.has_junction:
        middle = sum(side.junction) / 2
        x, house_z = street.at(side.sign * (side.frontage_m + rng.uniform(30, 45)), middle)
        footprint = Footprint(x, house_z, street.heading(middle), 8.0, 30.0)
        storeys = int(rng.integers(2, 5))
        scenery.place(footprint.corners, draw_building, footprint, storeys=storeys, street_side=side.faced_by)


def place_house(
    scenery: Scenery, street: Street, side: Side, measures: tuple[float, float, float], *, storeys: int
) -> None:
    """A house that begins at a depth and has the given length along the street and width away from it."""
    start, length, width = measures
    middle = start + length / 2
    x, z = street.at(side.sign * (side.frontage_m + width / 2), middle)
    footprint = Footprint(x, z, street.heading(middle), width, length + 0.3)
    scenery.place(footprint.corners, draw_building, footprint, storeys=storeys, street_side=side.faced_by)


def place_tree(scenery: Scenery, place: tuple[float, float], height_m: float) -> None:
    """A tree at a ground point."""
    scenery.stand(place, draw_tree, height_m)


def place_pavement(scenery: Scenery, street: Street, side: Side) -> None:
    """Everything and everyone on one pavement."""
    place_fences(scenery, street, side)
    place_lamps_and_trees(scenery, street, side)
    place_signs(scenery, street, side)
    place_obstacles(scenery, street, side)
    place_people(scenery, street, side)


def place_fences(scenery: Scenery, street: Street, side: Side) -> None:
    """The fences of gardens, or a railing along the kerb of a terrace."""
    rng = scenery.rng
    gardens = side.style != "terrace"
    if gardens:
        offset = side.frontage_m - rng.uniform(1.5, 2.3)
        panels = np.arange(1.0, FAR_M * 0.7, FENCE_PANEL_M).tolist()
    elif chance(rng, 0.5):
        offset = side.kerb_m + FENCE_LINE_M
        start, count = rng.uniform(4, 25), int(rng.integers(3, 10))
        panels = [start + FENCE_PANEL_M * panel for panel in range(count)]
    else:
        return
    style = side.fence if gardens else "railing"
    for z in panels:
        if gardens and chance(rng, 0.1):
            style = pick(rng, FENCES)
        if side.in_junction(z, FENCE_PANEL_M) or (gardens and chance(rng, 0.08)):
            continue
        ends = [street.at(side.sign * offset, depth) for depth in (z, z + FENCE_PANEL_M)]
        if style == "hedge":
            scenery.place(ends, draw_hedge, *ends, rng.uniform(0.9, 1.9))
        else:
            scenery.place(ends, FENCE_DRAWERS[style], *ends)


def place_lamps_and_trees(scenery: Scenery, street: Street, side: Side) -> None:
    """Street lamps, and often a row of trees, at the kerb."""
    rng = scenery.rng
    line = side.sign * (side.kerb_m + LAMP_LINE_M)
    height = rng.uniform(5, 8)
    for z in _row(rng, rng.uniform(4, 20), rng.uniform(16, 28)):
        if not side.in_junction(z, 1.0):
            scenery.stand(street.at(line, z), draw_lamp, height_m=height, towards_road=float(-side.sign))
    if chance(rng, 0.5):
        height = rng.uniform(4.5, 8.5)
        for z in _row(rng, rng.uniform(8, 18), rng.uniform(8, 16), irregular=True):
            if not side.in_junction(z, 3.0):
                place_tree(scenery, street.at(line + 0.4 * side.sign, z), height * rng.uniform(0.85, 1.15))


def _row(rng: np.random.Generator, start_m: float, spacing_m: float, *, irregular: bool = False) -> Iterator[float]:
    z = start_m
    while z < FAR_M:
        yield z
        z += spacing_m * (rng.uniform(0.8, 1.6) if irregular else 1)


def place_signs(scenery: Scenery, street: Street, side: Side) -> None:
    """Traffic signs, and traffic lights where a side street joins."""
    rng = scenery.rng
    line = side.sign * (side.kerb_m + LAMP_LINE_M)
    for _ in range(int(rng.integers(1, 4))):
        z = rng.uniform(6, 40)
        scenery.stand(street.at(line, z), draw_sign)
    if side.has_junction and chance(rng, 0.6):
        for z in (side.junction[0] - 1.0, side.junction[1] + 1.0):
            scenery.stand(street.at(line, z), draw_traffic_light)


def place_obstacles(scenery: Scenery, street: Street, side: Side) -> None:
    """Bollards, a litter bin, an advertising pillar."""
    rng = scenery.rng
    if chance(rng, 0.35):
        start = rng.uniform(4, 25)
        for bollard in range(int(rng.integers(2, 7))):
            z = start + 1.6 * bollard
            scenery.stand(street.at(side.sign * (side.kerb_m + FENCE_LINE_M), z), draw_bollard)
    if chance(rng, 0.3):
        z = rng.uniform(7, 30)
        scenery.stand(street.at(side.sign * (side.kerb_m + 0.75), z), draw_bin)
    if chance(rng, 0.15):
        z = rng.uniform(9, 25)
        scenery.stand(street.at(side.sign * (side.kerb_m + 1.25), z), draw_advertising_pillar)


def place_people(scenery: Scenery, street: Street, side: Side) -> None:
    """People on one pavement, near and far, alone and in pairs."""
    rng = scenery.rng
    for _ in range(int(rng.poisson(3.2))):
        z = 5 + 50 * rng.random() ** 1.3
        offset = rng.uniform(side.kerb_m + 0.4, min(side.frontage_m - 0.4, side.kerb_m + 3.2))
        for companion in range(2 if chance(rng, 0.3) else 1):
            x, person_z = street.at(side.sign * offset + 0.55 * companion, z)
            scenery.stand((x, person_z), draw_pedestrian)


def place_traffic(scenery: Scenery, street: Street) -> None:
    """Parked rows, cars in side streets and in both lanes, then cyclists and people on the rest of the road."""
    rng = scenery.rng
    for side in street.sides:
        if side.parking:
            place_parked_row(scenery, street, side)
        if side.has_junction and chance(rng, 0.4):
            x, z = street.at(side.sign * (side.kerb_m + rng.uniform(2.0, 9.0)), sum(side.junction) / 2)
            heading = street.heading(z) + math.pi / 2
            room = Footprint(x, z, heading, *CAR_ROOM_M).corners
            scenery.place(room, draw_car, x, z, heading, oncoming=chance(rng, 0.5))
    taken = [*place_lane(scenery, street, ahead=True), *place_lane(scenery, street, ahead=False)]

    def free(offset: float, z: float) -> bool:
        return all(abs(offset - o) > 1.5 or abs(z - vehicle_z) > VEHICLE_ROOM_M for o, vehicle_z in taken)

    for _ in range(int(rng.poisson(2.6))):
        offset, z = pick(rng, (-1, 1)) * (street.lane_m - rng.uniform(0.2, 0.7)), 6 + 32 * rng.random() ** 1.3
        if free(offset, z):
            scenery.stand(street.at(offset, z), draw_cyclist, sideways=chance(rng, 0.35))
    if chance(rng, 0.35):
        crossing = rng.uniform(9, 35)
        for _ in range(int(rng.integers(1, 4))):
            offset, z = rng.uniform(-street.lane_m, street.lane_m), crossing + rng.uniform(-1, 1)
            if free(offset, z):
                scenery.stand(street.at(offset, z), draw_pedestrian)


def place_lane(scenery: Scenery, street: Street, *, ahead: bool) -> Iterator[tuple[float, float]]:
    """Vehicles in the lane ahead of the camera or in the oncoming one; yields offset and depth of each."""
    rng = scenery.rng
    offset = street.drive_side * street.lane_m / 2 * (1 if ahead else -1)
    z = rng.uniform(NEAREST_CAR_M, 40) + (3 if ahead else 0)
    while z < FAR_M * 0.8:
        place_vehicle(scenery, street, offset, z, van_share=0.13)
        yield offset, z
        z += rng.uniform(11, 45)


def place_parked_row(scenery: Scenery, street: Street, side: Side) -> None:
    """Cars along the kerb, with the occasional van, gap or builder's skip."""
    rng = scenery.rng
    z = rng.uniform(4, 9)
    while z < FAR_M * 0.75:
        length = rng.uniform(4.9, 6.2)
        if not side.in_junction(z, length / 2 + 1) and chance(rng, 0.62):
            offset = side.sign * (side.kerb_m - PARKED_M)
            if chance(rng, 0.03):
                x, skip_z = street.at(offset, z)
                room = Footprint(x, skip_z, street.heading(z), *CAR_ROOM_M).corners
                scenery.place(room, draw_skip, x, skip_z, street.heading(z))
            else:
                place_vehicle(scenery, street, offset, z, van_share=0.1)
        z += length


def place_vehicle(scenery: Scenery, street: Street, offset: float, z: float, *, van_share: float) -> None:
    """A car or, farther off, a van, facing the direction of its lane."""
    van = z > NEAREST_VAN_M and chance(scenery.rng, van_share)
    x, middle_z = street.at(offset, z)
    oncoming = offset * street.drive_side < 0
    room = Footprint(x, middle_z, street.heading(z), *(VAN_ROOM_M if van else CAR_ROOM_M)).corners
    scenery.place(room, draw_van if van else draw_car, x, middle_z, street.heading(z), oncoming=oncoming)
