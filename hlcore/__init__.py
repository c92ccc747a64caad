"""Train, run and measure semantic-segmentation networks with a learned hardness map.

These names are the stable interface; docs/library.md shows how to use them. Each is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hlcore.fitting.library import fit_hardness as fit_hardness
    from hlcore.importing.maps import save_maps as save_maps
    from hlcore.inference import predict as predict
    from hlcore.models.hardness import HardnessBranch as HardnessBranch
    from hlcore.models.hooks import FeatureHook as FeatureHook
    from hlcore.training.hardness_loss import HardnessLoss as HardnessLoss

_HOMES = {
    "FeatureHook": "hlcore.models.hooks",
    "HardnessBranch": "hlcore.models.hardness",
    "HardnessLoss": "hlcore.training.hardness_loss",
    "fit_hardness": "hlcore.fitting.library",
    "predict": "hlcore.inference",
    "save_maps": "hlcore.importing.maps",
}
__all__ = ["FeatureHook", "HardnessBranch", "HardnessLoss", "fit_hardness", "predict", "save_maps"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hlcore' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
