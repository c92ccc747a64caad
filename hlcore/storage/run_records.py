"""The record of a run, as run.json holds it."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, get_args

from pydantic import model_validator

from hlcore.config import FitConfig, FrozenModel, TrainConfig
from hlcore.storage.files import ClassNames, Count, FileName, Palette, check_palette, fill_in_old_network
from hlcore.storage.maps import Imported
from hlcore.types import ErrorModel, FreeScore

IMPORTED_DATA = "imported"
"""Name of the data set of a run of imported maps: its own images."""
_PACKAGES = ("hlcore", "torch", "torchvision", "timm", "segmentation-models-pytorch", "lightning-fabric", "numpy")


class Fitted(FrozenModel):
    """How the hardness branch of a run was learned for a network that was already trained."""

    model: str
    """The network: an absolute path, or a name."""
    settings: FitConfig


class RunRecord(FrozenModel):
    """The content of run.json."""

    name: FileName
    state: Literal["running", "interrupted", "complete", "failed"]
    created: datetime
    config: TrainConfig
    data_fingerprint: str
    class_names: ClassNames
    palette: Palette
    parameters: Count
    """Number of trained parameters."""
    hardness_parameters: Count
    """Number of them in the hardness branch."""
    device: str
    versions: dict[str, str]
    best_epoch: int | None = None
    """The epoch with the highest validation mIoU so far, whose weights are kept; None before the first.
    Of a fitted run: the one with the highest lift."""
    error_model: ErrorModel | None = None
    """What tells the wrong pixels of this network from the right ones; `hlcore suspicion` and `hlcore fit` learn it."""
    fitted: Fitted | None = None
    """None if the whole network was trained. Otherwise only the settings in `fitted` had an effect; `config` says what
    training would have looked like."""
    imported: Imported | None = None
    """Of a run of imported maps, which has no network: what it consists of. `config` then says nothing."""

    _check_palette = model_validator(mode="after")(check_palette)

    @model_validator(mode="after")
    def _check_error_model(self) -> "RunRecord":
        if (model := self.error_model) is not None:
            if len(model.class_weights) != len(self.class_names):
                raise ValueError(
                    f"error_model has {len(model.class_weights)} class_weights for {len(self.class_names)} classes"
                )
            if unknown := set(model.weights) - set(get_args(FreeScore)):
                raise ValueError(f"error_model has the unknown score '{min(unknown)}'")
        return self

    @property
    def objective(self) -> str:
        """What the network was trained with: the name of the loss; "fitted" or "imported" if not trained here."""
        if self.imported is not None:
            return "imported"
        return "fitted" if self.fitted else self.config.loss.name

    @model_validator(mode="before")
    @classmethod
    def _fill_in_old_defaults(cls, record: Any) -> Any:
        """Runs from before `hardness_optimizer` existed used AdamW, those from before `hardness_norm` had none."""
        match record:
            case {"config": {"network": dict() as network, "optim": dict() as optim} as config}:
                filled = {"network": fill_in_old_network(network), "optim": {"hardness_optimizer": "adamw"} | optim}
                return {**record, "config": {**config, **filled}}
        return record


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def utc_now() -> datetime:
    """The current time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
