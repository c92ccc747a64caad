"""The pins, the package's minimum versions and the installed versions agree."""

import tomllib
from importlib.metadata import requires, version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[1]


def pins(file: str) -> dict[str, str]:
    """Name -> version, from the file and those it includes."""
    found: dict[str, str] = {}
    for line in (PROJECT / file).read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            name, pinned = line.split("==")
            found[name] = pinned
    return found


def needed(name: str) -> list[str]:
    """Names of the packages that an installed package requires here, without extras."""
    asked = [Requirement(text) for text in requires(name) or []]
    return [canonicalize_name(r.name) for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_dependencies_of_pinned_packages_are_pinned_too(file):
    pinned = pins(file)
    missing = {
        f"{other} (from {name})"
        for name in pinned
        for other in needed(name)
        if other not in pinned and not (name == "torch" and other.startswith(("cuda-", "nvidia-", "triton")))
    }
    assert missing == set()


def test_installed_versions_are_the_pinned_ones():
    pinned = pins("requirements-dev.txt")
    installed = {name: Version(version(name)).public for name in pinned}  # torch 2.13.0+cpu counts as torch 2.13.0
    assert installed == pinned


def test_the_pins_satisfy_the_package():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    pinned = pins("requirements.txt")
    unmet = [text for text in asked if pinned[Requirement(text).name] not in Requirement(text).specifier]
    assert unmet == []
