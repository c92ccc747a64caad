"""Four panels of 2048 x 1024 px: memory does not grow with use, and the page learns the last choice.

How fast they respond is measured by `python -m benchmarks.viewer_speed`.
"""

import pytest

from tests.app.browser.pages import LARGE, MOVE, Watched, link, open_large_photograph, settle


@pytest.fixture(scope="module")
def large(browser, address):
    """A page with four panels of a large uploaded photograph with labels, with all epochs loaded."""
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 800}))
    yield open_large_photograph(watched, address, run="tiny", epochs=(0, 1, 2))
    watched.context.close()
    assert watched.problems == []


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
    assert arrays > 3 * 5 * LARGE[0] * LARGE[1] / 1e6, "the planes of three epochs are counted"
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
