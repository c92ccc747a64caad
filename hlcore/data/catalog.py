"""Every data set hlcore knows, by name."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from hlcore.data.readers.ade20k import open_ade20k
from hlcore.data.readers.camvid import open_camvid
from hlcore.data.readers.cityscapes import open_cityscapes
from hlcore.data.readers.folder import open_folder
from hlcore.data.readers.hf import open_hf
from hlcore.data.readers.idd_lite import open_idd_lite
from hlcore.data.readers.voc import open_voc
from hlcore.data.samples import PairedFiles, SegmentationData
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.plugins import import_plugins

STREETS = "streets"
"""The synthetic data set: it needs no root and has any number of images of any size."""

HF = "hf"
"""Data sets of the library `datasets`, whose root may be a name on the Hugging Face hub."""

Reader = Callable[[Path, str], SegmentationData]

DATASETS: dict[str, Reader] = {
    "camvid": open_camvid,
    "cityscapes": open_cityscapes,
    "ade20k": open_ade20k,
    "voc": open_voc,
    "idd_lite": open_idd_lite,
    "folder": open_folder,
    HF: open_hf,
}
"""Name to reader of every data set on disk."""


def register_data(name: str) -> Callable[[Reader], Reader]:
    """Decorator that registers a data set under a name, for configs, commands and the app.

    The decorated function takes the root folder and the split. List its module in $HLCORE_PLUGINS.
    """

    def register(read: Reader) -> Reader:
        DATASETS[name] = read
        return read

    return register


def open_data(
    name: str = STREETS,
    *,
    root: Path | None = None,
    split: str,
    count: int = 400,
    size: tuple[int, int] = (192, 256),
    seed: int = 0,
    white_level: float | None = None,
) -> SegmentationData:
    """A split of a data set.

    Args:
        name: "streets" or a name in `DATASETS`.
        root: Folder of the data set; not used for streets.
        split: Usually "train", "val" or "test".
        count: Number of scenes (streets only).
        size: (H, W) of a scene, px (streets only).
        seed: Seed of the scenes (streets only).
        white_level: Value of white in images of more than 8 bits. None takes that of `find_white_level` for all images
            of the split.

    Raises:
        InvalidInputError: unknown data set, or a root for streets.
        DatasetError: the root is missing, or its files do not have the expected layout.
    """
    if name == STREETS:
        if root is not None:
            raise InvalidInputError(
                f"streets needs no folder, so {root} has no effect; name the data set that is there"
            )
        from hlcore.data.streets.dataset import Streets  # loaded only when needed

        return Streets(split, count=count, size=size, seed=seed)
    import_plugins()
    if name not in DATASETS:
        known = (STREETS, *DATASETS)
        near = get_close_matches(name.lower(), known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"expected one of {', '.join(known)}"
        raise InvalidInputError(f"unknown data set '{name}'; {hint}")
    if root is None:
        raise DatasetError(
            f"the data set '{name}' needs its folder (DATA of fit, suspicion and analyze, --data.root of train)"
        )
    if not root.is_dir() and name != HF:
        raise DatasetError(
            f"the folder of the data set, {root}, does not exist; if it has moved, give the new one "
            "(--root of evaluate, DATA of fit, suspicion and analyze, --data.root of train)"
        )
    data = DATASETS[name](root, split)
    return data.with_white_level(white_level) if isinstance(data, PairedFiles) else data
