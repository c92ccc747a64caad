"""Axe finds nothing of ours on any page."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

VIEWS = Path(__file__).parents[3] / "app" / "views"
PAGES = sorted(path.parent.name for path in VIEWS.glob("*/page.py") if path.parent.name not in ("start", "inspect"))
STREAMLITS = {"exclude": [["[data-testid=stSidebarNavItems]"], [".katex-display"]]}
"""Lists of the navigation, whose headings are no items, and formulas that are wider than their column."""


@pytest.mark.parametrize("query", ["", *PAGES, "stability?scope=picture&aspect=learning"])
def test_axe_finds_nothing_of_ours(watched, address, query):
    page = watched.context.new_page()  # some pages have no viewer that could settle
    page.goto(f"{address}/{query}{'&' if '?' in query else '?'}run=tiny" if query else address)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] .facts").wait_for()
    page.wait_for_timeout(1500)
    found = Axe().run(page, context=STREAMLITS).response["violations"]
    assert not [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
