"""The run, data and settings of an analysis."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import yaml
from jaxtyping import Integer

from hlcore.analysis.merging import find_target_indices
from hlcore.config import AnalyzeConfig
from hlcore.data.catalog import STREETS, open_data
from hlcore.data.samples import PairedFiles, SegmentationData
from hlcore.data.text import normalise_name, read_yaml
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.storage.analyses import AnalysisRecord
from hlcore.storage.loading import resolve_epoch
from hlcore.storage.runs import Run, installed_versions, utc_now


@dataclass(frozen=True)
class AnalysisJob:
    """A run, the data it is measured on and the settings.

    Attributes:
        run: The run to measure.
        data: The whole split.
        root: Folder of the data set; None for streets.
        config: What to measure.
        merged: Class of the run to class of the data set, or None if they have the same classes.
        targets: `merged` as indices.
    """

    run: Run
    data: SegmentationData
    root: Path | None
    config: AnalyzeConfig
    merged: dict[str, str] | None
    targets: Integer[np.ndarray, " C"] | None

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """Indices of the images to measure: all, or `limit` of them, evenly spaced."""
        count, limit = len(self.data), self.config.limit or len(self.data)
        return tuple(np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist())

    @cached_property
    def epoch(self) -> int:
        """The epoch to measure."""
        return resolve_epoch(self.run, self.config.epoch)

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """Epochs to compare for stability, ascending; empty for none."""
        if self.config.epochs is None:
            return ()
        if self.config.epochs == "all":
            return self.run.spaced_epochs
        return tuple(sorted({resolve_epoch(self.run, int(epoch)) for epoch in self.config.epochs.split(",")}))

    @property
    def path(self) -> Path:
        """Folder of the analysis."""
        name = f"{self.dataset}-{self.split}"
        return self.config.out or self.run.path / "analyses" / name

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.config.dataset or self.run.record.config.data.dataset

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.config.split or self.run.record.config.data.val_split

    def record(self, *, device: str, command: str) -> AnalysisRecord:
        """The content of analysis.json."""
        return AnalysisRecord(
            state="running",
            created=utc_now(),
            run=self.run.name,
            epoch=self.epoch,
            epochs=self.epochs,
            weights=_weights_fingerprint(
                [self.run.checkpoint_path(e) for e in dict.fromkeys([self.epoch, *self.epochs])]
            ),
            dataset=self.dataset,
            root=self.root,
            split=self.split,
            data_fingerprint=self.data.fingerprint,
            images=len(self.indices),
            class_names=self.data.classes.names,
            palette=self.data.classes.palette,
            merged=self.merged,
            mc_dropout=self.config.mc_dropout,
            window=self.config.window,
            thumbnails=self.config.thumbnails,
            scene_size=self.run.record.config.data.scene_size if self.dataset == STREETS else None,
            white_level=self.data.white_level if isinstance(self.data, PairedFiles) else None,
            device=_device_name(device),
            versions=installed_versions(),
            command=command,
        )


def open_job(run: Run, root: Path | None, config: AnalyzeConfig) -> AnalysisJob:
    """The job of measuring a run on a data set.

    Raises:
        InvalidInputError: unknown data set or epoch, or the classes differ and are not merged.
        DatasetError: the files do not have the layout of the data set.
    """
    settings = run.record.config.data
    dataset = config.dataset or settings.dataset
    if root is None and dataset == settings.dataset:
        root = settings.root
    data = open_data(
        dataset,
        root=root,
        split=config.split or settings.val_split,
        count=settings.val_scenes,
        size=settings.scene_size,
        white_level=settings.white_level if dataset == settings.dataset else None,
    )
    root = None if dataset == STREETS or root is None else root.resolve()
    merged = None if config.merge is None else read_merge(config.merge)
    names = run.record.class_names
    if merged is not None:
        return AnalysisJob(run, data, root, config, merged, find_target_indices(merged, names, data.classes.names))
    if data.classes.names != names:
        raise InvalidInputError(
            f"{run.path} was trained on the classes {', '.join(names)}, but the data set has "
            f"{', '.join(data.classes.names)}; map each class of the run to one of the data set with --merge FILE"
        )
    return AnalysisJob(run, data, root, config, None, None)


def read_merge(path: Path) -> dict[str, str]:
    """Class of the run to class of the data set, from a YAML or JSON file.

    Raises:
        InvalidInputError: the file cannot be read or is not a mapping of class names.
    """
    form = "expected one line per class of the run, such as 'Car: vehicles'"
    try:
        merged = read_yaml(path)  # JSON is YAML
    except (OSError, DatasetError, yaml.YAMLError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}; {form}") from error
    if not isinstance(merged, dict) or not all(isinstance(name, str) for pair in merged.items() for name in pair):
        raise InvalidInputError(f"{path} does not map class names to class names; {form}")
    return {normalise_name(name): normalise_name(target) for name, target in merged.items()}


def _weights_fingerprint(paths: Sequence[Path]) -> str:
    digest = sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} of {os.cpu_count()} cores" if device == "cpu" else device
