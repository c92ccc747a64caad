"""The targets of a branch on frozen features."""

import pytest
import torch

from hlcore.config import FitConfig, Target
from hlcore.fitting.frozen import FrozenBatch
from hlcore.fitting.steps import Fitter
from hlcore.fitting.targets import make_objective
from hlcore.models.hardness import HardnessBranch

TARGETS: tuple[Target, ...] = ("hardness", "loss", "rank", "tcp")


def make_batch(*, labelled: bool = True) -> FrozenBatch:
    """A feature whose first channel is the logarithm of the cross entropy."""
    generator = torch.Generator().manual_seed(0)
    log_ce = torch.randn(2, 1, 16, 16, generator=generator)
    features = torch.cat([log_ce, torch.randn(2, 3, 16, 16, generator=generator)], dim=1)
    valid = torch.rand(2, 16, 16, generator=generator) < 0.9
    return FrozenBatch([features], log_ce[:, 0].exp(), valid if labelled else torch.zeros_like(valid), (16, 16))


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_teaches_the_branch_to_order_pixels_by_loss(target: Target) -> None:
    torch.manual_seed(0)
    branch, batch = HardnessBranch([4]), make_batch()
    fitter = Fitter(branch, 200, FitConfig(target=target, lr=0.3))
    lifts = [fitter.step(batch)["hardness_lift"] for _ in range(200)]
    assert lifts[-1] > lifts[0]
    with torch.no_grad():
        D = branch.eval()(batch.features)[:, 0]
    ranks = torch.stack([one[batch.valid].argsort().argsort().float() for one in (D, batch.ce)])
    assert torch.corrcoef(ranks)[0, 1] > 0.7


@pytest.mark.parametrize(("target", "best"), [("loss", "log"), ("tcp", "logit"), ("rank", "log")])
def test_the_objective_is_least_for_the_map_it_aims_at(target: Target, best: str) -> None:
    batch = make_batch()
    objective = make_objective(FitConfig(target=target))
    D = batch.ce.log() if best == "log" else torch.logit(-torch.expm1(-batch.ce))
    if target == "rank":
        D = 1000 * D
    torch.manual_seed(0)
    assert objective(D, batch.ce, batch.valid) < 1e-3
    assert objective(-D, batch.ce, batch.valid) > 0.1


@pytest.mark.parametrize("target", TARGETS)
def test_a_batch_without_labels_teaches_nothing(target: Target) -> None:
    branch = HardnessBranch([4])
    before = branch.fuse.weight.clone()
    logged = Fitter(branch, 2, FitConfig(target=target)).step(make_batch(labelled=False))
    assert torch.equal(branch.fuse.weight, before)
    assert logged["hardness_gradient_norm"] == 0
