"""Plant known faults into a label map, to measure how well a method finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Integer
from scipy.ndimage import distance_transform_edt, find_objects

from hlcore.analysis.components import label_components
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, LabelMap

FaultKind = Literal["swapped", "shifted", "dropped"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
"""An object with the wrong class; an object shifted, like a carelessly drawn polygon; an object left out."""


@dataclass(frozen=True)
class PlantedFaults:
    """A label map with faults, and where they are.

    Attributes:
        label_map: H W class indices with the faults; 255 = ignored, as before.
        faults: H W, 0 where the label is unchanged, else the number of the fault, 1..n.
        kinds: Kind of each fault 1..n.
    """

    label_map: LabelMap
    faults: Integer[np.ndarray, "H W"]
    kinds: tuple[FaultKind, ...]

    def where(self, kind: FaultKind) -> Bool[np.ndarray, "H W"]:
        """Pixels changed by faults of one kind."""
        numbers = [number for number, planted in enumerate(self.kinds, start=1) if planted == kind]
        return np.isin(self.faults, numbers)


def plant_faults(
    label_map: LabelMap,
    *,
    num_classes: int,
    seed: int | Sequence[int],
    count: int = 3,
    kinds: Sequence[FaultKind] = KINDS,
    area_px: tuple[int, int] = (50, 5000),
    shift_px: tuple[int, int] = (3, 12),
) -> PlantedFaults:
    """A label map with up to `count` faults of random kinds on random objects.

    An object is an 8-connected component of one class. *swapped*: it gets another class. *dropped*: each of its pixels
    gets the class of the nearest labelled pixel outside. *shifted*: it is dropped and drawn again some pixels away.
    Ignored pixels stay ignored. Objects whose fault would touch another or change nothing are skipped, so there may be
    fewer than `count` faults.

    Args:
        label_map: H W class indices, 255 = ignored; not changed.
        num_classes: Number of classes a swapped object may get.
        seed: The same seed plants the same faults.
        count: Maximum number of faults.
        kinds: Kinds to choose from, all equally likely.
        area_px: Smallest and largest area of an object that gets a fault.
        shift_px: Smallest and largest distance of a shift, any direction.

    Raises:
        InvalidInputError: fewer than two classes, an unknown kind or none, or a range in the wrong order.

    Example:
        >>> label_map = np.zeros((8, 8), np.uint8)
        >>> label_map[2:5, 2:5] = 1
        >>> planted = plant_faults(label_map, num_classes=2, seed=0, kinds=["dropped"], area_px=(9, 9))
        >>> planted.label_map.any(), int(planted.faults.sum()), planted.kinds
        (np.False_, 9, ('dropped',))
    """
    _check_arguments(num_classes, kinds, area_px, shift_px)
    random = np.random.default_rng(seed)
    faulty, faults, planted = label_map.copy(), np.zeros(label_map.shape, np.int32), []
    objects = label_components(label_map, smallest_px=area_px[0])
    fitting = np.flatnonzero(np.bincount(objects.ravel()) <= area_px[1])
    fitting = fitting[fitting > 0]
    for number in random.permutation(fitting).tolist():
        if len(planted) == count:
            break
        kind = kinds[int(random.integers(len(kinds)))]
        changed = _plant_fault(label_map, objects == number, kind, random, num_classes=num_classes, shift_px=shift_px)
        where = changed != label_map
        if where.any() and not _touches(where, faults > 0):
            planted.append(kind)
            faults[where] = len(planted)
            faulty[where] = changed[where]
    return PlantedFaults(faulty, faults, tuple(planted))


def _plant_fault(
    label_map: LabelMap,
    inside: Bool[np.ndarray, "H W"],
    kind: FaultKind,
    random: np.random.Generator,
    *,
    num_classes: int,
    shift_px: tuple[int, int],
) -> LabelMap:
    """The label map with one fault on the object."""
    own, changed = int(label_map[inside][0]), label_map.copy()
    if kind == "swapped":
        changed[inside] = random.choice([index for index in range(num_classes) if index != own])
        return changed
    distance, angle = random.uniform(*shift_px), random.uniform(0, 2 * np.pi)
    outside = ~inside & (label_map != IGNORE_INDEX)
    if not outside.any():
        return changed
    nearest = np.asarray(distance_transform_edt(~outside, return_distances=False, return_indices=True))
    changed[inside] = label_map[tuple(nearest[:, inside])]
    if kind == "shifted":
        moved = _shift(inside, round(distance * np.sin(angle)), round(distance * np.cos(angle)))
        changed[moved & (label_map != IGNORE_INDEX)] = own
    return changed


def _shift(inside: Bool[np.ndarray, "H W"], down: int, right: int) -> Bool[np.ndarray, "H W"]:
    """The object shifted down and right, cropped to the image."""
    height, width = inside.shape
    rows, columns = np.nonzero(inside)
    rows, columns = rows + down, columns + right
    kept = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    moved = np.zeros_like(inside)
    moved[rows[kept], columns[kept]] = True
    return moved


def _touches(where: Bool[np.ndarray, "H W"], others: Bool[np.ndarray, "H W"]) -> bool:
    """Whether the bounding box of one, widened by a pixel, contains a pixel of the other."""
    rows, columns = find_objects(where.astype(np.uint8))[0]
    wider = (slice(max(0, rows.start - 1), rows.stop + 1), slice(max(0, columns.start - 1), columns.stop + 1))
    return bool(others[wider].any())


def _check_arguments(
    num_classes: int, kinds: Sequence[str], area_px: tuple[int, int], shift_px: tuple[int, int]
) -> None:
    if num_classes < 2:
        raise InvalidInputError(f"faults need at least 2 classes, got {num_classes}")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise InvalidInputError(f"kinds must be among {', '.join(KINDS)}, got {', '.join(unknown) or 'none'}")
    for name, (low, high) in (("area_px", area_px), ("shift_px", shift_px)):
        if not 1 <= low <= high:
            raise InvalidInputError(f"{name} must be (smallest, largest) of at least 1 px, got {(low, high)}")
