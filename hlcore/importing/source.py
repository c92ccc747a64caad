"""Maps to import, wherever they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

SINGLE = ""
"""The step of maps that have no steps."""
Arrays: TypeAlias = Mapping[str, Any]
"""Image name to array. Not typed further: a check of the types would read arrays, and wrong ones get a sentence."""


@dataclass(frozen=True)
class MapSource:
    """Images with their scores; each mapping is by image name, and may read when it is asked.

    Attributes:
        images: Files, or H W 3 uint8.
        labels: H W class indices, 255 = ignored; empty if there are none.
        predictions: Step to H W class indices of each image; empty if there are none.
        scores: Step to score to H W numbers of each image.
    """

    images: Arrays
    labels: Arrays
    predictions: Mapping[str, Arrays]
    scores: Mapping[str, Mapping[str, Arrays]]
