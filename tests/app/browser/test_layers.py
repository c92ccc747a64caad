"""Layers arrive in the browser and are decoded exactly."""

from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from tests.app.browser.pages import canvas, placed, sent

NO_VALUE, STEPS = 65535, 65534
TITLE_PX, GAP_PX = 22, 12


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_hardness_loss_and_entropy_arrive_as_computed(watched, address, record, epoch):
    page = watched.open(f"{address}/?run=tiny&epoch={epoch}")
    of = record(epoch)
    maps = {"Hardness": (of.hardness_map, 1), "Loss": (of.loss_map, 88), "Entropy": (of.entropy, np.log(11))}
    for name, (values, high) in maps.items():
        numbers = sent(page, name, size=values.shape)
        valued = ~np.isnan(values)
        np.testing.assert_array_equal(numbers == NO_VALUE, ~valued, err_msg=f"{name} is missing without a label")
        steps = values[valued].astype(float) * STEPS / high
        # Half a step from rounding, plus float32 sums in a different order.
        np.testing.assert_allclose(numbers[valued], steps, atol=0.5 + 0.02, err_msg=name)
    assert np.isnan(of.loss_map).any()


def test_classes_labels_and_errors_arrive_exactly(watched, address, record):
    page = watched.open(f"{address}/?run=tiny&epoch=0")
    of = record(0)
    size = of.prediction.shape
    np.testing.assert_array_equal(sent(page, "Prediction", size=size), of.prediction)
    np.testing.assert_array_equal(sent(page, "Labels", size=size), of.labels)
    np.testing.assert_array_equal(sent(page, "Errors", size=size), np.where(of.valid, of.error, 2))
    assert 0 < of.error.sum() < of.valid.sum()


def test_the_change_between_two_epochs_is_their_difference(watched, address, record):
    page = watched.open(f"{address}/epochs?run=tiny&other=0&epoch=1")
    for name, of, high in (("Hardness", "hardness_map", 1), ("Loss", "loss_map", 88)):
        first, second = getattr(record(0), of), getattr(record(1), of)
        numbers = sent(page, f"{name} change", step="1", size=first.shape)
        valued = ~np.isnan(first)
        np.testing.assert_array_equal(numbers == NO_VALUE, ~valued)
        change = (numbers[valued] / STEPS * 2 - 1) * high
        np.testing.assert_allclose(change, (second - first)[valued], atol=2.1 * high / STEPS, err_msg=name)


def test_saved_pixels_are_those_of_the_photograph(watched, address, tmp_path):
    page = watched.open(f"{address}/?run=tiny&source=photographs&sample=coffee&show=Image,Hardness&opacity=0")
    with Image.open(str(files("skimage") / "data" / "coffee.png")) as file:
        photograph = np.asarray(file.convert("RGB"))
    height, width = photograph.shape[:2]
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    download.value.save_as(tmp_path / "saved.png")
    saved = np.asarray(Image.open(tmp_path / "saved.png").convert("RGB"))
    columns = (saved.shape[1] - GAP_PX) // (width + GAP_PX)
    for number in range(2):
        top = GAP_PX + TITLE_PX + number // columns * (height + TITLE_PX + GAP_PX)
        left = GAP_PX + number % columns * (width + GAP_PX)
        np.testing.assert_array_equal(saved[top : top + height, left : left + width], photograph)
    below = saved[2 * (height + TITLE_PX + GAP_PX) // columns + GAP_PX :]
    assert below.size, "colour bar and caption are below"
    assert (below != 255).any()
    assert download.value.suggested_filename == "tiny-coffee-600-x-400-px-epoch-2.png"


def test_a_value_has_the_colour_of_its_scale(watched, address, record):
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Hardness&opacity=100&scale=cividis&zoom=0.5,0.5,8")
    from hlcore.figures.style import colour_scale

    shown = canvas(page)
    rows, columns = placed(record(0).hardness_map.shape, shown.shape[:2], 8)
    values = record(0).hardness_map[rows][:, columns]
    colours = colour_scale("cividis")
    off = np.abs(shown.astype(int) - colours[np.rint(255 * values).astype(int)]).max(axis=2)
    assert (off == 0).mean() > 0.995, "except for values between two colours"
    assert off.max() <= 4
