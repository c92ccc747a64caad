"""Painting order of objects, so that none is painted over an object in front of it.

Objects are painted back to front. Depth alone does not tell which of two long objects side by side is in front: a
bollard behind a parked car may be nearer than the car's far end. If a line on the ground separates two objects, the
one on the camera's side cannot be hidden by the other.

Source: the separating-plane test of the painter's algorithm, Newell, Newell, Sancha 1972.
"""

import heapq
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool

from hlcore.data.streets.solids import Spot

TOUCH_M = 0.02
"""Objects that overlap by at most this count as separated."""
SPREAD_M = 1.0
"""How far an object may extend beyond its footprint on either side."""


def painting_order(footprints: Sequence[Sequence[Spot]]) -> list[int]:
    """Indices of convex objects in the order they are painted, seen from a camera over (0, 0) that looks along z.

    Args:
        footprints: Corners (x, z) of each object on the ground in metres, in a ring; one for a post, two for a panel.

    Example:
        A car 2 m wide and 4 m long, and a bollard behind its left side, nearer than the car's far end:
        >>> painting_order([[(-3, 8), (-1, 8), (-1, 12), (-3, 12)], [(-3.3, 9)]])
        [1, 0]
    """
    far = [max(z for _, z in corners) for corners in footprints]
    waits_for = _in_front_of(footprints) & _overlap_in_image(footprints)
    blocked = waits_for.sum(axis=1)
    painted = np.zeros(len(footprints), bool)
    ready = [(-far[i], i) for i in np.flatnonzero(blocked == 0).tolist()]
    heapq.heapify(ready)
    order: list[int] = []
    while len(order) < len(footprints):
        if ready:
            _, index = heapq.heappop(ready)
        else:  # a cycle: start with the farthest
            index = max(np.flatnonzero(~painted).tolist(), key=lambda i: far[i])
        if painted[index]:
            continue
        painted[index] = True
        order.append(index)
        freed = np.flatnonzero(waits_for[:, index] & ~painted)
        blocked[freed] -= 1
        for i in freed[blocked[freed] == 0].tolist():
            heapq.heappush(ready, (-far[i], i))
    return order


def _in_front_of(footprints: Sequence[Sequence[Spot]]) -> Bool[np.ndarray, "N N"]:
    """Row i, column j: whether a line along a side of either separates the two, with object i on the camera's side."""
    longest = max(map(len, footprints))
    corners = np.array([[*ring, *[ring[-1]] * (longest - len(ring))] for ring in footprints], dtype=float)
    in_front = np.zeros((len(footprints),) * 2, bool)
    for index, ring in enumerate(footprints):
        for (x0, z0), (x1, z1) in pairwise([*ring, ring[0]] if len(ring) > 2 else ring):
            normal = np.array([z1 - z0, x0 - x1]) / max(np.hypot(x1 - x0, z1 - z0), 1e-9)
            beyond = normal @ (x0, z0)  # the camera is at 0
            if beyond < 0:
                normal, beyond = -normal, -beyond
            away = corners @ normal - beyond
            mine_near, mine_far = away[index].max() <= TOUCH_M, away[index].min() >= -TOUCH_M
            near, far = away.max(axis=1) <= TOUCH_M, away.min(axis=1) >= -TOUCH_M
            on_line = near & far
            if mine_near:  # this object is on the camera's side of everything beyond
                in_front[index] |= far & ~on_line
            if mine_far:
                in_front[near & ~on_line, index] = True
    np.fill_diagonal(in_front, val=False)
    return in_front & ~in_front.T


def _overlap_in_image(footprints: Sequence[Sequence[Spot]]) -> Bool[np.ndarray, "N N"]:
    """Whether two objects may overlap in the image."""
    low, high = np.array([_directions(ring) for ring in footprints]).T
    return (low[:, None] <= high) & (low <= high[:, None])


def _directions(ring: Sequence[Spot]) -> tuple[float, float]:
    """The range of directions x / z of an object; all of them if it extends beside the camera."""
    if min(z for _, z in ring) < 1.0:
        return -np.inf, np.inf
    return min((x - SPREAD_M) / z for x, z in ring), max((x + SPREAD_M) / z for x, z in ring)
