"""The images that a hardness branch is fitted to, with label maps in the network's classes."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hlcore.config import DataConfig, FitConfig, make_absolute
from hlcore.data.catalog import open_data
from hlcore.data.labels import ClassTable, Colour
from hlcore.data.ordering import find_order, reorder_classes
from hlcore.data.samples import Sample, SegmentationData
from hlcore.errors import DatasetError, InvalidInputError, MissingSplitError
from hlcore.evaluation import check_labels
from hlcore.fitting.models import TrainedNetwork
from hlcore.storage.runs import open_run
from hlcore.training.setup import find_used_white_level

log = logging.getLogger(__name__)

ASIDE = 10
"""One image in this many is set aside where there is no validation split."""


@dataclass(frozen=True)
class OrderedData:
    """Some samples of a data set, with label maps in the network's order of classes."""

    data: SegmentationData
    indices: tuple[int, ...]
    classes: ClassTable

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample."""
        of_data = self.data.names
        return tuple(of_data[index] for index in self.indices)

    @property
    def fingerprint(self) -> str:
        """That of the whole data set."""
        return self.data.fingerprint

    def __len__(self) -> int:
        return len(self.indices)

    def thin_out(self, limit: int) -> "OrderedData":
        """At most `limit` of the samples, evenly spaced."""
        return replace(self, indices=_space_evenly(self.indices, limit))

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`.

        Raises:
            DatasetError: it has no label map, or an unknown label.
        """
        sample = self.data[self.indices[index]]
        check_labels(sample, len(self.classes.names))
        return sample


@dataclass(frozen=True)
class FitData:
    """The images to learn from, and those on which the lift is measured."""

    train: OrderedData
    val: OrderedData
    config: DataConfig


def choose_data(model: str, root: Path | None, config: FitConfig) -> DataConfig:
    """The data set: that of the run, unless another is named.

    Args:
        model: The trained network; may be a run.
        root: Folder of the data set, if given.
        config: What else is given.
    """
    is_run = (Path(model) / "run.json").is_file()
    if is_run:
        open_run(Path(model)).require_network()
    of_run = open_run(Path(model)).record.config.data if is_run else DataConfig(dataset="folder")
    dataset = config.dataset or of_run.dataset
    chosen = of_run if dataset == of_run.dataset else DataConfig(dataset=dataset)
    changes = {"train_split": config.split or chosen.train_split, "val_split": config.val_split or chosen.val_split}
    changes |= {"root": make_absolute(dataset, root)} if root else {}
    changes |= {"white_level": config.white_level} if config.white_level else {}
    return chosen.model_copy(update=changes)


def open_split(config: DataConfig, split: str, *, white_level: float | None = None) -> SegmentationData:
    """A split of the data set.

    Raises:
        InvalidInputError, DatasetError: as in `open_data`.
    """
    is_train = split == config.train_split
    return open_data(
        config.dataset,
        root=config.root,
        split=split,
        count=config.train_scenes if is_train else config.val_scenes,
        size=config.scene_size,
        white_level=white_level or config.white_level,
    )


def name_classes(network: TrainedNetwork, of_data: ClassTable) -> tuple[tuple[str, ...], tuple[Colour, ...]]:
    """Names and colours of the network's classes: its own names if known, else those of the data set.

    Raises:
        InvalidInputError: the data set has other classes.
    """
    names = network.class_names
    if names is None:
        if network.num_classes != len(of_data.names):
            raise InvalidInputError(
                f"the network has {network.num_classes} classes, but the data set has {len(of_data.names)}: "
                f"{', '.join(of_data.names)}"
            )
        return of_data.names, of_data.palette
    order = find_order(names, of_data.names)
    colours = dict(zip(order, of_data.palette, strict=True))
    return names, network.palette or tuple(colours[index] for index in range(len(names)))


def open_fit_data(
    config: DataConfig,
    names: Sequence[str],
    palette: Sequence[Colour],
    *,
    requires_val: bool,
    limit: int | None = None,
) -> FitData:
    """The images to learn from and those set aside.

    Args:
        config: The data set and its splits.
        names: Classes of the network.
        palette: Their colours.
        requires_val: Whether the validation split was asked for; otherwise a part of the training split does if there
            is none.
        limit: Learn from at most this many images, evenly spaced.

    Raises:
        DatasetError: a split cannot be read, or has too few images.
        InvalidInputError: the data set has other classes.
    """
    train = open_split(config, config.train_split)
    classes = ClassTable(tuple(names), tuple(palette))
    find_order(classes.names, train.classes.names)  # they must be the same
    white_level = find_used_white_level(train)
    config = config.model_copy(update={"white_level": white_level})
    try:
        val = (
            None
            if config.val_split == config.train_split
            else open_split(config, config.val_split, white_level=white_level)
        )
    except MissingSplitError as error:
        if requires_val:
            raise
        log.warning("no validation split (%s): every tenth image of %s is set aside", error, config.train_split)
        val = None
    if val is not None and val.names == train.names and val.fingerprint == train.fingerprint:
        if requires_val:
            raise DatasetError(f"the split '{config.val_split}' has the same images as '{config.train_split}'")
        log.info("the splits are the same images, so every tenth of them is set aside")
        val = None
    free, ordered = range(len(train)), reorder_classes(train, names, palette)
    if val is not None:
        val_part = OrderedData(reorder_classes(val, names, palette), tuple(range(len(val))), classes)
    elif len(train) < 2:
        raise DatasetError(f"the split '{config.train_split}' has only one image; at least 2 are needed")
    else:
        aside = tuple(free[ASIDE // 2 :: ASIDE]) or (len(train) - 1,)
        val_part = OrderedData(ordered, aside, classes)
        free = [index for index in free if index not in aside]
        config = config.model_copy(update={"val_split": config.train_split})
    train_part = OrderedData(ordered, _space_evenly(free, limit), classes)
    return FitData(train_part, val_part, config)


def open_ordered(config: DataConfig, names: Sequence[str], palette: Sequence[Colour]) -> OrderedData:
    """The training split, with label maps in the order of the names.

    Raises:
        DatasetError: the split cannot be read.
        InvalidInputError: the data set has other classes.
    """
    data = open_split(config, config.train_split)
    find_order(names, data.classes.names)  # they must be the same
    ordered = reorder_classes(data, names, palette)
    return OrderedData(ordered, tuple(range(len(data))), ClassTable(tuple(names), tuple(palette)))


def _space_evenly(indices: Sequence[int], limit: int | None) -> tuple[int, ...]:
    spaced = np.linspace(0, len(indices) - 1, min(limit or len(indices), len(indices))).round().astype(int)
    return tuple(indices[index] for index in spaced)
