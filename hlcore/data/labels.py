"""Class tables of the supported data sets: names, standard colours, and label ids where they differ."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from unicodedata import category

from hlcore.data.text import normalise_name
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX

_NOT_IN_NAMES = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories of what cannot be written in one line: control characters, surrogates, ends of lines."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ClassTable:
    """The classes of a data set, in the order of their indices.

    Attributes:
        names: One unique name per class, in the form of `normalise_name`.
        palette: One RGB colour per class, each channel 0 to 255; classes may share a colour.

    Raises:
        InvalidInputError: no or too many classes, an unusable or repeated name, or a palette of the wrong length.

    Example:
        >>> ClassTable(("sky", "road"), ((70, 130, 180), (128, 64, 128))).names[1]
        'road'
    """

    names: tuple[str, ...]
    palette: tuple[Colour, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(normalise_name, self.names)))
        if not 1 <= len(self.names) <= IGNORE_INDEX:
            raise InvalidInputError(f"a class table must have 1 to {IGNORE_INDEX} classes, got {len(self.names)}")
        if unusable := [name for name in self.names if not name or _NOT_IN_NAMES & set(map(category, name))]:
            raise InvalidInputError(f"class names must be printable and not empty, got {unusable[0]!a}")
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise InvalidInputError(f"class names must be unique, got more than once: {', '.join(repeated)}")
        if len(self.palette) != len(self.names):
            raise InvalidInputError(f"expected {len(self.names)} colours, one per class, got {len(self.palette)}")
        for name, colour in zip(self.names, self.palette, strict=True):
            if len(colour) != 3 or not all(0 <= channel <= 255 for channel in colour):
                raise InvalidInputError(f"the colour of {name} must be three numbers from 0 to 255, got {colour}")


def voc_palette(count: int) -> tuple[Colour, ...]:
    """The first `count` colours of the Pascal VOC colour map, for classes without their own colours.

    Bit k of the index goes to channel k modulo 3, most significant colour bit first.

    Example:
        >>> voc_palette(4)
        ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0))

    Source: VOC development kit, VOClabelcolormap.m.
    """

    def channel(index: int, first_bit: int) -> int:
        return sum(((index >> (3 * step + first_bit)) & 1) << (7 - step) for step in range(8))

    return tuple((channel(i, 0), channel(i, 1), channel(i, 2)) for i in range(count))


def _make_table(**colours: Colour) -> ClassTable:
    return ClassTable(tuple(name.replace("_", " ") for name in colours), tuple(colours.values()))


def _read_ade20k_classes() -> ClassTable:
    with files("hlcore.data.readers").joinpath("ade20k_classes.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    palette = tuple((int(row["red"]), int(row["green"]), int(row["blue"])) for row in rows)
    return ClassTable(tuple(row["name"] for row in rows), palette)


CAMVID = _make_table(
    Sky=(128, 128, 128),
    Building=(128, 0, 0),
    Pole=(192, 192, 128),
    Road=(128, 64, 128),
    Pavement=(60, 40, 222),
    Tree=(128, 128, 0),
    SignSymbol=(192, 128, 128),
    Fence=(64, 64, 128),
    Car=(64, 0, 128),
    Pedestrian=(64, 64, 0),
    Bicyclist=(0, 128, 192),
)
"""CamVid's 11 classes in the colours of the SegNet tutorial."""

CITYSCAPES = _make_table(
    road=(128, 64, 128),
    sidewalk=(244, 35, 232),
    building=(70, 70, 70),
    wall=(102, 102, 156),
    fence=(190, 153, 153),
    pole=(153, 153, 153),
    traffic_light=(250, 170, 30),
    traffic_sign=(220, 220, 0),
    vegetation=(107, 142, 35),
    terrain=(152, 251, 152),
    sky=(70, 130, 180),
    person=(220, 20, 60),
    rider=(255, 0, 0),
    car=(0, 0, 142),
    truck=(0, 0, 70),
    bus=(0, 60, 100),
    train=(0, 80, 100),
    motorcycle=(0, 0, 230),
    bicycle=(119, 11, 32),
)
"""The 19 classes Cityscapes is evaluated on, in the order of their train ids."""

CITYSCAPES_EVALUATED_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The label id in `*_labelIds.png` of each of the 19 classes; the train id is the position here."""

CITYSCAPES_TRAIN_IDS = dict.fromkeys(range(34), IGNORE_INDEX) | {
    label_id: train_id for train_id, label_id in enumerate(CITYSCAPES_EVALUATED_IDS)
}
"""Label id (0 to 33) to train id, 255 where the benchmark ignores the class."""

ADE20K = _read_ade20k_classes()
"""The 150 classes of SceneParse-150, in the order of the files' ids less one.

`road` and `skyscraper` share a colour in the published palette.
"""

VOC = ClassTable(
    (
        *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    ),
    voc_palette(21),
)
"""Pascal VOC's background and 20 classes."""

IDD_LITE = ClassTable(
    ("drivable", "non-drivable", "living things", "vehicles", "roadside objects", "far objects", "sky"),
    ((128, 64, 128), (244, 35, 232), (220, 20, 60), (0, 0, 230), (220, 190, 40), (70, 70, 70), (70, 130, 180)),
)
"""IDD-Lite's 7 classes; each has the IDD colour of its most common member (road, sidewalk, person ...)."""
