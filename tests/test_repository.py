"""The size of the repository."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
LARGEST_MB = 26
"""Small enough to copy to another machine in a moment."""


def test_tracked_files_stay_small():
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("this is not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    files = [PROJECT / name for name in listed.split("\0") if name]
    megabytes = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    assert megabytes < LARGEST_MB
