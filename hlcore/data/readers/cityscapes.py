"""Cityscapes with fine annotations: 19 classes."""

from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import CITYSCAPES, CITYSCAPES_TRAIN_IDS
from hlcore.data.samples import PairedFiles, find_files, pair_files


def open_cityscapes(root: Path, split: str) -> PairedFiles:
    """A split of Cityscapes in the 19 classes of its benchmark; every other label is ignored.

    Reads `leftImg8bit/<split>/<city>/<name>_leftImg8bit.png` with `gtFine/<split>/<city>/<name>_gtFine_labelIds.png`,
    as they come out of leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip. The label maps of the test split are
    not published: its files are blank, and every pixel is ignored.

    Raises:
        DatasetError: a folder is missing, or an image or label map has no partner.

    Source: Cordts et al., CVPR 2016.
    """
    images = find_files(root / "leftImg8bit" / split, ("*_leftImg8bit.png",), suffix="_leftImg8bit")
    label_maps = find_files(
        root / "gtFine" / split, ("*_gtFine_labelIds.png",), suffix="_gtFine_labelIds", has_others=True
    )
    expected = f"gtFine/{split}/<city>/<name>_gtFine_labelIds.png"
    pairs = pair_files(images, label_maps, expected=expected)
    return PairedFiles(CITYSCAPES, pairs, partial(read_class_ids, ids=CITYSCAPES_TRAIN_IDS, classes=CITYSCAPES))
