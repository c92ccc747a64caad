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
STOPPED_RUN = """
import sys
from contextlib import suppress
from pathlib import Path
from hlcore.config import TrainConfig
from hlcore.training.loop import train

reports = train(TrainConfig.model_validate_json(Path(sys.argv[1]).read_text()))
while next(reports).iteration < 4:
    pass
with suppress(StopIteration):
    reports.send(True)
"""
"""Stops after the first of the three steps of the second epoch, in every process alike."""


def start(config: TrainConfig, *launcher: str) -> subprocess.Popen[str]:
    """Train in a process of its own, which starts the others if the config has several devices."""
    return run_python(config.out, "-m", *launcher, "hlcore", "train", "--config", str(write_settings(config)))


def write_settings(config: TrainConfig) -> Path:
    settings = config.out / f"{config.name}.yaml"
    config.out.mkdir(exist_ok=True)
    settings.write_text(config.model_dump_json())
    return settings


def run_python(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
            "PYTHONPATH": str(folder),
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


def sharing(out: Path, name: str, *, devices: int) -> TrainConfig:
    """A run that trains alike on one device and on two, which share the two images of each step."""
    return tiny(
        out,
        name=name,
        devices=devices,
        optim=OptimConfig(epochs=3, lr=1e-3, batch_size=2 // devices),
        network=NetworkConfig(network="plain", encoder_weights="none", hardness_norm=False),
        loss=LossConfig(normalize="image"),
        probe_images=0,
    )


def assert_trained_alike(one: Run, two: Run) -> None:
    for name in ("iteration", "lr", "hardness_lr"):
        assert one.step_table()[name].tolist() == two.step_table()[name].tolist()
    for name in ("val_ce", "mean_iou"):
        assert one.epoch_table()[name].tolist() == pytest.approx(two.epoch_table()[name].tolist(), rel=1e-3)
    for name in ("gradient_norm", "hardness_gradient_norm"):
        assert one.step_table()[name].tolist() == pytest.approx(two.step_table()[name].tolist(), rel=1e-3)
    first = load_file(one.checkpoint_path(0))
    for name, tensor in weights(one).items():
        torch.testing.assert_close(weights(two)[name], tensor, rtol=1e-3, atol=1e-4)
    assert any(not torch.allclose(tensor, first[name], atol=1e-3) for name, tensor in weights(one).items())


def test_two_processes_train_as_one_with_as_many_images_a_step(plain: Path) -> None:
    wait(*(start(sharing(plain, name, devices=devices)) for name, devices in (("one", 1), ("two", 2))))
    one, two = (open_run(plain / name) for name in ("one", "two"))
    assert two.record.device.startswith("2 x cpu")
    assert_trained_alike(one, two)


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_run_resumed_in_another_number_of_processes_ends_as_if_it_were_never_stopped(
    plain: Path, before: int, after: int
) -> None:
    (plain / "stopped.py").write_text(STOPPED_RUN)
    stopped = write_settings(sharing(plain, "stopped", devices=before))
    wait(start(sharing(plain, "whole", devices=before)), run_python(plain, "-m", "stopped", str(stopped)))
    path = plain / "stopped"
    assert open_run(path).record.state == "interrupted"
    assert open_run(path).step_table()["iteration"].tolist() == [1, 2, 3, 4]

    wait(run_python(plain, "-m", "hlcore", "train", "--resume", str(path), "--devices", str(after)))
    resumed = open_run(path)
    assert resumed.record.state == "complete"
    assert resumed.record.device.startswith(f"{after} x cpu")
    assert (resumed.record.config.devices, resumed.record.config.optim.batch_size) == (after, 2 // after)
    assert_trained_alike(open_run(plain / "whole"), resumed)


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


def test_torchrun_with_another_number_of_processes_than_the_run_has_devices_is_refused(plain: Path) -> None:
    config = tiny(plain, devices=2, optim=OptimConfig(epochs=1, batch_size=1))
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node=1", "--module")
    training = start(config, *torchrun)
    _, stderr = training.communicate(timeout=240)
    assert training.returncode != 0
    assert "error: torchrun started 1 processes, but the run is for 2 (devices 2 x nodes 1); set --devices" in stderr
    assert not (plain / "tiny").exists()


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
    assert sum(images, start=Scores.zero(11)).table(data.classes.names)["val_ce"] == pytest.approx(
        epoch["val_ce"], rel=5e-5
    )  # logged with five digits


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
