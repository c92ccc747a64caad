from collections import Counter

import numpy as np

from hlcore.data.labels import CAMVID
from hlcore.data.memory import CachedData
from hlcore.data.samples import Sample, SegmentationData


class Counted:
    """Four samples of 40 000 bytes that count how often each is made."""

    def __init__(self) -> None:
        self.made: Counter[int] = Counter()
        self.classes, self.names, self.fingerprint = CAMVID, ("a", "b", "c", "d"), "0" * 64

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        self.made[index] += 1
        return Sample(self.names[index], np.full((100, 100, 3), index, np.uint8), np.zeros((100, 100), np.uint8))


def test_samples_that_fit_are_made_once_and_the_rest_every_time() -> None:
    counted = Counted()
    cached = CachedData(counted, limit_mb=0.1)
    for _ in range(3):
        assert [int(cached[index].image[0, 0, 0]) for index in range(4)] == [0, 1, 2, 3]
    assert counted.made == {0: 1, 1: 1, 2: 3, 3: 3}


def test_it_has_the_interface_of_the_data_set_it_caches() -> None:
    counted = Counted()
    cached = CachedData(counted, limit_mb=1)
    assert isinstance(cached, SegmentationData)
    assert (cached.names, cached.classes, cached.fingerprint, len(cached)) == (counted.names, CAMVID, "0" * 64, 4)
