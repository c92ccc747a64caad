"""Mixed precision: what a loss scaler and a GPU's types do to a step."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import ConstantLR

from hlcore.config import LossConfig, TrainConfig
from hlcore.models.hardness import HardnessSegmenter
from hlcore.training import loop, losses
from hlcore.training.loop import TrainingStep, _apply_gradients
from hlcore.training.losses import hardness_weight, training_loss
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


@pytest.mark.parametrize("normalize", ["batch", "image"])
def test_a_step_in_bf16_weights_and_sums_the_loss_in_float32(monkeypatch, normalize) -> None:
    seen = {}

    def remember(function: Callable[..., Any], module: ModuleType) -> None:
        def remembering(*args: Any, **settings: Any) -> Any:
            result = function(*args, **settings)
            seen[function.__name__] = (args, result)
            return result

        monkeypatch.setattr(module, function.__name__, remembering)

    remember(training_loss, loop)
    remember(hardness_weight, losses)
    torch.manual_seed(0)
    network = HardnessSegmenter(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 3, 1), nn.Conv2d(8, 1, 1), stride=1)
    fabric = Fabric(accelerator="cpu", precision="bf16-mixed")
    config = LossConfig(normalize=normalize)
    step = fabric.setup(TrainingStep(network, config, None))
    label_map = torch.randint(0, 3, (2, 24, 40))
    label_map[:, :3] = 255
    returned = step(torch.randint(0, 256, (2, 3, 24, 40), dtype=torch.uint8), label_map)
    fabric.backward(returned.total)

    (logits, hardness, *_), terms = seen["training_loss"]
    assert (logits.dtype, hardness.dtype) == (torch.bfloat16, torch.bfloat16)
    ((S, valid), w) = seen["hardness_weight"]
    assert (S.dtype, w.dtype) == (torch.float32, torch.float32)
    expected = hardness_weight(torch.sigmoid(hardness.float()[:, 0]), valid, normalize=normalize)
    torch.testing.assert_close(w, expected, rtol=1e-6, atol=0)
    assert {name: value.dtype for name, value in terms._asdict().items()} == dict.fromkeys(terms._fields, torch.float32)
    for got, wanted in zip(terms, training_loss(logits.float(), hardness.float(), label_map, config), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-6, atol=0)
    assert {parameter.grad.dtype for parameter in network.parameters()} == {torch.float32}


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
