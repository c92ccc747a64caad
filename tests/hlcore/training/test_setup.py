"""What a run needs before its first step: the optimizers, and data with one white level."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PIL import Image as PillowImage
from torch import nn
from torch.optim import SGD, AdamW

from hlcore.config import DataConfig, OptimConfig, TrainConfig
from hlcore.models.hardness import HardnessSegmenter
from hlcore.training.setup import describe_run, make_optimizers, make_schedules, open_splits


def tiny_network() -> HardnessSegmenter:
    return HardnessSegmenter(nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1), nn.Conv2d(2, 1, 1))


def of_branch(**settings: object) -> dict[str, float]:
    _, optimizer = make_optimizers(tiny_network(), OptimConfig.model_validate(settings))
    return optimizer.param_groups[0]


def rates(config: OptimConfig, *, steps: int) -> list[tuple[float, float, float]]:
    """Learning rates of encoder and hardness branch, and the momentum of the latter, at each step."""
    optimizers = make_optimizers(tiny_network(), config)
    schedules = make_schedules(optimizers, config, steps)
    found = []
    for _ in range(steps):
        segmenter, branch = optimizers
        found.append(
            (segmenter.param_groups[0]["lr"], branch.param_groups[0]["lr"], branch.param_groups[0]["momentum"])
        )
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
    return found


def test_the_hardness_branch_is_trained_by_sgd_with_the_authors_momentum_and_weight_decay():
    segmenter, branch = make_optimizers(tiny_network(), OptimConfig())
    assert isinstance(segmenter, AdamW)
    assert isinstance(branch, SGD)
    [group] = branch.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.3, 0.9, 5e-4)


def test_the_branch_has_its_own_rate_momentum_and_weight_decay():
    group = of_branch(hardness_lr=0.7, hardness_momentum=0.5, hardness_weight_decay=0.0)
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.7, 0.5, 0.0)


def test_adamw_defaults_to_the_segmenters_rate_and_weight_decay():
    group = of_branch(hardness_optimizer="adamw", lr=0.004, weight_decay=0.03)
    assert (group["lr"], group["weight_decay"]) == (0.004, 0.03)
    given = of_branch(hardness_optimizer="adamw", hardness_lr=1e-4, hardness_weight_decay=0.5)
    assert (given["lr"], given["weight_decay"]) == (1e-4, 0.5)


def test_a_network_without_hardness_branch_has_one_optimizer():
    network = tiny_network()
    network.hardness_branch = None
    config = OptimConfig()
    optimizers = make_optimizers(network, config)
    assert (len(optimizers), len(make_schedules(optimizers, config, 10))) == (1, 1)


@pytest.mark.parametrize("schedule", ["one_cycle", "poly"])
def test_the_branch_follows_the_schedule_of_the_run_at_constant_momentum(schedule: str):
    found = rates(OptimConfig.model_validate({"schedule": schedule, "lr": 0.1, "encoder_lr": 0.1}), steps=20)
    for encoder_lr, hardness_lr, momentum in found:
        assert hardness_lr == pytest.approx(3 * encoder_lr)
        assert momentum == 0.9


def test_the_branch_may_have_its_own_schedule():
    constant = rates(OptimConfig(hardness_schedule="constant"), steps=20)
    assert {hardness_lr for _, hardness_lr, _ in constant} == {0.3}
    poly = rates(OptimConfig(hardness_schedule="poly"), steps=20)
    assert [lr for _, lr, _ in poly] == pytest.approx([0.3 * (1 - step / 20) ** 0.9 for step in range(20)])
    assert [lr for lr, _, _ in poly] == pytest.approx([lr for lr, _, _ in constant]), "the segmenter's does not change"


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_lambda_scales_the_branchs_step_under_sgd_and_not_under_adamw(optimizer: str):
    def step(factor: float) -> float:
        network = tiny_network()
        config = OptimConfig.model_validate(
            {"hardness_optimizer": optimizer, "hardness_lr": 0.1, "hardness_weight_decay": 0.0}
        )
        _, branch = make_optimizers(network, config)
        [weight] = [p for p in network.hardness_parameters() if p.ndim == 4]
        before = weight.detach().clone()
        weight.grad = torch.full_like(weight, factor)
        branch.step()
        return float((weight.detach() - before).norm())

    expected = 0.01 if optimizer == "sgd" else 1.0
    assert step(0.01) / step(1.0) == pytest.approx(expected, rel=1e-2)


def test_a_run_saves_its_defaults_explicitly():
    sgd = OptimConfig(lr=0.01).with_defaults()
    assert (sgd.encoder_lr, sgd.hardness_lr, sgd.hardness_weight_decay, sgd.hardness_schedule) == (
        pytest.approx(0.003), 0.3, 5e-4, "one_cycle",
    )  # fmt: skip
    adamw = OptimConfig(lr=0.01, weight_decay=0.1, hardness_optimizer="adamw", schedule="poly").with_defaults()
    assert (adamw.hardness_lr, adamw.hardness_weight_decay, adamw.hardness_schedule) == (0.01, 0.1, "poly")
    given = OptimConfig(encoder_lr=1.0, hardness_lr=2.0, hardness_weight_decay=0.0, hardness_schedule="constant")
    assert given.with_defaults() == given


def twelve_bits(root: Path) -> DataConfig:
    """A folder whose training image uses 12 bits and whose validation image uses 10 of them."""
    (root / "classes.json").write_text('["sky"]')
    for split, brightest in (("train", 4095), ("val", 1000)):
        for folder, pixels in (
            ("images", np.full((4, 6), brightest, np.uint16)),
            ("labels", np.zeros((4, 6), np.uint8)),
        ):
            (root / folder / split).mkdir(parents=True)
            PillowImage.fromarray(pixels).save(root / folder / split / "a.png")
    return DataConfig(dataset="folder", root=root)


def test_both_splits_of_a_run_have_the_white_level_of_its_training_images(tmp_path):
    train_data, val_data = open_splits(TrainConfig(data=twelve_bits(tmp_path)))
    assert int(train_data[0].image.max()) == 255
    assert int(val_data[0].image.max()) == round(1000 / 4095 * 255)


def test_a_given_white_level_is_that_of_both_splits(tmp_path):
    given = twelve_bits(tmp_path).model_copy(update={"white_level": 8190.0})
    train_data, val_data = open_splits(TrainConfig(data=given))
    assert [int(data[0].image.max()) for data in (train_data, val_data)] == [128, round(1000 / 8190 * 255)]


def test_a_run_records_the_white_level_it_found(tmp_path):
    config = TrainConfig(data=twelve_bits(tmp_path))
    train_data, _ = open_splits(config)
    record = describe_run(config, tiny_network(), train_data, Fabric(accelerator="cpu", devices=1))
    assert record.config.data == config.data.model_copy(update={"white_level": 4095.0})
    scenes = TrainConfig()
    record = describe_run(scenes, tiny_network(), open_splits(scenes)[0], Fabric(accelerator="cpu", devices=1))
    assert record.config.data == scenes.data
