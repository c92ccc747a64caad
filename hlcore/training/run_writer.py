"""Write the run folder during training: metrics, weights and probe maps, and the state to resume from."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor

from hlcore.data.samples import SegmentationData
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.checkpoints import CheckpointHeader, save_checkpoint
from hlcore.storage.probes import Probe
from hlcore.storage.runs import Run, list_spaced_epochs
from hlcore.training.probe import SNAPSHOT_ITERATIONS, add_snapshot, create_probe
from hlcore.training.state import Progress, load_state, save_state


@dataclass
class RunWriter:
    """Writes the run folder, on the first process only; the calls do nothing on the others."""

    fabric: Fabric
    run: Run
    network: HardnessSegmenter
    parts: dict[str, Any]
    """Name to each object whose state is saved: network, optimizers, schedules."""
    best_by: str = "mean_iou"
    """The column of the epochs that is highest at the best one."""
    _probe: Probe | None = None

    def start(self, train_data: SegmentationData, val_data: SegmentationData) -> Progress:
        """Save the untrained network, the probe set and a first state to resume from."""
        if self.fabric.is_global_zero:
            config = self.run.record.config
            self._probe = create_probe(
                self.run, train_data, val_data, images=config.probe_images if config.has_hardness else 0
            )
            if 0 in list_spaced_epochs(config):
                self._write_checkpoint(Progress(0, 0))
                self._write_snapshot("epoch-0000")
        progress = Progress(0, 0)
        self.save_state(progress)
        return progress

    def resume(self) -> Progress:
        """Load the training state and drop metrics logged after it."""
        progress = load_state(self.fabric, self.run.resume_path, self.parts)
        if self.fabric.is_global_zero:
            self._probe = self.run.probe
            self.run.drop_metrics_after(progress.iterations, epoch=progress.epochs)
            self.run = self.run.write_state("running")
            best = self._best_epoch()
            if best is not None and self.run.checkpoint_path(best).is_file():
                self.run = self.run.write_best_epoch(best)
        return progress

    def log_step(self, row: dict[str, Any]) -> None:
        """Log a step; take a snapshot at the iterations of the paper's figure 1."""
        if self.fabric.is_global_zero:
            self.run.append_metrics("step", row)
            self._track(row)
            if row["iteration"] in SNAPSHOT_ITERATIONS:
                self._write_snapshot(f"iteration-{row['iteration']:06d}")

    def log_epoch(self, row: dict[str, Any], progress: Progress) -> None:
        """Log a validated epoch, its weights if they are kept, and the state to resume from.

        Kept are the evenly spaced epochs and the best one.
        """
        epoch, best = progress.epochs, False
        if self.fabric.is_global_zero:
            self.run.append_metrics("epoch", row)
            self._track(row)
            best = self._best_epoch() == epoch
            spaced = epoch in list_spaced_epochs(self.run.record.config)
            if best or spaced:
                self._write_checkpoint(progress)
            if spaced:
                self._write_snapshot(f"epoch-{epoch:04d}")
        self.save_state(progress)
        if best:  # after the state: until it is saved, a crash leads back to the former best epoch
            self.run = self.run.write_best_epoch(epoch)

    def save_state(self, progress: Progress) -> None:
        """Save the state to resume from."""
        save_state(self.fabric, self.run.resume_path, self.parts, progress)

    def mark_complete(self) -> Run:
        """The run, marked complete in every process; its training state is deleted."""
        if not self.fabric.is_global_zero:
            return Run(self.run.path, self.run.record.model_copy(update={"state": "complete"}))
        self._close_trackers("success")
        self.run = self.run.write_state("complete")
        self.run.resume_path.unlink(missing_ok=True)
        return self.run

    def interrupt(self, progress: Progress) -> None:
        """Save the state within an epoch and mark the run interrupted."""
        self.save_state(progress)
        self.mark_stopped(failed=False)

    def mark_stopped(self, *, failed: bool) -> None:
        """Mark the run as failed or interrupted."""
        if self.fabric.is_global_zero:
            self._close_trackers("failed" if failed else "aborted")
            self.run = self.run.write_state("failed" if failed else "interrupted")

    def last_checkpoint_path(self) -> Path | None:
        """Path of the last saved checkpoint; None before the first."""
        return self.run.checkpoint_path(self.run.epochs[-1]) if self.run.epochs else None

    def _track(self, row: dict[str, Any]) -> None:
        """Send the numbers of a row to the run's tracker."""
        numbers = {name: value for name, value in row.items() if value is not None and name != "iteration"}
        self.fabric.log_dict(numbers, step=row["iteration"])

    def _close_trackers(self, status: str) -> None:
        for logger in self.fabric.loggers:
            logger.finalize(status)

    def _best_epoch(self) -> int | None:
        scored = self.run.epoch_table().dropna(subset=self.best_by)
        return int(scored["epoch"].iloc[scored[self.best_by].argmax()]) if len(scored) else None

    def _write_checkpoint(self, progress: Progress) -> None:
        record = self.run.record
        header = CheckpointHeader(
            network=record.config.network,
            has_hardness=self.network.hardness_branch is not None,
            class_names=record.class_names,
            palette=record.palette,
            epoch=progress.epochs,
            iteration=progress.iterations,
        )
        path = self.run.checkpoint_path(progress.epochs)
        save_checkpoint(path, self.network, header, half=record.config.keep_half)

    def _write_snapshot(self, name: str) -> None:
        if self._probe is not None:
            self._probe = add_snapshot(self._probe, self.network, name, class_names=self.run.record.class_names)


def round_for_log(value: Tensor | float | None) -> float | None:
    """The number with five significant digits; None for NaN and infinity, which JSON lacks."""
    number = float("nan") if value is None else float(value)
    return float(f"{number:.5g}") if math.isfinite(number) else None
