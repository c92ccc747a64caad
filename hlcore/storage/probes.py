"""The probe set of a run: a few images and their maps at every snapshot.

probe/manifest.json                    images and their splits, snapshots in order, scale of the loss
probe/<image>/image.png  label.png
probe/<image>/<snapshot>.hardness.png  <snapshot>.loss.png      snapshot = iteration-000010 or epoch-0007
"""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from PIL import Image as PillowImage
from pydantic import Field, PositiveFloat

from hlcore.config import FrozenModel
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.files import FileName, explain_write_errors, read_json, write_text
from hlcore.storage.png import (
    read_hardness_png,
    read_loss_png,
    read_png,
    read_png_size,
    write_hardness_png,
    write_loss_png,
)
from hlcore.types import IGNORE_INDEX, HardnessMap, Image, LabelMap, LossMap

LOSS_FULL_SCALE_NATS = 16.0

Split = Literal["train", "val"]


class _Manifest(FrozenModel):
    images: dict[FileName, Split]
    snapshots: tuple[Annotated[str, Field(pattern=r"^(epoch|iteration)-[0-9]{1,12}$")], ...] = ()
    loss_full_scale_nats: Annotated[PositiveFloat, Field(le=1e6)] = LOSS_FULL_SCALE_NATS


class Probe:
    """The probe set of one training run."""

    def __init__(self, path: Path, manifest: _Manifest, *, num_classes: int = IGNORE_INDEX) -> None:
        self.path = path
        self._manifest = manifest
        self._num_classes = num_classes

    @staticmethod
    def create(path: Path, splits: dict[str, Split], images: dict[str, tuple[Image, LabelMap]]) -> "Probe":
        """A new probe set on disk, from the split of each image and each image with its label map."""
        for name, (image, label_map) in images.items():
            folder = path / name
            with explain_write_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
                PillowImage.fromarray(image).save(folder / "image.png")
                PillowImage.fromarray(label_map.astype(np.uint8)).save(folder / "label.png")
        return _write(path, _Manifest(images=splits))

    @classmethod
    def open(cls, path: Path, *, num_classes: int = IGNORE_INDEX) -> "Probe | None":
        """The probe set in a folder, whose labels are of so many classes, or None if there is none.

        Raises:
            CheckpointError: the probe set cannot be read.
        """
        manifest = path / "manifest.json"
        if not manifest.is_file():
            return None
        return cls(path, read_json(manifest, _Manifest), num_classes=num_classes)

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images."""
        return tuple(self._manifest.images)

    @property
    def snapshots(self) -> tuple[str, ...]:
        """Names of the snapshots in the order of training, such as iteration-000010 and epoch-0007."""
        return self._manifest.snapshots

    def split(self, name: str) -> Split:
        """The split an image comes from, train or val."""
        self._check(name)
        return self._manifest.images[name]

    def image(self, name: str) -> Image:
        """An image, H W 3 uint8.

        Raises:
            InvalidInputError: no such image.
            CheckpointError: its file cannot be read.
        """
        return self._picture(name, "image.png", mode="RGB")

    def label_map(self, name: str) -> LabelMap:
        """Label map of an image, H W uint8, 255 = ignored. Raises the same errors as `image`."""
        label_map = self._picture(name, "label.png", mode="L")
        self._check_size(name, "label.png", label_map)
        highest = int(label_map[label_map != IGNORE_INDEX].max(initial=0))
        if highest >= self._num_classes:
            raise CheckpointError(
                f"{self.path / name}/label.png has class {highest}, but the run has {self._num_classes} classes"
            )
        return label_map

    def maps(self, name: str, snapshot: str) -> tuple[HardnessMap, LossMap]:
        """Hardness map and loss map (nats, NaN where ignored) of an image at a snapshot.

        Raises:
            InvalidInputError: no such image or snapshot.
            CheckpointError: a map's file cannot be read.
        """
        self._check(name)
        if snapshot not in self.snapshots:
            raise InvalidInputError(f"no snapshot {snapshot!r}; there are {', '.join(self.snapshots)}")
        folder, scale = self.path / name, self._manifest.loss_full_scale_nats
        hardness_map = read_hardness_png(folder / f"{snapshot}.hardness.png")
        loss_map = read_loss_png(folder / f"{snapshot}.loss.png", full_scale=scale)
        self._check_size(name, f"{snapshot}.hardness.png", hardness_map)
        self._check_size(name, f"{snapshot}.loss.png", loss_map)
        return hardness_map, loss_map

    def add(self, snapshot: str, maps: dict[str, tuple[HardnessMap, LossMap]]) -> "Probe":
        """The probe set with one more snapshot; an existing one is replaced."""
        for name, (hardness_map, loss_map) in maps.items():
            folder = self.path / name
            write_hardness_png(folder / f"{snapshot}.hardness.png", hardness_map)
            scale = self._manifest.loss_full_scale_nats
            write_loss_png(folder / f"{snapshot}.loss.png", loss_map, full_scale=scale)
        snapshots = tuple(dict.fromkeys([*self.snapshots, snapshot]))
        return _write(self.path, self._manifest.model_copy(update={"snapshots": snapshots}))

    def _picture(self, name: str, file: str, *, mode: str) -> np.ndarray:
        self._check(name)
        return np.asarray(read_png(self.path / name / file).convert(mode))

    def _check_size(self, name: str, file: str, values: np.ndarray) -> None:
        height, width = read_png_size(self.path / name / "image.png")
        if values.shape != (height, width):
            raise CheckpointError(
                f"{self.path / name / file} is {values.shape[1]} x {values.shape[0]} px, but its image is "
                f"{width} x {height} px"
            )

    def _check(self, name: str) -> None:
        if name not in self._manifest.images:
            raise InvalidInputError(f"no probe image {name!r}; there are {', '.join(self.images)}")


def _write(path: Path, manifest: _Manifest) -> Probe:
    write_text(path / "manifest.json", manifest.model_dump_json(indent=2) + "\n")
    return Probe(path, manifest)
