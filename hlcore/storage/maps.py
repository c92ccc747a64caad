"""Imported maps of a run: per-pixel scores of any method, with their images, labels and predictions.

maps/manifest.json                            images in order, and the suffix of each image file
maps/images/<image>/image.<suffix>            the image file as it was given, or a PNG
maps/images/<image>/label.png                 8-bit class indices, 255 = ignored; if there are labels
maps/images/<image>/epoch-0001.prediction.png 8-bit class indices, if there are predictions
maps/images/<image>/epoch-0001.score-0.png    16-bit grey, 0..65535 from the low to the high end of the score's range
"""

import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image as PillowImage
from pydantic import AfterValidator, Field, model_validator

from hlcore.config import FrozenModel
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.files import FileName, read_json, replace_atomically, write_text
from hlcore.storage.png import read_hardness_png, read_png, write_hardness_png
from hlcore.types import IGNORE_INDEX, IMPORTED_PREFIX, Image, LabelMap

_SUFFIX = r"\.[A-Za-z0-9]{1,8}"
Share = TypeVar("Share", float, np.floating[Any], np.ndarray)
MAX_NAME = 60
LAYERS = ("image", "prediction", "labels", "errors", "objects")
"""Names that a score cannot have."""


def _check_label(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME or set(name) & set(":,"):
        raise ValueError(f"expected a name of 1 to {MAX_NAME} characters, without ':' or ','")
    if name.lower() in LAYERS:
        raise ValueError("expected another name, since the app uses this one already")
    return name


ScoreName = Annotated[str, AfterValidator(_check_label)]


class ImportedScore(FrozenModel):
    """A score of each pixel, of any method."""

    name: ScoreName
    low: float
    """Value that is stored as 0."""
    high: float
    """Value that is stored as 65535."""
    is_range_stated: bool = False
    """Whether the user gave the range; otherwise it was read from the data."""
    low_is_hard: bool = False
    """Whether low values mean hard pixels, as those of a confidence do."""
    unit: Annotated[str, Field(max_length=20)] = ""

    @model_validator(mode="after")
    def _check_range(self) -> "ImportedScore":
        if not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        return self

    @property
    def title(self) -> str:
        """The name, after "reversed" if what is shown is high where the score is low."""
        return f"reversed {self.name}" if self.low_is_hard else self.name

    def describe(self) -> str:
        """Name, range and direction.

        Example:
            >>> ImportedScore(name="entropy", low=0, high=2.5, unit="nats").describe()
            'entropy: 0 to 2.5 nats (read from the data), high is hard'
        """
        unit = f" {self.unit}" if self.unit else ""
        origin = "as stated" if self.is_range_stated else "read from the data"
        direction = "low" if self.low_is_hard else "high"
        return f"{self.name}: {self.low:.4g} to {self.high:.4g}{unit} ({origin}), {direction} is hard"

    @property
    def shown_unit(self) -> str:
        """The unit of the values that maps show, with a space before it; empty if there is none."""
        return f" {self.unit}" if self.unit and not self.low_is_hard else ""

    @property
    def shown_range(self) -> tuple[float, float]:
        """The ends of the range as maps show it: a reversed score is shown from 0 to 1."""
        return (0.0, 1.0) if self.low_is_hard else (self.low, self.high)

    def restore(self, shares: Share) -> Share:
        """Shares of the range, as records have them, in the unit of the score; a reversed score stays from 0 to 1."""
        low, high = self.shown_range
        return low + shares * (high - low)

    def normalise(self, values: Float[np.ndarray, "H W"]) -> Float32[np.ndarray, "H W"]:
        """Values as shares of the range, 0 to 1; those beyond are clipped."""
        scaled = (values.astype(np.float64) - self.low) / (self.high - self.low)
        return np.clip(scaled, 0, 1).astype(np.float32)


class Imported(FrozenModel):
    """What a run of imported maps consists of."""

    scores: Annotated[tuple[ImportedScore, ...], Field(min_length=1, max_length=32)]
    """The first takes the place of hardness; errors are also predicted with the others."""
    steps: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(min_length=1, max_length=9999)] = ("",)
    """Names of the epochs or methods; one without a name if there is only one."""
    has_labels: bool
    has_predictions: bool
    white_level: float | None = None
    """Value of white in images of more than 8 bits."""

    @property
    def score(self) -> ImportedScore:
        """The score that takes the place of hardness."""
        return self.scores[0]

    @property
    def further(self) -> tuple[ImportedScore, ...]:
        """The other scores."""
        return self.scores[1:]

    def find(self, key: str) -> ImportedScore | None:
        """The score with this key in tables; None if it is a score that is computed, such as the edge distance."""
        of_key = {"hardness": self.score} | {IMPORTED_PREFIX + score.title: score for score in self.further}
        return of_key.get(key)

    @model_validator(mode="after")
    def _check_titles(self) -> "Imported":
        titles = [score.title.casefold() for score in self.scores]
        if twice := [title for title in titles if titles.count(title) > 1]:
            raise ValueError(f"two scores would both be called '{twice[0]}'; rename one of them")
        return self


class _Manifest(FrozenModel):
    images: dict[FileName, Annotated[str, Field(pattern=rf"^{_SUFFIX}$")]]
    """Name of each image to the suffix of its file."""


class StoredMaps:
    """The imported maps of a run; files are read on demand."""

    def __init__(self, path: Path, imported: Imported, *, num_classes: int) -> None:
        """Raises CheckpointError if the list of images cannot be read."""
        self.path, self._imported, self._num_classes = path, imported, num_classes
        self._suffixes = read_json(path / "manifest.json", _Manifest).images

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images."""
        return tuple(self._suffixes)

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any image or label map."""
        return _digest([path for name in self.images for path in self._list_data(name)], self.path)

    def digest_step(self, epoch: int) -> str:
        """64 hexadecimal digits that change with any map or prediction of a step.

        Raises:
            CheckpointError: a file cannot be read.
        """
        return _digest([path for name in self.images for path in self.list_files(name, epoch)], self.path)

    def list_files(self, name: str, epoch: int) -> list[Path]:
        """The files of an image at a step: its scores, and its prediction if there are predictions."""
        scores = [self._score_path(name, epoch, index) for index in range(len(self._imported.scores))]
        return [*scores, *([self._prediction_path(name, epoch)] if self._imported.has_predictions else [])]

    def image_path(self, name: str) -> Path:
        """File of an image.

        Raises:
            InvalidInputError: no such image.
        """
        if name not in self._suffixes:
            raise InvalidInputError(f"no imported image {name!r}; there are {', '.join(self.images[:5])} ...")
        return _folder(self.path, name) / f"image{self._suffixes[name]}"

    def label_map(self, name: str, size: tuple[int, int]) -> LabelMap | None:
        """Label map of an image of this (H, W), uint8, 255 = ignored; None if there are no labels.

        Raises:
            CheckpointError: it cannot be read, or has another size or an unknown class.
        """
        return self._classes(_folder(self.path, name) / "label.png", size) if self._imported.has_labels else None

    def prediction(self, name: str, epoch: int, size: tuple[int, int]) -> LabelMap | None:
        """Predicted classes of an image, uint8; None if there are no predictions. Raises as `label_map`."""
        path = self._prediction_path(name, epoch)
        return self._classes(path, size) if self._imported.has_predictions else None

    def score(self, name: str, epoch: int, size: tuple[int, int], index: int = 0) -> Float32[np.ndarray, "H W"]:
        """A score of an image as share of its range, 0 to 1, turned so that high means hard. Raises as `label_map`."""
        path = self._score_path(name, epoch, index)
        values = read_hardness_png(path)
        _check_size(path, values, size)
        return 1 - values if self._imported.scores[index].low_is_hard else values

    def _list_data(self, name: str) -> list[Path]:
        labels = [_folder(self.path, name) / "label.png"] if self._imported.has_labels else []
        return [self.image_path(name), *labels]

    def _score_path(self, name: str, epoch: int, index: int) -> Path:
        return _folder(self.path, name) / f"epoch-{epoch:04d}.score-{index}.png"

    def _prediction_path(self, name: str, epoch: int) -> Path:
        return _folder(self.path, name) / f"epoch-{epoch:04d}.prediction.png"

    def _classes(self, path: Path, size: tuple[int, int]) -> LabelMap:
        class_map = np.asarray(read_png(path))
        if class_map.dtype != np.uint8 or class_map.ndim != 2:
            raise CheckpointError(f"{path} is not an 8-bit grey PNG of class indices")
        _check_size(path, class_map, size)
        highest = int(class_map[class_map != IGNORE_INDEX].max(initial=0))
        if highest >= self._num_classes:
            raise CheckpointError(f"{path} has class {highest}, but the run has {self._num_classes} classes")
        return class_map


class MapsWriter:
    """Writes the maps of a run, image by image."""

    def __init__(self, path: Path, imported: Imported) -> None:
        self._path, self._imported = path, imported
        self._suffixes: dict[str, str] = {}

    def add_image(self, name: str, image: Image | Path, label_map: LabelMap | None) -> None:
        """Write an image, a file of it or its pixels, and its label map."""
        suffix = image.suffix.lower() if isinstance(image, Path) else ".png"
        suffix = suffix if re.fullmatch(_SUFFIX, suffix) else ".image"  # files are recognised by their content
        with replace_atomically(_folder(self._path, name) / f"image{suffix}") as temporary:
            if isinstance(image, Path):
                shutil.copyfile(image, temporary)
            else:
                PillowImage.fromarray(image).save(temporary, format="PNG")
        self._suffixes[name] = suffix
        if label_map is not None:
            _write_classes(_folder(self._path, name) / "label.png", label_map)

    def add_prediction(self, name: str, epoch: int, prediction: LabelMap) -> None:
        """Write the predicted classes of an image at a step, 1 for the first."""
        _write_classes(_folder(self._path, name) / f"epoch-{epoch:04d}.prediction.png", prediction)

    def add_score(self, name: str, epoch: int, index: int, values: Float[np.ndarray, "H W"]) -> None:
        """Write a score of an image at a step, in its own unit."""
        path = _folder(self._path, name) / f"epoch-{epoch:04d}.score-{index}.png"
        write_hardness_png(path, self._imported.scores[index].normalise(values))

    def finish(self) -> None:
        """Write the list of images."""
        write_text(self._path / "manifest.json", _Manifest(images=self._suffixes).model_dump_json(indent=1) + "\n")


def _folder(maps: Path, name: str) -> Path:
    """Folder of an image."""
    return maps / "images" / name


def _digest(paths: list[Path], root: Path) -> str:
    """SHA-256 of files and their paths below a folder."""
    digest = sha256()
    for path in paths:
        try:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + sha256(path.read_bytes()).digest())
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _check_size(path: Path, values: np.ndarray, size: tuple[int, int]) -> None:
    if values.shape != size:
        raise CheckpointError(
            f"{path} is {values.shape[1]} x {values.shape[0]} px, but its image is {size[1]} x {size[0]} px"
        )


def _write_classes(path: Path, class_map: LabelMap) -> None:
    with replace_atomically(path) as temporary:
        PillowImage.fromarray(class_map.astype(np.uint8)).save(temporary, format="PNG")
