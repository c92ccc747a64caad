"""`hlcore fit`: a hardness branch for a network of any origin, whose own weights and logits do not change."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from hlcore.config import FitConfig, TrainConfig
from hlcore.data.catalog import open_data
from hlcore.errors import CheckpointError, DatasetError, InvalidInputError, NotFiniteError
from hlcore.fitting.data import open_fit_data, open_split
from hlcore.fitting.models import open_network
from hlcore.fitting.run import fit, resume
from hlcore.inference import predict
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run, open_run
from hlcore.training.loop import Reports, train
from tests.hlcore.fitting import trained_networks
from tests.hlcore.fitting.conftest import CLASSES, write_images
from tests.hlcore.fitting.trained_networks import Saved

pytestmark = pytest.mark.slow
ORIGINS = ("smp", "torchvision", "segformer", "upernet", "mask2former", "maskformer", "plugin")


def settings(tmp_path: Path, **changes: Any) -> FitConfig:
    return FitConfig.model_validate({"out": tmp_path / "runs", "steps": 6, "batch_size": 3, "name": "fitted"} | changes)


def finish(reports: Reports) -> Run:
    *_, last = reports
    return last.run


@pytest.fixture
def saved(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    torch.manual_seed(0)
    if request.param == "plugin":
        return trained_networks.save_plugin(tmp_path, monkeypatch)
    return getattr(trained_networks, f"save_{request.param}")(tmp_path)


@pytest.mark.parametrize("saved", ORIGINS, indirect=True)
def test_a_network_of_any_origin_gets_a_hardness_map_and_keeps_its_logits_bit_by_bit(
    saved: Saved, data: Path, tmp_path: Path
) -> None:
    run = finish(fit(saved.model, data, settings(tmp_path, **saved.options)))
    network = load_epoch(open_run(run.path)).network
    image = torch.randint(0, 256, (1, 3, 50, 70), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        normalised = network.normalize(image).contiguous(memory_format=network.memory_format)
        expected = network.resize(saved.run(normalised), (50, 70))
        output = network(image)
    assert torch.equal(output.logits, expected)
    assert output.hardness is not None
    assert output.hardness.shape == (1, 1, 50, 70)
    first = load_epoch(run, 0).network
    assert not torch.equal(first(image).hardness, output.hardness)
    assert sorted(open_run(run.path).record.class_names) == sorted(run.record.class_names)


@pytest.mark.parametrize("saved", ["segformer"], indirect=True)
def test_classes_in_another_order_are_matched_by_name(saved: Saved, data: Path, tmp_path: Path) -> None:
    run = finish(fit(saved.model, data, settings(tmp_path)))
    assert run.record.class_names == ("Door", "Ground", "Wall")
    opened = open_fit_data(run.record.config.data, run.record.class_names, run.record.palette, requires_val=True)
    sample, original = opened.train[0], open_split(run.record.config.data, "train")[0]
    assert sample.label_map is not None
    assert original.label_map is not None
    into = np.full(256, 255)
    into[:3] = [1, 2, 0]  # ground, wall, door
    assert np.array_equal(sample.label_map, into[original.label_map])


def test_a_run_is_fitted_again_on_its_own_data(tmp_path: Path, data: Path) -> None:
    trained = finish(train(_tiny(tmp_path, data)))
    run = finish(fit(str(trained.path), None, settings(tmp_path)))
    before, after = load_epoch(trained), load_epoch(run)
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    old, new = (predict(one.network, image, class_names=CLASSES) for one in (before, after))
    assert np.array_equal(old.probabilities, new.probabilities)
    assert not np.array_equal(old.hardness_map, new.hardness_map)
    assert run.record.fitted is not None
    assert run.record.fitted.model == str(trained.path)
    epochs = run.epoch_table()
    assert len(epochs) > 0
    assert not epochs["val_hardness_lift"].isna().to_numpy().any()
    assert len(set(epochs["mean_iou"])) == 1
    assert run.probe is not None


def test_an_interrupted_fit_ends_like_an_uninterrupted_one(tmp_path: Path, data: Path) -> None:
    trained = finish(train(_tiny(tmp_path, data)))
    whole = finish(fit(str(trained.path), None, settings(tmp_path, name="whole")))
    reports = fit(str(trained.path), None, settings(tmp_path, name="stopped"))
    path = next(report for report in reports if report.iteration == 4).run.path
    reports.close()
    assert open_run(path).record.state == "interrupted"
    continued = finish(resume(path))
    assert continued.record.state == "complete"
    one, two = (load_epoch(run).network.state_dict() for run in (whole, continued))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert whole.epoch_table().equals(continued.epoch_table())
    columns = [name for name in whole.step_table() if name != "images_per_s"]
    assert whole.step_table()[columns].equals(continued.step_table()[columns])
    with pytest.raises(CheckpointError, match="is complete"):
        next(resume(path))
    with pytest.raises(CheckpointError, match="was trained, not fitted"):
        next(resume(trained.path))


def test_images_of_different_sizes_share_a_batch(tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    write_images(root, "train", 3, seed=0)
    write_images(root, "other", 3, seed=1, size=(96, 64))
    (root / "classes.json").write_text('["ground", "wall", "door"]')
    for kind in ("images", "labels"):
        for path in (root / kind / "other").iterdir():
            path.rename(root / kind / "train" / f"other{path.name}")
        (root / kind / "other").rmdir()
    saved = trained_networks.save_smp(tmp_path)
    run = finish(fit(saved.model, root, settings(tmp_path)))
    assert run.record.state == "complete"
    assert run.record.config.data.val_split == "train"  # a tenth of it, as there is no validation split


def test_features_that_do_not_fit_into_memory_give_the_same_branch(tmp_path: Path, data: Path) -> None:
    saved = trained_networks.save_smp(tmp_path)
    kept, computed = (
        finish(fit(saved.model, data, settings(tmp_path, name=f"cache{size}", cache_mb=size))) for size in (100, 0)
    )
    one, two = (load_epoch(run).network.state_dict() for run in (kept, computed))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("model", "changes", "error", "sentence"),
    [
        ("nowhere/at/all", {}, InvalidInputError, "neither a folder nor a network known by name"),
        ("fpn", {}, InvalidInputError, "without trained weights; give them with --weights FILE"),
        ("fpn", {"weights": Path("no.pth")}, CheckpointError, r"no\.pth: no such weight file"),
        ("SMP", {"dataset": "camvit"}, InvalidInputError, "unknown data set 'camvit'; did you mean 'camvid'"),
        ("SMP", {"split": "trian"}, DatasetError, "trian"),
        ("SMP", {"val_split": "vla"}, DatasetError, "vla"),
        ("SMP", {"epoch": 3}, InvalidInputError, "--epoch chooses a checkpoint of a run"),
        ("SMP", {"weights": Path("no.pth")}, InvalidInputError, "--weights is for a network known by name"),
        ("SMP", {"network": {"encoder": "resnet18"}}, InvalidInputError, "--network is for a network known by name"),
        ("EMPTY", {}, InvalidInputError, "is not a trained network"),
        ("ODD", {}, InvalidInputError, "is neither of SMP nor of transformers"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_a_sentence_and_nothing_is_written(
    model: str, changes: dict[str, Any], error: type[Exception], sentence: str, data: Path, tmp_path: Path
) -> None:
    if model == "SMP":
        model = trained_networks.save_smp(tmp_path).model
    if model in ("EMPTY", "ODD"):
        (tmp_path / model).mkdir()
        if model == "ODD":
            (tmp_path / model / "config.json").write_text("{}")
        model = str(tmp_path / model)
    with pytest.raises(error, match=sentence):
        list(fit(model, data, settings(tmp_path, **changes)))
    assert not (tmp_path / "runs").exists()


def test_a_network_with_other_classes_is_refused(tmp_path: Path, data: Path) -> None:
    import segmentation_models_pytorch as smp

    smp.Unet("resnet18", encoder_weights=None, classes=5, encoder_depth=3, decoder_channels=(8, 8, 8)).save_pretrained(
        tmp_path / "five"
    )
    with pytest.raises(InvalidInputError, match="has 5 classes, but the data set has 3: ground, wall, door"):
        next(fit(str(tmp_path / "five"), data, settings(tmp_path)))


def test_a_stop_while_features_are_computed_writes_nothing(tmp_path: Path, data: Path) -> None:
    reports = fit(trained_networks.save_smp(tmp_path).model, data, settings(tmp_path))
    assert next(reports).checked == (1, 12)
    with pytest.raises(StopIteration):
        reports.send(True)
    assert not (tmp_path / "runs").exists()


def _tiny(tmp_path: Path, data: Path) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "name": "trained",
            "out": tmp_path / "runs",
            "probe_images": 2,
            "network": {
                "network": "unet",
                "encoder": "tu-mobilenetv3_small_050",
                "encoder_weights": "none",
                "encoder_depth": 3,
                "decoder_channels": 16,
            },
            "data": {"dataset": "folder", "root": data},
            "optim": {"epochs": 1, "batch_size": 3},
        }
    )


def test_images_that_look_alike_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "alike"
    write_images(root, "train", 1, seed=0)
    (root / "classes.json").write_text('["ground", "wall", "door"]')
    for kind in ("images", "labels"):
        for number in range(1, 8):
            shutil.copy(root / kind / "train" / "0.png", root / kind / "train" / f"{number}.png")
    finish(fit(trained_networks.save_smp(tmp_path).model, root, settings(tmp_path)))
    assert "the images look alike: only 0.0 % of the variance" in caplog.text


def test_fitting_ends_when_the_lift_no_longer_rises(
    tmp_path: Path, data: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hlcore.fitting.run.RISE", 1e9)  # the first lift is never exceeded
    monkeypatch.setattr("hlcore.fitting.run.CHECK_STEPS", 3)
    caplog.set_level(logging.INFO)
    run = finish(fit(trained_networks.save_smp(tmp_path).model, data, settings(tmp_path, steps=60)))
    assert "the lift no longer rises, so fitting ends at step" in caplog.text
    assert run.record.state == "complete"
    assert 15 <= len(run.step_table()) < 30
    assert run.record.best_epoch in run.epochs


def test_there_are_never_more_steps_than_asked_for(tmp_path: Path, data: Path) -> None:
    saved = trained_networks.save_smp(tmp_path)
    for steps, size in ((2, 3), (1, 1), (7, 3)):
        run = finish(fit(saved.model, data, settings(tmp_path, steps=steps, batch_size=size, name=f"{steps}-{size}")))
        assert 1 <= len(run.step_table()) <= steps


def test_a_stop_at_the_measurement_that_ends_fitting_changes_nothing(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hlcore.fitting.run.RISE", 1e9)
    monkeypatch.setattr("hlcore.fitting.run.CHECK_STEPS", 3)
    saved = trained_networks.save_smp(tmp_path)
    whole = finish(fit(saved.model, data, settings(tmp_path, steps=60, name="whole")))
    reports = fit(saved.model, data, settings(tmp_path, steps=60, name="stopped"))
    last = len(whole.step_table())
    path = next(report for report in reports if report.ends_epoch and report.iteration == last).run.path
    reports.close()
    assert len(finish(resume(path)).step_table()) == last


def test_classes_of_transformers_with_gaps_are_refused(tmp_path: Path, data: Path) -> None:
    saved = trained_networks.save_segformer(tmp_path)
    path = Path(saved.model) / "config.json"
    content = json.loads(path.read_text())
    content["id2label"] = {"1": "Door", "2": "Ground", "3": "Wall"}
    content["label2id"] = {name: int(number) for number, name in content["id2label"].items()}
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match="does not name its classes 0 to 2 in id2label"):
        next(fit(saved.model, data, settings(tmp_path)))


def test_the_normalisation_can_be_given_and_is_saved(tmp_path: Path, data: Path) -> None:
    saved = trained_networks.save_smp(tmp_path)
    given = {"mean": (10.0, 20.0, 30.0), "std": (1.0, 2.0, 4.0)}
    network = load_epoch(finish(fit(saved.model, data, settings(tmp_path, **given)))).network
    image = torch.full((1, 3, 32, 32), 50, dtype=torch.uint8)
    assert network.normalize(image)[0, :, 0, 0].tolist() == [40.0, 15.0, 5.0]


def test_a_network_whose_head_was_never_trained_is_refused(data: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    saved = trained_networks.save_segformer(tmp_path)
    weights = Path(saved.model) / "model.safetensors"
    kept = {
        name: tensor for name, tensor in load_file(weights).items() if not name.startswith("decode_head.classifier")
    }
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks the weights decode_head.classifier.bias and 1 more"):
        next(fit(saved.model, data, settings(tmp_path)))


@pytest.mark.parametrize(
    ("settings_of_images", "mean", "std"),
    [
        ({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}, 127.5, 63.75),
        ({"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "rescale_factor": 1 / 127.5}, 63.75, 31.875),
        ({"image_mean": [100.0] * 3, "image_std": [50.0] * 3, "do_rescale": False}, 100.0, 50.0),
        ({"do_normalize": False}, 0.0, 255.0),
        ({"do_normalize": False, "do_rescale": False}, 0.0, 1.0),
    ],
)
def test_a_network_of_transformers_gets_images_as_its_own_processor_makes_them(
    settings_of_images: dict[str, Any], mean: float, std: float, tmp_path: Path
) -> None:
    saved = trained_networks.save_segformer(tmp_path)
    described = {"image_processor_type": "SegformerImageProcessor", **settings_of_images}
    (Path(saved.model) / "preprocessor_config.json").write_text(json.dumps(described))
    network = open_network(saved.model).network
    assert network.mean.flatten().tolist() == pytest.approx([mean] * 3)
    assert network.std.flatten().tolist() == pytest.approx([std] * 3)


def test_a_network_whose_output_is_not_finite_is_refused(data: Path, tmp_path: Path) -> None:
    saved = trained_networks.save_smp(tmp_path)
    from safetensors.torch import load_file, save_file

    weights = Path(saved.model) / "model.safetensors"
    tensors = load_file(weights)
    tensors["segmentation_head.0.bias"][:] = float("nan")
    save_file(tensors, weights)
    with pytest.raises(NotFiniteError, match="output for .* is not finite"):
        list(fit(saved.model, data, settings(tmp_path)))
    assert not (tmp_path / "runs" / "fitted").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"classes": None}, "classes must be a number of at least 2, got None"),
        ({"encoder_depth": "deep"}, "config.json cannot be read: encoder_depth"),
    ],
)
def test_settings_of_a_saved_network_that_cannot_be_used_are_named(
    changes: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    saved = trained_networks.save_smp(tmp_path)
    path = Path(saved.model) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(InvalidInputError, match=sentence):
        open_network(saved.model)


def test_weights_are_refused_for_a_folder_that_has_the_name_of_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = trained_networks.save_smp(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path(saved.model).rename(tmp_path / "fpn")
    with pytest.raises(InvalidInputError, match="--weights is for a network known by name"):
        open_network("fpn", weights=tmp_path / "weights.pth", num_classes=3)


def test_a_validation_split_that_is_damaged_is_reported_and_not_replaced(data: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(data, tmp_path / "data"))
    (root / "labels" / "val" / "0.png").unlink()
    with pytest.raises(DatasetError, match="has no label map"):
        next(fit(trained_networks.save_smp(tmp_path).model, root, settings(tmp_path)))


def test_the_variety_is_measured_although_no_image_fits_into_memory(data: Path, tmp_path: Path, caplog) -> None:
    root = tmp_path / "alike"
    shutil.copytree(data, root)
    for path in (root / "images" / "train").iterdir():
        shutil.copy(root / "images" / "train" / "0.png", path) if path.name != "0.png" else None
    with caplog.at_level(logging.WARNING):
        next(
            report
            for report in fit(trained_networks.save_smp(tmp_path).model, root, settings(tmp_path, cache_mb=0))
            if report.iteration
        )
    assert "the images look alike" in caplog.text


def test_images_without_a_labelled_pixel_teach_nothing(data: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(data, tmp_path / "data"))
    for path in (root / "labels" / "train").iterdir():
        Image.fromarray(np.full((64, 96), 255, np.uint8)).save(path)
    with pytest.raises(DatasetError, match="no pixel of the split 'train' is labelled"):
        list(fit(trained_networks.save_smp(tmp_path).model, root, settings(tmp_path)))


def test_a_folder_is_refused_for_scenes_that_need_none(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="streets needs no folder, so .* has no effect"):
        open_data("streets", root=data, split="train")
