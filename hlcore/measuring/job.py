"""The run, data and settings of an analysis."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hlcore.analysis.merging import ClassMerge
from hlcore.config import AnalyzeConfig
from hlcore.data.catalog import STREETS, open_data
from hlcore.data.ordering import Reordered, reorder_classes
from hlcore.data.samples import PairedFiles, SegmentationData
from hlcore.errors import InvalidInputError
from hlcore.imported import ImportedData
from hlcore.measuring.class_mappings import find_known_mapping, map_shared_names, read_mapping
from hlcore.storage.analyses import AnalysisRecord
from hlcore.storage.loading import resolve_epoch
from hlcore.storage.run_records import IMPORTED_DATA, installed_versions, utc_now
from hlcore.storage.runs import Run


@dataclass(frozen=True)
class AnalysisJob:
    """A run, the data it is measured on and the settings.

    Attributes:
        run: The run to measure.
        data: The whole split.
        root: Folder of the data set; None for streets.
        config: What to measure.
        merge: How the classes of the run and the data set are merged; None if they are the same.
    """

    run: Run
    data: SegmentationData
    root: Path | None
    config: AnalyzeConfig
    merge: ClassMerge | None

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """Indices of the images to measure: all, or `limit` of them, evenly spaced."""
        count, limit = len(self.data), self.config.limit or len(self.data)
        return tuple(np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the images to measure."""
        of_data = self.data.names
        return tuple(of_data[index] for index in self.indices)

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
        name = IMPORTED_DATA if self.run.record.imported else f"{self.dataset}-{self.split}"
        return self.config.out or self.run.path / "analyses" / name

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.config.dataset or self.run.record.config.data.dataset

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.config.split or self.run.record.config.data.val_split

    @property
    def class_names(self) -> tuple[str, ...]:
        """The scored classes."""
        return self.data.classes.names if self.merge is None else self.merge.names

    def record(self, *, device: str, backend: str, command: str) -> AnalysisRecord:
        """The content of analysis.json; the arguments are fields of it."""
        return AnalysisRecord(
            state="running",
            created=utc_now(),
            run=self.run.name,
            epoch=self.epoch,
            epochs=self.epochs,
            weights=_weights_fingerprint(self.run, list(dict.fromkeys([self.epoch, *self.epochs]))),
            dataset=self.dataset,
            root=self.root,
            split=self.split,
            data_fingerprint=self.data.fingerprint,
            images=len(self.indices),
            **self._describe_classes(),
            imported=self.run.record.imported,
            error_model=self.run.record.error_model if self.merge is None else None,
            mc_dropout=self.config.mc_dropout,
            window=self.config.window,
            thumbnails=self.config.thumbnails,
            scene_size=self.run.record.config.data.scene_size if self.dataset == STREETS else None,
            white_level=self.data.white_level if isinstance(self.data, PairedFiles | Reordered) else None,
            device=device,
            backend=backend,
            versions=installed_versions(),
            command=command,
        )

    def describe_merge(self) -> str:
        """The scored classes, and those that are left out, in a sentence or two."""
        described = self._describe_classes()
        left_out = [
            f"classes of {side} left out: {', '.join(described[key])}"
            for side, key in (("the run", "ignored_classes"), ("the data set", "ignored_labels"))
            if described.get(key)
        ]
        return "; ".join([f"scored in {len(self.class_names)} classes: {', '.join(self.class_names)}", *left_out])

    def _describe_classes(self) -> dict[str, Any]:
        classes, merge = self.data.classes, self.merge
        if merge is None:
            return {"class_names": classes.names, "palette": classes.palette}
        of_run, of_data = merge.name_targets(self.run.record.class_names, classes.names)
        first = [merge.of_data.tolist().index(position) for position in range(len(merge.names))]
        return {
            "class_names": merge.names,
            "palette": tuple(classes.palette[position] for position in first),
            "merged": of_run,
            "merged_labels": None if all(name == of_data.get(name) for name in classes.names) else of_data,
            "ignored_classes": tuple(name for name in self.run.record.class_names if name not in of_run),
            "ignored_labels": tuple(name for name in classes.names if name not in of_data),
        }


def open_job(run: Run, root: Path | None, config: AnalyzeConfig) -> AnalysisJob:
    """The job of measuring a run on a data set.

    Raises:
        InvalidInputError: unknown data set or epoch, or the classes differ and are not merged.
        DatasetError: the files do not have the layout of the data set.
    """
    settings = run.record.config.data
    if run.record.imported is not None:
        return AnalysisJob(run, _open_imported(run, root, config), None, config, None)
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
    if config.merge is None and not config.ignore:
        data = reorder_classes(data, run.record.class_names, run.record.palette)
    root = None if dataset == STREETS or root is None else root.resolve()
    merge = _merge_classes(run.record.class_names, data.classes.names, config)
    return AnalysisJob(run, data, root, config, merge)


def _open_imported(run: Run, root: Path | None, config: AnalyzeConfig) -> ImportedData:
    """The images of imported maps, which are measured as they are."""
    fixed = {"dataset", "split", "merge", "ignore", "mc_dropout", "window", "device", "backend"}
    given = {name: value for name, value in config.model_dump(include=fixed).items() if value != "auto"}
    if root is not None or any(given.values()):
        what = str(root) if root is not None else next(f"--{name.replace('_', '-')}" for name in given if given[name])
        raise InvalidInputError(
            f"{run.path} holds imported maps, which are measured on their own images; leave out {what}"
        )
    if run.record.imported and not run.record.imported.has_labels:
        raise InvalidInputError(
            f"{run.path} has maps without labels, so nothing can be measured; import them with labels"
        )
    return ImportedData(run)


def name_device(device: torch.device) -> str:
    """A device of this machine in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} of {os.cpu_count()} cores" if device.type == "cpu" else str(device)


def _merge_classes(names: tuple[str, ...], data_names: tuple[str, ...], config: AnalyzeConfig) -> ClassMerge | None:
    """How the classes are merged; None if the run is scored in its own."""
    mapping = None if config.merge is None else read_mapping(config.merge)
    if mapping is None and data_names == names and not config.ignore:
        return None
    mapping = mapping or find_known_mapping(names, data_names) or map_shared_names(names, data_names)
    return mapping.without(config.ignore).resolve(names, data_names)


def _weights_fingerprint(run: Run, epochs: Sequence[int]) -> str:
    """SHA-256 of the weights of these epochs, or of their imported maps."""
    digest = sha256()
    if run.record.imported is not None:
        digest.update("".join(map(run.maps.digest_step, epochs)).encode())
        return digest.hexdigest()
    for path in map(run.checkpoint_path, epochs):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
