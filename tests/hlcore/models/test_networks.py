"""What every network must do, whichever library it comes from: one set of tests for all of them."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hlcore.config import LossConfig, NetworkConfig
from hlcore.models.adapters import NetworkParts, build_network, register_network
from hlcore.models.hardness import HardnessBranch, HardnessSegmenter, flatten_features
from hlcore.models.smp import SMP_DECODERS
from hlcore.storage.checkpoints import CheckpointHeader, load_checkpoint, save_checkpoint
from hlcore.training.losses import training_loss

NUM_CLASSES = 3
BRANCHES = ("copy", "light")


class OwnEncoder(nn.Module):
    """A custom encoder: nested features in an odd order, and an unused layer."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.coarse = nn.Conv2d(6, 10, 3, stride=4, padding=1)
        self.unused = nn.Conv2d(3, 3, 1)

    def forward(self, image: Tensor) -> dict[str, object]:
        fine = self.fine(image).relu()
        return {"deep": [self.coarse(fine).relu(), None], "others": (fine, "a label"), "unused": self.unused(image)}


class OwnBranch(nn.Module):
    """A custom decoder."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.out = nn.Conv2d(10, num_classes, 1)

    def forward(self, features: dict[str, list[Tensor]]) -> Tensor:
        return self.out(features["deep"][0])


@register_network("test-own")
def _own(config: NetworkConfig, num_classes: int) -> NetworkParts:
    return NetworkParts(OwnEncoder(), OwnBranch(num_classes), stride=8)


def _smp(decoder: str, branch: str) -> NetworkConfig:
    return NetworkConfig(
        network=decoder,
        encoder="tu-test_vit" if decoder == "dpt" else "tu-test_efficientnet",
        encoder_weights="none",
        decoder_channels={"linknet": None, "fpn": 32}.get(decoder, 16),
        hardness_branch=branch,
    )


def _named(network: str, branch: str, **settings: object) -> NetworkConfig:
    return NetworkConfig(network=network, encoder_weights="none", hardness_branch=branch, **settings)


CONFIGS = [
    *(_smp(decoder, branch) for decoder in SMP_DECODERS for branch in BRANCHES),
    *(_named("unet", "light", encoder="mobilenet_v2", encoder_depth=depth, decoder_channels=16) for depth in (3, 4)),
    *(_named("torchvision/lraspp_mobilenet_v3_large", branch) for branch in BRANCHES),
    _named("torchvision/deeplabv3_mobilenet_v3_large", "copy"),
    pytest.param(_named("torchvision/fcn_resnet50", "light"), marks=pytest.mark.slow),  # by far the largest
    *(_named("test-own", branch) for branch in BRANCHES),
]


def _id(config: NetworkConfig) -> str:
    depth = "" if config.encoder_depth is None else f"-depth{config.encoder_depth}"
    return f"{config.network}{depth}-{config.hardness_branch}"


@pytest.fixture(scope="module", params=CONFIGS, ids=_id)
def built(request: pytest.FixtureRequest) -> tuple[NetworkConfig, HardnessSegmenter]:
    torch.manual_seed(0)
    return request.param, build_network(request.param, NUM_CLASSES)


@pytest.fixture
def config(built: tuple[NetworkConfig, HardnessSegmenter]) -> NetworkConfig:
    return built[0]


@pytest.fixture(scope="module")
def weights(built: tuple[NetworkConfig, HardnessSegmenter]) -> dict[str, Tensor]:
    return copy.deepcopy(built[1].state_dict())


@pytest.fixture
def network(built: tuple[NetworkConfig, HardnessSegmenter], weights: dict[str, Tensor]) -> Iterator[HardnessSegmenter]:
    _, network = built
    branch = network.hardness_branch
    yield network
    network.hardness_branch = branch
    network.load_state_dict(weights)
    network.train().zero_grad()


def images(height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (2, 3, height, width), generator=torch.Generator().manual_seed(height * width))


def logits_of(network: HardnessSegmenter, image: Tensor) -> Tensor:
    torch.manual_seed(0)  # for dropout
    with torch.no_grad():
        return network(image).logits


def test_new_network_is_in_training_mode(network: HardnessSegmenter) -> None:
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize("size", ["33x47", "1x1", "one more than the stride", "less than the stride"])
def test_output_has_the_images_size_whatever_it_is(network: HardnessSegmenter, size: str) -> None:
    more, less = network.stride + 1, max(network.stride - 1, 1)
    height, width = {"33x47": (33, 47), "1x1": (1, 1), "one more than the stride": (more, more)}.get(size, (5, less))
    with torch.no_grad():
        logits, hardness = network.eval()(images(height, width))
    assert logits.shape == (2, NUM_CLASSES, height, width)
    assert hardness.shape == (2, 1, height, width)
    assert bool(torch.isfinite(logits).all() and torch.isfinite(hardness).all())


@pytest.mark.parametrize("size", [(1, 1), (5, 7)])
def test_a_single_tiny_image_has_an_output(network: HardnessSegmenter, size: tuple[int, int]) -> None:
    with torch.no_grad():
        logits, hardness = network.eval()(images(*size)[:1])
    assert (logits.shape, hardness.shape) == ((1, NUM_CLASSES, *size), (1, 1, *size))


def test_whole_numbers_and_floats_are_the_same_image(network: HardnessSegmenter) -> None:
    image = images(33, 47).to(torch.uint8)
    assert torch.equal(logits_of(network.eval(), image), logits_of(network, image.float()))


def test_hardness_loss_reaches_no_weight_of_the_segmenter(network: HardnessSegmenter) -> None:
    network(images(64, 64)).hardness.square().sum().backward()
    assert all(p.grad is None for p in network.segmenter_parameters())
    assert any(p.grad is not None for p in network.hardness_parameters())


def test_segmentation_loss_reaches_no_weight_of_the_hardness_branch(network: HardnessSegmenter) -> None:
    network(images(64, 64)).logits.square().sum().backward()
    assert all(p.grad is None for p in network.hardness_parameters())
    assert any(p.grad is not None for p in network.segmenter_parameters())


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_dropping_the_hardness_branch_leaves_the_logits_bit_identical(
    network: HardnessSegmenter, training: bool
) -> None:
    network.train(training)
    expected = logits_of(network, images(33, 47))
    network.hardness_branch = None
    assert torch.equal(logits_of(network, images(33, 47)), expected)


def test_every_trained_weight_gets_a_gradient_from_the_objective(network: HardnessSegmenter) -> None:
    image = images(64, 64)
    label_map = (image[:, 0] % NUM_CLASSES).long()
    training_loss(*network(image), label_map, LossConfig()).total.backward()
    waiting = [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert waiting == [], "distributed training would wait for these forever"


def test_only_unused_parameters_are_frozen(config: NetworkConfig, network: HardnessSegmenter) -> None:
    frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert frozen == ({"encoder.unused.weight", "encoder.unused.bias"} if config.network == "test-own" else set())


def test_checkpoint_restores_exactly_the_same_network(
    config: NetworkConfig, network: HardnessSegmenter, tmp_path: Path
) -> None:
    network(images(64, 64))  # moves the batch statistics away from their first values
    header = CheckpointHeader(
        network=config,
        has_hardness=True,
        class_names=("a", "b", "c"),
        palette=((0, 0, 0), (1, 1, 1), (2, 2, 2)),
        epoch=4,
        iteration=17,
    )
    save_checkpoint(tmp_path / "exact.safetensors", network, header)
    save_checkpoint(tmp_path / "half.safetensors", network, header, half=True)
    image = images(33, 47)
    with torch.no_grad():
        expected = network.eval()(image)
        exact = load_checkpoint(tmp_path / "exact.safetensors")
        got = exact.network(image)
        near = load_checkpoint(tmp_path / "half.safetensors").network(image)
    assert exact.header == header
    assert not exact.network.training
    assert torch.equal(got.logits, expected.logits)
    assert torch.equal(got.hardness, expected.hardness)
    for a, b in zip(near, expected, strict=True):
        assert float((a - b).abs().max()) <= 0.02 * max(float(b.abs().max()), 1)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.75 * (tmp_path / "exact.safetensors").stat().st_size


def test_hardness_branch_is_the_requested_one(config: NetworkConfig, network: HardnessSegmenter) -> None:
    if config.hardness_branch == "copy":
        check_copy_has_the_segmentation_branchs_weights_and_one_output(network)
    else:
        check_light_branch_is_small_and_reads_no_feature_finer_than_stride_4(network)


def check_copy_has_the_segmentation_branchs_weights_and_one_output(network: HardnessSegmenter) -> None:
    own, copied = network.segmentation_branch.state_dict(), network.hardness_branch.state_dict()
    assert list(own) == list(copied)
    new = [name for name in own if own[name].shape != copied[name].shape]
    assert {own[name].shape[0] for name in new} == {NUM_CLASSES}
    assert {copied[name].shape[0] for name in new} == {1}
    assert all(torch.equal(own[name], copied[name]) for name in own if name not in new)


def check_light_branch_is_small_and_reads_no_feature_finer_than_stride_4(network: HardnessSegmenter) -> None:
    branch = network.hardness_branch
    assert isinstance(branch, HardnessBranch)
    size = 4 * network.stride
    features = flatten_features(network.encoder.eval()(torch.zeros(1, 3, size, size)))
    used, width = [features[level] for level in branch.levels], branch.fuse.in_channels
    weights = sum((feature.shape[1] + 2) * width for feature in used) + 9 * width + 1
    assert sum(p.numel() for p in branch.parameters()) == weights
    assert width <= 16
    strides = [size / feature.shape[-1] for feature in used]
    assert 1 <= len(strides) <= 3
    assert min(strides) >= 4
    assert strides == sorted(strides)
