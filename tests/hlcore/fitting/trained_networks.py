"""Small networks of every origin, saved as their own libraries save them."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from hlcore.models import torchvision_cpu  # noqa: F401  before SMP and transformers


class Saved(NamedTuple):
    """A network on disk, and how its own library runs it."""

    model: str
    options: dict[str, Any]
    """Settings of `hlcore fit` that it needs."""
    run: Callable[[Tensor], Tensor]
    """Log scores N C h w of normalised images."""


def save_smp(folder: Path) -> Saved:
    import segmentation_models_pytorch as smp

    network = smp.Unet("resnet18", encoder_weights=None, classes=3, encoder_depth=3, decoder_channels=(16, 8, 8)).eval()
    network.save_pretrained(folder / "smp")
    return Saved(str(folder / "smp"), {}, network)


def save_torchvision(folder: Path) -> Saved:
    from torchvision.models import get_model

    network = get_model("lraspp_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=3).eval()
    torch.save(network.state_dict(), folder / "network.pth")
    options = {"weights": folder / "network.pth"}
    return Saved("torchvision/lraspp_mobilenet_v3_large", options, lambda image: network(image)["out"])


def save_segformer(folder: Path) -> Saved:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        num_labels=3,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        id2label=dict(enumerate(("Door", "Ground", "Wall"))),
    )
    return _save(SegformerForSemanticSegmentation(config), folder / "segformer")


def save_upernet(folder: Path) -> Saved:
    from transformers import ConvNextConfig, UperNetConfig, UperNetForSemanticSegmentation

    stages = [f"stage{number}" for number in range(1, 5)]
    backbone = ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], out_features=stages)
    config = UperNetConfig(
        backbone_config=backbone, hidden_size=16, auxiliary_in_channels=24, auxiliary_channels=8, num_labels=3
    )
    return _save(UperNetForSemanticSegmentation(config), folder / "upernet")


def save_mask2former(folder: Path) -> Saved:
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation

    config = Mask2FormerConfig(
        backbone_config=_swin(),
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=32,
        num_queries=7,
        num_labels=3,
    )
    return _save(Mask2FormerForUniversalSegmentation(config), folder / "mask2former")


def save_maskformer(folder: Path) -> Saved:
    from transformers import DetrConfig, MaskFormerConfig, MaskFormerForInstanceSegmentation

    decoder = DetrConfig(
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=7,
    )
    config = MaskFormerConfig(
        backbone_config=_swin(), decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32, num_labels=3
    )
    return _save(MaskFormerForInstanceSegmentation(config), folder / "maskformer")


PLUGIN = """
    import torch
    from torch import nn

    from hlcore.models.adapters import register_network
    from hlcore.models.parts import NetworkParts


    def make():
        torch.manual_seed(5)
        encoder = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.ReLU())
        return encoder, nn.Conv2d(8, 3, 1)


    @register_network("two-convolutions")
    def build(config, num_classes):
        return NetworkParts(*make(), stride=4)
"""


def save_plugin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    """A plugin whose network brings its own weights."""
    (folder / "plugin_of_fit.py").write_text(textwrap.dedent(PLUGIN))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("HLCORE_PLUGINS", "plugin_of_fit")
    import plugin_of_fit  # pyright: ignore[reportMissingImports]  (written above)

    return Saved("two-convolutions", {}, nn.Sequential(*plugin_of_fit.make()).eval())


def _swin() -> Any:
    from transformers import SwinConfig

    stages = [f"stage{number}" for number in range(1, 5)]
    return SwinConfig(embed_dim=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=4, out_features=stages)


def _save(network: Any, folder: Path) -> Saved:
    network.eval().save_pretrained(folder)

    def run(image: Tensor) -> Tensor:
        output = network(image)
        if "logits" in output:
            return output.logits
        classes = output.class_queries_logits.softmax(-1)[..., :-1]
        return torch.einsum("nqc,nqhw->nchw", classes, output.masks_queries_logits.sigmoid()).log()

    return Saved(str(folder), {}, run)
