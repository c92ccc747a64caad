"""Cache samples in memory, so that later epochs need not read or generate them again."""

from dataclasses import dataclass, field

from hlcore.data.labels import ClassTable
from hlcore.data.samples import Sample, SegmentationData


@dataclass
class CachedData:
    """A data set that keeps the first `limit_mb` megabytes of decoded samples in memory.

    Each loading process has its own cache.
    """

    data: SegmentationData
    limit_mb: float
    _kept: dict[int, Sample] = field(default_factory=dict, repr=False)
    _kept_mb: float = 0.0

    @property
    def classes(self) -> ClassTable:
        """Names and colours of the classes."""
        return self.data.classes

    @property
    def names(self) -> tuple[str, ...]:
        """One name per sample."""
        return self.data.names

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the cached data set."""
        return self.data.fingerprint

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`, cached while there is room."""
        if index in self._kept:
            return self._kept[index]
        sample = self.data[index]
        label_bytes = 0 if sample.label_map is None else sample.label_map.nbytes
        size_mb = (sample.image.nbytes + label_bytes) / 1e6
        if self._kept_mb + size_mb <= self.limit_mb:
            self._kept[index] = sample
            self._kept_mb += size_mb
        return sample
