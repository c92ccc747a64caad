"""ADE20K as prepared for scene parsing: 150 classes."""

from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import ADE20K
from hlcore.data.samples import PairedFiles, find_files, pair_files
from hlcore.types import IGNORE_INDEX

_FOLDERS = {"train": "training", "val": "validation"}
_IDS = {0: IGNORE_INDEX} | {index + 1: index for index in range(len(ADE20K.names))}


def open_ade20k(root: Path, split: str) -> PairedFiles:
    """A split of SceneParse-150; the label "other" is ignored.

    Reads `images/<split>/<name>.jpg` with `annotations/<split>/<name>.png` of ADEChallengeData2016, whose values are
    0 = other and 1 to 150. The splits are "training" and "validation"; "train" and "val" mean the same.

    Raises:
        DatasetError: a folder is missing, or an image or label map has no partner.

    Source: Zhou et al., CVPR 2017.
    """
    split = _FOLDERS.get(split, split)
    images = find_files(root / "images" / split, ("*.jpg",))
    label_maps = find_files(root / "annotations" / split, ("*.png",))
    pairs = pair_files(images, label_maps, expected=f"annotations/{split}/<name>.png")
    return PairedFiles(ADE20K, pairs, partial(read_class_ids, ids=_IDS, classes=ADE20K))
