"""One training run: what it saves, exact resuming, and how it stops."""

import itertools
import json
import shutil
from math import nan
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file, save_file

from hlcore.config import LossConfig, OptimConfig
from hlcore.errors import CheckpointError, InvalidInputError, NotFiniteError, TrainingError
from hlcore.models.adapters import build_network
from hlcore.storage.bundles import BundleWriter, open_bundle
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run, open_run
from hlcore.training.loop import resume, train
from tests.hlcore.training.tiny_runs import NETWORK, STEPS_PER_EPOCH, tiny

pytestmark = pytest.mark.slow
LOSSES = ("ce", "balanced_ce", "ohem", "focal", "hardness")
EXPLODING = OptimConfig(epochs=4, batch_size=2, lr=1e30, schedule="poly")


def finish(reports: Any) -> Run:
    *_, last = reports
    return last.run


class Given:
    """Scores of a network with the given mean IoU."""

    def __init__(self, mean_iou: float) -> None:
        self.mean_iou = mean_iou

    def table(self, class_names: tuple[str, ...]) -> dict[str, float]:
        return {"mean_iou": self.mean_iou, **{f"iou/{name}": self.mean_iou for name in class_names}}


def weights(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoint_path(run.epochs[-1]))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finish(train(tiny(tmp_path_factory.mktemp("uninterrupted"))))


def test_a_run_saves_its_epochs_metrics_and_probe(uninterrupted: Run) -> None:
    run = open_run(uninterrupted.path)
    assert run.record.state == "complete"
    assert run.epochs == (0, 1, 2)
    assert list(run.epoch_table()["epoch"]) == [1, 2]
    assert list(run.step_table()["iteration"]) == list(range(1, 2 * STEPS_PER_EPOCH + 1))
    assert run.probe is not None
    assert run.probe.snapshots == ("epoch-0000", "iteration-000001", "epoch-0001", "epoch-0002")
    assert sorted(run.probe.split(name) for name in run.probe.images) == ["train", "val"]
    assert not run.resume_path.exists()


def test_every_step_logs_loss_lift_rates_norms_and_speed(uninterrupted: Run) -> None:
    steps = uninterrupted.step_table()
    logged = {"mean_ce", "weighted_ce", "hardness_lift", "lr", "encoder_lr", "hardness_lr", "gradient_norm"}
    logged |= {"hardness_gradient_norm", "images_per_s"}
    assert set(steps) >= logged
    assert not steps.isna().to_numpy().any()
    ratios = steps["weighted_ce"] / steps["mean_ce"]
    assert float((steps["hardness_lift"] / ratios - 1).abs().max()) < 3 * 5e-5, "three numbers of five digits"


def test_training_changes_segmenter_and_hardness_branch(uninterrupted: Run) -> None:
    before, after = (load_file(uninterrupted.checkpoint_path(epoch)) for epoch in (0, 2))
    for part in ("encoder.", "segmentation_branch.", "hardness_branch."):
        assert any(not torch.equal(before[name], after[name]) for name in before if name.startswith(part))


def test_the_same_seed_gives_the_same_weights_and_another_seed_different_ones(
    uninterrupted: Run, tmp_path: Path
) -> None:
    again = finish(train(tiny(tmp_path / "same")))
    other = finish(train(tiny(tmp_path / "other", seed=1)))
    assert all(torch.equal(a, b) for a, b in zip(weights(again).values(), weights(uninterrupted).values(), strict=True))
    assert not all(
        torch.equal(a, b) for a, b in zip(weights(other).values(), weights(uninterrupted).values(), strict=True)
    )


@pytest.mark.parametrize("reports_before_stop", [1, 2, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 1, STEPS_PER_EPOCH + 3])
def test_an_interrupted_run_resumes_to_the_same_weights_bit_for_bit(
    uninterrupted: Run, tmp_path: Path, reports_before_stop: int
) -> None:
    reports = train(tiny(tmp_path))
    path = next(itertools.islice(reports, reports_before_stop - 1, None)).run.path
    reports.close()
    assert open_run(path).record.state == "interrupted"

    resumed = finish(resume(path))
    expected = weights(uninterrupted)
    assert weights(resumed).keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(resumed).items())
    timeless = [column for column in uninterrupted.step_table() if column != "images_per_s"]
    assert resumed.step_table()[timeless].equals(uninterrupted.step_table()[timeless])
    assert resumed.epoch_table().equals(uninterrupted.epoch_table())


def test_a_stopped_run_resumes_to_the_same_weights(uninterrupted: Run, tmp_path: Path) -> None:
    reports = train(tiny(tmp_path))
    path = next(reports).run.path
    with pytest.raises(StopIteration):
        reports.send(True)
    assert open_run(path).record.state == "interrupted"
    expected = weights(uninterrupted)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(finish(resume(path))).items())


def test_a_run_resumes_without_the_weight_file_it_began_with(tmp_path: Path) -> None:
    file = tmp_path / "encoder.safetensors"
    save_file(build_network(NETWORK, 2).encoder.state_dict(), file)
    begun = NETWORK.model_copy(update={"encoder_weights": str(file)})
    expected = weights(finish(train(tiny(tmp_path / "whole", network=begun))))
    reports = train(tiny(tmp_path / "stopped", network=begun))
    path = next(reports).run.path
    reports.close()
    file.unlink()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(finish(resume(path))).items())


def test_a_run_killed_in_its_first_epoch_resumes_from_the_beginning(uninterrupted: Run, tmp_path: Path) -> None:
    reports = train(tiny(tmp_path / "killed"))
    path = next(reports).run.path
    as_it_was_when_killed = shutil.copytree(path, tmp_path / "copy")
    reports.close()

    expected = weights(uninterrupted)
    resumed = weights(finish(resume(as_it_was_when_killed)))
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.items())


def test_a_run_killed_before_its_first_state_starts_anew(uninterrupted: Run, tmp_path: Path) -> None:
    reports = train(tiny(tmp_path))
    run = next(reports).run
    reports.close()
    run.resume_path.unlink()
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(CheckpointError, match="start it again with the command that began it"):
        next(resume(run.path))

    anew = finish(train(tiny(tmp_path)))
    expected = weights(uninterrupted)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(anew).items())
    assert anew.probe is not None


def test_the_last_epoch_is_kept_whatever_the_settings(uninterrupted: Run, tmp_path: Path) -> None:
    run = finish(train(tiny(tmp_path, keep_epochs=1)))
    assert run.spaced_epochs == (run.record.config.optim.epochs,)
    expected = weights(uninterrupted)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(run).items())


@pytest.mark.parametrize(
    ("scores", "kept", "best"),
    [
        ([0.1, 0.4, 0.3, 0.2], (0, 2, 4), 2),
        ([0.1, 0.3, 0.4, 0.2], (0, 3, 4), 3),
        ([0.4, 0.4, 0.1, 0.1], (0, 1, 4), 1),
        ([0.1, 0.2, 0.3, 0.4], (0, 4), 4),
        ([nan, nan, nan, nan], (0, 4), None),
        ([nan, 0.2, nan, 0.1], (0, 2, 4), 2),
    ],
)
def test_the_best_epoch_on_validation_is_kept_and_named(
    tmp_path: Path, monkeypatch, scores: list[float], kept: tuple[int, ...], best: int | None
) -> None:
    given = iter(scores)
    monkeypatch.setattr("hlcore.training.loop._validate", lambda *_: Given(next(given)))
    reports = train(tiny(tmp_path, keep_epochs=2, optim=OptimConfig(epochs=4, batch_size=6)))
    path = next(itertools.islice(reports, 5, None)).run.path  # validated the third epoch
    reports.close()
    run = finish(resume(path))
    assert open_run(run.path).epochs == kept
    assert open_run(run.path).record.best_epoch == best
    assert run.spaced_epochs == (0, 4)
    assert run.probe is not None
    assert [name for name in run.probe.snapshots if name.startswith("epoch")] == ["epoch-0000", "epoch-0004"]
    if best is None:
        with pytest.raises(InvalidInputError, match="does not name its best epoch; choose one of 0, 4"):
            load_epoch(run, "best")
    else:
        assert load_epoch(run, "best").epoch == best


def test_a_run_killed_before_it_names_its_best_epoch_names_it_when_resumed(tmp_path: Path, monkeypatch) -> None:
    given = iter([0.1, 0.4, 0.2, 0.3])
    monkeypatch.setattr("hlcore.training.loop._validate", lambda *_: Given(next(given)))
    reports = train(tiny(tmp_path, keep_epochs=2, optim=OptimConfig(epochs=4, batch_size=6)))
    path = next(itertools.islice(reports, 3, None)).run.path  # validated the second epoch
    as_it_was_when_killed = shutil.copytree(path, tmp_path / "copy")
    reports.close()
    record = as_it_was_when_killed / "run.json"
    record.write_text(record.read_text().replace('"best_epoch": 2', '"best_epoch": 1'))
    assert finish(resume(as_it_was_when_killed)).record.best_epoch == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no training state to resume from; its saved epochs remain usable"),
        (b"not a state", "is not a training state, so the run cannot be resumed; its saved epochs remain usable"),
    ],
)
def test_an_unreadable_training_state_gets_a_clear_error(tmp_path: Path, content, sentence: str) -> None:
    reports = train(tiny(tmp_path))
    run = next(reports).run
    reports.close()
    run.resume_path.unlink()
    if content is not None:
        run.resume_path.write_bytes(content)
    with pytest.raises(CheckpointError, match=sentence):
        next(resume(run.path))


@pytest.mark.parametrize("progress", [[10**9, 10**9], [-1, 0], [0, 7]])
def test_a_training_state_that_counts_wrongly_is_refused(tmp_path: Path, progress: list[int]) -> None:
    reports = train(tiny(tmp_path))
    run = next(reports).run
    reports.close()
    state = torch.load(run.resume_path, weights_only=True)
    torch.save(state | {"progress": progress}, run.resume_path)
    with pytest.raises(CheckpointError, match="does not match its run: it counts"):
        next(resume(run.path))


def test_a_killed_run_resumes_from_its_last_epoch_and_logs_no_step_twice(uninterrupted: Run, tmp_path: Path) -> None:
    reports = train(tiny(tmp_path / "killed"))
    path = next(itertools.islice(reports, STEPS_PER_EPOCH + 2, None)).run.path  # two steps into epoch 2
    as_it_was_when_killed = shutil.copytree(path, tmp_path / "copy")
    reports.close()

    resumed = finish(resume(as_it_was_when_killed))
    assert list(resumed.step_table()["iteration"]) == list(range(1, 2 * STEPS_PER_EPOCH + 1))
    expected = weights(uninterrupted)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(resumed).items())


def test_all_losses_start_from_the_same_network_and_batch(tmp_path: Path) -> None:
    first_steps = [next(iter(train(tiny(tmp_path, name=loss, loss=LossConfig(name=loss))))).values for loss in LOSSES]
    assert len({step["mean_ce"] for step in first_steps}) == 1
    assert all(step["hardness_lift"] is not None for step in first_steps)


def test_an_observing_branch_does_not_affect_the_segmenter(tmp_path: Path) -> None:
    optim = OptimConfig(epochs=1, batch_size=2)
    network = NETWORK.model_copy(update={"options": {"decoder_dropout": 0.0}})
    watched, alone = (
        finish(
            train(
                tiny(
                    tmp_path,
                    name=str(observe),
                    optim=optim,
                    network=network,
                    loss=LossConfig(name="ce", observe_hardness=observe),
                )
            )
        )
        for observe in (True, False)
    )
    expected = weights(watched)
    assert any(name.startswith("hardness_branch.") for name in expected)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(alone).items())
    assert load_checkpoint(alone.checkpoint_path(1)).network.hardness_branch is None


def moved(run: Run) -> float:
    """How far the weights of the hardness branch have moved in training."""
    before, after = (load_file(run.checkpoint_path(epoch)) for epoch in (0, run.epochs[-1]))
    names = [key for key in before if key.startswith("hardness_branch.") and key.endswith("weight")]
    return sum(float((after[key] - before[key]).norm() ** 2) for key in names) ** 0.5


@pytest.mark.parametrize(("optimizer", "slower"), [("sgd", 0.1), ("adamw", 1.0)])
def test_a_smaller_lambda_slows_the_hardness_branch_under_sgd_and_not_under_adamw(
    tmp_path: Path, optimizer: Literal["sgd", "adamw"], slower: float
) -> None:
    def after(hardness_lambda: float) -> float:
        optim = OptimConfig(
            epochs=1, batch_size=2, hardness_optimizer=optimizer, hardness_weight_decay=0.0, schedule="poly"
        )
        loss = LossConfig(hardness_lambda=hardness_lambda)
        return moved(finish(train(tiny(tmp_path, name=f"lambda-{hardness_lambda}", optim=optim, loss=loss))))

    assert after(0.001) == pytest.approx(slower * after(0.01), rel=0.05)


def test_a_run_older_than_the_branchs_own_optimizer_resumes_with_adamw(tmp_path: Path) -> None:
    optim = OptimConfig(epochs=2, batch_size=2, hardness_optimizer="adamw", hardness_lr=1e-4)
    copied = NETWORK.model_copy(update={"hardness_branch": "copy"})
    expected = weights(finish(train(tiny(tmp_path / "whole", optim=optim, network=copied))))
    reports = train(tiny(tmp_path / "halved", optim=optim, network=copied))
    path = next(itertools.islice(reports, STEPS_PER_EPOCH, None)).run.path
    reports.close()

    record = json.loads((path / "run.json").read_text())
    for setting in ("optimizer", "momentum", "weight_decay", "schedule"):
        del record["config"]["optim"][f"hardness_{setting}"]
    for setting in ("branch", "norm"):
        del record["config"]["network"][f"hardness_{setting}"]
    (path / "run.json").write_text(json.dumps(record))
    assert open_run(path).record.config.optim.hardness_optimizer == "adamw"
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(finish(resume(path))).items())


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_images(tmp_path: Path) -> None:
    says = r"the loss is (nan|inf) at step \d+ .* train-000\d.*epoch-000\d"
    with pytest.raises(TrainingError, match=says) as stopped:
        finish(train(tiny(tmp_path, probe_images=0, optim=EXPLODING)))
    assert "Lower optim.lr" in str(stopped.value)
    assert open_run(tmp_path / "tiny").record.state == "failed"


def test_scores_that_are_not_finite_stop_the_run_and_name_the_last_checkpoint(tmp_path: Path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise NotFiniteError("the network's output is not finite")

    monkeypatch.setattr("hlcore.training.loop.score_images", fail)
    with pytest.raises(TrainingError, match=r"no longer finite after epoch 1; .*epoch-0000.* Lower optim.lr"):
        finish(train(tiny(tmp_path, probe_images=0)))


def test_probe_maps_that_are_not_finite_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="output for train-0000 is no longer finite at iteration-000001"):
        finish(train(tiny(tmp_path, optim=EXPLODING)))
    assert open_run(tmp_path / "tiny").record.state == "failed"


def test_a_run_is_not_overwritten(uninterrupted: Run) -> None:
    with pytest.raises(CheckpointError, match="already holds a run; continue it with --resume"):
        next(iter(train(tiny(uninterrupted.path.parent))))


def test_devices_that_cannot_share_the_images_of_a_step_equally_are_refused(tmp_path: Path) -> None:
    reports = train(tiny(tmp_path))
    path = next(reports).run.path
    reports.close()
    with pytest.raises(
        InvalidInputError, match="3 devices cannot share the run's 2 images a step .* number of devices that divides 2"
    ):
        resume(path, devices=3)
    with pytest.raises(InvalidInputError, match="4 devices cannot share the run's 2 images"):
        resume(path, devices=2, nodes=2)


def test_a_complete_run_has_nothing_to_resume(uninterrupted: Run) -> None:
    with pytest.raises(CheckpointError, match="is complete"):
        resume(uninterrupted.path)


def test_too_few_images_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"6 training images do not fill one step of 8 x 1 processes"):
        next(iter(train(tiny(tmp_path, optim=OptimConfig(epochs=1, batch_size=8)))))


def test_a_batch_too_small_for_batch_norm_gets_a_clear_error(tmp_path: Path) -> None:
    pooled = NETWORK.model_copy(update={"network": "deeplabv3plus", "options": {}})
    with pytest.raises(InvalidInputError, match=r"a batch of 1 x 3 x 48 x 64 \(N C H W\).* raise optim.batch_size"):
        next(train(tiny(tmp_path, network=pooled, optim=OptimConfig(epochs=1, batch_size=1))))


def test_maps_of_a_run_or_bundle_weight_the_loss_of_another(uninterrupted: Run, tmp_path: Path) -> None:
    student = tiny(tmp_path, hardness_from=uninterrupted.path, loss=LossConfig(observe_hardness=False))
    taught = finish(train(student))
    made = taught.path / "hardness-from"
    from_bundle = finish(train(student.model_copy(update={"name": "from-bundle", "hardness_from": made})))
    alone = finish(train(tiny(tmp_path, name="alone", loss=LossConfig(name="ce", observe_hardness=False))))

    assert all(torch.equal(a, b) for a, b in zip(weights(taught).values(), weights(from_bundle).values(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(taught).values(), weights(alone).values(), strict=True))
    assert taught.step_table()["hardness_lift"].notna().to_numpy().all()
    assert not any(name.startswith("hardness_branch.") for name in weights(taught))


def test_a_bundle_that_lacks_an_image_is_refused_by_name(uninterrupted: Run, tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "empty", class_names=("a",), palette=((0, 0, 0),)):
        pass
    with pytest.raises(InvalidInputError, match="no hardness map for 6 of 6 training images, such as 'train-0000'"):
        next(iter(train(tiny(tmp_path, hardness_from=tmp_path / "empty"))))
    assert not (tmp_path / "tiny").exists()  # so that the name can be used again once the cause is fixed


def test_saved_maps_need_the_hardness_loss(uninterrupted: Run, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="hardness_from needs loss.name 'hardness', got 'ohem'"):
        train(tiny(tmp_path, hardness_from=uninterrupted.path, loss=LossConfig(name="ohem")))


def test_incomplete_maps_are_predicted_again(uninterrupted: Run, tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "tiny" / "hardness-from", class_names=("a",), palette=((0, 0, 0),)):
        pass
    reports = train(tiny(tmp_path, hardness_from=uninterrupted.path))
    made = open_bundle(next(reports).run.path / "hardness-from")
    assert len(made.manifest) == 2 * STEPS_PER_EPOCH
