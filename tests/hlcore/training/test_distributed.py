"""Training in several processes, and on several machines, each of which is a group of processes here."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hlcore.config import LossConfig, NetworkConfig, OptimConfig, TrainConfig
from hlcore.data.streets import Streets
from hlcore.evaluation import Scores, score_images
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import Run, open_run
from tests.hlcore.training.tiny_runs import tiny

pytestmark = pytest.mark.slow
WITHOUT_BATCH_NORM = """
from torch import nn
from hlcore.models.adapters import NetworkParts, register_network

@register_network("plain")
def build(config, num_classes):
    encoder = nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.GELU(), nn.Conv2d(8, 8, 3, padding=1), nn.GELU())
    return NetworkParts(encoder, nn.Conv2d(8, num_classes, 1), stride=4)
"""
"""Each process has its own batch statistics, so only a network without them trains alike in any number of them."""


def start(config: TrainConfig, *launcher: str) -> subprocess.Popen[str]:
    """Train in a process of its own, which starts the others if the config has several devices."""
    settings = config.out / f"{config.name}.yaml"
    config.out.mkdir(exist_ok=True)
    settings.write_text(config.model_dump_json())
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, "hlcore", "train", "--config", str(settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
            "PYTHONPATH": str(config.out),
            "HLCORE_PLUGINS": "plain",
        },
    )


def wait(*trainings: subprocess.Popen[str]) -> list[str]:
    """What each printed, if all succeeded."""
    with ThreadPoolExecutor() as readers:
        ended = list(readers.map(lambda training: training.communicate(timeout=240), trainings))
    assert [training.returncode for training in trainings] == [0] * len(trainings), ended
    return [stdout for stdout, _ in ended]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    (tmp_path / "plain.py").write_text(WITHOUT_BATCH_NORM)
    return tmp_path


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoint_path(run.epochs[-1]))


def test_two_processes_train_as_one_with_as_many_images_a_step(plain: Path) -> None:
    settings = {
        "network": NetworkConfig(network="plain", encoder_weights="none", hardness_norm=False),
        "loss": LossConfig(normalize="image"),
        "probe_images": 0,
    }
    optim = {"epochs": 3, "lr": 1e-3}
    alone = tiny(plain, name="one", optim=OptimConfig(**optim, batch_size=2), **settings)
    shared = tiny(plain, name="two", optim=OptimConfig(**optim, batch_size=1), devices=2, **settings)
    wait(start(alone), start(shared))
    one, two = (open_run(plain / name) for name in ("one", "two"))
    assert two.record.device.startswith("2 x cpu")
    assert one.step_table()["iteration"].tolist() == two.step_table()["iteration"].tolist()
    for name in ("val_ce", "mean_iou"):
        assert one.epoch_table()[name].tolist() == pytest.approx(two.epoch_table()[name].tolist(), rel=1e-3)
    for name in ("gradient_norm", "hardness_gradient_norm"):
        assert one.step_table()[name].tolist() == pytest.approx(two.step_table()[name].tolist(), rel=1e-3)
    first = load_file(one.checkpoint_path(0))
    for name, tensor in weights(one).items():
        torch.testing.assert_close(weights(two)[name], tensor, rtol=1e-3, atol=1e-4)
    assert any(not torch.allclose(tensor, first[name], atol=1e-3) for name, tensor in weights(one).items())


def test_two_machines_train_one_run(plain: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tiny(plain, nodes=2, probe_images=0, optim=OptimConfig(epochs=1, batch_size=1))
    nodes = [
        start(
            config,
            *("torch.distributed.run", "--nnodes=2", f"--node-rank={rank}", "--nproc-per-node=1"),
            *("--master-addr=127.0.0.1", f"--master-port={port}", "--module"),
        )
        for rank in (0, 1)
    ]
    printed = wait(*nodes)
    run = open_run(plain / "tiny")
    assert run.record.state == "complete"
    assert list(run.step_table()["iteration"]) == [1, 2, 3]
    assert printed == [f"complete: {run.path}\n", ""]


def test_two_processes_train_one_run_and_score_the_weights_it_saves(tmp_path: Path) -> None:
    config = tiny(tmp_path, devices=2, optim=OptimConfig(epochs=1, batch_size=1))
    (tmp_path / "plain.py").touch()
    training = start(config)
    stdout, stderr = training.communicate(timeout=240)
    assert training.returncode == 0, stderr
    run = open_run(tmp_path / "tiny")
    assert stdout == f"complete: {run.path}\n"
    assert run.record.state == "complete"
    assert run.record.device.startswith("2 x cpu")
    assert list(run.step_table()["iteration"]) == [1, 2, 3]
    [epoch] = run.epoch_table().to_dict("records")

    network = load_checkpoint(run.checkpoint_path(1)).network
    data = Streets("val", count=2, size=(48, 64))
    images = score_images(network, [data[0], data[1]], num_classes=11)
    assert sum(images, start=Scores.zero(11)).table(data.classes.names)["val_ce"] == pytest.approx(epoch["val_ce"])


def test_stopping_one_of_two_processes_stops_both(tmp_path: Path) -> None:
    config = tiny(tmp_path, devices=2, probe_images=0, optim=OptimConfig(epochs=200, batch_size=1))
    (tmp_path / "plain.py").touch()
    training = start(config)
    metrics = tmp_path / "tiny" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    training.send_signal(signal.SIGINT)
    stdout, stderr = training.communicate(timeout=120)
    assert training.returncode == 130, stderr
    assert stdout == f"stopped; continue with: hlcore train --resume {tmp_path / 'tiny'}\n"
    assert "Traceback" not in stderr
    assert open_run(tmp_path / "tiny").record.state == "interrupted"
