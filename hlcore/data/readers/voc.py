"""Pascal VOC 2012 segmentation: background and 20 classes."""

from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import VOC
from hlcore.data.samples import Pair, PairedFiles, find_files
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
    pairs = []
    for name in lists[split].read_text(encoding="utf-8").split():
        pair = Pair(name, root / "JPEGImages" / f"{name}.jpg", root / "SegmentationClass" / f"{name}.png")
        for path in (pair.image, pair.label_map):
            if not path.is_file():
                raise DatasetError(
                    f"{lists[split]} lists '{name}' but {path} does not exist; add it or remove the line"
                )
        pairs.append(pair)
    if not pairs:
        raise DatasetError(f"{lists[split]} is empty; expected one name per line")
    return PairedFiles(VOC, tuple(pairs), partial(read_class_ids, ids=_IDS))
