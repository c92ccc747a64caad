"""Maps to import, wherever they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Num

from hlcore.types import Image, LabelMap

SINGLE = ""
"""The step of maps that have no steps."""
Score = Num[np.ndarray, "H W"]


@dataclass(frozen=True)
class MapSource:
    """Images with their scores; each mapping is by image name, and may read when it is asked.

    Attributes:
        images: Files, or H W 3 uint8.
        labels: H W class indices, 255 = ignored; empty if there are none.
        predictions: Step to class indices of each image; empty if there are none.
        scores: Step to score to H W numbers of each image.
    """

    images: Mapping[str, Path | Image]
    labels: Mapping[str, LabelMap]
    predictions: Mapping[str, Mapping[str, LabelMap]]
    scores: Mapping[str, Mapping[str, Mapping[str, Score]]]
