"""The pins, the package's minimum versions and the installed versions agree."""

import tomllib
from importlib.metadata import requires, version
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests import licences
from tests.licences import PROJECT, read_pins

UNTESTED = {"wandb", "trackio"}
"""Extras that only send numbers elsewhere, which a test cannot read back."""


def needed(name: str) -> list[str]:
    """Names of the packages that an installed package requires here, without extras."""
    asked = [Requirement(text) for text in requires(name) or []]
    return [canonicalize_name(r.name) for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_dependencies_of_pinned_packages_are_pinned_too(file):
    pinned = read_pins(file)
    missing = {
        f"{other} (from {name})"
        for name in pinned
        for other in needed(name)
        if other not in pinned and not (name == "torch" and other.startswith(("cuda-", "nvidia-", "triton")))
    }
    assert missing == set()


def test_installed_versions_are_the_pinned_ones():
    pinned = read_pins("requirements-dev.txt")
    installed = {name: Version(version(name)).public for name in pinned}  # torch 2.13.0+cpu counts as torch 2.13.0
    assert installed == pinned


def test_the_pins_satisfy_the_package():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = {name: asked for name, asked in project["optional-dependencies"].items() if name not in UNTESTED}
    asked = [*project["dependencies"], *chain(*extras.values())]
    pinned = read_pins("requirements-dev.txt")  # the tests need every extra
    unmet = [text for text in asked if pinned[Requirement(text).name] not in Requirement(text).specifier]
    assert unmet == []


def test_every_pinned_package_but_torch_has_hashes_for_the_image():
    lines = (PROJECT / "requirements-hashes.txt").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    hashed = {line.split()[0]: line.count("--hash=sha256:") for line in lines}
    expected = read_pins("requirements.txt") | read_pins(
        "requirements-uv.txt"
    )  # uv installs torch, and is removed again
    assert set(hashed) == {f"{n}=={v}" for n, v in expected.items() if n not in {"torch", "torchvision"}}
    assert all(hashed.values())
    assert "--require-hashes -r requirements-hashes.txt" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")


def test_the_licences_of_the_pinned_packages_are_listed_and_allowed():
    packages = licences.read_licences()
    assert {package["Name"] for package in packages} >= set(map(canonicalize_name, read_pins("requirements-dev.txt")))
    assert licences.find_forbidden(packages) == []
    assert licences.find_outdated(packages, licences.DOCUMENT.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "metadata",
    [
        "License-Expression: AGPL-3.0-or-later",
        "Classifier: License :: OSI Approved :: GNU Affero General Public License v3",
        "License: GNU AFFERO GENERAL PUBLIC LICENSE\n        Version 3, 19 November 2007",
    ],
)
@pytest.mark.slow
def test_a_package_under_the_agpl_is_found(tmp_path, monkeypatch, metadata):
    folder = tmp_path / "theirs-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: theirs\nVersion: 1.0\n{metadata}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [found] = licences.find_forbidden(licences.read_licences())
    assert found.startswith("theirs (")
