"""Mixed precision: what a loss scaler and a GPU's types do to a step."""

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import ConstantLR

from hlcore.config import TrainConfig
from hlcore.training.loop import _apply_gradients
from hlcore.training.setup import choose_precision


class TwoLayers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.segmenter = nn.Linear(4, 1, bias=False)
        self.hardness_branch = nn.Linear(4, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return (self.segmenter(features) + self.hardness_branch(features)).float().sum() / 128


def test_a_loss_scaler_unscales_the_gradients_of_each_optimizer_once() -> None:
    fabric = Fabric(accelerator="cpu", plugins=MixedPrecision("16-mixed", "cpu"))
    layers = TwoLayers()
    before = [parameter.detach().clone() for parameter in layers.parameters()]
    optimizers = [SGD(layer.parameters(), lr=1.0) for layer in layers.children()]
    schedules = [ConstantLR(optimizer, factor=1) for optimizer in optimizers]
    module, *optimizers = fabric.setup(layers, *optimizers)
    fabric.backward(module(torch.ones(2, 4)))
    norms = _apply_gradients(fabric, module, optimizers, schedules, clip_norm=5.0)

    assert [float(norm) for norm in norms] == [1 / 32, 1 / 32]  # four gradients of 2 / 128
    for parameter, old in zip(layers.parameters(), before, strict=True):
        torch.testing.assert_close(old - parameter, torch.full((1, 4), 1 / 64))


@pytest.mark.parametrize(
    ("on_gpu", "has_bf16", "expected"),
    [(False, False, "32-true"), (True, False, "16-mixed"), (True, True, "bf16-mixed")],
)
def test_auto_precision_is_bf16_only_if_the_gpu_supports_it(monkeypatch, on_gpu, has_bf16, expected) -> None:
    def is_bf16_supported(including_emulation: bool = True) -> bool:  # noqa: FBT002  (torch's own signature)
        return has_bf16 or including_emulation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: on_gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert choose_precision(TrainConfig()) == expected
    assert choose_precision(TrainConfig(device="cpu")) == "32-true"
    assert choose_precision(TrainConfig(precision="16-mixed")) == "16-mixed"
