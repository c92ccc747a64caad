"""The equations of training, against closed forms, a slow reference and torch's own losses."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from hlcore.config import LossConfig
from hlcore.errors import InvalidInputError
from hlcore.training.losses import (
    balanced_cross_entropy,
    cross_entropy_map,
    focal_loss,
    hardness_weight,
    median_frequency_weights,
    ohem_cross_entropy,
    training_loss,
)

LOSSES = ("ce", "balanced_ce", "ohem", "focal", "hardness")
LN2 = math.log(2)


def two_images() -> tuple[Tensor, Tensor, Tensor]:
    """Two images of 1 x 2 px, all of class 0: ce = 1, 2 | 3, - times ln 2 and S + c = 0.5, 1.0 | 0.3, 0.8."""
    odds = torch.tensor([[1.0, 3.0], [7.0, 1.0]])
    logits = torch.stack([torch.zeros(2, 2), odds.log()], dim=1)[:, :, None, :]
    hardness = torch.logit(torch.tensor([[0.4, 0.9], [0.2, 0.7]]))[:, None, None, :]
    label_map = torch.tensor([[[0, 0]], [[0, 255]]])
    return logits, hardness, label_map


def random_batch(seed: int, *, images: int = 2, num_classes: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(images, num_classes, 4, 5, generator=generator)
    hardness = 2 * torch.randn(images, 1, 4, 5, generator=generator)
    label_map = torch.randint(0, num_classes, (images, 4, 5), generator=generator)
    label_map[torch.rand(images, 4, 5, generator=generator) < 0.3] = 255
    return logits, hardness, label_map


def reference_objective(
    logits: Tensor, hardness: Tensor, label_map: Tensor, config: LossConfig
) -> tuple[float, float, float]:
    """Weighted ce, hardness loss and mean ce, pixel by pixel as the paper writes them, in double precision."""
    images, _, height, width = logits.shape
    losses, raw = {}, {}
    for n in range(images):
        for y in range(height):
            for x in range(width):
                label = int(label_map[n, y, x])
                if label == 255 and not config.count_ignored:
                    continue
                scores = [float(score) for score in logits[n, :, y, x]]
                losses[n, y, x] = 0.0
                if label != 255:
                    losses[n, y, x] = math.log(sum(math.exp(s - scores[label]) for s in scores))
                raw[n, y, x] = 1 / (1 + math.exp(-float(hardness[n, 0, y, x]))) + config.c
    used = {n for n, _, _ in raw}
    weighted = 0.0
    for (n, y, x), value in raw.items():
        if config.normalize == "batch":
            weight = value / sum(raw.values())
        else:
            weight = value / sum(v for (m, _, _), v in raw.items() if m == n) / len(used)
        weighted += weight * losses[n, y, x]
    labelled = int((label_map != 255).sum())
    mean = sum(losses.values()) / labelled if labelled else 0.0
    return weighted, -config.hardness_lambda * weighted, mean


@pytest.mark.parametrize(
    ("normalize", "count_ignored", "weighted"),
    [
        ("batch", False, (0.5 * 1 + 1.0 * 2 + 0.3 * 3) / 1.8),
        ("batch", True, (0.5 * 1 + 1.0 * 2 + 0.3 * 3) / 2.6),
        ("image", False, ((0.5 * 1 + 1.0 * 2) / 1.5 + 3) / 2),
        ("image", True, ((0.5 * 1 + 1.0 * 2) / 1.5 + 0.3 * 3 / 1.1) / 2),
    ],
)
def test_hardness_loss_equals_the_paper_computed_by_hand(normalize: str, count_ignored: bool, weighted: float) -> None:
    terms = training_loss(*two_images(), LossConfig(normalize=normalize, count_ignored=count_ignored))
    assert float(terms.mean_ce) == pytest.approx(2 * LN2)
    assert float(terms.weighted_ce) == pytest.approx(weighted * LN2)
    assert float(terms.hardness_lift) == pytest.approx(weighted / 2)
    assert float(terms.total.detach()) == pytest.approx((1 - 0.01) * weighted * LN2)


@pytest.mark.parametrize("normalize", ["batch", "image"])
@pytest.mark.parametrize("count_ignored", [False, True])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), images=st.integers(1, 3))
def test_hardness_loss_equals_the_paper_restated_pixel_by_pixel(
    normalize: str, count_ignored: bool, seed: int, images: int
) -> None:
    config = LossConfig(normalize=normalize, count_ignored=count_ignored)
    batch = random_batch(seed, images=images)
    weighted, hardness_loss, mean = reference_objective(*batch, config)
    terms = training_loss(*batch, config)
    assert float(terms.weighted_ce) == pytest.approx(weighted, rel=1e-4, abs=1e-6)
    assert float(terms.mean_ce) == pytest.approx(mean, rel=1e-4, abs=1e-6)
    assert float(terms.total.detach()) == pytest.approx(weighted + hardness_loss, rel=1e-4, abs=1e-6)


def test_segmentation_gradient_is_the_weight_times_the_usual_one() -> None:
    logits, hardness, label_map = random_batch(1)
    logits.requires_grad_()
    training_loss(logits, hardness, label_map, LossConfig()).total.backward()
    valid = label_map != 255
    weight = hardness_weight(torch.sigmoid(hardness[:, 0]), valid)
    one_hot = F.one_hot(torch.where(valid, label_map, 0), 3).permute(0, 3, 1, 2)
    expected = (weight * valid)[:, None] * (torch.softmax(logits.detach(), 1) - one_hot)
    torch.testing.assert_close(logits.grad, expected)


def test_hardness_gradient_is_the_closed_form_and_raises_D_exactly_where_the_loss_is_above_its_weighted_mean() -> None:
    logits, hardness, label_map = random_batch(2)
    hardness.requires_grad_()
    config = LossConfig()
    terms = training_loss(logits, hardness, label_map, config)
    terms.total.backward()
    valid = label_map != 255
    S = torch.sigmoid(hardness.detach()[:, 0])
    ce = cross_entropy_map(logits, label_map)
    above = ce - terms.weighted_ce
    expected = -config.hardness_lambda * S * (1 - S) * above / (S + config.c)[valid].sum()
    gradient = hardness.grad[:, 0]
    torch.testing.assert_close(gradient, torch.where(valid, expected, 0.0), rtol=1e-4, atol=1e-8)
    assert bool(((gradient < 0) == (valid & (above > 0))).all()), "descent raises D where the loss is high"


def test_segmentation_loss_moves_no_hardness_and_hardness_loss_moves_no_logits() -> None:
    logits, hardness, label_map = random_batch(3)
    grads = []
    for factor in (1e-6, 1.0):  # lambda scales the hardness loss alone
        logits_, hardness_ = logits.clone().requires_grad_(), hardness.clone().requires_grad_()
        training_loss(logits_, hardness_, label_map, LossConfig(hardness_lambda=factor)).total.backward()
        grads.append((logits_.grad, hardness_.grad / factor))
    assert torch.equal(grads[0][0], grads[1][0]), "the logits' gradient does not depend on lambda"
    torch.testing.assert_close(grads[0][1], grads[1][1], rtol=1e-4, atol=1e-12)  # all of D's gradient scales with it


@pytest.mark.parametrize("normalize", ["batch", "image"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weights_sum_to_one_and_stay_within_their_bound(normalize: str, seed: int) -> None:
    _, hardness, label_map = random_batch(seed)
    valid = label_map != 255
    weight = hardness_weight(torch.sigmoid(50 * hardness[:, 0]), valid, normalize=normalize)
    assert float(weight.sum()) == pytest.approx(1, abs=1e-5)
    assert bool((weight[~valid] == 0).all())
    for image_weight, image_valid in zip(weight, valid, strict=True):
        inside = image_weight[image_valid]
        assert float(inside.max() / inside.min()) <= 11 * (1 + 1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_lift_never_exceeds_eleven(seed: int) -> None:
    logits, hardness, label_map = random_batch(seed)
    terms = training_loss(logits, 50 * hardness, label_map, LossConfig())
    assert 1 / 11 * (1 - 1e-5) <= float(terms.hardness_lift) <= 11 * (1 + 1e-5)


def test_lift_comes_close_to_eleven_where_one_pixel_holds_all_loss_and_all_hardness() -> None:
    logits = torch.zeros(1, 2, 100, 100)
    logits[:, 0] = 50.0
    logits[..., 0, 0] = torch.tensor([-50.0, 50.0])
    hardness = torch.full((1, 1, 100, 100), -50.0)
    hardness[..., 0, 0] = 50.0
    lift = training_loss(logits, hardness, torch.zeros(1, 100, 100, dtype=torch.int64), LossConfig()).hardness_lift
    assert 10.9 < float(lift) <= 11


@pytest.mark.parametrize("level", [-4.0, 0.0, 4.0])
def test_lift_is_one_where_hardness_is_the_same_everywhere(level: float) -> None:
    logits, hardness, label_map = random_batch(4)
    terms = training_loss(logits, torch.full_like(hardness, level), label_map, LossConfig())
    assert float(terms.hardness_lift) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("normalize", ["batch", "image"])
@pytest.mark.parametrize("count_ignored", [False, True])
def test_batch_without_labels_costs_nothing_and_moves_nothing(name: str, normalize: str, count_ignored: bool) -> None:
    logits, hardness, label_map = random_batch(5)
    logits.requires_grad_()
    hardness.requires_grad_()
    config = LossConfig(name=name, normalize=normalize, count_ignored=count_ignored)
    terms = training_loss(logits, hardness, torch.full_like(label_map, 255), config, class_weights=torch.ones(3))
    terms.total.backward()
    assert float(terms.total.detach()) == 0
    assert float(terms.mean_ce) == 0
    assert bool((logits.grad == 0).all())
    assert bool((hardness.grad == 0).all())


@pytest.mark.parametrize("normalize", ["batch", "image"])
def test_image_without_labels_does_not_affect_the_other_image(normalize: str) -> None:
    logits, hardness, label_map = random_batch(6)
    label_map[1] = 255
    config = LossConfig(normalize=normalize)
    hardness.requires_grad_()
    both = training_loss(logits, hardness, label_map, config)
    both.total.backward()
    alone = training_loss(logits[:1], hardness[:1], label_map[:1], config)
    torch.testing.assert_close(both.total, alone.total)
    assert bool(torch.isfinite(hardness.grad).all())
    assert bool((hardness.grad[1] == 0).all())


@pytest.mark.parametrize("name", LOSSES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), noise=st.floats(-100, 100))
def test_ignored_pixels_change_nothing(name: str, seed: int, noise: float) -> None:
    logits, hardness, label_map = random_batch(seed)
    config, ignored = LossConfig(name=name), (label_map == 255)[:, None]
    weights = torch.tensor([1.0, 2.0, 3.0])
    expected = training_loss(logits, hardness, label_map, config, class_weights=weights)
    ramp = torch.arange(3.0).view(1, 3, 1, 1)
    changed = torch.where(ignored, logits + noise * ramp, logits), torch.where(ignored, noise, hardness)
    got = training_loss(*changed, label_map, config, class_weights=weights)
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, equal_nan=True)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("autocast", [True, False])
def test_loss_in_half_precision_is_the_float32_loss_of_the_same_logits(
    name: str, dtype: torch.dtype, autocast: bool
) -> None:
    logits, hardness, label_map = random_batch(7)
    low = logits.to(dtype), hardness.to(dtype)
    weights = torch.tensor([1.0, 2.0, 3.0])
    expected = training_loss(low[0].float(), low[1].float(), label_map, LossConfig(name=name), class_weights=weights)
    with torch.autocast("cpu", dtype=dtype, enabled=autocast):
        got = training_loss(*low, label_map, LossConfig(name=name), class_weights=weights)
    assert got.total.dtype == torch.float32
    for a, b in zip(got, expected, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("normalize", ["batch", "image"])
def test_extreme_logits_give_finite_losses_and_gradients(name: str, normalize: str) -> None:
    logits, hardness, label_map = random_batch(8)
    logits = (1e4 * logits.sign()).requires_grad_()
    hardness = (1e4 * hardness.sign()).requires_grad_()
    config = LossConfig(name=name, normalize=normalize, focal_gamma=0.5)
    terms = training_loss(logits, hardness, label_map, config, class_weights=torch.ones(3))
    terms.total.backward()
    assert bool(torch.isfinite(torch.stack(terms)).all())
    assert bool(torch.isfinite(logits.grad).all())
    assert bool(torch.isfinite(hardness.grad).all())


@pytest.mark.parametrize("name", ["ce", "balanced_ce", "ohem", "focal"])
def test_observed_hardness_learns_alongside_a_baseline_without_affecting_it(name: str) -> None:
    logits, hardness, label_map = random_batch(9)
    weights = torch.tensor([1.0, 2.0, 3.0])
    gradients = []
    for observed in (None, hardness.requires_grad_()):
        leaf = logits.clone().requires_grad_()
        training_loss(leaf, observed, label_map, LossConfig(name=name), class_weights=weights).total.backward()
        gradients.append(leaf.grad)
    assert torch.equal(*gradients)
    assert float(hardness.grad.abs().max()) > 0


def test_plain_cross_entropy_without_hardness_has_no_lift() -> None:
    logits, _, label_map = random_batch(10)
    terms = training_loss(logits, None, label_map, LossConfig(name="ce"))
    torch.testing.assert_close(terms.total, F.cross_entropy(logits, label_map, ignore_index=255))
    assert math.isnan(terms.hardness_lift)
    assert math.isnan(terms.weighted_ce)


def test_saved_hardness_weights_the_loss_as_the_networks_own_would() -> None:
    logits, hardness, label_map = random_batch(11)
    own = training_loss(logits, hardness, label_map, LossConfig())
    saved = training_loss(logits, None, label_map, LossConfig(), fixed_hardness=torch.sigmoid(hardness[:, 0]))
    torch.testing.assert_close(saved.weighted_ce, own.weighted_ce)
    torch.testing.assert_close(saved.total, own.weighted_ce)  # and there is no hardness branch to train


def test_hardness_loss_without_any_hardness_is_refused() -> None:
    logits, _, label_map = random_batch(12)
    with pytest.raises(InvalidInputError, match="needs a network with a hardness branch"):
        training_loss(logits, None, label_map, LossConfig(name="hardness"))


def test_balanced_cross_entropy_without_class_weights_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"needs class_weights; compute them with median_frequency_weights"):
        training_loss(*random_batch(13), LossConfig(name="balanced_ce"))


def test_balanced_cross_entropy_equals_torchs() -> None:
    logits, _, label_map = random_batch(14)
    weights = torch.tensor([0.5, 1.0, 4.0])
    got = balanced_cross_entropy(cross_entropy_map(logits, label_map), label_map != 255, label_map, weights)
    torch.testing.assert_close(got, F.cross_entropy(logits, label_map, weight=weights, ignore_index=255))


def test_class_weight_is_the_median_frequency_divided_by_its_own() -> None:
    even = median_frequency_weights(torch.tensor([10, 20, 0, 40, 80]))  # median of 10, 20, 40, 80: 30
    torch.testing.assert_close(even, torch.tensor([3.0, 1.5, 1.0, 0.75, 0.375]))
    torch.testing.assert_close(median_frequency_weights(torch.zeros(2, dtype=torch.int64)), torch.ones(2))


def reference_ohem(ce: Tensor, valid: Tensor, *, threshold: float, keep: float) -> float:
    losses = sorted(ce[valid].tolist(), reverse=True)
    least = math.ceil(keep * len(losses))
    hard = [loss for rank, loss in enumerate(losses) if rank < least or math.exp(-loss) <= threshold]
    return float(np.mean(hard))


@pytest.mark.parametrize(("threshold", "keep"), [(0.7, 1 / 16), (0.01, 1 / 16), (0.001, 0.3), (1.0, 0.5), (0.0, 1.0)])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_ohem_keeps_the_hard_pixels_and_at_least_the_share(threshold: float, keep: float, seed: int) -> None:
    logits, _, label_map = random_batch(seed)
    ce, valid = cross_entropy_map(logits, label_map), label_map != 255
    got = ohem_cross_entropy(ce, valid, threshold=threshold, keep=keep)
    assert float(got) == pytest.approx(reference_ohem(ce, valid, threshold=threshold, keep=keep), rel=1e-5)


def test_ohem_of_an_easy_image_trains_on_a_sixteenth_of_it() -> None:
    logits = torch.zeros(1, 2, 8, 8)
    logits[:, 0] = torch.linspace(5, 10, 64).view(8, 8)
    ce = cross_entropy_map(logits, torch.zeros(1, 8, 8, dtype=torch.int64)).requires_grad_()
    ohem_cross_entropy(ce, torch.ones(1, 8, 8, dtype=torch.bool)).backward()
    assert ce.grad.flatten().tolist() == [0.25] * 4 + [0.0] * 60


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_equals_its_definition_on_probabilities(gamma: float) -> None:
    logits, _, label_map = random_batch(15)
    valid = label_map != 255
    of_label = torch.softmax(logits.double(), 1).gather(1, torch.where(valid, label_map, 0)[:, None])[:, 0][valid]
    expected = (-((1 - of_label) ** gamma) * of_label.log()).mean()
    got = focal_loss(cross_entropy_map(logits, label_map), valid, gamma=gamma)
    torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=1e-7)


def test_focal_loss_keeps_finite_gradients_where_the_network_is_certain() -> None:
    ce = torch.zeros(1, 1, 2, requires_grad=True)
    focal_loss(ce, torch.ones(1, 1, 2, dtype=torch.bool), gamma=0.5).backward()
    assert bool(torch.isfinite(ce.grad).all())


def test_hardness_with_ohem_weights_only_the_kept_pixels() -> None:
    logits, hardness, label_map = random_batch(4)
    config = LossConfig(with_ohem=True, ohem_threshold=0.4)
    total = training_loss(logits, hardness, label_map, config).total
    valid = label_map != 255
    S, ce = torch.sigmoid(hardness[:, 0]), cross_entropy_map(logits, label_map)
    probability = torch.exp(-ce)
    kept = valid & (probability <= 0.4)
    assert 0 < int(kept.sum()) < int(valid.sum())
    weighted = ((S + config.c) * ce)[kept].sum() / (S + config.c)[kept].sum()
    hardness_loss = config.hardness_lambda * ((S + config.c) * ce)[valid].sum() / (S + config.c)[valid].sum()
    assert float(total) == pytest.approx(float(weighted - hardness_loss), rel=1e-5)


def test_hardness_with_ohem_is_zero_without_labelled_pixels() -> None:
    logits, hardness, label_map = random_batch(5)
    terms = training_loss(logits, hardness, torch.full_like(label_map, 255), LossConfig(with_ohem=True))
    assert float(terms.total) == 0
