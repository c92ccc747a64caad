"""Memorising one image: the only file of the app that trains, on a copy of the network in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app.loading.pictures import Picture
from app.loading.stability import MapPair
from app.loading.worker import run_in_turn
from hlcore.errors import CheckpointError
from hlcore.storage.runs import Run

if TYPE_CHECKING:  # importing torch takes seconds: only memorising needs it
    from hlcore.training.memorise import Report

STEPS = 100
KEPT_STEPS = (0, 1, 10, 100)
"""Steps after which the maps are kept, as in figure 1 of the paper."""


@dataclass
class Progress:
    """Maps and curves of a network that memorises one image, up to the current step.

    Attributes:
        identity: Changes with the checkpoint, the image and its labels.
        done: Number of steps done.
        maps: Step to its hardness and loss map.
        curve: Number of steps before a forward pass to its mean loss (nats) and mean hardness.
    """

    identity: str
    done: int = 0
    maps: dict[int, MapPair] = field(default_factory=dict)
    curve: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, report: "Report") -> None:
        """Add the report of one step."""
        self.done = report.step
        if report.snapshot is not None:
            self.maps[report.step] = (report.snapshot.hardness_map, report.snapshot.loss_map)
        if report.step:
            self.curve[report.step - 1] = (report.mean_loss, report.mean_hardness)

    def curve_table(self) -> pd.DataFrame:
        """The table that `make_memorise_figure` draws."""
        rows = [
            (step, name, values[index] / self.curve[0][index], values[index])
            for index, name in ((1, "hardness"), (0, "loss"))
            for step, values in self.curve.items()
        ]
        return pd.DataFrame(rows, columns=["step", "map", "value", "level"])


def memorise_picture(run: Run, epoch: int, picture: Picture) -> Iterator["Report"]:
    """Train a copy of an epoch's network on a labelled picture, with the run's own loss and learning rates.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has no hardness branch.
        InvalidInputError: the label map has no labelled pixel.
        TrainingError: the loss became NaN or infinite.
        ServerBusyError: too many sessions wait for a network.
    """
    from hlcore.storage.loading import load_epoch
    from hlcore.training.memorise import memorise

    checkpoint, sample = run_in_turn(load_epoch, run, epoch, device="cpu"), picture.sample
    if not checkpoint.header.has_hardness:
        raise CheckpointError(
            f"{run.checkpoint_path(epoch)} has no hardness branch, so it has no hardness map; learn one with hlcore fit"
        )
    assert sample.label_map is not None  # the page asks for labels first
    config = run.record.config
    reports = memorise(
        checkpoint,
        sample.image,
        sample.label_map,
        loss=config.loss,
        optim=config.optim,
        steps=STEPS,
        snapshot_steps=KEPT_STEPS,
        seed=config.seed,
    )
    while (report := run_in_turn(next, reports, None)) is not None:
        yield report


def measure_progress(progress: Progress, picture: Picture, *, c: float) -> pd.DataFrame:
    """Comparison of each kept map with the first: `stability.compare_with_first`, with a column `step`."""
    return _cached_measures(progress.identity, tuple(progress.maps), c, progress, picture)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_measures(
    identity: str, steps: tuple[int, ...], c: float, _progress: Progress, _picture: Picture
) -> pd.DataFrame:
    from hlcore.analysis.stability import compare_with_first

    maps = {str(step): pair for step, pair in _progress.maps.items()}
    table = compare_with_first(maps, _picture.sample.label_map, c=c)
    return table.rename(columns={"snapshot": "step"}).astype({"step": int})
