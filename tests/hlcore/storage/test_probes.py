"""The probe set of a run."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.storage.png import write_hardness_png, write_loss_png
from hlcore.storage.probes import Probe

NAMES = ("0001", "city/berlin/street_000012")
RNG = np.random.default_rng(0)
IMAGES = {name: RNG.integers(0, 256, (5, 7, 3), np.uint8) for name in NAMES}
LABELS = {name: RNG.choice(np.array([0, 3, 255], np.uint8), (5, 7)) for name in NAMES}


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    pictures = {name: (IMAGES[name], LABELS[name]) for name in NAMES}
    return Probe.create(tmp_path / "probe", {NAMES[0]: "train", NAMES[1]: "val"}, pictures)


def maps(level: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    loss_map = np.full((5, 7), level, np.float32)
    loss_map[0, 0] = np.nan
    return {name: (np.full((5, 7), level, np.float32), loss_map) for name in NAMES}


def opened(probe: Probe) -> Probe:
    again = Probe.open(probe.path)
    assert again is not None
    return again


def test_images_labels_and_splits_are_read_back_even_with_folders_in_their_names(probe: Probe) -> None:
    again = opened(probe)
    assert again.images == NAMES
    assert [again.split(name) for name in NAMES] == ["train", "val"]
    for name in NAMES:
        np.testing.assert_array_equal(again.image(name), IMAGES[name])
        np.testing.assert_array_equal(again.label_map(name), LABELS[name])
    assert again.snapshots == ()


def test_snapshots_are_in_the_order_of_training(probe: Probe) -> None:
    probe = probe.add("epoch-0000", maps(0.75)).add("iteration-000010", maps(0.5)).add("epoch-0001", maps(0.25))
    again = opened(probe)
    assert again.snapshots == ("epoch-0000", "iteration-000010", "epoch-0001")
    for snapshot, level in zip(again.snapshots, (0.75, 0.5, 0.25), strict=True):
        for name in NAMES:
            hardness_map, loss_map = again.maps(name, snapshot)
            np.testing.assert_allclose(hardness_map, level, atol=1e-5)
            assert np.isnan(loss_map[0, 0])
            np.testing.assert_allclose(loss_map[1:], level, atol=2e-4)


def test_snapshot_taken_again_after_a_resume_replaces_the_old_one(probe: Probe) -> None:
    probe = probe.add("epoch-0001", maps(0.75)).add("epoch-0002", maps(0.5)).add("epoch-0001", maps(0.25))
    assert opened(probe).snapshots == ("epoch-0001", "epoch-0002")
    np.testing.assert_allclose(opened(probe).maps(NAMES[0], "epoch-0001")[0], 0.25, atol=1e-5)


def test_folder_without_a_manifest_has_no_probe(tmp_path: Path) -> None:
    assert Probe.open(tmp_path) is None


def test_unknown_names_are_refused_with_the_known_ones(probe: Probe) -> None:
    for read in (probe.image, probe.label_map, probe.split):
        with pytest.raises(
            InvalidInputError, match=r"no probe image '0002'; there are 0001, city/berlin/street_000012"
        ):
            read("0002")
    probe = probe.add("epoch-0001", maps(0.5))
    with pytest.raises(InvalidInputError, match="no snapshot 'epoch-0002'; there are epoch-0001"):
        probe.maps("0001", "epoch-0002")


def test_missing_or_damaged_picture_is_named(probe: Probe) -> None:
    probe = probe.add("epoch-0001", maps(0.5))
    (probe.path / "0001" / "image.png").unlink()
    (probe.path / "0001" / "label.png").write_bytes(b"\x89PNG no more")
    (probe.path / "0001" / "epoch-0001.loss.png").unlink()
    with pytest.raises(CheckpointError, match=r"image\.png is not a readable PNG"):
        probe.image("0001")
    with pytest.raises(CheckpointError, match=r"label\.png is not a readable PNG"):
        probe.label_map("0001")
    with pytest.raises(CheckpointError, match=r"epoch-0001\.loss\.png is not a readable PNG"):
        probe.maps("0001", "epoch-0001")


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../../secret",
        "city/../../secret",
        "C:\\secret",
        "..\\secret",
        "\\\\host\\secret",
        "",
        ".",
        "a\0",
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(probe: Probe, name: str) -> None:
    (probe.path / "manifest.json").write_text(json.dumps({"images": {name: "val"}}))
    with pytest.raises(CheckpointError, match=r"manifest\.json cannot be read: .*expected a name inside the folder"):
        Probe.open(probe.path)


@pytest.mark.parametrize("snapshot", ["../../../secret", "/etc/passwd", "epoch-1/../x", "", "epoch-", "epoch-0001\n"])
def test_a_snapshot_that_is_no_epoch_or_iteration_is_refused(probe: Probe, snapshot: str) -> None:
    (probe.path / "manifest.json").write_text(json.dumps({"images": {"0001": "val"}, "snapshots": [snapshot]}))
    with pytest.raises(CheckpointError, match=r"manifest\.json cannot be read: snapshots\.0: "):
        Probe.open(probe.path)


@pytest.mark.parametrize("scale", ["0", "-1", "NaN", "Infinity", "1e300"])
def test_a_scale_of_the_loss_that_is_no_scale_is_refused(probe: Probe, scale: str) -> None:
    (probe.path / "manifest.json").write_text(f'{{"images": {{}}, "loss_full_scale_nats": {scale}}}')
    with pytest.raises(CheckpointError, match=r"manifest\.json cannot be read: loss_full_scale_nats: "):
        Probe.open(probe.path)


def test_a_map_of_another_size_than_its_image_is_named(probe: Probe) -> None:
    probe = probe.add("epoch-0001", maps(0.5))
    for kind, write in (("hardness", write_hardness_png), ("loss", partial(write_loss_png, full_scale=16.0))):
        path = probe.path / "0001" / f"epoch-0001.{kind}.png"
        kept = path.read_bytes()
        write(path, np.zeros((5, 6), np.float32))
        with pytest.raises(CheckpointError, match=rf"epoch-0001\.{kind}\.png is 6 x 5 px, but its image is 7 x 5 px"):
            probe.maps("0001", "epoch-0001")
        path.write_bytes(kept)
    PillowImage.fromarray(np.zeros((5, 6), np.uint8)).save(probe.path / "0001" / "label.png")
    with pytest.raises(CheckpointError, match=r"label\.png is 6 x 5 px, but its image is 7 x 5 px"):
        probe.label_map("0001")


def test_a_label_of_a_class_that_the_run_lacks_is_named(probe: Probe) -> None:
    assert Probe.open(probe.path, num_classes=4).label_map("0001").max() == 255
    with pytest.raises(CheckpointError, match=r"label\.png has class 3, but the run has 3 classes"):
        Probe.open(probe.path, num_classes=3).label_map("0001")


def test_a_picture_above_the_limit_is_not_decoded(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hlcore.storage.png.MAX_PIXELS", 34)
    for read in (probe.image, probe.label_map):
        with pytest.raises(CheckpointError, match=r"\.png has 7 x 5 px; the limit is"):
            read("0001")


@pytest.mark.parametrize("text", ["{", '{"images": {"a": "test"}}', '{"images": {}, "snapshot": []}'])
def test_invalid_manifest_is_refused_by_name(probe: Probe, text: str) -> None:
    (probe.path / "manifest.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"manifest\.json cannot be read: "):
        Probe.open(probe.path)


def test_pictures_are_plain_files_any_program_opens(probe: Probe) -> None:
    with PillowImage.open(probe.path / NAMES[1] / "label.png") as label:
        assert label.mode == "L"
