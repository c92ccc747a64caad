"""Makes the pictures of the app in docs/images: `python -m tests.screenshots`, with the bundled runs and a Chromium."""

from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, PATIENCE_S, served

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 400, "height": 800}


def take(browser: Browser, url: str, name: str, *, size: ViewportSize = WIDE, dark: bool = False) -> None:
    """One picture of a page, once all of it is there."""
    page = browser.new_page(viewport=size, color_scheme="dark" if dark else "light")
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(url)
    if "source=upload" in url:
        page.locator("input[type=file]").first.set_input_files(str(files("skimage") / "data" / "motorcycle_left.png"))
    _settle(page)
    picture = Image.open(BytesIO(page.screenshot()))
    picture.save(IMAGES / f"{name}.webp", quality=90)  # a fifth of the PNG's size
    page.close()


def _settle(page: Page) -> None:
    page.locator(".viewer canvas").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(1000)


def main() -> None:
    """Makes every picture."""
    IMAGES.mkdir(exist_ok=True)
    chromium = find_chromium()
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        take(browser, f"{address}/?run=streets&sample=test-0003", "inspect")
        take(browser, f"{address}/epochs?run=streets&sample=test-0003", "epochs")
        take(browser, f"{address}/?run=camvid&source=upload&show=Image,Hardness", "photograph", dark=True)
        take(browser, f"{address}/?run=streets&sample=test-0003&show=Hardness&hardest=10", "phone", size=PHONE)
        browser.close()


if __name__ == "__main__":
    main()
