"""Monte Carlo dropout: passes of one network that differ only in their dropout."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from hlcore.errors import InvalidInputError
from hlcore.inference import mc_dropout_entropy, predict
from hlcore.models.hardness import HardnessSegmenter

NAMES = ("sky", "road", "car")
IMAGE = np.random.default_rng(7).integers(0, 256, (19, 23, 3), np.uint8)


@pytest.fixture
def network() -> HardnessSegmenter:
    """Dropout in both branches, and a batch normalisation that training mode would change."""
    torch.manual_seed(1)
    encoder = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Tanh())
    segmentation = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(8, 3, 1))
    return HardnessSegmenter(encoder, segmentation, nn.Sequential(nn.Dropout(0.5), nn.Conv2d(8, 1, 1)), stride=1)


def test_entropy_is_that_of_the_mean_over_passes_each_run_by_hand(network: HardnessSegmenter) -> None:
    entropy = mc_dropout_entropy(network, IMAGE, passes=5, seed=3)
    network.eval()
    torch.manual_seed(3)
    with torch.no_grad():
        features = network.encode(torch.from_numpy(IMAGE).permute(2, 0, 1)[None])
        network.segmentation_branch[0].train()
        passes = [torch.softmax(network.segmentation_branch(features), 1)[0].double() for _ in range(5)]
    mean = torch.stack(passes).mean(0)
    np.testing.assert_allclose(entropy, -(mean * mean.log()).sum(0), rtol=1e-5)
    assert entropy.dtype == np.float32
    assert entropy.max() <= math.log(3) + 1e-6


def test_entropy_over_merged_classes_is_that_of_their_summed_means(network: HardnessSegmenter) -> None:
    own = mc_dropout_entropy(network, IMAGE, passes=4)
    np.testing.assert_array_equal(mc_dropout_entropy(network, IMAGE, passes=4, targets=np.array([0, 1, 2])), own)
    merged = mc_dropout_entropy(network, IMAGE, passes=4, targets=np.array([1, 0, 1]))
    assert merged.max() <= math.log(2) + 1e-6
    assert (merged <= own + 1e-6).all()
    assert (merged < own).any()
    np.testing.assert_allclose(mc_dropout_entropy(network, IMAGE, targets=np.zeros(3, np.intp)), 0, atol=1e-6)


def test_a_class_that_is_left_out_has_no_share_in_the_entropy(network: HardnessSegmenter) -> None:
    network.segmentation_branch[1].bias.data[2] += 50  # all but certain, until it is left out
    assert mc_dropout_entropy(network, IMAGE, passes=4).max() < 0.01
    assert mc_dropout_entropy(network, IMAGE, passes=4, targets=np.array([0, 1, -1])).max() > 0.01


def test_the_same_seed_gives_the_same_map_and_another_seed_another(network: HardnessSegmenter) -> None:
    first, second, other = (mc_dropout_entropy(network, IMAGE, passes=4, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_passes_do_not_change_the_callers_random_state(network: HardnessSegmenter) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    mc_dropout_entropy(network, IMAGE, passes=2)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_of_every_layer_is_restored(network: HardnessSegmenter, training: bool) -> None:
    network.train(training)
    network.encoder[1].eval()  # a frozen batch normalisation
    before = copy.deepcopy(network.state_dict())
    modes = [module.training for module in network.modules()]
    mc_dropout_entropy(network, IMAGE, passes=2)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_an_encoder_without_dropout_runs_once_and_one_with_dropout_in_every_pass(network: HardnessSegmenter) -> None:
    runs = []
    network.encoder.register_forward_hook(lambda *_: runs.append(1))
    mc_dropout_entropy(network, IMAGE, passes=6)
    assert len(runs) == 1
    network.encoder.append(nn.Dropout2d(0.2))
    mc_dropout_entropy(network, IMAGE, passes=6)
    assert len(runs) == 1 + 6


def test_windows_larger_than_the_image_are_the_whole_image(network: HardnessSegmenter) -> None:
    whole = mc_dropout_entropy(network, IMAGE, passes=3)
    np.testing.assert_array_equal(mc_dropout_entropy(network, IMAGE, passes=3, window=23), whole)
    windowed = mc_dropout_entropy(network, IMAGE, passes=3, window=8)
    assert windowed.shape == (19, 23)
    assert windowed.max() <= math.log(3) + 1e-6


def test_the_record_has_the_entropy_only_if_passes_are_requested(network: HardnessSegmenter) -> None:
    assert predict(network, IMAGE, class_names=NAMES).mc_entropy is None
    record = predict(network, IMAGE, class_names=NAMES, mc_dropout=3)
    np.testing.assert_array_equal(record.mc_entropy, mc_dropout_entropy(network, IMAGE, passes=3))
    np.testing.assert_array_equal(record.probabilities, predict(network, IMAGE, class_names=NAMES).probabilities)


@pytest.mark.parametrize("dropout", [None, nn.Dropout(0.0)])
def test_a_network_without_dropout_is_refused_with_the_way_out(
    network: HardnessSegmenter, dropout: nn.Module | None
) -> None:
    network.segmentation_branch[0] = dropout or nn.Identity()  # the hardness branch keeps its dropout
    with pytest.raises(InvalidInputError, match="network has no dropout.* leave mc_dropout at 0"):
        predict(network, IMAGE, class_names=NAMES, mc_dropout=20)


def test_less_than_one_pass_is_refused(network: HardnessSegmenter) -> None:
    with pytest.raises(InvalidInputError, match="at least one pass, got -1"):
        predict(network, IMAGE, class_names=NAMES, mc_dropout=-1)
