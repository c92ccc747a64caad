"""Experiment trackers that receive every number of metrics.jsonl: TensorBoard, Weights & Biases, Trackio."""

import importlib
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import Logger
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from lightning_fabric.utilities.rank_zero import rank_zero_only

from hlcore.config import FrozenModel, TrainConfig
from hlcore.errors import InvalidInputError, TrainingError

PROJECT = "hlcore"
"""Name of the project in Weights & Biases and in Trackio."""


def make_loggers(config: TrainConfig, folder: Path, settings: FrozenModel | None = None) -> list[Logger]:
    """The tracker that the settings name, if any; it is opened when the first number is logged.

    Args:
        config: Settings of the run.
        folder: Of the run; TensorBoard's files are in its subfolder `tensorboard`.
        settings: What to send as settings. Default: `config`.

    Raises:
        InvalidInputError: the tracker is not installed.
    """
    if config.log is None:
        return []
    try:
        if config.log == "tensorboard":
            return [TensorBoardLogger(folder, name="", version="tensorboard", default_hp_metric=False)]
        sent = (settings or config).model_dump(mode="json")
        return [_Tracker(importlib.import_module(config.log), config, sent, folder)]
    except ModuleNotFoundError as error:
        missing = error.name or config.log
        raise InvalidInputError(
            f"log {config.log!r} needs {missing}, which is not installed; pip install 'hlcore[{config.log}]'"
        ) from error


class _Tracker(Logger):
    """Weights & Biases, or Trackio, which has the same functions."""

    def __init__(self, tracker: Any, config: TrainConfig, settings: dict[str, Any], folder: Path) -> None:
        self._tracker = tracker
        self._config = config
        self._settings = settings
        self._folder = folder
        self._run: Any = None

    @property
    def name(self) -> str:
        """Name of the project."""
        return PROJECT

    @property
    def version(self) -> str:
        """Name of the run."""
        return self._config.run_name

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Send numbers; the first call opens a run there, also when the run here is resumed.

        Raises:
            TrainingError: the tracker cannot open a run, for lack of a login, say.
        """
        if self._run is None:
            folder = {"dir": str(self._folder)} if self._config.log == "wandb" else {}
            try:
                self._run = self._tracker.init(project=self.name, name=self.version, config=self._settings, **folder)
            except Exception as error:  # the trackers may raise anything
                raise TrainingError(
                    f"{self._config.log} cannot be opened: {' '.join(str(error).split())[:300]}; run without --log"
                ) from error
        self._run.log(metrics, step=step)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the settings are sent when the run is opened."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the run; only Weights & Biases knows failed ones."""
        if self._run is not None:
            failed = {"exit_code": 1} if self._config.log == "wandb" and status != "success" else {}
            self._run.finish(**failed)
            self._run = None
