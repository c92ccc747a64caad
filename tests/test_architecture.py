"""docs/architecture.md names only what exists, and caches and session keys each stay in one room of the app."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
DOCUMENT = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"\b(?:app|hlcore)/(?:[\w/]+\.(?:py|js)\b|[\w/]*/)", DOCUMENT)))
FUNCTIONS = sorted(
    {*re.findall(r"(app/\S+|hlcore/\S+) +(\w+)\(\)", DOCUMENT)}
    | {(path, name) for name, path in re.findall(r"`(\w+)\(\)` in\s+`([^`]+)`", DOCUMENT)}
)


def attributes(path: Path) -> set[str]:
    """Every attribute that a module uses."""
    return {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", PATHS)
def test_every_file_and_folder_in_the_document_exists(path):
    assert (PROJECT / path).exists()


@pytest.mark.parametrize(("path", "name"), FUNCTIONS)
def test_every_function_in_the_document_exists(path, name):
    source = (PROJECT / path).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(?:export )?(?:async )?(?:def|function) {name}\(", source, flags=re.MULTILINE)


def test_the_document_names_every_room_of_the_app():
    rooms = {path.parent.name for path in (PROJECT / "app").glob("*/__init__.py")}
    assert {path.split("/")[1] for path in PATHS if path.startswith("app/")} >= rooms
    assert len(FUNCTIONS) > 20


@pytest.mark.parametrize(
    ("names", "room"),
    [({"cache_data", "cache_resource"}, "app/loading"), ({"session_state", "query_params"}, "app/session")],
)
def test_caches_and_session_keys_are_each_in_one_room(names, room):
    users = {path for path in (PROJECT / "app").rglob("*.py") if attributes(path) & names}
    assert users
    assert all(path.is_relative_to(PROJECT / room) for path in users), users


def test_types_are_checked_at_run_time_everywhere_except_in_the_drawing_of_the_scenes(pytestconfig):
    checked = tuple(pytestconfig.getoption("jaxtyping_packages").split(",")[:-1])
    modules = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for path in (PROJECT / "hlcore").rglob("*.py")
        if not path.name.startswith("__")
    }
    left_out = {name for name in modules if not name.startswith(checked)}
    assert {name.rpartition(".")[0] for name in left_out} == {"hlcore.data.streets"}
    assert "hlcore.data.streets.dataset" not in left_out
