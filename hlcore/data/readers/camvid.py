"""CamVid in the SegNet layout: 11 classes at 480 x 360 px."""

from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import CAMVID
from hlcore.data.samples import PairedFiles, find_files, pair_files
from hlcore.types import IGNORE_INDEX

VOID = 11
"""The id of unlabelled pixels in the label files."""

_IDS = {index: index for index in range(len(CAMVID.names))} | {VOID: IGNORE_INDEX}


def open_camvid(root: Path, split: str) -> PairedFiles:
    """A split of CamVid, labelled with the 11 classes of SegNet; void is ignored.

    Reads `<split>/<name>.png` (or `.jpg`) with `<split>annot/<name>.png`, whose values are 0 to 10 and 11 = void.
    The published splits are train (367), val (101) and test (233).

    Raises:
        DatasetError: a folder is missing, or an image or label map has no partner.

    Source: Brostow et al., Pattern Recognition Letters 2009; Badrinarayanan et al., TPAMI 2017 (splits and classes).
    """
    images = find_files(root / split, ("*.png", "*.jpg"))
    label_maps = find_files(root / f"{split}annot", ("*.png",))
    pairs = pair_files(images, label_maps, expected=f"{split}annot/<name>.png")
    return PairedFiles(CAMVID, pairs, partial(read_class_ids, ids=_IDS, classes=CAMVID))
