"""Make the screenshots in docs/images and the gallery of examples: `python -m tests.screenshots`, with Chromium."""

from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

from app.components.examples import EXAMPLES
from app.loading.pictures import make_picture, read_sample
from hlcore.figures.maps import apply_colour_scale
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.inference import predict
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, PATIENCE_S, served

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDE, PHONE = (1280, 800), (400, 800)
CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
THUMBNAIL_PX = (128, 96)
"""Width and height of each half of a thumbnail of the gallery."""
QUALITY = 66
"""WebP quality: text stays sharp, and all screenshots together take 0.7 MB."""


@dataclass(frozen=True)
class View:
    """A screenshot of the app.

    Attributes:
        name: Name of the file, without its extension.
        address: Path and query of the page.
        size: Size of the window, (W, H) px.
        dark: Whether to use the dark theme.
        hover: Position of the cursor in the first panel, px.
        press: Button to press first; the screenshot waits for its result.
        photograph: Whether to upload a photograph first.
    """

    name: str
    address: str
    size: tuple[int, int] = WIDE
    dark: bool = False
    hover: tuple[int, int] | None = None
    press: str = ""
    photograph: bool = False


SCENE = "run=streets&sample=test-0003"
VIEWS = (
    View("inspect", f"?{SCENE}&outlines=objects&above=Hardness:0.5", hover=(170, 110)),
    View("photograph", "?run=camvid&source=upload&show=Image,Hardness", dark=True, photograph=True),
    View("wipe", f"?{SCENE}&show=Hardness,Prediction&compare=wipe,Loss,50&zoom=0.5,0.5,2&box=104,78,136,100"),
    View("phone", f"?{SCENE}&show=Hardness&above=Hardness:0.9", size=PHONE),
    View("epochs", f"epochs?{SCENE}"),
    View("edges", f"edges?{SCENE}&scope=picture"),
    View("objects", "objects?run=streets"),
    View("errors", f"errors?{SCENE}"),
    View("stability", "stability?run=streets"),
    View("dataset", "dataset?run=streets"),
    View("labels", "labels?run=streets&scope=picture&planted=1", dark=True),
    View("memorise", f"memorise?{SCENE}", press="Memorise this image"),
    View("runs", "runs?run=streets"),
    View("method", "method?run=streets"),
)


def take(browser: Browser, address: str, view: View) -> None:
    """Take one screenshot, once the page is complete."""
    width, height = view.size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if view.dark else "light")
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(f"{address}/{view.address}")
    if view.photograph:
        page.locator("input[type=file]").first.set_input_files(str(files("skimage") / "data" / "motorcycle_left.png"))
        page.locator(".viewer canvas").first.wait_for()
    _settle(page)
    if view.press:
        page.get_by_role("button", name=view.press).click()
        page.get_by_text("After 100 steps").wait_for()
        _settle(page)
    if view.hover:
        page.locator(".stage").first.hover(position={"x": view.hover[0], "y": view.hover[1]})
        page.wait_for_timeout(500)
    picture = Image.open(BytesIO(page.screenshot()))
    picture.save(IMAGES / f"{view.name}.webp", quality=QUALITY, method=6)
    page.close()


def _settle(page: Page) -> None:
    """Wait until the script has been idle for a while, since it redraws a page when more epochs are ready."""
    rested = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    for _ in range(3):
        rested.wait_for()
        page.wait_for_timeout(1200)


def make_examples() -> None:
    """Write the thumbnails of the gallery: each image beside its hardness map."""
    for example in EXAMPLES:
        run = open_run(CHECKPOINTS / example.run)
        checkpoint = load_epoch(run, device="cpu")
        picture = make_picture(read_sample(run, example.source, example.sample), side=768).sample
        record = predict(checkpoint.network, picture.image, class_names=checkpoint.class_names)
        hardness = apply_colour_scale(record.hardness_map, scale=HARDNESS_SCALES[0], low=0, high=1)
        both = [ImageOps.fit(Image.fromarray(pixels), THUMBNAIL_PX) for pixels in (picture.image, hardness)]
        whole = Image.fromarray(np.concatenate([np.asarray(one) for one in both], axis=1))
        example.path.parent.mkdir(exist_ok=True)
        whole.save(example.path, quality=QUALITY, method=6)


def main() -> None:
    """Write the thumbnails of the gallery, then take every screenshot."""
    IMAGES.mkdir(exist_ok=True)
    make_examples()
    chromium = find_chromium()
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for view in VIEWS:
            take(browser, address, view)
        browser.close()


if __name__ == "__main__":
    main()
