"""The examples of CONTRIBUTING.md apply to the current code, and pass the tests they add."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[1]
FOLDERS = ("app", "hlcore", "tests", ".streamlit")
EXAMPLES = {"Add a data set": "kitti", "Add a network": "three_convolutions", "Add a page": "classes"}
"""Title of the section, and the -k expression for the tests that its example adds."""


def examples() -> dict[str, str]:
    """Title of the section -> its diff."""
    sections = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## ")
    found = {section.split("\n")[0]: re.search(r"```diff\n(.*?)```", section, re.DOTALL) for section in sections}
    return {title: diff[1] for title, diff in found.items() if diff}


def test_every_example_is_tried():
    assert set(examples()) == set(EXAMPLES)


@pytest.mark.parametrize(("title", "added"), EXAMPLES.items())
def test_an_example_applies_and_its_tests_pass(title, added, tmp_path):
    if shutil.which("git") is None:
        pytest.skip("git, which applies the diffs, is not installed")
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    diff = examples()[title]
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True)
    files = [file for file in re.findall(r"^\+\+\+ b/(.*)$", diff, re.MULTILINE) if "/test_" in file]
    pytest_command = [sys.executable, "-m", "pytest", "-q", *files, "-k", added]
    done = subprocess.run(pytest_command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
