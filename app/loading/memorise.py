"""Learning a picture by heart: the only place of the app that trains, and only a copy of a network, in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from app.loading.pictures import Picture
from app.loading.stability import MapPair
from hlcore.errors import CheckpointError
from hlcore.storage.runs import Run

if TYPE_CHECKING:  # importing torch takes seconds: only a press on the button does it
    from hlcore.training.memorise import Report

STEPS = 100
KEPT_STEPS = (0, 1, 10, 100)
"""Steps after which the maps are kept, as in the paper's figure 1."""


@dataclass
class Progress:
    """What has been seen so far while a picture was learned by heart.

    Attributes:
        identity: Changes with the checkpoint, the image and its labels.
        done: Steps done.
        maps: Kept step to its maps.
        curve: Mean loss (nats) and mean hardness in the forward pass of each step, after as many steps as the key says.
    """

    identity: str
    done: int = 0
    maps: dict[int, MapPair] = field(default_factory=dict)
    curve: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, report: "Report") -> None:
        """Takes one report in."""
        self.done = report.step
        if report.snapshot is not None:
            self.maps[report.step] = (report.snapshot.hardness_map, report.snapshot.loss_map)
        if report.step:
            self.curve[report.step - 1] = (report.mean_loss, report.mean_hardness)

    def curve_table(self) -> pd.DataFrame:
        """What memorise_figure takes."""
        rows = [
            (step, name, values[index] / self.curve[0][index], values[index])
            for index, name in ((1, "hardness"), (0, "loss"))
            for step, values in self.curve.items()
        ]
        return pd.DataFrame(rows, columns=["step", "map", "value", "level"])


def memorise_picture(run: Run, epoch: int, picture: Picture) -> Iterator["Report"]:
    """Trains a copy of an epoch's network on a labelled picture, with the run's own loss and learning rates.

    Raises:
        CheckpointError: the checkpoint cannot be read, or has no hardness branch.
        InvalidInputError: the label map names no pixel.
        TrainingError: the loss became NaN or infinite.
    """
    from hlcore.storage.checkpoints import load_checkpoint
    from hlcore.training.memorise import memorise

    checkpoint, sample = load_checkpoint(run.checkpoint_path(epoch)), picture.sample
    if not checkpoint.header.has_hardness:
        raise CheckpointError(
            f"{run.checkpoint_path(epoch)} has no hardness branch, so it has no hardness map; "
            "train with loss.observe_hardness on"
        )
    assert sample.label_map is not None  # the page asks for labels first
    config = run.record.config
    yield from memorise(
        checkpoint,
        sample.image,
        sample.label_map,
        loss=config.loss,
        optim=config.optim,
        steps=STEPS,
        keep=KEPT_STEPS,
        seed=config.seed,
    )


def measure_progress(progress: Progress, picture: Picture, *, c: float) -> pd.DataFrame:
    """stability.compare_with_first of the kept maps, with the step in place of the snapshot."""
    return _cached_measures(progress.identity, tuple(progress.maps), c, progress, picture)


@st.cache_data(max_entries=16, show_spinner=False)
def _cached_measures(
    identity: str, steps: tuple[int, ...], c: float, _progress: Progress, _picture: Picture
) -> pd.DataFrame:
    from hlcore.analysis.stability import compare_with_first

    maps = {str(step): pair for step, pair in _progress.maps.items()}
    table = compare_with_first(maps, _picture.sample.label_map, c=c)
    return table.rename(columns={"snapshot": "step"}).astype({"step": int})
