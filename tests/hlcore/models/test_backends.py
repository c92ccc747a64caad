"""Networks in other libraries than torch give the same results."""

import copy
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.inference import has_dropout, mc_dropout_entropy, predict
from hlcore.models import backends
from hlcore.models.adapters import build_network
from hlcore.models.backends import EXPORT_BACKENDS, TOLERANCE, CompiledSegmenter, choose_backend
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.checkpoints import CheckpointHeader, save_checkpoint
from hlcore.storage.exports import compile_network
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run

pytestmark = pytest.mark.usefixtures("only_localhost")
NAMES = ("sky", "road", "car")
PALETTE = ((0, 0, 0), (1, 1, 1), (2, 2, 2))
CPU = torch.device("cpu")
NETWORKS = {
    "fpn": NetworkConfig(network="fpn", encoder_weights="none", decoder_channels=32),
    "deeplabv3plus": NetworkConfig(
        network="deeplabv3plus",
        encoder="tu-mobilenetv3_small_050",
        encoder_weights="none",
        encoder_depth=4,
        decoder_channels=16,
        hardness_branch="copy",
        options={"decoder_aspp_dropout": 0.5},
    ),
    "segformer": NetworkConfig(network="segformer", encoder="mit_b0", encoder_weights="none", decoder_channels=32),
    "torchvision": NetworkConfig(network="torchvision/lraspp_mobilenet_v3_large", encoder_weights="none"),
}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the exports."""
    base = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))
    return base / "hlcore"


@pytest.fixture(params=EXPORT_BACKENDS)
def backend(request: pytest.FixtureRequest) -> backends.CompiledBackend:
    for package in (request.param, "onnx"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return request.param


def make_network(config: NetworkConfig) -> HardnessSegmenter:
    """A network whose batch norms have seen something, so that fusing them changes nothing only if it is right."""
    torch.manual_seed(0)
    network = build_network(config, len(NAMES)).train()
    with torch.no_grad():
        network(torch.randint(0, 256, (2, 3, 96, 128), dtype=torch.uint8))
    return network.eval()


def save(network: HardnessSegmenter, config: NetworkConfig, path: Path) -> Path:
    header = CheckpointHeader(
        network=config, class_names=NAMES, palette=PALETTE, epoch=1, iteration=1, has_hardness=True
    )
    save_checkpoint(path, network, header)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_results_are_those_of_torch_at_any_size(name: str, backend, tmp_path: Path) -> None:
    network = make_network(NETWORKS[name])
    path = save(network, NETWORKS[name], tmp_path / "epoch-0001.safetensors")
    compiled = compile_network(network, path, backend, required=True)
    assert isinstance(compiled, CompiledSegmenter)
    assert compiled.backend == backend
    for size in ((1, 1), (33, 70), (130, 64)):
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        own, other = (predict(each, image, class_names=NAMES) for each in (network, compiled))
        assert abs(own.probabilities - other.probabilities).max() < TOLERANCE
        assert abs(own.hardness_map - other.hardness_map).max() < TOLERANCE


@pytest.fixture
def network() -> HardnessSegmenter:
    return make_network(NETWORKS["deeplabv3plus"])


@pytest.fixture
def checkpoint(network: HardnessSegmenter, tmp_path: Path) -> Path:
    return save(network, NETWORKS["deeplabv3plus"], tmp_path / "epoch-0001.safetensors")


@pytest.mark.slow
def test_a_network_is_exported_once_for_each_version_of_its_weights(
    network: HardnessSegmenter, checkpoint: Path, backend: backends.CompiledBackend, cache: Path, monkeypatch
) -> None:
    compile_network(network, checkpoint, backend, required=True)
    [first] = cache.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("hlcore.storage.exports.export_network", None)
        assert compile_network(network, checkpoint, backend, required=True).backend == backend
    with torch.no_grad():
        next(network.parameters()).add_(1)
    save(network, NETWORKS["deeplabv3plus"], checkpoint)
    monkeypatch.setattr("hlcore.storage.exports.CACHE_BYTES", first.stat().st_size + 1000)
    compile_network(network, checkpoint, backend, required=True)
    [second] = cache.iterdir()
    assert second != first


@pytest.mark.slow
def test_an_export_beside_a_checkpoint_is_not_opened_and_none_is_written_there(
    network: HardnessSegmenter, checkpoint: Path, backend: backends.CompiledBackend, cache: Path
) -> None:
    compile_network(network, checkpoint, backend, required=True)
    [path] = cache.iterdir()
    assert list(checkpoint.parent.glob("*.onnx")) == []
    theirs = path.rename(checkpoint.parent / path.name)
    theirs.write_bytes(b"somebody else's")
    compile_network(network, checkpoint, backend, required=True)
    assert theirs.read_bytes() == b"somebody else's"
    assert path.is_file()


@pytest.mark.slow
def test_without_a_cache_folder_the_network_is_exported_again(
    network: HardnessSegmenter, checkpoint: Path, backend: backends.CompiledBackend, monkeypatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compile_network(network, checkpoint, backend, required=True).backend == backend


@pytest.mark.slow
def test_training_dropout_and_copies_use_torch(
    network: HardnessSegmenter, checkpoint: Path, backend: backends.CompiledBackend
) -> None:
    compiled = compile_network(network, checkpoint, backend, required=True)
    assert has_dropout(compiled)
    image = np.zeros((64, 96, 3), np.uint8)
    entropy = [mc_dropout_entropy(each, image, passes=2) for each in (network, compiled)]
    assert np.array_equal(*entropy)
    copied = copy.deepcopy(compiled)
    assert not isinstance(copied, CompiledSegmenter)
    assert {name for name, _ in copied.named_parameters()} == {name for name, _ in network.named_parameters()}
    logits, _ = compiled.train()(torch.zeros(2, 3, 64, 96))
    assert logits.requires_grad
    assert compiled.state_dict().keys() == network.state_dict().keys()


class Crooked(nn.Module):
    """A branch whose size the tracer takes for a constant."""

    def forward(self, features: Tensor) -> Tensor:
        return features[:, :3] * float(features.shape[-1])


@pytest.mark.slow
def test_a_network_that_gives_other_results_runs_in_torch_unless_the_backend_is_required(
    checkpoint: Path, backend: backends.CompiledBackend, cache: Path, caplog, capfd
) -> None:
    caplog.set_level("INFO")
    crooked = HardnessSegmenter(nn.Conv2d(3, 4, 8, stride=8), Crooked(), nn.Conv2d(4, 1, 1), stride=8).eval()
    assert compile_network(crooked, checkpoint, backend, required=False) is crooked
    assert "results differ from torch's" in caplog.text
    assert not cache.exists()
    pooled = make_network(NetworkConfig(network="pspnet", encoder="tu-mobilenetv3_small_050", encoder_weights="none"))
    assert compile_network(pooled, checkpoint, backend, required=False) is pooled
    assert capfd.readouterr().out == "", "a command's output may be JSON"
    with pytest.raises(InvalidInputError, match=f"the backend {backend} cannot run this network .* --backend torch"):
        compile_network(crooked, checkpoint, backend, required=True)


def test_the_first_installed_backend_is_taken_on_cpus_only(monkeypatch) -> None:
    monkeypatch.delenv("HLCORE_BACKEND", raising=False)
    monkeypatch.setattr(backends, "_is_installed", lambda backend: backend == "onnxruntime")
    assert choose_backend("auto", CPU) == "onnxruntime"
    assert choose_backend("auto", torch.device("cuda")) is None
    assert choose_backend("torch", CPU) is None
    with pytest.raises(InvalidInputError, match=r"openvino is not installed; pip install 'hlcore\[openvino\]'"):
        choose_backend("openvino", CPU)
    with pytest.raises(InvalidInputError, match="onnxruntime runs on the CPU; use --device cpu, or --backend torch"):
        choose_backend("onnxruntime", torch.device("cuda"))
    with pytest.raises(
        InvalidInputError, match="unknown backend 'tensorrt'; known: auto, torch, compile, openvino, onnx"
    ):
        choose_backend("tensorrt", CPU)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [b"version https://git-lfs.github.com/spec/v1", None])
def test_a_damaged_or_old_export_is_replaced(
    network: HardnessSegmenter, checkpoint: Path, backend: backends.CompiledBackend, cache: Path, damage: bytes | None
) -> None:
    compile_network(network, checkpoint, backend, required=True)
    [path] = cache.iterdir()
    with torch.no_grad():
        list(network.segmentation_branch.parameters())[-1].add_(1)  # as if the code had changed, not the file
    path.write_bytes(damage or path.read_bytes())
    compiled = compile_network(network, checkpoint, backend, required=True)
    image = torch.zeros(1, 3, 64, 96)
    torch.testing.assert_close(compiled(image).logits, network(image).logits, rtol=0, atol=TOLERANCE)
    assert compile_network(network, checkpoint, backend, required=True).backend == backend


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")  # the checks would be compiled too
def test_a_compiled_network_gives_the_results_of_torch_and_is_not_compiled_again_for_other_sizes(
    tmp_path: Path,
) -> None:
    # with TensorFlow's padding, which is replaced
    config = NetworkConfig(encoder="tu-tf_mobilenetv3_small_minimal_100", encoder_weights="none")
    own = make_network(config)
    path = save(own, config, tmp_path / "epoch-0001.safetensors")
    compiled = compile_network(own, path, "compile", required=True)
    assert compiled.backend == "compile"
    with torch.compiler.set_stance("fail_on_recompile"), torch.inference_mode():
        for size in ((1, 3, 260, 300), (2, 3, 300, 257), (1, 3, 480, 360), (1, 3, 33, 70)):
            image = torch.randint(0, 256, size, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
            for wanted, got in zip(own(image), compiled(image), strict=True):
                torch.testing.assert_close(got, wanted, rtol=0, atol=TOLERANCE)


def test_a_compiled_network_that_gives_other_results_is_refused(network: HardnessSegmenter, monkeypatch) -> None:
    def compile_wrongly(module: nn.Module, **_: object) -> Callable[[Tensor], list[Tensor]]:
        return lambda image: [output + 2 * TOLERANCE for output in module(image)]

    monkeypatch.setattr(torch, "compile", compile_wrongly)
    with pytest.raises(InvalidInputError, match="compile cannot run this network .*differ from torch's by up to 0.002"):
        compile_network(network, Path("epoch-0001.safetensors"), "compile", required=True)


def test_compiling_needs_a_compiler_and_is_never_chosen_by_itself(monkeypatch) -> None:
    monkeypatch.setattr(backends, "_is_installed", lambda _: False)
    assert choose_backend("auto", CPU) is None
    monkeypatch.setenv("CXX", sys.executable)
    assert choose_backend("compile", CPU) == "compile"
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(InvalidInputError, match="compile needs a C\\+\\+ compiler, and there is none; install one"):
        choose_backend("compile", CPU)


def test_outputs_that_are_no_numbers_are_not_alike(network: HardnessSegmenter) -> None:
    def session(image: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            return [output.numpy() * np.nan for output in backends.Traced(network)(torch.from_numpy(image))]

    assert np.isnan(backends.compare_outputs(network, session))


@pytest.mark.slow
def test_the_environment_chooses_the_backend_on_cpus(scenes_run: Run, backend: str, monkeypatch) -> None:
    monkeypatch.setenv("HLCORE_BACKEND", backend)
    assert load_epoch(scenes_run, device="cpu", backend="auto").network.backend == backend
    assert load_epoch(scenes_run, device="cpu", backend="torch").network.backend == "torch"


@pytest.mark.slow
def test_a_run_is_evaluated_alike_in_every_library(scenes_run: Run, backend: backends.CompiledBackend) -> None:
    image = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    loaded = [load_epoch(scenes_run, device="cpu", backend=each) for each in ("torch", backend)]
    own, other = (predict(each.network, image, class_names=each.class_names) for each in loaded)
    assert [each.network.backend for each in loaded] == ["torch", backend]
    assert (own.prediction != other.prediction).mean() < 0.001


@pytest.mark.slow
@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("backend", ["openvino"], indirect=True)
def test_openvino_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    program = """
import sys
from hlcore.models.backends import open_session
try:
    open_session(b"no network", "openvino")
except RuntimeError:
    assert "openvino" in sys.modules
    assert sys.modules["openvino_telemetry"] is None
    assert "openvino.tools.ovc.telemetry_stub" in sys.modules
"""
    home = os.environ | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=home, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == [], "nor does it write its settings into the home folder"
