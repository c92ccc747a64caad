"""Unusual scenes: larger than the cache, with missing maps, one pixel wide, or failing to load."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.viewer.planes import NO_VALUE, pack_classes, pack_image, pack_numbers, pack_values
from app.viewer.scene import ALL_STEPS, COMPARED_STEP, Layer, Panel, Scene, Step
from tests.app.browser.mounting import Mounted
from tests.app.browser.pages import canvas, hover, measured

SIZE = (30, 40)
STEPS = tuple(Step(str(step), f"epoch {step}") for step in range(12))
CHANGE = Layer("Hardness change", "change", of=("Hardness",), scale="difference")
LINE = (0, 229, 255)


@pytest.fixture
def mounted(watched, monkeypatch) -> Mounted:
    return Mounted(watched.context, monkeypatch)


def plane(seed: int, size: tuple[int, int] = SIZE):
    return pack_values(np.random.default_rng(seed).random(size).astype(np.float32), low=0, high=1)


def pixels(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)


def image(size: tuple[int, int] = SIZE, seed: int = 0) -> Layer:
    return Layer("Image", "image", {ALL_STEPS: pack_image(pixels(size, seed))})


def hardness(*steps: str, size: tuple[int, int] = SIZE, name: str = "Hardness", first: int = 0) -> Layer:
    return Layer(name, "values", {step: plane(first + at, size) for at, step in enumerate(steps)}, over=True)


def wait_until_painted(page: Page) -> None:
    """Wait until every panel shows its map at full quality."""
    expect(page.locator(".viewer canvas").first).to_be_visible()
    page.wait_for_timeout(400)
    expect(page.locator(".waiting:visible")).to_have_count(0)
    page.wait_for_timeout(400)


def save(page: Page) -> np.ndarray:
    """Save the view and return it, H W 3."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    return np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB"))


def test_panels_larger_than_the_cache_are_fetched_once(mounted):
    names = [step.name for step in STEPS]
    layers = (image(), hardness(*names), hardness(*names, name="Loss", first=100), CHANGE)
    above = Scene(
        SIZE, layers, (Panel("Hardness", COMPARED_STEP), Panel("Hardness"), Panel("Hardness change")), STEPS, group="g"
    )
    panels = tuple(Panel(layer, step) for layer in ("Hardness", "Loss") for step in names)
    strip = Scene(SIZE, layers, panels, STEPS, columns=6, controls=False, group="g")
    shown = 2 * len(names) * 2 * SIZE[0] * SIZE[1]
    mounted.show(above, strip, kept_bytes=shown // 3)
    wait_until_painted(mounted.page)
    mounted.page.wait_for_timeout(1000)
    assert set(mounted.requests.values()) == {1}
    assert len(mounted.requests) == 2 * len(names) + 1
    pictures = [canvas(mounted.page, number).tobytes() for number in range(27)]
    slider = mounted.page.get_by_role("slider", name="Epoch", exact=True)
    for step in (3, 0, 7):
        slider.fill(str(step))
        wait_until_painted(mounted.page)
    assert set(mounted.requests.values()) == {1}, "changing the epoch fetches nothing again"
    assert [canvas(mounted.page, number).tobytes() for number in range(3, 27)] == pictures[3:]


def test_planes_no_longer_shown_are_dropped(mounted):
    names = [step.name for step in STEPS[:7]]
    scene = Scene(SIZE, (image(), hardness(*names)), (Panel("Hardness"),), STEPS[:7])
    mounted.show(scene, kept_bytes=SIZE[0] * SIZE[1] * (4 + 2 * 4))
    wait_until_painted(mounted.page)
    slider = mounted.page.get_by_role("slider", name="Epoch")
    for step in names:
        slider.fill(step)
        wait_until_painted(mounted.page)
    read = "(root, step) => root.read('Hardness', 0, 0, step) !== null"
    there = [mounted.page.locator(".viewer").evaluate(read, name) for name in names]
    assert there[-1]
    assert sum(there) <= 5


def test_planes_of_a_page_are_dropped_when_another_opens(mounted):
    names = [step.name for step in STEPS]
    scenes = [
        Scene(SIZE, (image(), hardness(*names, first=first)), tuple(Panel("Hardness", step) for step in names), STEPS)
        for first in (0, 100)
    ]
    shown = len(names) * 2 * SIZE[0] * SIZE[1]
    mounted.show(scenes[0], kept_bytes=shown // 3)
    wait_until_painted(mounted.page)
    mounted.replace(scenes[1])
    wait_until_painted(mounted.page)
    assert set(mounted.requests.values()) == {1}
    mounted.replace(scenes[0])
    wait_until_painted(mounted.page)
    again = sum(mounted.requests[plane.digest] == 2 for plane in scenes[0].layers[1].planes.values())
    assert again > len(names) / 2


def test_a_panel_without_a_map_explains_why_and_the_others_are_drawn(mounted):
    layers = (image(), hardness("0", "1"), Layer("Errors", "errors", of=("Prediction", "Labels")))
    panels = (Panel("Loss"), Panel("Hardness"), Panel("Errors"), Panel("Loss", "1", title="Loss of epoch 1"))
    mounted.show(Scene(SIZE, layers, panels, STEPS[:2], caption="scene"))
    waiting = mounted.page.locator(".waiting")
    expect(waiting.nth(0)).to_have_text("Loss is not available for this image")
    expect(waiting.nth(2)).to_have_text("Prediction is not available for this image")
    expect(waiting.nth(3)).to_have_text("Loss is not available for this image")
    assert mounted.page.locator("figcaption b").all_inner_texts() == ["Loss", "Hardness", "Errors", "Loss of epoch 1"]
    expect(waiting.nth(1)).to_be_hidden()
    assert canvas(mounted.page, 1).any()
    hover(mounted.page, 0.5, 0.5)
    assert (save(mounted.page) != 255).any(), "the view can be saved, with empty panels"


def test_a_change_map_without_another_epoch_explains_why_it_is_empty(mounted):
    panels = (Panel("Hardness", COMPARED_STEP), Panel("Hardness"), Panel("Hardness change"))
    mounted.show(Scene(SIZE, (image(), hardness("0"), CHANGE), panels, STEPS[:1]))
    expect(mounted.page.locator(".waiting").nth(2)).to_have_text("No other epoch to compare with")
    titles = mounted.page.locator("figcaption b").all_inner_texts()
    assert titles == ["Hardness", "Hardness", "Hardness change"]
    expect(mounted.page.locator("figcaption .note").nth(1)).to_contain_text("mean 0.")
    assert mounted.page.locator("figcaption .note").nth(2).inner_text() == ""


def test_an_epoch_that_is_not_ready_loads_only_if_selected(mounted):
    layers = (image(), hardness("0", "2"))
    panels = (Panel("Hardness"), Panel("Hardness", "0"), Panel("Hardness", "1"), Panel("Hardness", "2"))
    mounted.show(Scene(SIZE, layers, panels, STEPS[:4]), view={"epoch": "3"})
    waiting = mounted.page.locator(".waiting")
    expect(waiting.nth(0)).to_have_text("Loading epoch 3 …")
    expect(waiting.nth(2)).to_have_text("Select epoch 1 to see it now")
    expect(waiting.nth(1)).to_be_hidden()
    expect(waiting.nth(3)).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("size", [(900, 3), (1, 1), (3, 900)])
@pytest.mark.parametrize("number", [1, 4])
def test_panels_of_a_long_thin_picture_stay_within_the_window(mounted, width, size, number):
    mounted.page.set_viewport_size({"width": width, "height": 800})
    mounted.show(Scene(size, (image(size), hardness("0", size=size)), (Panel("Hardness"),) * number, STEPS[:1]))
    wait_until_painted(mounted.page)
    boxes = [box.bounding_box() for box in mounted.page.locator(".stage").all()]
    assert max(box["height"] for box in boxes) <= 0.62 * 800 + 1
    assert min(box["height"] for box in boxes) >= 80
    assert max(box["x"] + box["width"] for box in boxes) <= width
    assert max(box["y"] + box["height"] for box in boxes) < 1500
    assert canvas(mounted.page).any()


@pytest.mark.parametrize(("size", "times"), [((900, 3), 1), ((1, 1), 320), ((3, 900), 1), ((100, 60), 6)])
def test_a_saved_picture_is_enlarged_only_until_it_is_legible(mounted, size, times):
    layer = hardness("0", size=size)
    scene = Scene(
        size,
        (image(size), layer),
        (Panel("Image"), Panel("Hardness")),
        STEPS[:1],
        columns=2,
        caption="A caption of some length, 3 x 900 px",
    )
    mounted.show(scene, view={"above": "Hardness:0.5"})
    wait_until_painted(mounted.page)
    saved = save(mounted.page)
    height, width = size
    column = max(320, width * times) + 12
    assert saved.shape[1] == 2 * column + 12
    expected = pixels(size).repeat(times, axis=0).repeat(times, axis=1)
    np.testing.assert_array_equal(saved[34 : 34 + height * times, 12 : 12 + width * times], expected)
    assert saved.shape[0] == 12 + 22 + height * times + 12 + 2 * 22 + 12


def test_a_saved_picture_is_as_wide_as_its_texts(mounted):
    widths = []
    for caption in ("short", "long " * 20):
        mounted.show(Scene(SIZE, (image(), hardness("0")), (Panel("Hardness"),), STEPS[:1], caption=caption))
        wait_until_painted(mounted.page)
        saved = save(mounted.page)
        assert (saved[:, -12:] == 255).all()
        widths.append(saved.shape[1])
    assert widths[0] == 12 + 320 + 12
    assert widths[1] > 12 + 20 * len("long ") * 5


def test_a_saved_picture_has_the_layout_of_the_page(mounted):
    size = (60, 320)
    scenes = [
        Scene(size, (image(size, seed),), panels, columns=2, controls=seed == 0, group="g")
        for seed, panels in enumerate([(Panel("Image"), Panel("Image")), (Panel("Image"), Panel(""), Panel("Image"))])
    ]
    mounted.show(*scenes)
    mounted.page.evaluate("document.body.prepend(document.body.lastElementChild)")
    wait_until_painted(mounted.page)
    saved = save(mounted.page)
    row, column = 60 + 22 + 12, 320 + 12

    def at(down: int, across: int) -> np.ndarray:
        return saved[34 + down : 94 + down, 12 + across : 332 + across]

    first, second = pixels(size, 0), pixels(size, 1)
    assert (at(0, 0) == second).all(), "the upper viewer comes first"
    assert (at(0, column) == 255).all(), "an empty panel stays empty"
    assert (at(row, 0) == second).all()
    assert (at(2 * row + 12, 0) == first).all()
    assert (at(2 * row + 12, column) == first).all()


def test_an_image_too_large_to_save_is_reported_until_the_next_input(mounted):
    size = (70000, 1)
    mounted.show(Scene(size, (hardness("0", "1", size=size),), (Panel("Hardness"),), STEPS[:2]))
    wait_until_painted(mounted.page)
    problem = mounted.page.locator(".problem")
    expect(problem).to_be_hidden()
    mounted.page.get_by_role("button", name="Save PNG").click()
    expect(problem).to_have_text(
        "The image could not be saved: 344 × 70102 px is more than this browser can save; zoom in or show fewer panels."
    )
    mounted.page.get_by_role("slider", name="Opacity").fill("50")
    expect(problem).to_be_hidden()


def test_an_image_that_cannot_be_drawn_is_reported_until_it_can(mounted):
    layer = hardness("0", "1")
    mounted.broken.add(layer.planes["1"].digest)
    mounted.show(Scene(SIZE, (image(), layer), (Panel("Hardness", "0"), Panel("Hardness", "1")), STEPS[:2]))
    problem = mounted.page.locator(".problem")
    expect(problem).to_have_text(re.compile(r"^The image could not be drawn: .* Reload the page to try again\.$"))
    expect(mounted.page.locator(".waiting").nth(0)).to_be_hidden()
    mounted.page.get_by_role("button", name="Save PNG").click()
    expect(problem).to_have_text(
        re.compile(r"again\. The image could not be saved: Hardness, epoch 1 is still loading\.$")
    )
    mounted.broken.clear()
    mounted.page.get_by_role("slider", name="Opacity").fill("50")
    expect(problem).to_be_hidden()
    wait_until_painted(mounted.page)


def test_a_loaded_plane_does_not_hide_a_save_error(mounted):
    layer = hardness("0", "1")
    mounted.broken.add(layer.planes["1"].digest)
    mounted.show(Scene(SIZE, (image(), layer), (Panel("Hardness", "0"), Panel("Hardness", "1")), STEPS[:2]))
    expect(mounted.page.locator(".waiting").nth(0)).to_be_hidden()
    mounted.page.get_by_role("button", name="Save PNG").click()
    expected = "The image could not be saved: Hardness, epoch 1 is still loading."
    expect(mounted.page.locator(".problem")).to_have_text(expected)
    mounted.broken.clear()
    wait_until_painted(mounted.page)
    expect(mounted.page.locator(".problem")).to_have_text(expected)
    assert (save(mounted.page) != 255).any()
    expect(mounted.page.locator(".problem")).to_be_hidden()


def test_objects_beyond_the_largest_number_are_ignored(mounted):
    numbers = np.zeros(SIZE, int)
    numbers[5:25, 4:16] = 7
    numbers[5:25, 20:36] = NO_VALUE + 3
    labels = Layer("Labels", "classes", {ALL_STEPS: pack_classes(np.zeros(SIZE, int))}, classes=(("Sky", (0, 0, 255)),))
    objects = Layer("Objects", "objects", {ALL_STEPS: pack_numbers(numbers)}, of=("Labels",))
    mounted.show(Scene(SIZE, (image(), labels, objects), (Panel("Image"),)), view={"outlines": "objects"})
    wait_until_painted(mounted.page)
    lines = np.argwhere((canvas(mounted.page) == LINE).all(axis=2))
    left, right = (int(lines[:, 1].min()), int(lines[:, 1].max()))
    middle = canvas(mounted.page).shape[1] / 2
    assert left < right < middle, "only the object with a number has an outline"
    hover(mounted.page, 10 / 40, 15 / 30)
    assert measured(mounted.page)[:2] == ["object 7, Sky", "240 px"]
    hover(mounted.page, 28 / 40, 15 / 30)
    assert measured(mounted.page) == []


def test_a_viewer_that_is_unmounted_but_stays_on_the_page_keeps_working(mounted):
    mounted.show(Scene(SIZE, (image(), hardness("0")), (Panel("Image"), Panel("Hardness")), steps=STEPS[:1]))
    wait_until_painted(mounted.page)
    before = canvas(mounted.page, 1)
    mounted.page.evaluate("window.again()")
    mounted.page.get_by_role("slider", name="Opacity").fill("10")
    wait_until_painted(mounted.page)
    assert (canvas(mounted.page, 1) != before).any()
