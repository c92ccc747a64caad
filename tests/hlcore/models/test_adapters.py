"""Building networks: clear errors, and no side effects."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn

from hlcore.config import NetworkConfig
from hlcore.errors import InvalidInputError
from hlcore.models.adapters import NetworkParts, build_network, network_names, outline_network, register_network
from hlcore.models.hardness import HardnessBranch, HardnessSegmenter, copy_branch, detach_features, flatten_features
from hlcore.models.smp import SMP_DECODERS

TINY = NetworkConfig(
    network="unet",
    encoder="tu-test_efficientnet",
    encoder_weights="none",
    decoder_channels=16,
    hardness_branch="copy",
)


def changed(**settings: object) -> NetworkConfig:
    return TINY.model_copy(update=settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": "unett"}, "unknown network 'unett'; did you mean 'unet'?"),
        ({"network": "torchvision/fcn_resnet5"}, "did you mean 'torchvision/fcn_resnet50'?"),
        ({"network": "zzz"}, "unknown network 'zzz'; known: unet, "),
        ({"encoder": "resnett18"}, "unknown encoder 'resnett18'; did you mean 'resnet18'?"),
        ({"encoder": "tu-resnett18"}, "unknown encoder 'tu-resnett18'; did you mean 'tu-resnet18'?"),
        ({"encoder": "tu-resnett18", "encoder_weights": "imagenet"}, "did you mean 'tu-resnet18'?"),
        ({"encoder": "?"}, "unknown encoder '?'; see the encoders of SMP"),
        ({"encoder": "tu-hf_hub:someone/theirs"}, "unknown encoder 'tu-hf_hub:someone/theirs'"),
        ({"encoder": "tu-local-dir:/etc"}, "unknown encoder 'tu-local-dir:/etc'"),
        ({"encoder": "timm-local-dir:/etc"}, "unknown encoder 'timm-local-dir:/etc'"),
        ({"encoder": "timm-nonsense"}, "unknown encoder 'timm-nonsense'"),
        ({"encoder": "hf-hub:someone/theirs"}, "unknown encoder 'hf-hub:someone/theirs'"),
        ({"options": {"decoder_channel": 1}}, "no option 'decoder_channel'; did you mean 'decoder_channels'?"),
        ({"options": {"decoder_attention_type": "inverse"}}, "unet on tu-test_efficientnet cannot be built:"),
        (
            {"network": "pspnet", "options": {"upsampling": 99}},
            "option 'upsampling' of pspnet must be a word, a number of at most 32",
        ),
        ({"network": "deeplabv3", "options": {"decoder_atrous_rates": [1] * 33}}, "at most 32 of them, got [1, 1"),
        ({"network": "deeplabv3", "options": {"decoder_atrous_rates": [[[1]]]}}, "at most 32 of them"),
        ({"options": {"activation": "../../secret"}}, "option 'activation' of unet must be a word"),
        ({"options": {"img_size": float("nan")}}, "option 'img_size' of unet must be"),
        ({"network": "linknet"}, "linknet takes its width from the encoder; leave decoder_channels out"),
        ({"network": "fpn"}, "fpn on tu-test_efficientnet cannot be built: num_channels (16)"),
        ({"network": "fpn", "encoder": "mit_b0", "encoder_depth": 4}, "support only encoder_depth=5"),
        ({"network": "fpn", "encoder": "tu-test_vit", "decoder_channels": 32}, "fpn on tu-test_vit cannot be built"),
        ({"encoder": "tu-efficientformer_l1"}, "does not run on an image of 128 x 128 px"),
        ({"network": "torchvision/lraspp_mobilenet_v3_large"}, "does not support decoder_channels; leave it out"),
        (
            {"network": "torchvision/fcn_resnet50", "decoder_channels": None, "options": {"x": 1}},
            "does not support options; leave it out",
        ),
        (
            {
                "network": "torchvision/lraspp_mobilenet_v3_large",
                "decoder_channels": None,
                "encoder_weights": "imagenet",
            },
            "no ImageNet weights are installed for torchvision/lraspp_mobilenet_v3_large",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_network_that_cannot_be_built_says_why(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build_network(changed(**settings), 3)
    assert message in str(caught.value)


@pytest.mark.parametrize("file", ["safetensors", "pth"])
@pytest.mark.parametrize(
    "name",
    [
        *("checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "weights"),
        *("encoder_weights", "encoder_name", "aux_params", "features_only"),
    ],
)
def test_no_option_names_a_file_an_address_or_weights(
    name: str, file: str, tmp_path: Path, only_localhost: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"weights.{file}"
    path.write_bytes(b"never read")
    monkeypatch.setattr("timm.models._factory.load_checkpoint", lambda *_, **__: pytest.fail("a file was read"))
    with pytest.raises(InvalidInputError, match=f"unet on tu-test_efficientnet has no option '{name}'"):
        build_network(changed(options={name: str(path)}), 3)


def test_options_of_the_decoder_and_of_a_timm_encoder_are_passed_on() -> None:
    network = build_network(
        changed(encoder="tu-test_efficientnet", options={"decoder_interpolation": "bilinear", "drop_rate": 0.25}), 3
    )
    assert network(torch.zeros(2, 3, 32, 32)).logits.shape == (2, 3, 32, 32)


@pytest.mark.parametrize("encoder", ["tu-test_efficientnet", "mit_b0", "mobilenet_v2", "tu-hrnet_w18_small"])
def test_outline_has_the_tensors_of_the_network_without_their_memory(encoder: str) -> None:
    config = changed(encoder=encoder, network="fpn", decoder_channels=32, encoder_weights="imagenet")
    outline = outline_network(config, 3)
    assert all(tensor.is_meta for tensor in (*outline.parameters(), *outline.buffers()))
    shapes = {name: tensor.shape for name, tensor in outline.state_dict().items()}
    built = build_network(config.model_copy(update={"encoder_weights": "none"}), 3).state_dict()
    assert {name: shapes[name] for name in built} == {name: tensor.shape for name, tensor in built.items()}
    assert all(name.startswith("encoder.") for name in shapes.keys() - built.keys())


def test_registered_network_that_needs_real_tensors_has_no_outline() -> None:
    def build(_config: NetworkConfig, classes: int) -> NetworkParts:
        assert torch.ones(1).item() == 1
        return NetworkParts(nn.Conv2d(3, 4, 1), nn.Conv2d(4, classes, 1), 1)

    register_network("test-real")(build)
    assert outline_network(changed(network="test-real"), 3) is None
    assert build_network(changed(network="test-real"), 3)(torch.zeros(1, 3, 2, 2)).logits.shape == (1, 3, 2, 2)


def test_one_class_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least 2 classes, got 1"):
        build_network(TINY, 1)


def test_network_without_hardness_has_no_branch_and_no_hardness() -> None:
    network = build_network(TINY, 3, hardness=False)
    assert network.hardness_branch is None
    assert network.hardness_parameters() == []
    assert network(torch.zeros(2, 3, 32, 32)).hardness is None


def test_every_network_is_listed() -> None:
    assert len(SMP_DECODERS) == 12
    assert set(SMP_DECODERS) | {"torchvision/deeplabv3_resnet50", "torchvision/fcn_resnet50"} <= set(network_names())


def test_network_can_be_built_with_gradients_switched_off() -> None:
    with torch.inference_mode():
        network = build_network(TINY, 3)
    assert all(p.requires_grad and not p.is_inference() for p in network.parameters())


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "tu-mobilenetv3_small_050"])
def test_fewer_encoder_levels_make_the_network_smaller(encoder: str) -> None:
    sizes = [
        sum(p.numel() for p in build_network(changed(encoder=encoder, encoder_depth=depth), 3).encoder.parameters())
        for depth in (3, 4, 5)
    ]
    assert sizes[0] < 0.6 * sizes[1] < 0.6 * sizes[2]


def test_encoder_with_unused_streams_runs_and_freezes_them() -> None:
    network = build_network(changed(encoder="tu-hrnet_w18_small", encoder_depth=4, hardness_branch="light"), 3)
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 33, 47)).logits.shape == (2, 3, 33, 47)
    assert any(not p.requires_grad for p in network.encoder.parameters())


def test_decoder_width_is_applied() -> None:
    narrow, wide = (build_network(changed(network="fpn", decoder_channels=width), 3) for width in (32, 64))
    assert sum(p.numel() for p in narrow.segmentation_branch.parameters()) < 0.5 * sum(
        p.numel() for p in wide.segmentation_branch.parameters()
    )


def test_plugin_module_registers_its_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_plugin_of_mine.py").write_text(
        "from torch import nn\n"
        "from hlcore.models.adapters import NetworkParts, register_network\n"
        "@register_network('from-a-plugin')\n"
        "def build(config, num_classes):\n"
        "    return NetworkParts(nn.Conv2d(3, 4, 3, stride=4), nn.Conv2d(4, num_classes, 1), stride=4)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HLCORE_PLUGINS", "test_plugin_of_mine")
    network = build_network(NetworkConfig(network="from-a-plugin", encoder_weights="none"), 6)
    assert network(torch.zeros(1, 3, 9, 5)).logits.shape == (1, 6, 9, 5)


def test_plugin_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HLCORE_PLUGINS", "no_such_module")
    with pytest.raises(InvalidInputError, match="HLCORE_PLUGINS names 'no_such_module', which cannot be imported"):
        build_network(TINY, 3)


def test_branch_without_an_output_convolution_cannot_be_copied() -> None:
    register_network("test-linear")(lambda _config, _classes: NetworkParts(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 9, 1), 1))
    with pytest.raises(InvalidInputError, match=r"no convolution of Conv2d has 3 output channels.*'light'"):
        build_network(changed(network="test-linear"), 3)


@pytest.mark.parametrize("layer", [nn.Conv2d(4, 4, 1, groups=2), nn.Linear(4, 4)])
def test_output_layer_that_is_not_a_plain_convolution_is_refused(layer: nn.Module) -> None:
    with pytest.raises(InvalidInputError, match="output layer '0' must be an ungrouped Conv2d"):
        copy_branch(nn.Sequential(layer), 4, output_layers=["0"])


def test_copied_output_convolution_keeps_the_geometry_of_the_original() -> None:
    original = nn.Conv2d(4, 3, 3, stride=2, padding=2, dilation=2, padding_mode="reflect", bias=False)
    copied = copy_branch(original, 3)
    features = torch.rand(1, 4, 9, 9)
    assert copied(features).shape == (1, 1, *original(features).shape[2:])
    assert (copied.padding_mode, copied.bias) == ("reflect", None)


def test_light_branch_needs_a_feature_of_stride_4() -> None:
    with pytest.raises(InvalidInputError, match=r"stride 4 or more; .* \[\(8, 32, 32\)\], of an image 64 px"):
        HardnessBranch.for_features(torch.zeros(1, 8, 32, 32), image_size=(64, 64))


def test_each_level_of_a_light_branch_counts_equally_whatever_the_size_of_its_features() -> None:
    branch = HardnessBranch([4, 4, 4])
    features = [torch.randn(2, 4, size, size) for size in (16, 8, 4)]
    expected = branch(features)
    torch.testing.assert_close(branch([features[0], features[1], 1000 * features[2]]), expected, rtol=1e-2, atol=1e-2)
    plain = HardnessBranch([4, 4, 4], norm=False)
    assert plain([*features[:2], 1000 * features[2]]).abs().max() > 10 * plain(features).abs().max()


def test_features_of_any_nesting_are_detached_and_found() -> None:
    class Pair(NamedTuple):
        fine: torch.Tensor
        coarse: list[torch.Tensor | None]

    leaf = torch.rand(1, 2, 3, 3, requires_grad=True)
    features = {"pair": Pair(leaf * 1, [leaf * 2, None]), "tokens": (leaf[0, 0], "name", 3)}
    cut = detach_features(features)
    assert isinstance(cut["pair"], Pair)
    assert cut["tokens"][1:] == ("name", 3)
    assert [torch.equal(a, b) for a, b in zip(flatten_features(cut), flatten_features(features), strict=True)] == [
        True,
        True,
    ]
    assert not any(feature.requires_grad for feature in [*flatten_features(cut), cut["tokens"][0]])


def test_padding_repeats_the_border_and_is_cropped_away() -> None:
    seen = []

    class Watcher(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append(image)
            return image

    network = HardnessSegmenter(Watcher(), nn.Identity(), None, stride=4, mean=(0, 0, 0), std=(1, 1, 1))
    image = torch.arange(30.0).view(1, 3, 2, 5)
    assert torch.equal(network(image).logits, image)
    assert seen[0].shape == (1, 3, 4, 8)
    assert seen[0][0, 0].tolist() == [[0, 1, 2, 3, 4, 4, 4, 4]] + [[5, 6, 7, 8, 9, 9, 9, 9]] * 3


def test_mean_and_std_are_applied_in_units_of_0_to_255() -> None:
    network = HardnessSegmenter(nn.Identity(), nn.Identity(), None, stride=1, mean=(10, 20, 30), std=(1, 2, 3))
    logits = network(torch.full((1, 3, 1, 1), 40, dtype=torch.uint8)).logits
    assert logits.flatten().tolist() == pytest.approx([30, 10, 10 / 3])


@pytest.mark.slow
def test_torchvision_imports_after_its_missing_operators_are_declared() -> None:
    code = "from hlcore.models import torchvision_cpu\nimport torchvision\nimport torchvision.ops\nprint('imported')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n", done.stderr
