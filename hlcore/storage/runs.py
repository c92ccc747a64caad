"""Run folders. Only this module knows their layout."""

import json
import re
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from hlcore.config import TrainConfig
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.files import (
    Count,
    describe_validation_error,
    explain_write_errors,
    make_folder,
    read_json,
    write_text,
)
from hlcore.storage.maps import StoredMaps
from hlcore.storage.probes import Probe
from hlcore.storage.run_records import RunRecord
from hlcore.types import ErrorModel

IOU_PREFIX = "iou/"
STEP_COLUMNS = (
    "epoch",
    "iteration",
    "mean_ce",
    "weighted_ce",
    "hardness_lift",
    "lr",
    "encoder_lr",
    "hardness_lr",
    "gradient_norm",
    "hardness_gradient_norm",
    "images_per_s",
)
EPOCH_COLUMNS = ("epoch", "iteration", "mean_iou", "pixel_accuracy", "val_ce", "val_hardness_lift")


class Run:
    """A training run on disk; its files are read on demand."""

    def __init__(self, path: Path, record: RunRecord) -> None:
        self.path = path
        self.record = record

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.record.name

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epochs with a checkpoint, ascending; 0 is before training. Of imported maps: the steps, from 1."""
        if self.record.imported is not None:
            return tuple(range(1, len(self.record.imported.steps) + 1))
        numbers = [re.fullmatch(r"epoch-([0-9]{4,9})", path.stem) for path in self._list_checkpoints()]
        found = {int(number[1]) for number in numbers if number}
        return tuple(sorted(epoch for epoch in found if self.checkpoint_path(epoch).exists()))

    def list_faults(self) -> list[str]:
        """One sentence for each part that cannot be used and is left out: of the metrics, checkpoints and probe set."""
        if self.record.imported is not None:
            return []
        known = {self.checkpoint_path(epoch).name for epoch in self.epochs}
        strays = sorted(path.name for path in self._list_checkpoints() if path.name not in known)
        faults = self._read_metrics().faults
        if strays:
            more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
            faults.append(
                f"{self._checkpoints}: left out {strays[0]!r}{more}; a checkpoint has a name such as "
                f"{self.checkpoint_path(24).name}"
            )
        try:
            Probe.open(self.probe_path)
        except CheckpointError as error:
            faults.append(f"{error}; the followed images are left out")
        return faults

    @property
    def spaced_epochs(self) -> tuple[int, ...]:
        """The evenly spaced ones among `epochs`: a best epoch kept between them would distort comparisons over time."""
        if self.record.imported is not None:
            return self.epochs
        planned = list_spaced_epochs(self.record.config)
        return tuple(epoch for epoch in self.epochs if epoch in planned)

    def checkpoint_path(self, epoch: int) -> Path:
        """Path of the checkpoint of an epoch, whether it exists or not."""
        return self._checkpoints / f"epoch-{epoch:04d}.safetensors"

    def name_epoch(self, epoch: int, *, short: bool = False) -> str:
        """An epoch in words, such as "epoch 3" or "3"; of imported maps, the name of the step, or that of the run."""
        if self.record.imported is None:
            return str(epoch) if short else f"epoch {epoch}"
        return self.record.imported.steps[epoch - 1] or self.name

    def require_network(self) -> None:
        """Raise InvalidInputError if the run holds imported maps instead of a network."""
        if self.record.imported is not None:
            raise InvalidInputError(f"{self.path} holds imported maps and no network; this needs a trained run")

    @cached_property
    def maps(self) -> StoredMaps:
        """The imported maps.

        Raises:
            InvalidInputError: the run has a network instead.
            CheckpointError: they cannot be read.
        """
        if self.record.imported is None:
            raise InvalidInputError(f"{self.path} has a network and no imported maps")
        return StoredMaps(self.path / "maps", self.record.imported, num_classes=len(self.record.class_names))

    @property
    def is_blank(self) -> bool:
        """Whether training stopped before its first state was saved, so that there is nothing to resume or to lose."""
        if self.record.imported is not None:
            return False
        return not self.resume_path.exists() and not self._metrics_path.exists() and self.epochs in ((), (0,))

    @property
    def resume_path(self) -> Path:
        """Path of the training state, whether it exists or not."""
        return self.path / "resume.pt"

    @property
    def probe(self) -> Probe | None:
        """The probe set, or None if there is none."""
        return Probe.open(self.probe_path, num_classes=len(self.record.class_names))

    @property
    def probe_path(self) -> Path:
        """Folder of the probe set, whether it exists or not."""
        return self.path / "probe"

    def step_table(self) -> pd.DataFrame:
        """One row per training step, with STEP_COLUMNS; losses in nats, NaN where not logged.

        Lines of metrics.jsonl that hold no row are left out; `list_faults` names them.
        """
        return self._metrics("step", STEP_COLUMNS)

    def epoch_table(self) -> pd.DataFrame:
        """One row per validated epoch, with EPOCH_COLUMNS and iou/<class>; NaN for an absent class.

        Lines of metrics.jsonl that hold no row are left out; `list_faults` names them.
        """
        return self._metrics("epoch", (*EPOCH_COLUMNS, *(IOU_PREFIX + name for name in self.record.class_names)))

    def append_metrics(self, kind: Literal["step", "epoch"], row: dict[str, Any]) -> None:
        """Append a line to metrics.jsonl."""
        with explain_write_errors(self._metrics_path), self._metrics_path.open("a", encoding="utf-8") as metrics:
            metrics.write(json.dumps({"kind": kind, **row}) + "\n")

    def drop_metrics_after(self, iteration: int, *, epoch: int) -> None:
        """Drop the metrics of later steps and epochs, so that a resumed run logs each of them once.

        Raises:
            CheckpointError: a line of metrics.jsonl holds no row, other than a truncated last one.
        """
        rows, faults = self._read_metrics()
        if faults:
            raise CheckpointError(f"{faults[0]}; correct or delete the damaged lines and resume again")
        is_before = {"step": lambda row: row.iteration <= iteration, "epoch": lambda row: row.epoch <= epoch}
        kept = [json.dumps(row.model_dump()) + "\n" for row in rows if is_before[row.kind](row)]
        write_text(self._metrics_path, "".join(kept))

    def write_state(self, state: Literal["running", "interrupted", "complete", "failed"]) -> "Run":
        """The run with another state, written to run.json."""
        return self._write_record({"state": state})

    def write_best_epoch(self, epoch: int) -> "Run":
        """The run with another best epoch, written to run.json; the former one goes if it is not evenly spaced."""
        former = self.record.best_epoch
        run = self._write_record({"best_epoch": epoch})
        if former not in (None, epoch, *list_spaced_epochs(self.record.config)):
            self.checkpoint_path(former).unlink(missing_ok=True)
        return run

    def write_error_model(self, model: ErrorModel) -> "Run":
        """The run with another error model, written to run.json."""
        return self._write_record({"error_model": model})

    def _write_record(self, changes: dict[str, Any]) -> "Run":
        run = Run(self.path, self.record.model_copy(update=changes))
        write_text(self.path / "run.json", run.record.model_dump_json(indent=2) + "\n")
        return run

    @property
    def _checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def _metrics_path(self) -> Path:
        return self.path / "metrics.jsonl"

    def _list_checkpoints(self) -> list[Path]:
        return [path for path in self._checkpoints.glob("*.safetensors") if not path.name.startswith(".")]

    def _metrics(self, kind: str, columns: tuple[str, ...]) -> pd.DataFrame:
        rows = [row.model_dump() for row in self._read_metrics().rows if row.kind == kind]
        return pd.DataFrame(rows, columns=list(columns)).astype(float).astype({"epoch": int, "iteration": int})

    def _read_metrics(self) -> "_Metrics":
        path = self._metrics_path
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            return _Metrics([], [f"{path} cannot be read: {error}"])
        rows, damaged, lines = [], [], content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                if line.strip():
                    rows.append(_MetricsRow.model_validate_json(line))
            except ValidationError as error:
                if number < len(lines):  # a crash can only truncate the last line
                    damaged.append(f"line {number}: {describe_validation_error(error, _MetricsRow)}")
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        return _Metrics(rows, [f"{path}: left out {damaged[0]}{more}"] if damaged else [])


class _MetricsRow(BaseModel):
    """A line of metrics.jsonl; besides these fields it holds numbers by name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, float | None]  # pyright: ignore[reportIncompatibleVariableOverride]  (documented use)

    kind: Literal["step", "epoch"]
    epoch: Count
    iteration: Count


class _Metrics(NamedTuple):
    """The rows of metrics.jsonl, and a sentence if a line holds none."""

    rows: list[_MetricsRow]
    faults: list[str]


def list_spaced_epochs(config: TrainConfig) -> tuple[int, ...]:
    """The epochs that training keeps by plan, ascending: 0 (before training), the last, and others evenly between.

    With `keep_epochs` 1, only the last. Training also keeps the best epoch on validation.

    Example:
        >>> list_spaced_epochs(TrainConfig(keep_epochs=4, optim={"epochs": 10}))
        (0, 3, 7, 10)
        >>> list_spaced_epochs(TrainConfig(keep_epochs=1, optim={"epochs": 10}))
        (10,)
    """
    epochs = config.optim.epochs
    if config.keep_epochs == 1:
        return (epochs,)
    return tuple(np.linspace(0, epochs, min(config.keep_epochs, epochs + 1)).round().astype(int).tolist())


def create_run(record: RunRecord, folder: Path) -> Run:
    """A new run in the folder `folder`/<name>, in place of one that stopped before its first state was saved.

    Raises:
        CheckpointError: a run of that name exists, or the folder cannot be created.
    """
    path = folder / record.name
    check_no_existing_run(path)
    make_folder(path)
    run = Run(path, record)
    for left in (run.checkpoint_path(0).parent, run.probe_path):
        shutil.rmtree(left, ignore_errors=True)
    return run.write_state(record.state)


def check_no_existing_run(path: Path) -> None:
    """Raise CheckpointError if the folder holds a run that can be resumed or used."""
    if (path / "run.json").exists() and not open_run(path).is_blank:
        raise CheckpointError(f"{path} already holds a run; continue it with --resume {path} or give another --name")


def open_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        CheckpointError: the folder has no run.json, or one that this version cannot read.
    """
    record = path / "run.json"
    if not record.is_file():
        raise CheckpointError(f"{path} is not a run: it has no run.json")
    return Run(path, read_json(record, RunRecord))


def find_runs(*roots: Path) -> tuple[Path, ...]:
    """Run folders among the roots and their subfolders, in the order of the roots, then by name."""
    found = []
    for root in roots:
        found += [p.parent for p in [root / "run.json", *sorted(root.glob("*/run.json"))] if p.is_file()]
    return tuple(dict.fromkeys(found))
