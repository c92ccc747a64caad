"""`make app` installs what it needs; a fake Python that only records its calls replaces the real one."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
SETUP_FILES = ("Makefile", "pyproject.toml", "requirements.txt", "requirements-uv.txt", "requirements-dev.txt")
PYTHON = """#!/bin/sh
echo "python $*" >> "$CALLS"
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin && touch .venv/bin/pip && cp "$0" .venv/bin/python ;;
    *requirements-uv.txt*) [ -z "$NO_UV_PACKAGE" ] && cp "$STAND_IN" .venv/bin/uv ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >> "$CALLS"
[ -z "$NO_TORCH" ] || { echo "No solution found when resolving dependencies: torch was not found" >&2; exit 1; }
[ -z "$NO_INDEX" ] || { echo "error: Failed to fetch: https://download.pytorch.org/whl/cpu/torch/" >&2; exit 2; }
case "$*" in *torch-backend=cp130*) echo "error: invalid value 'cp130' for '--torch-backend'" >&2; exit 2 ;; esac
"""
ONE_LINE = "uv does not find torch in PyTorch's package index; pip takes it from its own, whichever build that has."


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[list[str], str]]:
    """Run make in a copy of the files it reads; returns the install commands, in order, and what make printed."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in SETUP_FILES:
        shutil.copy2(PROJECT / name, tmp_path)
    for name, script in (("python", PYTHON), ("uv", UV)):
        (tmp_path / name).write_text(script, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"

    def called(*arguments: str, status: int = 0, **environment: str) -> tuple[list[str], str]:
        calls.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "CALLS": str(calls), "STAND_IN": str(tmp_path / "uv"), **environment}
        command = ["make", f"PYTHON={tmp_path / 'python'}", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == status, done.stderr
        lines = calls.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith("uv ") or " install " in line], done.stdout + done.stderr

    return called


def of_uv(calls: list[str]) -> list[str]:
    return [call for call in calls if call.startswith("uv ") and "--dry-run" not in call]


def of_pip(calls: list[str]) -> list[str]:
    return [call.split(" install ")[1] for call in calls if call.startswith("python -m pip")]


def test_uv_finds_the_torch_of_this_machine(make):
    calls, output = make("app")
    assert of_uv(calls) == ["uv pip install --python .venv/bin/python --torch-backend=auto -r requirements.txt"]
    assert of_pip(calls) == ["--quiet -r requirements-uv.txt", "--no-deps --no-build-isolation -e ."]
    assert ONE_LINE not in output


def test_nothing_is_installed_the_second_time(make):
    make("app")
    assert make("app")[0] == []
    make("app", "TORCH_BACKEND=cpu")
    assert make("app", "TORCH_BACKEND=cpu")[0] == make("app")[0] == []


def test_another_backend_replaces_the_torch_that_is_installed(make):
    make("app")
    calls, _ = make("app", TORCH_BACKEND="cu130")
    (call,) = of_uv(calls)
    assert "--torch-backend=cu130" in call
    assert "--reinstall-package torch --reinstall-package torchvision" in call


@pytest.mark.parametrize("missing", ["NO_INDEX", "NO_TORCH", "NO_UV_PACKAGE"])
def test_pip_takes_over_where_uv_fails_and_one_line_says_so(make, missing):
    calls, output = make("app", **{missing: "1"})
    assert of_uv(calls) == []
    assert of_pip(calls)[1:] == ["-r requirements.txt", "--no-deps --no-build-isolation -e ."]
    assert output.count(ONE_LINE) == 1
    assert make("app", **{missing: "1"})[0] == []


def test_an_unknown_backend_is_an_error_that_installs_nothing(make):
    for _ in range(2):  # the failure is not remembered as done
        calls, output = make("app", "TORCH_BACKEND=cp130", status=2)
        assert of_uv(calls) == []
        assert of_pip(calls) == ["--quiet -r requirements-uv.txt"]
        assert "invalid value 'cp130'" in output
        assert ONE_LINE not in output


def test_a_custom_index_needs_no_uv(make):
    calls, _ = make("app", "TORCH_INDEX_URL=https://mirror.example/cpu")
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = " ".join(line for line in lines if line.startswith(("torch==", "torchvision==")))
    assert of_uv(calls) == []
    assert of_pip(calls)[:2] == [
        f"--force-reinstall --no-deps --index-url https://mirror.example/cpu {pins}",
        "-r requirements.txt",
    ]


def test_a_new_pin_is_installed(make, tmp_path):
    make("app")
    later = (tmp_path / ".venv" / ".runtime").stat().st_mtime + 1  # two files from one clock tick have the same date
    os.utime(tmp_path / "requirements.txt", (later, later))
    assert len(of_uv(make("app")[0])) == 1


def test_the_image_has_the_cpu_build_unless_another_is_requested():
    assert "ARG TORCH_BACKEND=cpu\n" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["app"]["build"]["args"]["TORCH_BACKEND"] == "${TORCH_BACKEND:-cpu}"
