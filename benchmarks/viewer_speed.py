"""How fast the viewer responds: `python -m benchmarks.viewer_speed`, with the bundled runs and Chromium.

Four panels of 2048 x 1024 px; the aim is a median below 50 ms for each control.
"""

import os
import platform

import pandas as pd
from playwright.sync_api import sync_playwright

from hlcore.storage.runs import open_run
from tests.app.browser.pages import MOVE, Watched, open_large_photograph
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, PROJECT, served

RUN = PROJECT / "checkpoints" / "streets"
EPOCHS = open_run(RUN).epochs[:3]
CONTROLS = ("epoch", "opacity", "threshold", "scale")
STEPS, ROUNDS, REST_MS = 24, 3, 30


def measure_response() -> pd.DataFrame:
    """Milliseconds from input to paint, a row per step. Columns: control, round, ms; rounds of controls take turns."""
    rows = []
    chromium = find_chromium()
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        watched = Watched(browser.new_context(viewport={"width": 1280, "height": 800}))
        page = open_large_photograph(watched, address, run=RUN.name, epochs=EPOCHS)
        for number in range(ROUNDS):
            for control in CONTROLS:
                times = page.locator(".viewer").first.evaluate(MOVE, [control, STEPS, REST_MS])
                rows += [{"control": control, "round": number, "ms": ms} for ms in times]
        browser.close()
    return pd.DataFrame(rows)


if __name__ == "__main__":
    times = measure_response().groupby("control", sort=False)["ms"]
    print(pd.DataFrame({f"{share:.0%}": times.quantile(share) for share in (0.05, 0.5, 0.95)}).round(1).to_string())
    print(f"ms from input to paint, {ROUNDS} rounds of {STEPS} steps; {platform.machine()}, {os.cpu_count()} cores")
