"""Browser sessions that upload photographs at the same time: losses, waiting times and memory of the server.

    python -m benchmarks.uploads --sessions 20 --uploads 10

Each session replaces its photograph as soon as the last one is shown. The result becomes a row of the table in
docs/server.md. Needs Linux, to read the server's memory.
"""

import asyncio
import os
import re
import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.async_api import Browser, async_playwright
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from benchmarks.measured_tables import write_row
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, served

DOCUMENT = Path(__file__).parents[1] / "docs" / "server.md"
COLUMNS = (
    *("sessions", "photographs", "size", "lost"),
    *("first page ready", "pages ready: median", "longest", "drop to map: median", "p95", "longest", "alone"),
    "peak memory of the server",
)
ALONE = 5
"""Uploads of the session that is measured before the others."""
WITHOUT_ANIMATIONS = """
addEventListener("DOMContentLoaded", () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*, ::before, ::after { animation: none !important; transition: none !important }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
});
"""
"""Keeps Chromium from drawing the spinners of all sessions in software, which would take most of the cores."""


@dataclass
class Outcome:
    """What happened to the uploads of all sessions."""

    ready: list[float] = field(default_factory=list)
    """Seconds from opening each page until it takes a photograph."""
    seconds: list[float] = field(default_factory=list)
    """Of each photograph, from the moment it is chosen until its maps are on the page."""
    lost: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Errors in the pages."""


def main() -> None:
    """Measure, and write the row."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--uploads", type=int, default=10, help="uploads of each session")
    parser.add_argument("--patience", type=float, default=120, help="seconds after which an upload counts as lost")
    parser.add_argument("--side", type=int, default=640, help="longer side of a photograph, px")
    options = parser.parse_args()
    options.chromium = find_chromium()
    with served() as address:
        [server] = Path("/proc/self/task").joinpath(str(os.getpid()), "children").read_text().split()
        alone = asyncio.run(upload_all(address, 1, ALONE, options))
        outcome = asyncio.run(upload_all(address, options.sessions, options.uploads, options))
        [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server}/status").read_text())
    seconds, ready = outcome.seconds or [float("nan")], outcome.ready or [float("nan")]
    measured = (
        str(options.sessions),
        str(options.sessions * options.uploads),
        f"{options.side} x {options.side * 3 // 4} px",
        str(len(outcome.lost)),
        f"{alone.ready[0]:.1f} s",
        f"{np.median(ready):.1f} s",
        f"{max(ready):.1f} s",
        f"{np.median(seconds):.1f} s",
        f"{np.percentile(seconds, 95):.1f} s",
        f"{max(seconds):.1f} s",
        f"{np.median(alone.seconds[1:]):.2f} s",
        f"{int(peak) // 1024} MB",
    )
    for column, cell in zip(COLUMNS, measured, strict=True):
        print(f"{column}: {cell}")
    write_row(DOCUMENT, "benchmarks.uploads", COLUMNS, measured, key=3)
    for text in [*outcome.lost, *outcome.problems]:
        print(text)


async def upload_all(address: str, sessions: int, uploads: int, options: Namespace) -> Outcome:
    """Open all sessions at the same time, and upload their photographs."""
    outcome = Outcome()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_FLAGS)
        numbers = [sessions * 1000 + number for number in range(sessions)]  # no photograph was seen before
        await asyncio.gather(*(use_session(browser, address, n, uploads, outcome, options) for n in numbers))
        await browser.close()
    return outcome


async def use_session(
    browser: Browser, address: str, number: int, uploads: int, outcome: Outcome, options: Namespace
) -> None:
    """Upload photographs one after the other in one browser session."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(options.patience * 1000)
    await context.add_init_script(WITHOUT_ANIMATIONS)
    page = await context.new_page()
    page.on("pageerror", lambda error: outcome.problems.append(f"session {number}: {error}"))
    opened = time.perf_counter()
    await page.goto(f"{address}/?source=upload&run=camvid", wait_until="commit")
    field = page.locator('[data-testid="stFileUploader"] input[type=file]').first
    try:
        await field.wait_for(state="attached")
    except PlaywrightTimeoutError:
        outcome.lost += [f"session-{number}-photo-{upload}.png" for upload in range(uploads)]
        await context.close()
        return
    outcome.ready.append(time.perf_counter() - opened)
    for upload in range(uploads):
        name = f"session-{number}-photo-{upload}.png"
        content = make_photograph(number, upload, options.side)
        start = time.perf_counter()
        try:
            await field.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
            await page.get_by_text(f"Showing {name}").wait_for()
            await page.get_by_role("status").filter(has_text=name).wait_for(state="hidden")
        except PlaywrightTimeoutError:
            outcome.lost.append(name)
        else:
            outcome.seconds.append(time.perf_counter() - start)
    await context.close()


def make_photograph(number: int, upload: int, side: int) -> bytes:
    """A photograph of its own."""
    noise = np.random.default_rng((number, upload)).integers(0, 256, (side * 3 // 4 // 8, side // 8, 3), np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).resize((side, side * 3 // 4)).save(buffer, format="PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    main()
