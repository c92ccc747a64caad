"""Small networks and runs that several tests share."""

from datetime import UTC, datetime
from pathlib import Path

import jaxtyping
import pytest
import torch
from torch import nn

from hlcore.config import TrainConfig
from hlcore.models import torchvision_cpu  # noqa: F401  before the tests import timm or torchmetrics
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.runs import Run, RunRecord, create_run


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types are not checked, as they are not for users: what hlcore itself says of a wrong array is seen."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def pixel_network() -> HardnessSegmenter:
    """Three classes; sees one pixel at a time, so that every way of cutting an image must give the same."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Tanh())
    return HardnessSegmenter(encoder, nn.Conv2d(8, 3, 1), nn.Conv2d(8, 1, 1), stride=1)


@pytest.fixture
def run_record() -> RunRecord:
    """The record of a run with two classes that has just begun."""
    return RunRecord(
        name="small",
        state="running",
        created=datetime(2024, 1, 1, tzinfo=UTC),
        config=TrainConfig(name="small"),
        data_fingerprint="0" * 64,
        class_names=("Sky", "Road"),
        palette=((0, 0, 255), (128, 64, 128)),
        parameters=10,
        hardness_parameters=1,
        device="1 x cpu",
        versions={"torch": "2"},
    )


@pytest.fixture
def run(run_record: RunRecord, tmp_path: Path) -> Run:
    """That run, on disk."""
    return create_run(run_record, tmp_path)
