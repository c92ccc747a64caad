"""Axe finds nothing of ours on any page."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

VIEWS = Path(__file__).parents[3] / "app" / "views"
PAGES = sorted(path.parent.name for path in VIEWS.glob("*/page.py") if path.parent.name != "start")
STREAMLITS = {"exclude": [["[data-testid=stSidebarNavItems]"], [".katex-display"]]}
"""Lists of the navigation, whose headings are no items, and formulas that are wider than their column."""


@pytest.mark.parametrize("query", [*PAGES, "", "stability?scope=picture&aspect=learning"])
def test_axe_finds_nothing_of_ours(watched, address, query):
    page = watched.open(f"{address}/{query}{'&' if '?' in query else '?'}run=tiny" if query else address)
    found = Axe().run(page, context=STREAMLITS).response["violations"]
    assert not [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
