"""Labelled street scenes generated from a seed, in the classes of CamVid: a data set that needs no download.

The scenes are stylised perspective drawings, not photographs. Use them to try, test and demonstrate the method;
results on them say nothing about real streets.
"""

from dataclasses import KW_ONLY, dataclass
from hashlib import sha256

import numpy as np

from hlcore.data.labels import CAMVID, ClassTable
from hlcore.data.samples import Sample
from hlcore.data.streets.scene import render_scene
from hlcore.errors import InvalidInputError

SPLITS = ("train", "val", "test")
GENERATOR_VERSION = 3
"""Increases with every change that alters a scene."""
SMALLEST_SIDE_PX = 16


@dataclass(frozen=True)
class Streets:
    """Synthetic street scenes; scene `index` of a split is always the same.

    Static man-made objects without their own class (skips, advertising pillars, people on posters) count as
    building; the bonnet of the camera's car and litter bins are ignored (255). Label maps are the
    same on every machine; images may differ by a grey level between processors, as numpy's rounding does.

    Attributes:
        split: "train", "val" or "test"; splits never share a scene.
        count: Number of scenes.
        size: Height and width in pixels.
        seed: Another seed gives another street at every index.

    Raises:
        InvalidInputError: An unknown split, no scenes, a size below 16 px or a negative seed.

    Example:
        >>> data = Streets("val", count=3, size=(48, 64))
        >>> data.names
        ('val-0000', 'val-0001', 'val-0002')
        >>> data[2].image.shape, data[2].label_map.shape
        ((48, 64, 3), (48, 64))
    """

    split: str
    _: KW_ONLY
    count: int
    size: tuple[int, int]
    seed: int = 0

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise InvalidInputError(f"split must be one of {', '.join(SPLITS)}, got {self.split!r}")
        if self.count < 1:
            raise InvalidInputError(f"count must be at least 1 scene, got {self.count}")
        if len(self.size) != 2 or min(self.size) < SMALLEST_SIDE_PX:
            raise InvalidInputError(
                f"size must be (height, width) of at least {SMALLEST_SIDE_PX} px each, got {self.size}"
            )
        if self.seed < 0:
            raise InvalidInputError(f"seed must be 0 or more, got {self.seed}")

    @property
    def classes(self) -> ClassTable:
        """CamVid's eleven classes."""
        return CAMVID

    @property
    def names(self) -> tuple[str, ...]:
        """The split and the index of each scene, such as "train-0007"."""
        return tuple(f"{self.split}-{index:04d}" for index in range(self.count))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the scenes."""
        parts = ("streets", GENERATOR_VERSION, self.split, self.count, tuple(map(int, self.size)), self.seed)
        return sha256(repr(parts).encode()).hexdigest()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        """The scene at `index`, rendered at every call (tens of milliseconds).

        Raises:
            IndexError: No scene has this index.
        """
        name = self.names[index]
        seed = np.random.SeedSequence([SPLITS.index(self.split), index % self.count, self.seed])
        image, label_map = render_scene(seed, self.size)
        return Sample(name, image, label_map)
