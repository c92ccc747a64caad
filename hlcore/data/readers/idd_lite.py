"""IDD-Lite, the small edition of the India Driving Dataset: 7 classes at 320 x 227 px."""

from functools import partial
from pathlib import Path

from hlcore.data.images.decoding import read_class_ids
from hlcore.data.labels import IDD_LITE
from hlcore.data.samples import PairedFiles, find_files, pair_files
from hlcore.types import IGNORE_INDEX

_IDS = {index: index for index in (*range(len(IDD_LITE.names)), IGNORE_INDEX)}


def open_idd_lite(root: Path, split: str) -> PairedFiles:
    """A split of IDD-Lite.

    Reads `leftImg8bit/<split>/<drive>/<frame>_image.jpg` with `gtFine/<split>/<drive>/<frame>_label.png`, whose values
    are 0 to 6 and 255 = ignored. The labelled splits are train (1403) and val (204).

    Raises:
        DatasetError: a folder is missing, or an image or label map has no partner.

    Source: Varma et al., WACV 2019.
    """
    images = find_files(root / "leftImg8bit" / split, ("*_image.jpg",), suffix="_image")
    label_maps = find_files(root / "gtFine" / split, ("*_label.png",), suffix="_label", has_others=True)
    pairs = pair_files(images, label_maps, expected=f"gtFine/{split}/<drive>/<frame>_label.png")
    return PairedFiles(IDD_LITE, pairs, partial(read_class_ids, ids=_IDS, classes=IDD_LITE))
