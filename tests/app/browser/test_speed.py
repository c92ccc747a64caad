"""At 2048 x 1024 px, four panels respond to input within 50 ms, and memory does not grow with use.

Times are measured in the browser, from an input event of a slider or list, sent just after a frame began, until the
scripts of the next frame, in which everything is painted, have ended.
"""

import numpy as np
import pytest

from tests.app.browser.pages import Watched, link, png, settle, upload

SIZE = (1024, 2048)
FRAME_MS = 50
STEPS, ROUNDS = 24, 3
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


@pytest.fixture(scope="module")
def large(browser, address):
    """A page with four panels of a large uploaded photograph with labels, with all epochs loaded."""
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 800}))
    rows, columns = np.indices(SIZE)
    image = np.stack([rows // 4, columns // 8, (rows * columns) >> 13], axis=2).astype(np.uint8)
    page = watched.open(f"{address}/?run=tiny&source=upload&side=2048&show=Hardness,Loss,Errors,Prediction")
    upload(page, "large.png", png(image))
    upload(page, "classes.png", png(((rows + columns) // 256 % 11).astype(np.uint8)), labels=True)
    for number, layer in enumerate(("Hardness", "Loss", "Errors", "Prediction")):
        if number >= page.locator(".stage").count():
            page.get_by_role("button", name="+ Panel").click()
        page.get_by_role("combobox", name=f"Panel {number + 1} shows").select_option(layer)
    settle(page)
    assert page.locator(".stage").count() == 4
    viewer = page.locator(".viewer").first
    for epoch in "012":
        page.wait_for_function(
            """epoch => {
              const roots = [...document.querySelectorAll("*")].map((one) => one.shadowRoot?.querySelector(".viewer"));
              return roots.find(Boolean)?.read("Loss", 5, 5, epoch) != null;
            }""",
            arg=epoch,
        )
    viewer.evaluate(MOVE, ["epoch", 3, 1000])  # so that everything computed once per epoch is cached
    settle(page)
    yield page
    watched.context.close()
    assert watched.problems == []


@pytest.mark.parametrize("kind", ["epoch", "opacity", "threshold", "scale"])
def test_a_change_is_painted_within_the_frame_limit(large, kind):
    viewer = large.locator(".viewer").first
    medians = []
    while len(medians) < ROUNDS and min(medians, default=FRAME_MS) >= FRAME_MS:  # other processes may be busy
        medians.append(float(np.median(viewer.evaluate(MOVE, [kind, STEPS, 30]))))
    assert min(medians) < FRAME_MS, f"medians of {STEPS} steps, ms: {medians}"
    settle(large)


def test_memory_is_flat_over_two_hundred_steps(large):
    viewer = large.locator(".viewer").first
    session = large.context.new_cdp_session(large)

    def held() -> tuple[float, float, int]:
        """Megabytes of the heap and of arrays, and the number of canvases."""
        settle(large)
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        heap = large.evaluate("performance.memory.usedJSHeapSize")
        arrays = session.send("Runtime.getHeapUsage")["backingStorageSize"]
        return heap / 1e6, arrays / 1e6, large.locator("canvas").count()

    viewer.evaluate(MOVE, ["epoch", 6, 5])
    heap, arrays, canvases = held()
    assert arrays > 3 * 5 * SIZE[0] * SIZE[1] / 1e6, "the planes of three epochs are counted"
    for kind in ("epoch", "threshold"):
        viewer.evaluate(MOVE, [kind, 200, 5])
    later = held()
    assert later[0] - heap < 5, f"MB of heap: {heap:.1f}, then {later[0]:.1f}"
    assert later[1] - arrays < 5, f"MB of arrays: {arrays:.1f}, then {later[1]:.1f}"
    assert later[2] == canvases


def test_the_link_has_the_last_threshold_and_epoch_of_many_changes(large):
    viewer = large.locator(".viewer").first
    viewer.evaluate(MOVE, ["threshold", 2, 5])
    viewer.evaluate(MOVE, ["epoch", 2, 5])
    settle(large)
    assert link(large)["above"] == "Hardness:0.417"
    assert link(large)["epoch"] == "1"
