"""Your own images and label maps in a plain folder."""

import json
import logging
from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.inputs import IMAGE_SUFFIXES, is_image_file, is_visible_folder
from hlcore.data.labels import ClassTable, Colour, voc_palette
from hlcore.data.samples import PairedFiles, find_files, pair_files
from hlcore.data.text import read_text
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.types import IGNORE_INDEX

log = logging.getLogger(__name__)

_IMAGE_PATTERNS = tuple(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))


def open_folder(root: Path, split: str) -> PairedFiles:
    """A split of a plain folder.

    Reads `images/<split>/<name>.*` with `labels/<split>/<name>.png`, or, without such subfolders,
    `images/<name>.*` with `labels/<name>.png` for every split. Images in folders below `images/<split>` have their
    label maps in the same folders below `labels/<split>`. A label map is a grey or palette PNG of class
    indices and 255 = ignored; if `classes.json` gives colours, a palette with these colours must have their order.
    `classes.json` is a list of names, or of `{"name": "road", "color": [128, 64, 128]}`; a class without a colour gets
    the Pascal VOC colour at its index.

    Raises:
        DatasetError: a folder or `classes.json` is missing or wrong, or an image or label map has no partner.
    """
    classes, coloured = _read_classes(root / "classes.json")
    within = split if (root / "images" / split).is_dir() or _has_subfolders(root / "images") else ""
    if within:
        _log_images_outside_splits(root / "images")
    images = find_files(root / "images" / within, _IMAGE_PATTERNS)
    label_maps = find_files(root / "labels" / within, ("*.png",))
    pairs = pair_files(images, label_maps, expected=f"{Path('labels', within).as_posix()}/<name>.png")
    ids = {index: index for index in (*range(len(classes.names)), IGNORE_INDEX)}
    return PairedFiles(classes, pairs, partial(read_class_ids, ids=ids, classes=classes, coloured=coloured))


def _has_subfolders(images: Path) -> bool:
    return images.is_dir() and any(path.is_dir() and is_visible_folder(path.name) for path in images.iterdir())


def _log_images_outside_splits(images: Path) -> None:
    outside = sorted(path.name for path in images.glob("[!.]*") if is_image_file(path))
    if outside:
        log.warning("%s: left out images that are in no split (%d), such as %s", images, len(outside), outside[0])


def _read_classes(path: Path) -> tuple[ClassTable, tuple[int, ...]]:
    """The classes, and the indices of those that the file gives a colour."""
    form = '["sky", "road"] or [{"name": "sky", "color": [70, 130, 180]}, ...]'
    try:
        entries = json.loads(read_text(path))
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} does not exist; expected the class names in the order of the ids: {form}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}); expected {form}") from error
    if not isinstance(entries, list):
        raise DatasetError(f"{path} holds a {type(entries).__name__}; expected a list: {form}")
    named = [_parse_class(entry, path, form) for entry in entries]
    palette = [given or default for (_, given), default in zip(named, voc_palette(len(named)), strict=True)]
    try:
        return ClassTable(tuple(name for name, _ in named), tuple(palette)), tuple(
            index for index, (_, given) in enumerate(named) if given
        )
    except InvalidInputError as error:
        raise DatasetError(f"{path}: {error}") from error


def _parse_class(entry: object, path: Path, form: str) -> tuple[str, Colour | None]:
    """Name and colour of a class, None without a colour."""
    match {"name": entry} if isinstance(entry, str) else entry:
        case {"name": str(name), "color": [int(red), int(green), int(blue)], **others} if not others:
            return name, (red, green, blue)
        case {"name": str(name), **others} if not others:
            return name, None
    raise DatasetError(f"{path} has the entry {json.dumps(entry)}; expected {form}")
