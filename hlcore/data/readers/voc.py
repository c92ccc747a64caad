"""Pascal VOC 2012 segmentation, background and 20 classes, and your own data in its layout."""

from collections import Counter
from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import VOC
from hlcore.data.readers.class_lists import read_label_text
from hlcore.data.samples import Pair, PairedFiles, find_files, pair_files
from hlcore.data.text import normalise_name, read_text
from hlcore.errors import DatasetError, MissingSplitError
from hlcore.types import IGNORE_INDEX

VOID = (224, 224, 192)
"""Colour of ignored pixels in RGB label maps."""
_IDS = {index: index for index in (*range(len(VOC.names)), IGNORE_INDEX)}


def open_voc(root: Path, split: str) -> PairedFiles:
    """A split of Pascal VOC 2012, or of your own data in its layout.

    Reads the names in `ImageSets/Segmentation/<split>.txt`, each `JPEGImages/<name>.jpg` with
    `SegmentationClass/<name>.png`, a palette PNG of 0 to 20 and 255, where the boundary between objects is ignored.
    `root` is the folder VOC2012, or the one that holds VOCdevkit/VOC2012. The published splits are train (1464), val
    (1449) and trainval.

    Your own classes are in `labelmap.txt`, as CVAT exports them, or in `class_names.txt`, as labelme2voc.py does;
    their label maps may be RGB PNGs and their images PNGs too. Without `ImageSets`, every split has all images.

    Raises:
        DatasetError: a folder or list is missing, or a listed name has no image or label map.

    Source: Everingham et al., IJCV 2015.
    """
    unpacked = root / "VOCdevkit" / "VOC2012"
    root = unpacked if unpacked.is_dir() else root
    own = next((root / name for name in ("labelmap.txt", "class_names.txt") if (root / name).is_file()), None)
    listed = None if own is None else read_label_text(own)
    images = find_files(root / "JPEGImages", ("*.jpg",) if listed is None else ("*.jpg", "*.jpeg", "*.png"))
    label_maps = find_files(_find_label_folder(root), ("*.png",), has_others=listed is not None)
    if listed is not None and not (root / "ImageSets" / "Segmentation").is_dir():
        pairs = pair_files(images, label_maps, expected="SegmentationClass/<name>.png")
    else:
        pairs = _pair_listed(root, split, images, label_maps)
    if listed is None:
        return PairedFiles(VOC, pairs, partial(read_class_ids, ids=_IDS, classes=VOC))
    colours = {VOID: IGNORE_INDEX} | listed.colours if listed.colours else {}
    decode = partial(read_class_ids, ids=listed.ids, classes=listed.classes, coloured=listed.coloured, colours=colours)
    return PairedFiles(listed.classes, pairs, decode)


def _find_label_folder(root: Path) -> Path:
    """`SegmentationClass`, or `SegmentationClassPNG`, as older versions of labelme call it."""
    older = root / "SegmentationClassPNG"
    return older if older.is_dir() else root / "SegmentationClass"


def _pair_listed(root: Path, split: str, images: dict[str, Path], label_maps: dict[str, Path]) -> tuple[Pair, ...]:
    lists = find_files(root / "ImageSets" / "Segmentation", ("*.txt",))
    if split not in lists:
        listed = root / "ImageSets" / "Segmentation"
        raise MissingSplitError(f"{listed} lists no split '{split}'; it has {', '.join(lists)}")
    names = _read_names(lists[split])
    folder = _find_label_folder(root).name
    for name in names:
        for files, expected in ((images, f"JPEGImages/{name}.jpg"), (label_maps, f"{folder}/{name}.png")):
            if name not in files:
                raise DatasetError(
                    f"{lists[split]} lists '{name}' but {root / expected} does not exist; add it or remove the line"
                )
    return tuple(Pair(name, images[name], label_maps[name]) for name in names)


def _read_names(path: Path) -> list[str]:
    """The names in a list, one per line."""
    names = [normalise_name(line.strip()) for line in read_text(path).splitlines() if line.strip()]
    if not names:
        raise DatasetError(f"{path} is empty; expected one name per line")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DatasetError(f"{path} lists '{repeated[0]}' twice; remove one of the lines")
    return names
