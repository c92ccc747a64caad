"""Experiment trackers that receive every number of metrics.jsonl: TensorBoard, Weights & Biases, Trackio."""

import importlib
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import Logger
from lightning_fabric.loggers.tensorboard import TensorBoardLogger
from lightning_fabric.utilities.rank_zero import rank_zero_only

from hlcore.config import TrainConfig
from hlcore.errors import InvalidInputError

PROJECT = "hlcore"
"""Name of the project in Weights & Biases and in Trackio."""


def make_loggers(config: TrainConfig, folder: Path) -> list[Logger]:
    """The tracker that the settings name, if any; it is opened when the first number is logged.

    Args:
        config: Settings of the run.
        folder: Of the run; TensorBoard's files are in its subfolder `tensorboard`.

    Raises:
        InvalidInputError: the tracker is not installed.
    """
    if config.log is None:
        return []
    try:
        if config.log == "tensorboard":
            return [TensorBoardLogger(folder, name="", version="tensorboard", default_hp_metric=False)]
        return [_Tracker(importlib.import_module(config.log), config, folder)]
    except ModuleNotFoundError as error:
        missing = error.name or config.log
        raise InvalidInputError(
            f"log {config.log!r} needs {missing}, which is not installed; pip install 'hlcore[{config.log}]'"
        ) from error


class _Tracker(Logger):
    """Weights & Biases, or Trackio, which has the same functions."""

    def __init__(self, tracker: Any, config: TrainConfig, folder: Path) -> None:
        self._tracker = tracker
        self._config = config
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
        """Send numbers; the first call opens a run, so that one which is resumed here is a new one there."""
        if self._run is None:
            settings = self._config.model_dump(mode="json")
            folder = {"dir": str(self._folder)} if self._config.log == "wandb" else {}
            self._run = self._tracker.init(project=self.name, name=self.version, config=settings, **folder)
        self._run.log(metrics, step=step)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the settings are sent when the run is opened."""

    @rank_zero_only
    def finalize(self, status: str) -> None:  # noqa: ARG002  (the interface of loggers)
        """Close the run."""
        if self._run is not None:
            self._run.finish()
            self._run = None
