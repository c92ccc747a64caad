"""Small networks and runs that several tests share."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch
from torch import nn

from hlcore.analysis.statistics import ImageSums
from hlcore.config import AnalyzeConfig, DataConfig, NetworkConfig, OptimConfig, TrainConfig
from hlcore.data.labels import CAMVID
from hlcore.data.streets.scene import render_scene
from hlcore.measuring.loop import analyze
from hlcore.models import torchvision_cpu  # noqa: F401  before the tests import timm or torchmetrics
from hlcore.models.adapters import build_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.analyses import Analysis
from hlcore.storage.checkpoints import CheckpointHeader, save_checkpoint
from hlcore.storage.run_records import RunRecord
from hlcore.storage.runs import Run, create_run
from hlcore.types import Image, LabelMap


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn off run-time type checks, as for users, to see hlcore's own errors for wrong arrays."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def pixel_network() -> HardnessSegmenter:
    """Three classes; sees one pixel at a time, so that every way of tiling an image must give the same result."""
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


@pytest.fixture(scope="session")
def scenes_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete run of random weights on street scenes of 48 x 64 px, with the epochs 0, 1 and 2."""
    network = NetworkConfig(
        network="deeplabv3plus",
        encoder="tu-mobilenetv3_small_050",
        encoder_depth=4,
        encoder_weights="none",
        decoder_channels=16,
        hardness_branch="light",
        options={"decoder_aspp_dropout": 0.5},
    )
    config = TrainConfig(
        name="scenes",
        network=network,
        data=DataConfig(scene_size=(48, 64), val_scenes=5),
        optim=OptimConfig(epochs=2),
    )
    record = RunRecord(
        name="scenes",
        state="complete",
        created=datetime(2024, 1, 1, tzinfo=UTC),
        config=config,
        data_fingerprint="0" * 64,
        class_names=CAMVID.names,
        palette=CAMVID.palette,
        parameters=100_000,
        hardness_parameters=1_000,
        device="cpu",
        versions={"torch": "2"},
    )
    run = create_run(record, tmp_path_factory.mktemp("runs"))
    for epoch in range(3):
        torch.manual_seed(epoch)
        header = CheckpointHeader(
            network=network,
            has_hardness=True,
            class_names=CAMVID.names,
            palette=CAMVID.palette,
            epoch=epoch,
            iteration=epoch,
        )
        weights = build_network(network, len(CAMVID.names), hardness=True)
        save_checkpoint(run.checkpoint_path(epoch), weights, header)
    return run


@pytest.fixture(scope="session")
def quick_analyses() -> Iterator[None]:
    """Render each scene once and use sixteen resamplings, to make whole analyses quick."""

    @cache
    def drawn(entropy: tuple[int, ...], size: tuple[int, int]) -> tuple[Image, LabelMap]:
        return render_scene(np.random.SeedSequence(entropy), size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hlcore.data.streets.dataset.render_scene", lambda seed, size: drawn(tuple(seed.entropy), size))
        patch.setattr("hlcore.measuring.tables.ImageSums", partial(ImageSums, resamplings=16))
        yield


@pytest.fixture(scope="session")
def analysed(scenes_run: Run, quick_analyses: None, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The analysis of that run by `hlcore analyze --split test --epochs all`, without the report."""
    config = AnalyzeConfig(out=tmp_path_factory.mktemp("analyses") / "whole", split="test", epochs="all")
    *_, last = analyze(scenes_run, None, config, command="hlcore analyze RUN --split test --epochs all")
    return last.analysis
