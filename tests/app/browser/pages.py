"""Opening, waiting for and reading pages of the app in a browser."""

import base64
import io
import re
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Route, expect

from tests.serving import PATIENCE_S

LOOPBACK = ("127.0.0.1", "localhost", "")
REST_S = 0.3
"""Time without activity after which a page is settled: Streamlit's widgets report with a short delay."""
_WATCH_RERUNS = """{
  const RERUN = 11 * 8 + 2;  // the first byte of Streamlit's message "rerun the script"
  const NEW_SESSION = 4, SCRIPT_FINISHED = 6, EARLY_FOR_RERUN = 2;  // fields of its answers, and a value
  const fields = (bytes) => {
    const found = {};
    let at = 0;
    const number = () => {
      let value = 0, times = 1, byte;
      do { byte = bytes[at++]; value += (byte & 127) * times; times *= 128; } while (byte & 128);
      return value;
    };
    while (at < bytes.length) {
      const key = number(), value = number();
      found[key >> 3] = value;
      if ((key & 7) === 2) at += value;
    }
    return found;
  };
  const listen = ({ data }) => {
    const answer = fields(new Uint8Array(data));
    if (answer[SCRIPT_FINISHED] === EARLY_FOR_RERUN) window.awaitsRerun = true;
    if (NEW_SESSION in answer) window.awaitsRerun = false;
  };
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (!this.watched) this.addEventListener("message", listen);
    this.watched = true;
    if (new Uint8Array(data.buffer ?? data)[data.byteOffset ?? 0] === RERUN) window.awaitsRerun = true;
    return send.call(this, data);
  };
}"""
"""Notes a rerun that was asked for and has not begun: on a busy machine, the script may start seconds later."""
_QUIET = """rest => {
  const app = document.querySelector("[data-testid=stApp]");
  const roots = [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".viewer"));
  const viewers = roots.filter(Boolean);
  const waits = (root) => !root.settled?.() || [...root.querySelectorAll(".waiting")].some((one) => !one.hidden);
  const runs = window.awaitsRerun || app?.dataset.testScriptState !== "notRunning";
  const busy = runs || !viewers[0]?.querySelector("canvas") || viewers.some(waits);
  const now = performance.now();
  if (busy || window.quietSince === undefined) window.quietSince = now;
  return !busy && now - window.quietSince > 1000 * rest;
}"""
_TEXT = """const text = (bytes) => {
  let found = "";
  for (let i = 0; i < bytes.length; i += 32768) found += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(found);
};"""
_PIXELS = f"""canvas => {{ {_TEXT}
  const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, text(data)];
}}"""
_NUMBERS = f"""(root, [layer, step, height, width]) => {{ {_TEXT}
  const numbers = Uint16Array.from({{ length: height * width }}, (_, i) =>
    root.read(layer, i % width, Math.floor(i / width), step ?? undefined));
  return text(new Uint8Array(numbers.buffer));
}}"""


class Watched:
    """A browser context that blocks requests to other hosts and records all problems."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []
        context.set_default_timeout(1000 * PATIENCE_S)
        expect.set_options(timeout=1000 * PATIENCE_S)
        context.add_init_script(_WATCH_RERUNS)
        context.route("**/*", self._block_outside)
        context.on("console", self._check_message)
        context.on("weberror", lambda error: self._add_problem(True, f"page: {error.error}"))

    def open(self, url: str) -> Page:
        """Open a URL and return the page once it has settled."""
        page = self.context.new_page()
        page.goto(url)
        if "source=upload" not in url:
            settle(page)
        return page

    def _check_message(self, message: ConsoleMessage) -> None:
        # On pages below the root, Streamlit first looks for its server there, which Chromium logs as an error.
        is_probe = "404" in message.text and "/_stcore/" in message.location["url"]
        self._add_problem(
            message.type == "error" and not is_probe, f"console: {message.text} {message.location['url']}"
        )

    def _block_outside(self, route: Route) -> None:
        is_outside = urlsplit(route.request.url).hostname not in LOOPBACK
        self._add_problem(is_outside, f"request: {route.request.url}")
        route.abort() if is_outside else route.continue_()

    def _add_problem(self, found: bool, text: str) -> None:
        if found:
            self.problems.append(text)


def settle(page: Page) -> None:
    """Wait until every choice is reported, the script has run, and every panel is painted at full quality."""
    page.evaluate("window.quietSince = undefined")
    page.wait_for_function(_QUIET, arg=REST_S, polling=100)  # at every frame it would compete with the page


def upload(page: Page, name: str, content: bytes, *, labels: bool = False) -> None:
    """Upload a photograph or its label map, and wait for the maps."""
    if labels:
        page.get_by_role("button", name="Labels").click()
    page.locator("input[type=file]").nth(int(labels)).set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )
    expect(page.get_by_text(re.compile(f"Showing .*{re.escape(name)}"))).to_be_visible()
    if labels:
        page.keyboard.press("Escape")
    settle(page)


def stage(page: Page, number: int = 0) -> Locator:
    """The image area of a panel, counted from 0."""
    return page.locator(".stage").nth(number)


def comes_to_show(page: Page, picture: np.ndarray, number: int = 0, *, other: bool = False) -> bool:
    """Whether a panel shows a picture, or another one than that; it may be painted a little after the text."""
    for _ in range(10 * PATIENCE_S):
        if np.array_equal(canvas(page, number), picture) is not other:
            return True
        page.wait_for_timeout(100)
    return False


def canvas(page: Page, number: int = 0) -> np.ndarray:
    """H W 3 uint8: the screen pixels of a panel."""
    height, width, data = page.locator(".stage canvas").nth(number).evaluate(_PIXELS)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def sent(page: Page, layer: str, *, step: str | None = None, size: tuple[int, int]) -> np.ndarray:
    """H W: the numbers of a layer in the browser, once they have arrived."""
    arguments = [layer, step, *size]
    viewer = page.locator(".viewer").first
    there = "(root, [layer, step]) => root.read(layer, 0, 0, step ?? undefined) !== null"
    for _ in range(10 * PATIENCE_S):
        if viewer.evaluate(there, arguments):
            break
        page.wait_for_timeout(100)
    data = base64.b64decode(viewer.evaluate(_NUMBERS, arguments))
    return np.frombuffer(data, "<u2").reshape(size)


def link(page: Page) -> dict[str, str]:
    """The parameters in the URL of the page."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def hover(page: Page, across: float, down: float, number: int = 0) -> tuple[int, int]:
    """Move the mouse to a position in a panel, in shares of its size, and return the pixel (x, y) read out."""
    box = stage(page, number).bounding_box()
    page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    return cursor(page)


def cursor(page: Page) -> tuple[int, int]:
    """The pixel (x, y) whose values are read out."""
    values = read_out(page)
    return int(values["x"].split()[0]), int(values["y"].split()[0])


def read_out(page: Page) -> dict[str, str]:
    """The read-out, by name; texts without a name have their number, from 0."""
    spans = page.locator(".readout:not(.extra) > span").evaluate_all(
        "spans => spans.map((span) => [span.querySelector('b') ? span.firstChild.textContent.trim() : '', "
        "span.querySelector('b')?.textContent ?? span.textContent])"
    )
    return {name or str(at): text for at, (name, text) in enumerate(spans)}


def measured(page: Page) -> list[str]:
    """The texts about a rectangle, an object or a hard region."""
    return [" ".join(text.split()) for text in page.locator(".readout.extra > span").all_inner_texts()]


def threshold_words(page: Page, layer: str) -> str:
    """The text of a colour bar about its threshold."""
    return page.locator(f".bar[data-name='{layer}'] output").inner_text()


def percent(share: float) -> str:
    """A share, formatted as in the viewer."""
    return "–" if np.isnan(share) else f"{100 * share:.{2 if share < 0.0995 else 1}f} %"


def placed(size: tuple[int, int], stage_size: tuple[int, int], times: float) -> tuple[np.ndarray, np.ndarray]:
    """The image row and column visible at each row and column of a stage, when zoomed to the centre of the image."""
    scale = times * min(have / want for have, want in zip(stage_size, size, strict=True))
    starts = [have / 2 - want * scale / 2 for have, want in zip(stage_size, size, strict=True)]
    if scale >= 1:
        starts = [np.floor(start + 0.5) for start in starts]
    rows, columns = (
        np.clip(np.floor((np.arange(have) + 0.5 - start) / scale), 0, want - 1).astype(int)
        for have, want, start in zip(stage_size, size, starts, strict=True)
    )
    return rows, columns


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def sideways_astronaut() -> tuple[np.ndarray, bytes]:
    """A photograph as it should be shown, and its JPEG as saved by a camera held sideways."""
    with Image.open(str(files("skimage") / "data" / "astronaut.png")) as image:
        sideways = image.convert("RGB").crop((60, 0, 400, 240)).rotate(90, expand=True)
    exif = sideways.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    sideways.save(file, "JPEG", quality=95, exif=exif)
    with Image.open(file) as written:
        return np.asarray(written.convert("RGB").rotate(-90, expand=True)), file.getvalue()


LARGE = (1024, 2048)
"""Height and width of a large photograph, px."""
MOVE = """async (root, [kind, steps, rest]) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  const named = (name) => root.querySelector(`[aria-label="${name}"]`);
  const opacity = [...root.querySelectorAll(".tools label")].find((one) => one.textContent.startsWith("Opacity"));
  const [control, value] = {
    epoch: [named("Epoch"), (i) => i % 3],
    opacity: [opacity.querySelector("input"), (i) => 20 + ((7 * i) % 60)],
    threshold: [named("Show hardness from"), (i) => 400 + ((17 * i) % 150)],
    scale: [named("Colours of hardness"), (i) => control.options[i % control.options.length].value],
  }[kind];
  const times = [];
  for (let i = 0; i < steps; i++) {
    control.value = value(i);
    await frame();
    const began = performance.now();
    control.dispatchEvent(new Event(kind === "scale" ? "change" : "input"));
    await painted();
    times.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, rest));
  }
  return times;
}"""
"""Makes a number of steps with a control, with a rest after each, ms; the time each took to be painted, ms.

From an input event, sent just after a frame began, until the scripts of the next frame, in which everything is painted,
have ended.
"""


def open_large_photograph(watched: Watched, address: str, *, run: str, epochs: Sequence[int]) -> Page:
    """Four panels of a large uploaded photograph with labels, with the given epochs loaded."""
    rows, columns = np.indices(LARGE)
    image = np.stack([rows // 4, columns // 8, (rows * columns) >> 13], axis=2).astype(np.uint8)
    page = watched.open(f"{address}/?run={run}&source=upload&side=2048&show=Hardness,Loss,Errors,Prediction")
    upload(page, "large.png", png(image))
    upload(page, "classes.png", png(((rows + columns) // 256 % 11).astype(np.uint8)), labels=True)
    for number, layer in enumerate(("Hardness", "Loss", "Errors", "Prediction")):
        if number >= page.locator(".stage").count():
            page.get_by_role("button", name="+ Panel").click()
        page.get_by_role("combobox", name=f"Panel {number + 1} shows").select_option(layer)
    settle(page)
    assert page.locator(".stage").count() == 4
    for epoch in epochs:
        page.wait_for_function(
            """epoch => {
              const roots = [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".viewer"));
              return roots.find(Boolean)?.read("Loss", 5, 5, epoch) != null;
            }""",
            arg=str(epoch),
        )
    page.locator(".viewer").first.evaluate(
        MOVE, ["epoch", 3, 1000]
    )  # so that everything computed once per epoch is cached
    settle(page)
    return page
