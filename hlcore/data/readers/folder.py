"""Your own images and label maps in a plain folder."""

import logging
from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.inputs import IMAGE_SUFFIXES, is_image_file, is_visible_folder
from hlcore.data.readers.class_lists import read_class_json
from hlcore.data.samples import PairedFiles, find_files, pair_files

log = logging.getLogger(__name__)

_IMAGE_PATTERNS = tuple(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))


def open_folder(root: Path, split: str) -> PairedFiles:
    """A split of a plain folder.

    Reads `images/<split>/<name>.*` with `labels/<split>/<name>.png`, or, without such subfolders,
    `images/<name>.*` with `labels/<name>.png` for every split. Images in folders below `images/<split>` have their
    label maps in the same folders below `labels/<split>`. A label map is a grey or palette PNG of class ids, where 255
    is ignored unless it is the id of a class, or an RGB PNG of class colours.
    `classes.json` is a list of names in the order of the ids, or of entries such as
    `{"name": "road", "id": 7, "color": [128, 64, 128]}` and `{"name": "void", "id": 0, "ignore": true}`. Without ids,
    the position in the list counts; a class without a colour gets the Pascal VOC colour at its index. If there are
    colours, a palette with these colours must have their order.

    Raises:
        DatasetError: a folder or `classes.json` is missing or wrong, or an image or label map has no partner.
    """
    listed = read_class_json(root / "classes.json")
    within = split if (root / "images" / split).is_dir() or _has_subfolders(root / "images") else ""
    if within:
        _log_images_outside_splits(root / "images")
    images = find_files(root / "images" / within, _IMAGE_PATTERNS)
    label_maps = find_files(root / "labels" / within, ("*.png",))
    pairs = pair_files(images, label_maps, expected=f"{Path('labels', within).as_posix()}/<name>.png")
    decode = partial(
        read_class_ids, ids=listed.ids, classes=listed.classes, coloured=listed.coloured, colours=listed.colours
    )
    return PairedFiles(listed.classes, pairs, decode)


def _has_subfolders(images: Path) -> bool:
    return images.is_dir() and any(path.is_dir() and is_visible_folder(path.name) for path in images.iterdir())


def _log_images_outside_splits(images: Path) -> None:
    outside = sorted(path.name for path in images.glob("[!.]*") if is_image_file(path))
    if outside:
        log.warning("%s: left out images that are in no split (%d), such as %s", images, len(outside), outside[0])
