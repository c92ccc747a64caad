"""The app in a real headless Chromium, with every request that leaves the machine refused."""

import io
import os
import re
from collections.abc import Iterator
from importlib.resources import files
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from hlcore.storage.planes import read_hardness_png
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, PATIENCE_S, served

pytestmark = pytest.mark.browser

LOOPBACK = ("127.0.0.1", "localhost", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        reason = "no Chromium or Chrome found; install one or name it in $HLCORE_CHROMIUM"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(runs, browser) -> Iterator[str]:
    """The app, served with the tiny runs; after `browser`, so that a skip starts nothing."""
    with served(runs) as address:
        yield address


class Watched:
    """A browser context that refuses the outside world and remembers what went wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.set_default_timeout(1000 * PATIENCE_S)
        expect.set_options(timeout=1000 * PATIENCE_S)
        context.route("**/*", self._only_loopback)
        context.on("console", lambda message: self._note(message.type == "error", f"console: {message.text}"))
        context.on("weberror", lambda error: self._note(True, f"page: {error.error}"))

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.goto(url)
        return page

    def _only_loopback(self, route: Route) -> None:
        outside = urlsplit(route.request.url).hostname not in LOOPBACK
        self._note(outside, f"request: {route.request.url}")
        route.abort() if outside else route.continue_()

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.complaints.append(what)


@pytest.fixture
def watched(browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    watched = Watched(context)
    yield watched
    context.close()
    assert watched.complaints == []


def test_a_stranger_drops_a_photograph_moves_the_epoch_reads_a_pixel_and_shares_the_link(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    settle(page)

    page.get_by_test_id("stButtonGroup").get_by_text("Your photo").click()
    upright, jpeg = sideways_astronaut()
    page.locator("input[type=file]").first.set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg})
    expect(panel(page, "Image")).to_have_js_property("width", upright.width)
    settle(page)
    assert pixels(panel(page, "Image")) == upright.tobytes(), "the photograph is shown upright and exactly"
    assert pixels(panel(page, "Hardness")) != upright.tobytes(), "the overlay lies over it"

    before = pixels(panel(page, "Hardness"))
    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("epoch=1"))
    settle(page)
    assert pixels(panel(page, "Hardness")) != before, "another epoch, another map"
    assert pixels(panel(page, "Image")) == upright.tobytes()

    panel(page, "Prediction").click(position={"x": 60, "y": 80})
    expect(page).to_have_url(re.compile(r"x=\d+&y=\d+"))
    settle(page)
    words = words_about_the_point(page)
    seen = page.locator(".readout").first.inner_text()
    assert same_number("hardness", words, seen)
    assert same_number("probability", words, seen)

    page.get_by_test_id("stButtonGroup").get_by_text("Scenes").click()
    expect(page).to_have_url(re.compile("source=scenes"))
    settle(page)
    copy = watched.open(page.url)
    settle(copy)
    assert copy.url == page.url
    assert copy.get_by_role("slider", name="Epoch").get_attribute("aria-valuetext") == "1"
    assert pixels(panel(copy, "Hardness")) == pixels(panel(page, "Hardness"))
    assert words_about_the_point(copy) == words_about_the_point(page)


def test_the_uploaded_photograph_is_compared_over_the_epochs(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload")
    upright, jpeg = sideways_astronaut()
    page.locator("input[type=file]").first.set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg})
    settle(page)
    page.get_by_role("link", name="Epochs").click()
    expect(page.locator(".viewer")).to_have_count(2)
    settle(page)
    first, second = pixels(panel(page, "Hardness, epoch 1")), pixels(panel(page, "Hardness, epoch 2"))
    assert len(first) == 3 * upright.width * upright.height
    assert first != second
    assert page.get_by_text("Epoch 0").count() == 1, "the strip starts before training"


def test_another_photograph_keeps_the_epoch_and_the_share(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload&epoch=1&hardest=40")
    _, jpeg = sideways_astronaut()
    for name in ("one.jpg", "two.jpg", "three.jpg", "four.jpg"):
        page.locator("input[type=file]").first.set_input_files(
            {"name": name, "mimeType": "image/jpeg", "buffer": jpeg + name.encode()}
        )
        expect(page.get_by_text(f"Looking at {name}")).to_be_visible()
        settle(page)
        assert page.get_by_role("slider", name="Epoch").get_attribute("aria-valuetext") == "1"
        assert page.get_by_role("slider", name="Show the hardest").get_attribute("aria-valuetext") == "40 %"


def test_what_is_taken_away_is_what_was_computed(watched, address, tmp_path):
    page = watched.open(f"{address}/?run=tiny")
    settle(page)
    page.get_by_role("button", name="Download").click()
    kept = {}
    for label in ("Hardness, 16-bit PNG", "Hardness, NPY", "Overlay, PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        kept[label] = tmp_path / download.value.suggested_filename
        download.value.save_as(kept[label])
    hardness_map = np.load(kept["Hardness, NPY"])
    assert kept["Hardness, NPY"].name == "test-0000-epoch2.hardness.npy"
    np.testing.assert_allclose(read_hardness_png(kept["Hardness, 16-bit PNG"]), hardness_map, atol=1 / 65535)
    with Image.open(kept["Overlay, PNG"]) as overlay:
        seen = np.frombuffer(pixels(panel(page, "Hardness")), np.uint8).reshape(*hardness_map.shape, 3)
        assert np.abs(np.asarray(overlay).astype(int) - seen).max() <= 2, "as on the screen, but for rounding"


def test_keys_move_the_cursor_and_enter_pins_it(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    settle(page)
    page.locator(".stage").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".readout")).to_contain_text(re.compile(r"x 129\s*y 106"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("x=129&y=106"))


def test_on_a_phone_nothing_is_wider_than_the_screen(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    page.set_viewport_size({"width": 400, "height": 800})
    settle(page)
    widths = page.locator(".stage").evaluate_all("stages => stages.map((stage) => stage.getBoundingClientRect().right)")
    assert max(widths) <= 400
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_each_step_takes_one_press_of_back(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    settle(page)
    page.get_by_role("link", name="Edges").click()
    expect(page).to_have_url(re.compile(r"/edges\?.*edge=label"))
    page.get_by_test_id("stButtonGroup").get_by_text("Image", exact=True).click()
    expect(page).to_have_url(re.compile("edge=gradient"))
    page.get_by_role("link", name="Epochs").click()
    expect(page).to_have_url(re.compile(r"/epochs\?.*edge=gradient"))
    for expected in (r"/edges\?.*edge=gradient", r"/edges\?.*edge=label", r"/\?run=tiny"):
        settle(page)
        page.go_back()
        expect(page).to_have_url(re.compile(expected))


def test_a_link_to_a_number_brings_its_definition_into_sight(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(f"{address}/?run=tiny")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="mIoU, last").click()
    definition = opened.value
    drawing = definition.get_by_role("img", name="How hardness is learned")
    drawing.wait_for(state="attached", timeout=1000 * PATIENCE_S)
    assert definition.url == f"{address}/method?run=tiny#miou"
    definition.wait_for_timeout(1000)  # in which fonts, formulas and the drawing push it about
    place = definition.get_by_role("heading", name="mIoU", exact=True).bounding_box()
    assert place is not None and 0 <= place["y"] < 800 - place["height"]
    page.close()


def settle(page: Page) -> None:
    """Waits until the script has run and every viewer has painted."""
    expect(page.locator(".viewer canvas").first).to_be_visible()
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()
    page.wait_for_timeout(500)


def panel(page: Page, title: str):
    return page.locator("figure").filter(has=page.get_by_text(title, exact=True)).locator("canvas")


def words_about_the_point(page: Page) -> str:
    return page.get_by_test_id("stMarkdownContainer").filter(has_text="probability").inner_text()


def pixels(canvas) -> bytes:
    """The RGB bytes of a canvas."""
    script = (
        "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((_, i) => i % 4 < 3))"
    )
    return bytes(canvas.evaluate(script))


def same_number(name: str, *texts: str) -> bool:
    """Whether all texts give the number of this name, to the last digit shown."""
    numbers = [float(number) for text in texts for number in re.findall(rf"{name} ([\d.]+)", text)]
    return len(numbers) == len(texts) and max(numbers) - min(numbers) < 0.0011


def sideways_astronaut() -> tuple[Image.Image, bytes]:
    """A photograph as it should be seen, and its JPEG as a camera held sideways writes it."""
    with Image.open(str(files("skimage") / "data" / "astronaut.png")) as image:
        sideways = image.convert("RGB").crop((60, 0, 400, 240)).rotate(90, expand=True)
    exif = sideways.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    sideways.save(file, "JPEG", quality=95, exif=exif)
    with Image.open(file) as written:
        return written.convert("RGB").rotate(-90, expand=True), file.getvalue()
