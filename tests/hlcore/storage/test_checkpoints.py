"""Weights on disk; models/test_networks.py tests that every network is restored exactly."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from hlcore.config import NetworkConfig
from hlcore.errors import CheckpointError, StorageError
from hlcore.models.adapters import build_network
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.checkpoints import CheckpointHeader, load_checkpoint, read_header, save_checkpoint

CONFIG = NetworkConfig(network="unet", encoder="tu-test_efficientnet", encoder_weights="none", decoder_channels=16)
HEADER = CheckpointHeader(
    network=CONFIG,
    has_hardness=True,
    class_names=("sky", "road"),
    palette=((0, 0, 255), (128, 64, 128)),
    epoch=3,
    iteration=120,
)


@pytest.fixture(scope="module")
def network() -> HardnessSegmenter:
    torch.manual_seed(0)
    return build_network(CONFIG, 2)


@pytest.fixture
def path(network: HardnessSegmenter, tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "epoch-0003.safetensors", network, HEADER)
    return tmp_path / "epoch-0003.safetensors"


def rewritten(path: Path, **metadata: str) -> None:
    save_file(load_file(path), path, metadata=metadata)


def test_header_is_read_without_the_weights_and_comes_with_the_network(path: Path) -> None:
    assert read_header(path) == HEADER
    checkpoint = load_checkpoint(path)
    assert checkpoint.header == HEADER
    assert (checkpoint.class_names, checkpoint.palette) == (HEADER.class_names, HEADER.palette)
    assert (checkpoint.epoch, checkpoint.iteration) == (3, 120)
    assert not checkpoint.network.training


def test_half_saves_weights_as_fp16_and_statistics_unchanged(network: HardnessSegmenter, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "half.safetensors", network, HEADER, half=True)
    stored, trained = load_file(tmp_path / "half.safetensors"), {name for name, _ in network.named_parameters()}
    for name, tensor in network.state_dict().items():
        expected = tensor.half() if name in trained else tensor
        assert stored[name].dtype == expected.dtype, name
        assert torch.equal(stored[name], expected), name
    widened = load_checkpoint(tmp_path / "half.safetensors").network
    assert all(p.dtype == torch.float32 for p in widened.parameters())


def test_network_without_hardness_is_restored_without_it(tmp_path: Path) -> None:
    header = HEADER.model_copy(update={"has_hardness": False})
    save_checkpoint(tmp_path / "plain.safetensors", build_network(CONFIG, 2, hardness=False), header)
    assert load_checkpoint(tmp_path / "plain.safetensors").network.hardness_branch is None


def test_checkpoint_loads_without_the_encoders_initial_weight_file(network: HardnessSegmenter, tmp_path: Path) -> None:
    moved = CONFIG.model_copy(update={"encoder_weights": "/a/file/of/another/machine.pth"})
    save_checkpoint(tmp_path / "epoch.safetensors", network, HEADER.model_copy(update={"network": moved}))
    assert load_checkpoint(tmp_path / "epoch.safetensors").header.network == moved


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"epoch-0009\.safetensors: no such checkpoint"):
        load_checkpoint(tmp_path / "epoch-0009.safetensors")


@pytest.mark.parametrize("kept", [0, 7, 100, 0.5, 0.999])
def test_truncated_checkpoint_is_refused_by_name(path: Path, kept: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(CheckpointError, match=r"epoch-0003\.safetensors is not a complete safetensors file"):
        load_checkpoint(path)


def test_weights_of_another_program_are_refused_by_name(path: Path) -> None:
    rewritten(path, format="pt")
    with pytest.raises(CheckpointError, match=r"safetensors file, but hlcore did not write it: it has no header"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epok": 3}, "unknown key 'epok'; did you mean 'epoch'?"),
        ({"epoch": "three"}, "epoch: input should be a valid integer"),
        ({"network": {"encoder_dept": 3}}, "unknown key 'network.encoder_dept'; did you mean 'encoder_depth'?"),
        ({"network": {"network": "unett", "encoder_weights": "none"}}, "unknown network 'unett'; did you mean 'unet'?"),
        ({"class_names": ["a", "b", "c"]}, "palette: expected 3 colours, one per class, got 2"),
        ({"class_names": ["a", "b", "c"], "palette": [[0, 0, 0]] * 3}, "does not match its network"),
        ({"class_names": ["a", "a"]}, "class_names: expected different names"),
        ({"palette": [[0, 0, 256], [0, 0, 0]]}, "palette.0.2: input should be less than or equal to 255, got 256"),
        ({"epoch": -1}, "epoch: input should be greater than or equal to 0"),
        ({"has_hardness": False}, "does not match its network"),
    ],
)
def test_invalid_header_is_refused_with_file_and_reason(path: Path, changes: dict[str, object], message: str) -> None:
    rewritten(path, hlcore=json.dumps(HEADER.model_dump(mode="json") | changes))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert "epoch-0003.safetensors" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("encoder", ["tu-hf_hub:someone/theirs", "tu-local-dir:/etc", "resnet18", "tu-test_resnet"])
def test_a_header_chooses_no_request_and_no_other_file(path: Path, encoder: str, only_localhost: None) -> None:
    chosen = CONFIG.model_copy(update={"encoder": encoder, "encoder_weights": "imagenet"})
    rewritten(path, hlcore=HEADER.model_copy(update={"network": chosen}).model_dump_json())
    with pytest.raises(CheckpointError, match=r"epoch-0003\.safetensors"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder_channels": 10_000_000}, r"\w+.decoder.* has shape \(.*\) in the file, expected \(10000000, "),
        ({"encoder": "tu-test_resnet"}, "does not match its network"),
        ({"encoder": "tu-vit_gigantic_patch14_224", "network": "dpt"}, "does not match its network"),
        ({"encoder": "tu-eva02_enormous_patch14_clip_224", "network": "dpt"}, "far more than the file"),
        ({"options": {"decoder_attention_type": "scse"}}, "does not match its network"),
    ],
)
def test_a_network_of_other_shapes_is_refused_before_it_takes_memory(
    path: Path, changes: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten(path, hlcore=HEADER.model_copy(update={"network": CONFIG.model_copy(update=changes)}).model_dump_json())
    if "options" not in changes:  # those add small tensors, which the build itself finds missing
        monkeypatch.setattr("hlcore.storage.checkpoints.build_network", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("half", [False, True])
def test_weights_that_are_not_finite_are_refused_with_the_epochs_name(path: Path, value: float, half: bool) -> None:
    weights = load_file(path)
    name = "segmentation_branch.head.0.weight"
    weights[name].view(-1)[7] = value
    save_file(
        {n: t.half() if half and t.is_floating_point() else t for n, t in weights.items()},
        path,
        metadata={"hlcore": HEADER.model_dump_json()},
    )
    with pytest.raises(CheckpointError, match=rf"epoch-0003\.safetensors has NaN or infinite weights in {name}"):
        load_checkpoint(path)


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.complex64])
def test_weights_of_another_type_are_refused(path: Path, dtype: torch.dtype) -> None:
    weights = load_file(path)
    weights["segmentation_branch.head.0.weight"] = weights["segmentation_branch.head.0.weight"].to(dtype)
    save_file(weights, path, metadata={"hlcore": HEADER.model_dump_json()})
    with pytest.raises(CheckpointError, match=rf"has {dtype} in segmentation_branch.head.0.weight, expected"):
        load_checkpoint(path)


def test_negative_variances_are_refused(path: Path) -> None:
    weights = load_file(path)
    name = next(name for name in weights if name.endswith("running_var"))
    weights[name][0] = -1
    save_file(weights, path, metadata={"hlcore": HEADER.model_dump_json()})
    with pytest.raises(CheckpointError, match=f"has negative variances in {name}"):
        load_checkpoint(path)


def test_missing_tensors_are_named_in_one_line(path: Path) -> None:
    weights = load_file(path)
    missing = sorted(weights)[:5]
    save_file(
        {n: t for n, t in weights.items() if n not in missing}, path, metadata={"hlcore": HEADER.model_dump_json()}
    )
    with pytest.raises(CheckpointError, match=r"does not match its network: it lacks .*, .*, .* and [12] more$"):
        load_checkpoint(path)


def test_header_that_is_not_json_is_refused_by_name(path: Path) -> None:
    rewritten(path, hlcore="{")
    with pytest.raises(CheckpointError, match=r"epoch-0003\.safetensors cannot be read: invalid JSON"):
        read_header(path)


def test_failed_write_leaves_the_old_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def fill_the_disk(_weights: object, temporary: Path, **_settings: object) -> None:
        temporary.write_bytes(b"half")
        raise SafetensorError("no space left on device")

    monkeypatch.setattr("hlcore.storage.checkpoints.save_file", fill_the_disk)
    with pytest.raises(StorageError, match=r"cannot be written \(no space left"):
        save_checkpoint(path, build_network(CONFIG, 2), HEADER)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_light_branch_saved_before_it_was_normalised_loads_unchanged(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"hardness_branch": "light", "hardness_norm": False})
    saved = build_network(config, 2).eval()
    path = tmp_path / "old.safetensors"
    save_checkpoint(path, saved, HEADER.model_copy(update={"network": config}))
    header = json.loads(HEADER.model_copy(update={"network": config}).model_dump_json())
    del header["network"]["hardness_norm"]
    rewritten(path, hlcore=json.dumps(header))
    image = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(load_checkpoint(path).network(image).hardness, saved(image).hardness)


def test_a_network_saved_before_the_branch_could_be_chosen_has_a_copied_one(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"hardness_branch": "copy", "hardness_norm": False})
    path = tmp_path / "old.safetensors"
    save_checkpoint(path, build_network(config, 2), HEADER.model_copy(update={"network": config}))
    header = json.loads(HEADER.model_copy(update={"network": config}).model_dump_json())
    del header["network"]["hardness_branch"], header["network"]["hardness_norm"]
    rewritten(path, hlcore=json.dumps(header))
    assert load_checkpoint(path).header.network.hardness_branch == "copy"
