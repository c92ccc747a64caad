"""Memorising one image: the copy learns, the checkpoint does not change."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hlcore.config import LossConfig, NetworkConfig, OptimConfig
from hlcore.data.streets import Streets
from hlcore.errors import InvalidInputError, TrainingError
from hlcore.models.adapters import build_network
from hlcore.storage.checkpoints import Checkpoint, CheckpointHeader, load_checkpoint, save_checkpoint
from hlcore.training.memorise import memorise

pytestmark = pytest.mark.slow
SAMPLE = Streets("test", count=1, size=(48, 64))[0]
CLASSES = Streets("test", count=1, size=(48, 64)).classes
SETTINGS = {"loss": LossConfig(), "optim": OptimConfig(lr=3e-3, encoder_lr=3e-3)}


def saved(folder, *, network="deeplabv3plus", hardness=True):
    torch.manual_seed(0)
    config = NetworkConfig(
        network=network,
        encoder="tu-mobilenetv3_small_050",
        encoder_weights="none",
        encoder_depth=5 if network == "pan" else 4,
        decoder_channels=16,
    )
    header = CheckpointHeader(
        network=config,
        has_hardness=hardness,
        class_names=CLASSES.names,
        palette=CLASSES.palette,
        epoch=1,
        iteration=1,
    )
    path = folder / f"{network}.safetensors"
    save_checkpoint(path, build_network(config, len(CLASSES.names), hardness=hardness), header)
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Checkpoint:
    return load_checkpoint(saved(tmp_path_factory.mktemp("memorise")))


def learn(checkpoint, **changes):
    return memorise(checkpoint, SAMPLE.image, SAMPLE.label_map, **{**SETTINGS, **changes})


def test_the_branch_learns_with_the_runs_own_optimizer(checkpoint):
    def last(**optim):
        *_, report = learn(
            checkpoint, steps=30, snapshot_steps=(0,), optim=OptimConfig(lr=1e-5, encoder_lr=1e-5, **optim)
        )
        return report

    slow = last(hardness_optimizer="sgd", hardness_lr=0.01)
    fast = last(hardness_optimizer="adamw", hardness_lr=0.02)
    assert slow.hardness_lift == pytest.approx(1, abs=0.01)
    assert fast.hardness_lift > 1.05


def test_the_loss_map_fades_and_both_maps_are_recorded_at_the_snapshot_steps(checkpoint):
    reports = list(learn(checkpoint, steps=30, snapshot_steps=(0, 1, 10)))
    assert [report.step for report in reports] == list(range(31))
    kept = {report.step: report.snapshot for report in reports if report.snapshot}
    assert list(kept) == [0, 1, 10, 30]
    losses = [float(np.nanmean(snapshot.loss_map)) for snapshot in kept.values()]
    assert losses[-1] < 0.8 * losses[0]
    assert all(snapshot.hardness_map.shape == SAMPLE.label_map.shape for snapshot in kept.values())
    assert reports[-1].mean_loss < 0.8 * reports[1].mean_loss


def test_the_first_maps_and_the_first_loss_are_those_of_the_checkpoint(checkpoint):
    first, second = itertools.islice(learn(checkpoint), 2)
    assert first.step == 0
    assert np.isnan(first.mean_loss)
    assert second.mean_loss == pytest.approx(float(np.nanmean(first.snapshot.loss_map)), rel=0.2)  # dropout is on


@pytest.mark.parametrize("name", ["balanced_ce", "hardness"])
def test_the_checkpoint_in_memory_and_on_disk_does_not_change(checkpoint, tmp_path, name):
    path = saved(tmp_path)
    before, bytes_before = {k: v.clone() for k, v in checkpoint.network.state_dict().items()}, path.read_bytes()
    list(learn(load_checkpoint(path), steps=2, loss=LossConfig(name=name)))
    list(learn(checkpoint, steps=2, loss=LossConfig(name=name)))
    assert path.read_bytes() == bytes_before
    assert all(torch.equal(before[k], v) for k, v in checkpoint.network.state_dict().items())
    assert all(parameter.grad is None for parameter in checkpoint.network.parameters())
    assert not checkpoint.network.training


def test_both_branches_learn_and_batch_norm_statistics_do_not_change(checkpoint, monkeypatch):
    copies = []
    keep = SimpleNamespace(deepcopy=lambda network: copies.append(network) or network)
    monkeypatch.setattr("hlcore.training.memorise.copy", keep)
    another = Checkpoint(build_network(checkpoint.header.network, len(CLASSES.names)), checkpoint.header)
    before = {k: v.clone() for k, v in another.network.state_dict().items()}
    list(learn(another, steps=2))
    after = copies[0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"encoder", "segmentation_branch", "hardness_branch"} <= {name.split(".")[0] for name in changed}
    assert not any("running" in name or "batches_tracked" in name for name in changed)


@pytest.mark.parametrize("network", ["deeplabv3plus", "pan"])
def test_networks_that_cannot_train_on_a_batch_of_one_learn_a_single_image(tmp_path, network):
    assert list(learn(load_checkpoint(saved(tmp_path, network=network)), steps=1))[-1].step == 1


def test_the_same_seed_gives_the_same_maps_and_the_callers_random_state_does_not_change(checkpoint):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = list(learn(checkpoint, steps=3))[-1]
    assert torch.equal(torch.rand(1), expected)
    again, other = (list(learn(checkpoint, steps=3, seed=seed))[-1] for seed in (0, 1))
    np.testing.assert_array_equal(first.snapshot.loss_map, again.snapshot.loss_map)
    assert np.nanmax(np.abs(first.snapshot.loss_map - other.snapshot.loss_map)) > 0


def test_sending_true_or_closing_stops_it(checkpoint):
    reports = learn(checkpoint)
    assert next(reports).step == 0
    assert reports.send(False).step == 1
    with pytest.raises(StopIteration):
        reports.send(True)
    reports = learn(checkpoint)
    next(reports)
    reports.close()
    assert list(reports) == []


def test_a_network_without_hardness_branch_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="no hardness branch"):
        next(learn(load_checkpoint(saved(tmp_path, hardness=False))))


@pytest.mark.parametrize(
    ("label_map", "sentence"),
    [
        (np.zeros((2, 2), np.uint8), r"shape \(48, 64\), got \(2, 2\)"),
        (np.full((48, 64), 255, np.uint8), "has no labelled pixel"),
        (np.full((48, 64), 11, np.uint8), r"must hold 0..10 or 255 \(ignored\), got 11..11"),
    ],
)
def test_a_label_map_that_does_not_fit_is_refused(unchecked, checkpoint, label_map, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        next(memorise(checkpoint, SAMPLE.image, label_map, **SETTINGS))


def test_zero_steps_are_refused(checkpoint):
    with pytest.raises(InvalidInputError, match="at least 1, got 0"):
        next(learn(checkpoint, steps=0))


def test_an_exploding_loss_is_reported(checkpoint):
    with pytest.raises(TrainingError, match="learning rate is too high"):
        list(learn(checkpoint, optim=OptimConfig(lr=1e30, schedule="poly")))
