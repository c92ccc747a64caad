"""Networks and maps for other programs: an ONNX file, a FiftyOne data set."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from hlcore.inference import predict
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run
from tests.hlcore.running import hlcore

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("given", ["run", "checkpoint"])
def test_the_file_gives_the_logits_and_the_hardness_map_of_an_image(
    given: str, scenes_run: Run, tmp_path: Path
) -> None:
    source = scenes_run.path if given == "run" else scenes_run.checkpoint_path(1)
    out = tmp_path / "new" / "network.onnx"
    done = hlcore("export", "onnx", source, "--out", out, *(("--epoch", 1) if given == "run" else ()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"complete: {out} (differs from torch by at most ")
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    network = load_epoch(scenes_run, 1).network
    assert json.loads(about["class_names"]) == list(scenes_run.record.class_names)
    assert (int(about["stride"]), about["epoch"]) == (network.stride, "1")
    image = np.random.default_rng(0).integers(0, 256, (3 * network.stride, 4 * network.stride, 3), np.uint8)
    logits, hardness = session.run(None, {"image": image.transpose(2, 0, 1)[None].astype(np.float32)})
    expected = predict(network, image, class_names=scenes_run.record.class_names)
    probabilities = torch.softmax(torch.from_numpy(np.asarray(logits)), dim=1)[0].numpy()
    np.testing.assert_allclose(probabilities, expected.probabilities, atol=1e-3)
    np.testing.assert_allclose(np.asarray(hardness)[0, 0], expected.hardness_map, atol=1e-3)
    assert [output.shape[1] for output in session.get_outputs()] == [len(scenes_run.record.class_names), 1]


def test_what_cannot_be_exported_is_named_and_nothing_is_written(scenes_run: Run, tmp_path: Path) -> None:
    checkpoint, out = scenes_run.checkpoint_path(1), tmp_path / "network.onnx"
    for given, sentence in (
        ((checkpoint, "--epoch", 1), "--epoch chooses a checkpoint of a run"),
        ((scenes_run.path, "--epoch", 7), "has not saved epoch 7"),
        ((tmp_path / "no.safetensors",), "does not exist; expected a checkpoint"),
        ((scenes_run.path, "--out", tmp_path), "is a folder; give a file, such as"),
    ):
        done = hlcore("export", "onnx", *given, *(() if "--out" in given else ("--out", out)))
        assert (done.returncode, sentence in done.stderr) == (1, True), done.stderr
    assert not out.exists()


class StandIn:
    """The functions of FiftyOne that are called, as in its version 1.22; its database is not here."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}
        self.Sample = self.Heatmap = self.Segmentation = SimpleNamespace

    def dataset_exists(self, name: str) -> bool:
        return name in self.made

    def Dataset(self, name: str, *, persistent: bool) -> Any:
        samples: list[Any] = []
        self.made[name] = SimpleNamespace(add_samples=samples.extend, samples=samples, persistent=persistent)
        self.made[name].save = lambda: None
        return self.made[name]


def test_a_bundle_becomes_a_data_set_of_images_heatmaps_and_predictions(
    scenes_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, maps, fiftyone = tmp_path / "photos", tmp_path / "maps", StandIn()
    photos.mkdir()
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(photos / "a.png")
    assert hlcore("predict", scenes_run.path, photos, "--out", maps).returncode == 0
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    assert "FiftyOne is not installed; pip install fiftyone" in hlcore("export", "fiftyone", maps).stderr
    monkeypatch.setitem(sys.modules, "fiftyone", fiftyone)
    done = hlcore("export", "fiftyone", maps)
    assert (done.returncode, done.stdout) == (
        0,
        "complete: maps (1 images); look at it with: fiftyone app launch maps\n",
    )
    [sample] = fiftyone.made["maps"].samples
    assert sample.filepath == str(photos / "a.png")
    assert sample.hardness.range == [0, 65535]
    with Image.open(sample.hardness.map_path) as heatmap:
        assert sample.mean_hardness == pytest.approx(np.asarray(heatmap).mean() / 65535, abs=1e-4)
    with Image.open(sample.prediction.mask_path) as mask:
        pixels = np.asarray(mask.convert("RGB")).reshape(-1, 3)
    colours = {"#{:02x}{:02x}{:02x}".format(*colour) for colour in np.unique(pixels, axis=0).tolist()}
    assert colours <= set(fiftyone.made["maps"].mask_targets["prediction"])
    assert "already has a data set 'maps'; give another --name" in hlcore("export", "fiftyone", maps).stderr
    assert hlcore("export", "fiftyone", maps, "--name", "other").returncode == 0
    assert "is not a hardness bundle" in hlcore("export", "fiftyone", photos).stderr
