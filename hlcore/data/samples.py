"""The data set interface: a sequence of labelled images with a class table and a fingerprint."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path, PurePath
from typing import NamedTuple, Protocol, runtime_checkable

from hlcore.data.digests import digest_file
from hlcore.data.images import read_image
from hlcore.data.images.decoding import check_label_size
from hlcore.data.images.white_level import find_white_level
from hlcore.data.inputs import is_image_file, name_file, walk_files
from hlcore.data.labels import ClassTable
from hlcore.errors import DatasetError, MissingSplitError
from hlcore.overlap import map_in_threads
from hlcore.types import Image, LabelMap

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One image of a data set.

    Attributes:
        name: Unique within its data set and split.
        image: H W 3 uint8 RGB.
        label_map: H W class indices with 255 = ignored, or None for an unlabelled image.
    """

    name: str
    image: Image
    label_map: LabelMap | None


@runtime_checkable
class SegmentationData(Protocol):
    """The interface of a data set, read from files or generated, for training, evaluation and the app."""

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes, in the order of the label maps' indices."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample, in the order of the indices."""
        ...

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change when the data changes; the same on every machine."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`, the same at every call. IndexError past the end, so that iteration stops."""
        ...


class Pair(NamedTuple):
    """The files of one sample."""

    name: str
    image: Path
    label_map: Path


@dataclass(frozen=True)
class PairedFiles:
    """A data set of image and label files, read on demand.

    Attributes:
        classes: Names and colours of the classes.
        pairs: One per sample, in the order of the indices.
        decode: Reads one label file to H W class indices with 255 = ignored; raises `DatasetError`
            on an unknown value. Must be picklable for worker processes: a plain function or a partial of one.
        white_level: Value of white in images of more than 8 bits; None guesses it for each image.
    """

    classes: ClassTable
    pairs: tuple[Pair, ...]
    decode: Callable[[Path], LabelMap]
    white_level: float | None = None

    def with_white_level(self, white_level: float | None) -> "PairedFiles":
        """The same data with one white level for all images: the given one, or else that of `find_white_level`."""
        if white_level is not None:
            return replace(self, white_level=white_level)
        level, dark = find_white_level([pair.image for pair in self.pairs])
        if dark:
            log.warning(
                "some images (%d), such as %s, use under a tenth of the range from black to white, which is %g; "
                "set data.white_level if they should be brighter",
                *(len(dark), dark[0], level),
            )
        return replace(self, white_level=level)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample, in the order of the indices."""
        return tuple(pair.name for pair in self.pairs)

    @property
    def file_names(self) -> tuple[str, ...]:
        """Name of each image as `hlcore predict` names it: that of the sample with the suffix its reader strips."""
        return tuple(name_file(PurePath(pair.name).with_name(pair.image.name)) for pair in self.pairs)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the class names and each sample's name and files.

        The first call reads all files; later ones read only those that have changed.

        Raises:
            DatasetError: a file cannot be read.
        """
        digest = sha256(repr(self.classes.names).encode())
        paths = [path for pair in self.pairs for path in (pair.image, pair.label_map)]
        digests = list(map_in_threads(digest_file, paths))
        for index, pair in enumerate(self.pairs):
            digest.update(pair.name.encode() + b"\0" + digests[2 * index] + digests[2 * index + 1])
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`, read from its files.

        Raises:
            DatasetError: a file cannot be read, a label has an unknown value, or the two sizes differ.
        """
        name, image_path, label_path = self.pairs[index]
        image, label_map = read_image(image_path, white_level=self.white_level), self.decode(label_path)
        check_label_size(label_map.shape, image.shape[:2], name=str(label_path), image=str(image_path))
        return Sample(name, image, label_map)


def find_files(folder: Path, patterns: Sequence[str], *, suffix: str = "", has_others: bool = False) -> dict[str, Path]:
    """The files below `folder`, at any depth, that match a pattern, by sample name.

    The name is the path below `folder` without extension and without `suffix`, e.g. "aachen/aachen_000001". Files are
    found by `walk_files`. The number of image files that match no pattern is logged.

    Args:
        folder: An existing folder.
        patterns: Patterns of the path below `folder`, such as "*.png": a star also matches folders, and the file
            extension matches in lower and upper case.
        suffix: Suffix of the file stems to strip, e.g. "_leftImg8bit".
        has_others: Whether the folder also has other image files by design, so that their number is not logged.

    Raises:
        MissingSplitError: the folder is missing.
        DatasetError: it holds no such file, or two with the same name.
    """
    if not folder.is_dir():
        raise MissingSplitError(
            f"expected the folder {folder}, which does not exist; {_describe_nearest_parent(folder)}"
        )
    globs = [_lower_suffix(PurePath(pattern)).replace("**/", "*") for pattern in patterns]
    by_name: dict[str, Path] = {}
    others: list[Path] = []
    for path in walk_files(folder):
        below = path.relative_to(folder)
        if not any(fnmatchcase(_lower_suffix(below), pattern) for pattern in globs):
            others += [path] if is_image_file(path) and not has_others else []
            continue
        name = name_file(below).removesuffix(suffix)
        if name in by_name:
            raise DatasetError(f"{by_name[name]} and {path} are both named '{name}'; keep one of them")
        by_name[name] = path
    if not by_name:
        raise DatasetError(
            f"{folder} contains no files that match {' or '.join(patterns)}; check that the data set is complete"
        )
    if others:
        log.warning(
            "%s: left out image files that do not match %s (%d), such as %s",
            *(folder, " or ".join(patterns), len(others), others[0].relative_to(folder)),
        )
    return by_name


def pair_files(images: Mapping[str, Path], label_maps: Mapping[str, Path], *, expected: str) -> tuple[Pair, ...]:
    """The pairs of image and label file with the same name, in the order of the names.

    Args:
        images: Sample name to image file.
        label_maps: Sample name to label file.
        expected: Expected path of a label file, for the error message, e.g. "trainannot/<name>.png".

    Raises:
        DatasetError: there is no image, an image has no label file, or a label file has no image.
    """
    for name in sorted(images.keys() - label_maps.keys()):
        raise DatasetError(
            f"{images[name]} has no label map; expected {expected} for '{name}': add it or remove the image"
        )
    for name in sorted(label_maps.keys() - images.keys()):
        raise DatasetError(f"{label_maps[name]} has no image named '{name}'; add the image or remove the label map")
    return tuple(Pair(name, images[name], label_maps[name]) for name in sorted(images))


def _lower_suffix(path: PurePath) -> str:
    """The path with its file extension in lower case."""
    return path.with_suffix(path.suffix.lower()).as_posix()


def _describe_nearest_parent(folder: Path) -> str:
    """Description of what the closest existing parent of a missing folder contains."""
    parent = next(parent for parent in folder.absolute().parents if parent.is_dir())
    inside = sorted(path.name for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
    return f"{parent} holds {'the folders ' + ', '.join(inside[:12]) if inside else 'no folder'}"
