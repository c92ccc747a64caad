"""A data set in another order of its classes: that of a network which knows the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hlcore.data.labels import ClassTable, Colour
from hlcore.data.samples import PairedFiles, Sample, SegmentationData
from hlcore.data.text import normalise_name
from hlcore.errors import InvalidInputError


@dataclass(frozen=True)
class Reordered:
    """A data set whose label maps have the class indices of a network."""

    data: SegmentationData
    classes: ClassTable
    order: tuple[int, ...]
    """Index of each class of the data set among those of the network."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample."""
        return self.data.names

    @property
    def fingerprint(self) -> str:
        """That of the data set itself."""
        return self.data.fingerprint

    @property
    def white_level(self) -> float | None:
        """That of the data set itself."""
        return self.data.white_level if isinstance(self.data, PairedFiles) else None

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`. Raises what the data set raises."""
        sample = self.data[index]
        return replace(sample, label_map=None if sample.label_map is None else self._reorder(sample.label_map))

    def _reorder(self, label_map: np.ndarray) -> np.ndarray:
        table = np.arange(max(256, int(label_map.max(initial=0)) + 1))  # what is no class stays what it is
        table[: len(self.order)] = self.order
        return table.astype(label_map.dtype)[label_map]


def reorder_classes(data: SegmentationData, names: Sequence[str], palette: Sequence[Colour]) -> SegmentationData:
    """The data set in the order of these classes, if it has the same ones; otherwise as it is."""
    if tuple(names) == data.classes.names:
        return data
    try:
        order = find_order(names, data.classes.names)
    except InvalidInputError:
        return data
    return Reordered(data, ClassTable(tuple(names), tuple(palette)), order)


def find_order(of_network: Sequence[str], of_data: Sequence[str]) -> tuple[int, ...]:
    """Index of each class of the data set among those of the network; case counts only if it tells classes apart.

    Raises:
        InvalidInputError: they are not the same classes.
    """
    network, data = ([normalise_name(name) for name in names] for names in (of_network, of_data))
    if network == data:
        return tuple(range(len(network)))
    if sorted(network) != sorted(data):
        network, data = ([name.casefold() for name in names] for names in (network, data))
    if sorted(network) != sorted(data) or len(set(network)) < len(network):
        raise InvalidInputError(
            f"the network has the classes {', '.join(of_network)}, but the data set has {', '.join(of_data)}; they "
            "must be the same, in any order"
        )
    return tuple(network.index(name) for name in data)
