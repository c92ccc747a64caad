"""Axe finds nothing of ours on any page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from hlcore.importing.maps import save_maps
from tests.app.browser.pages import Watched

VIEWS = Path(__file__).parents[3] / "app" / "views"
PAGES = sorted(path.parent.name for path in VIEWS.glob("*/page.py") if path.parent.name not in ("start", "inspect"))
STREAMLITS = {"exclude": [["[data-testid=stSidebarNavItems]"], [".katex-display"]]}
"""Lists of the navigation, whose headings are no items, and formulas that are wider than their column."""


@pytest.fixture(scope="module")
def imported(runs: Path) -> Iterator[str]:
    """Query of a run of imported maps with two steps."""
    generator = np.random.default_rng(0)
    shape = (48, 64)
    scores = {step: {"doubt": {"one": generator.random(shape)}} for step in ("early", "late")}
    labels = {"one": np.repeat([0, 1], [20, 28])[:, None] + np.zeros(shape, np.uint8)}
    images = {"one": generator.integers(0, 255, (*shape, 3), np.uint8)}
    save_maps(runs / "maps", images, scores, labels=labels, predictions={"one": np.zeros(shape, np.uint8)})
    yield "run=maps"
    shutil.rmtree(runs / "maps")


@pytest.mark.parametrize("page", ["", "epochs", "edges", "objects", "errors", "stability", "labels"])
def test_axe_finds_nothing_of_ours_on_imported_maps(watched, address, imported, page):
    check_page(watched, f"{address}/{page}?{imported}")


@pytest.mark.parametrize("query", ["", *PAGES, "stability?scope=picture&aspect=learning"])
def test_axe_finds_nothing_of_ours(watched, address, query):
    check_page(watched, f"{address}/{query}{'&' if '?' in query else '?'}run=tiny" if query else address)


def check_page(watched: Watched, url: str) -> None:
    page = watched.context.new_page()  # some pages have no viewer that could settle
    page.goto(url)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] .facts").wait_for()
    page.wait_for_timeout(1500)
    found = Axe().run(page, context=STREAMLITS).response["violations"]
    assert not [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
