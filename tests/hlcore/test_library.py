"""The stable interface: what docs/library.md shows runs, and each name does what it says."""

import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import hlcore
from hlcore.config import LossConfig
from hlcore.errors import InvalidInputError, NotFiniteError
from hlcore.models import torchvision_cpu  # noqa: F401  before the examples import torchvision
from hlcore.training.losses import training_loss

DOCUMENT = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```python\n(.*?)```", DOCUMENT, re.MULTILINE | re.DOTALL))


def run_example(title: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other libraries about one another
        exec(compile(EXAMPLES[title], title, "exec"), names)  # our own document
    return names


def test_the_document_lists_the_stable_names_and_every_section_has_an_example() -> None:
    assert set(re.findall(r"^\| `hlcore\.(\w+)`", DOCUMENT, re.MULTILINE)) == set(hlcore.__all__)
    assert len(EXAMPLES) == DOCUMENT.count("```python") == DOCUMENT.count("\n## ")


def test_importing_hlcore_imports_no_large_package() -> None:
    code = "import sys, hlcore; print(dir(hlcore)); print(*{'torch', 'numpy', 'pandas'} & set(sys.modules))"
    listed, large = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert large == ""
    assert "HardnessLoss" in listed
    with pytest.raises(AttributeError, match="no attribute 'HardnesLoss'"):
        _ = hlcore.HardnesLoss  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.slow
def test_the_example_of_a_training_loop_trains_network_and_branch() -> None:
    names = run_example("Train your network with its hardness")
    assert torch.isfinite(torch.stack(names["criterion"].terms)).all()
    torch.manual_seed(0)
    untrained = names["Segmenter"]()
    assert not torch.equal(untrained.head.weight, names["segmenter"].head.weight)
    assert names["branch_optimizer"].state_dict()["state"]


@pytest.mark.slow
@pytest.mark.parametrize("title", ["Features from a hook", "Lightning"])
def test_the_other_examples_of_training_run(title: str) -> None:
    names = run_example(title)
    if title == "Lightning":
        assert names["trainer"].global_step == 4  # two batches, two optimizers
        assert 0.9 < float(names["trainer"].logged_metrics["lift"]) < 1.1


@pytest.mark.slow
def test_the_example_of_a_trainer_steps_the_branch_and_the_model() -> None:
    names = run_example("Hugging Face Trainer")
    moved = names["branch_optimizer"].state_dict()["state"]
    assert len(moved) == len(list(names["branch"].parameters()))
    assert float(names["criterion"].terms.mean_ce) > 0


@pytest.mark.slow
def test_the_example_of_a_trained_network_makes_a_map_and_leaves_the_network_as_it_is() -> None:
    hardness_map = run_example("A network that is already trained")["hardness_map"]
    assert hardness_map.shape == (1, 1, 64, 96)
    assert ((hardness_map > 0) & (hardness_map < 1)).all()


# HardnessLoss


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 6, 8, generator=generator, requires_grad=True)
    hardness = torch.randn(2, 1, 6, 8, generator=generator, requires_grad=True)
    labels = torch.randint(0, 3, (2, 6, 8), generator=generator)
    labels[0, :2] = 255
    return logits, labels, hardness


@pytest.mark.parametrize(
    "settings",
    [{}, {"c": 0.5}, {"hardness_lambda": 0.1}, {"normalize": "image"}, {"count_ignored": True}],
)
def test_the_loss_and_its_gradients_are_those_of_training(batch: Any, settings: dict[str, Any]) -> None:
    logits, labels, hardness = batch
    criterion = hlcore.HardnessLoss(**settings)
    loss = criterion(logits, labels, hardness)
    ours = torch.autograd.grad(loss, [logits, hardness])
    terms = training_loss(logits, hardness, labels, LossConfig(**settings))
    theirs = torch.autograd.grad(terms.total, [logits, hardness])
    torch.testing.assert_close(loss, terms.total)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(criterion.terms.mean_ce, terms.mean_ce)
    torch.testing.assert_close(criterion.terms.hardness_lift, terms.hardness_lift)
    torch.testing.assert_close(criterion.terms.segmentation + criterion.terms.hardness, loss.detach())


def test_reductions_agree(batch: Any) -> None:
    mean, total, each = (hlcore.HardnessLoss(reduction=reduction)(*batch) for reduction in ("mean", "sum", "none"))
    valid = batch[1] != 255
    assert each.shape == batch[1].shape
    assert (each[~valid] == 0).all()
    torch.testing.assert_close(each[valid].mean(), mean)
    torch.testing.assert_close(each.sum(), total)


@pytest.mark.parametrize("ignore_index", [-1, 0, 255, 4])
def test_any_label_can_be_ignored(batch: Any, ignore_index: int) -> None:
    logits, labels, hardness = batch
    valid = labels != 255
    expected = hlcore.HardnessLoss()(logits, labels, hardness)
    if ignore_index == 0:  # the classes move up by one, as in data sets that count from 1
        logits = torch.cat([torch.full_like(logits[:, :1], -100.0), logits], dim=1)
        labels = labels + 1
    moved = torch.where(valid, labels, ignore_index)
    torch.testing.assert_close(hlcore.HardnessLoss(ignore_index=ignore_index)(logits, moved, hardness), expected)


def test_outputs_of_another_size_are_resized(batch: Any) -> None:
    logits, labels, hardness = batch
    large = F.interpolate(labels[:, None].float(), scale_factor=2).long()[:, 0]
    up = [F.interpolate(one, scale_factor=2, mode="bilinear") for one in (logits, hardness)]
    criterion = hlcore.HardnessLoss()
    torch.testing.assert_close(criterion(logits, large, hardness), criterion(up[0], large, up[1]))


def test_a_batch_without_labels_has_no_loss_and_no_gradient(batch: Any) -> None:
    logits, labels, hardness = batch
    criterion = hlcore.HardnessLoss()
    loss = criterion(logits, torch.full_like(labels, 255), hardness)
    for gradient in torch.autograd.grad(loss, [logits, hardness]):
        assert (gradient == 0).all()
    assert loss == 0
    assert criterion.terms.hardness_lift.isnan()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"reduction": "median"}, "reduction must be one of mean, sum, none, got 'median'"),
        ({"normalize": "all"}, "normalize must be one of batch, image, got 'all'"),
        ({"c": -1.0}, "c must not be negative"),
        ({"hardness_lambda": 0.0}, "hardness_lambda must be positive"),
    ],
)
def test_settings_that_are_not_valid_are_refused(settings: dict[str, Any], sentence: str, unchecked: None) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        hlcore.HardnessLoss(**settings)


def test_shapes_that_do_not_fit_are_refused(batch: Any, unchecked: None) -> None:
    logits, labels, hardness = batch
    for odd in (labels[:, None], labels.to(torch.uint8)):
        with pytest.raises(InvalidInputError, match="expected logits N C h w, label_map N H W of int64"):
            hlcore.HardnessLoss()(logits, odd, hardness)
    assert hlcore.HardnessLoss().terms.mean_ce.isnan()
    for wrong in (hardness[:1], hardness.expand(-1, 2, -1, -1)):
        with pytest.raises(InvalidInputError, match=r"hardness_logits N 1 h w, got \(2, 3, 6, 8\)"):
            hlcore.HardnessLoss()(logits, labels, wrong)


# FeatureHook, HardnessBranch and fit_hardness


def make_network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 1))


def test_a_hook_names_what_it_cannot_find_and_forgets_what_it_has_seen() -> None:
    network = make_network()
    with pytest.raises(InvalidInputError, match="no module 'stage1'; its parts are 0, 1, 2, 3"):
        hlcore.FeatureHook(network, ["stage1"])
    hook = hlcore.FeatureHook(network, ["2"])
    with pytest.raises(InvalidInputError, match="'2' has not run yet"):
        _ = hook.features
    network(torch.zeros(1, 3, 32, 32))
    assert hook.features[0].shape == (1, 8, 8, 8)
    hook.remove()
    network(torch.zeros(1, 3, 64, 64))
    with pytest.raises(InvalidInputError, match="has not run yet"):
        _ = hook.features


def test_a_branch_does_not_affect_the_features_and_says_what_it_lacks() -> None:
    branch = hlcore.HardnessBranch([4, 6])
    features = [torch.randn(1, 4, 8, 8, requires_grad=True), torch.randn(1, 6, 4, 4, requires_grad=True)]
    D = branch(features, size=(30, 31))
    assert D.shape == (1, 1, 30, 31)
    D.sum().backward()
    assert all(feature.grad is None for feature in features)
    with pytest.raises(InvalidInputError, match="expected at least 2 features N C H W"):
        branch(features[:1])
    with pytest.raises(InvalidInputError, match="at least one feature"):
        hlcore.HardnessBranch([])


def make_batches(form: str) -> list[Any]:
    """Images of two brightnesses; the labels of the dark half are noise, so only they are hard."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(4):
        dark = torch.rand(2, 1, 16, 16, generator=generator) < 0.5
        dark = dark.repeat_interleave(4, 2).repeat_interleave(4, 3)
        images = torch.where(dark, -1.0, 1.0).expand(-1, 3, -1, -1).contiguous()
        noise = torch.randint(0, 3, (2, 64, 64), generator=generator)
        labels = torch.where(dark[:, 0], noise, 0)
        labels[:, 0] = 255
        batches.append((images, labels) if form == "pairs" else {"input": images, "labels": labels})
    return batches


@pytest.mark.parametrize(("form", "cache_mb"), [("pairs", 100.0), ("pairs", 0.0), ("dicts", 100.0)])
def test_a_fitted_branch_finds_the_pixels_whose_labels_are_noise(form: str, cache_mb: float) -> None:
    torch.manual_seed(0)
    network = make_network()
    with torch.no_grad():  # certain of class 0 everywhere, as a network would be that cannot learn the noise
        network[3].bias.copy_(torch.tensor([5.0, 0.0, 0.0]))
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    batches = make_batches(form)
    branch = hlcore.fit_hardness(network, batches, modules=["0", "2"], steps=150, cache_mb=cache_mb)
    assert network.training
    assert not branch.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    images = batches[0][0] if form == "pairs" else batches[0]["input"]
    hook = hlcore.FeatureHook(network.eval(), ["0", "2"])
    with torch.no_grad():
        network(images)
        S = torch.sigmoid(branch(hook.features, images.shape[-2:]))[:, 0]
    dark = images[:, 0] < 0
    assert S[dark].mean() > S[~dark].mean() + 0.3


@pytest.mark.parametrize(
    ("loader", "sentence"),
    [
        (
            [(torch.zeros(1, 3, 8, 8),)],
            "expected batches of two tensors, images and label maps, or dicts with 'labels', got a tuple",
        ),
        (iter(make_batches("pairs")), "no batches, or cannot be read twice"),
    ],
)
def test_a_loader_that_cannot_be_used_is_refused(loader: Any, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        hlcore.fit_hardness(make_network(), loader, modules=["2"], steps=9, cache_mb=0)


def test_an_empty_loader_and_a_model_without_logits_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no batches"):
        hlcore.fit_hardness(make_network(), [], modules=["2"])
    for odd in (nn.Flatten(), Pair()):
        with pytest.raises(InvalidInputError, match="expected a model that returns logits"):
            hlcore.fit_hardness(nn.Sequential(make_network(), odd), make_batches("pairs"), modules=["0.2"])
    with pytest.raises(InvalidInputError, match="must be positive, c and cache_mb not negative, got 0, 1.0"):
        hlcore.fit_hardness(make_network(), make_batches("pairs"), modules=["2"], steps=0)


class Pair(nn.Module):
    def forward(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return logits, logits


def test_modules_keep_their_modes_and_a_network_of_half_precision_can_be_fitted() -> None:
    network = make_network().bfloat16().train()
    network[1].eval()  # as in networks whose batch norm is frozen
    batches = [(images.bfloat16(), labels) for images, labels in make_batches("pairs")]
    branch = hlcore.fit_hardness(network, batches, modules=["2"], steps=2)
    assert [module.training for module in network] == [True, False, True, True]
    assert branch.fuse.weight.dtype == torch.float32


def test_batches_that_cannot_be_used_are_named() -> None:
    images = torch.zeros(2, 3, 32, 32)
    for label_map, said in ((torch.zeros(2, 1, 32, 32, dtype=torch.int64), "shape"), (torch.zeros(2, 32, 32), "float")):
        with pytest.raises(InvalidInputError, match=f"expected label maps N H W of integers, got .*{said}"):
            hlcore.fit_hardness(make_network(), [(images, label_map)], modules=["2"], steps=1)
    hlcore.fit_hardness(make_network(), [(images, torch.zeros(2, 32, 32, dtype=torch.uint8))], modules=["2"], steps=1)
    for labels, said in (
        (torch.full((2, 32, 32), 255), "no pixel of the batches is labelled: all are 255"),
        (torch.full((2, 32, 32), 7), "expected labels of 0 to 2, or ignore_index=255, got 7 to 7"),
        (
            torch.zeros(2, 16, 16, dtype=torch.int64),
            r"expected label maps of the images' size \(32, 32\), got \(16, 16\)",
        ),
    ):
        with pytest.raises(InvalidInputError, match=said):
            hlcore.fit_hardness(make_network(), [(images, labels)], modules="2", steps=2)
    images[0, 0, 0, 0] = float("nan")
    with pytest.raises(NotFiniteError, match="the model's output is not finite"):
        hlcore.fit_hardness(
            make_network(), [(images, torch.zeros(2, 32, 32, dtype=torch.int64))], modules=["2"], steps=1
        )
