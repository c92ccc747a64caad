"""Tiny runs for the tests of the app: random weights, three epochs, one followed image."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from hlcore.config import LossConfig, NetworkConfig, OptimConfig, TrainConfig
from hlcore.data.labels import CAMVID
from hlcore.data.streets import Streets
from hlcore.models.adapters import build_network
from hlcore.storage import loading
from hlcore.storage.checkpoints import Checkpoint, CheckpointHeader, load_checkpoint, save_checkpoint
from hlcore.storage.probes import Probe
from hlcore.storage.run_records import RunRecord, installed_versions, utc_now
from hlcore.storage.runs import Run, create_run

MAIN = Path(__file__).parents[2] / "app" / "main.py"
NETWORK = NetworkConfig(
    network="deeplabv3plus",
    encoder="tu-mobilenetv3_small_050",
    encoder_depth=4,
    encoder_weights="none",
    decoder_channels=16,
    hardness_branch="light",
)


@pytest.fixture(scope="session", autouse=True)
def one_scan_of_the_installed_packages() -> Iterator[None]:
    """Streamlit reads the metadata of every installed package when an app starts; here one scan serves all apps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_network_for_equal_checkpoints() -> Iterator[None]:
    """Pages change no network, so all tests share the networks of equal files; many copy the same tiny run."""
    loaded: dict[bytes, Checkpoint] = {}

    def load_once(path: Path, *, device: torch.device | str = "cpu") -> Checkpoint:
        content = path.read_bytes() if path.is_file() else b""
        if content not in loaded:
            loaded[content] = load_checkpoint(path, device=device)
        return loaded[content]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load_checkpoint", load_once)
        yield


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(only_localhost) -> None:
    """No page asks anything but localhost."""


def make_run(folder: Path, name: str, *, epochs: int = 3, hardness: bool = True) -> Run:
    config = TrainConfig(
        network=NETWORK, optim=OptimConfig(epochs=max(1, epochs - 1)), loss=LossConfig(observe_hardness=hardness)
    )
    record = RunRecord(
        name=name,
        state="complete",
        created=utc_now(),
        config=config,
        data_fingerprint="0" * 64,
        class_names=CAMVID.names,
        palette=CAMVID.palette,
        parameters=100_000,
        hardness_parameters=1_000 if hardness else 0,
        device="cpu",
        versions=installed_versions(),
    )
    run = create_run(record, folder)
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        network = build_network(NETWORK, len(CAMVID.names), hardness=hardness)
        header = CheckpointHeader(
            network=NETWORK,
            has_hardness=hardness,
            class_names=CAMVID.names,
            palette=CAMVID.palette,
            epoch=epoch,
            iteration=10 * epoch,
        )
        save_checkpoint(run.checkpoint_path(epoch), network, header, half=True)
        run.append_metrics("epoch", {"epoch": epoch, "iteration": 10 * epoch, "mean_iou": 0.1 * epoch})
    return run


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run = make_run(folder, "tiny")
    scene = Streets("val", count=1, size=(64, 96))[0]
    assert scene.label_map is not None
    Probe.create(run.probe_path, {"val-0000": "val"}, {"val-0000": (scene.image, scene.label_map)})
    make_run(folder, "waiting", epochs=0)
    make_run(folder, "blind", epochs=1, hardness=False)
    broken = make_run(folder, "broken", epochs=1)
    broken.checkpoint_path(0).write_bytes(b"not weights")
    (folder / "unreadable").mkdir()
    (folder / "unreadable" / "run.json").write_text("{}", encoding="utf-8")
    return folder


def start_on(app: AppTest, page: str) -> None:
    """Start the app on a page, as a link does; `switch_page` works only after a first run."""
    app._page_hash = calc_hash(Path(page).parent.name)


@pytest.fixture
def open_app(runs, monkeypatch, tmp_path) -> Callable[..., AppTest]:
    """Open the app with the tiny runs (or without runs) and the parameters of a link."""

    def opened(*, with_runs: bool = True, page: str | None = None, **link: str) -> AppTest:
        monkeypatch.setattr("app.loading.runs.PROJECT", tmp_path)
        monkeypatch.setenv("HLCORE_RUNS", str(runs) if with_runs else "")
        app = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in ({"run": "tiny", **link} if with_runs else link).items():
            app.query_params[name] = value
        if page:
            start_on(app, page)
        return app.run()

    return opened


@pytest.fixture
def scenes() -> Callable[[AppTest], list[dict[str, Any]]]:
    """The scene of each viewer on a page."""

    def shown(app: AppTest) -> list[dict[str, Any]]:
        return [json.loads(element.proto.json) for element in app.get("bidi_component")]

    return shown
