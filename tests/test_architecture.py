"""docs/architecture.md names only what exists, and caches and session keys each stay in one room of the app."""

import ast
import re
import tomllib
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


def test_the_layers_in_the_document_are_those_that_lint_checks():
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = {contract["containers"][0]: contract["layers"] for contract in contracts if contract["type"] == "layers"}
    drawing = [line for line in DOCUMENT.split("## ")[1].splitlines() if line.startswith("    ")]
    for package, expected in layers.items():
        drawn = [" | ".join(re.findall(rf"\b{package}/(\w+)", line)) for line in drawing]
        assert [line for line in drawn if line] == [layer for layer in expected if layer != "__main__"]


def test_each_function_in_the_document_is_called_by_the_one_above_it():
    lines = re.findall(r"^( +)((?:app|hlcore)/\S+) +(\w+)\(\)", DOCUMENT, flags=re.MULTILINE)
    assert len(lines) > 20
    callers: list[tuple[int, str]] = []
    for indent, path, name in lines:
        callers = [caller for caller in callers if caller[0] < len(indent)]
        if callers:
            assert re.search(rf"\b{name}\b", (PROJECT / callers[-1][1]).read_text("utf-8")), (callers[-1], name)
        callers.append((len(indent), path))


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
