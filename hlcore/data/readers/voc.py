"""Pascal VOC 2012 segmentation: background and 20 classes."""

from collections import Counter
from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import VOC
from hlcore.data.samples import Pair, PairedFiles, find_files
from hlcore.data.text import normalise_name, read_text
from hlcore.errors import DatasetError
from hlcore.types import IGNORE_INDEX

_IDS = {index: index for index in (*range(len(VOC.names)), IGNORE_INDEX)}


def open_voc(root: Path, split: str) -> PairedFiles:
    """A split of Pascal VOC 2012; the boundary between objects is ignored.

    Reads the names in `ImageSets/Segmentation/<split>.txt`, each `JPEGImages/<name>.jpg` with
    `SegmentationClass/<name>.png`, a palette PNG of 0 to 20 and 255. `root` is the folder VOC2012, or the one that
    holds VOCdevkit/VOC2012. The published splits are train (1464), val (1449) and trainval.

    Raises:
        DatasetError: a folder or list is missing, or a listed name has no image or label map.

    Source: Everingham et al., IJCV 2015.
    """
    unpacked = root / "VOCdevkit" / "VOC2012"
    root = unpacked if unpacked.is_dir() else root
    lists = find_files(root / "ImageSets" / "Segmentation", ("*.txt",))
    if split not in lists:
        raise DatasetError(f"{root / 'ImageSets' / 'Segmentation'} lists no split '{split}'; it has {', '.join(lists)}")
    names = _read_names(lists[split])
    images = find_files(root / "JPEGImages", ("*.jpg",))
    label_maps = find_files(root / "SegmentationClass", ("*.png",))
    for name in names:
        for files, expected in ((images, f"JPEGImages/{name}.jpg"), (label_maps, f"SegmentationClass/{name}.png")):
            if name not in files:
                raise DatasetError(
                    f"{lists[split]} lists '{name}' but {root / expected} does not exist; add it or remove the line"
                )
    pairs = tuple(Pair(name, images[name], label_maps[name]) for name in names)
    return PairedFiles(VOC, pairs, partial(read_class_ids, ids=_IDS, classes=VOC))


def _read_names(path: Path) -> list[str]:
    """The names in a list, one per line."""
    names = [normalise_name(line.strip()) for line in read_text(path).splitlines() if line.strip()]
    if not names:
        raise DatasetError(f"{path} is empty; expected one name per line")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DatasetError(f"{path} lists '{repeated[0]}' twice; remove one of the lines")
    return names
