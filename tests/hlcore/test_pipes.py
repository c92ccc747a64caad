"""What a command prints where nobody reads it, and how it names what it does not know."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hlcore.running import hlcore, in_own_process

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("only_localhost")]
CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


@pytest.mark.parametrize(
    ("options", "reader", "status"), [("", "head -c 10", 0), ("--json", "true", 0), ("", "cat > /dev/full", 1)]
)
def test_a_reader_that_stops_is_no_error(options: str, reader: str, status: int) -> None:
    command = f"{{ '{sys.executable}' -m hlcore runs '{CHECKPOINTS}' {options}; echo status $? >&2; }} | {reader}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status
    assert {"status 0", "status 1"} & set(done.stderr.splitlines())  # whether the reader was faster
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_command_runs_without_any_output() -> None:
    command = f"'{sys.executable}' -m hlcore runs '{CHECKPOINTS}' >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], timeout=120, check=False).returncode == 0


def test_output_that_cannot_be_written_is_one_line() -> None:
    command = f"'{sys.executable}' -m hlcore runs '{CHECKPOINTS}' > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: [Errno 28] No space left on device\n"


@pytest.mark.parametrize(
    "words",
    [("evalute", "--help"), ("-h", "evalute"), ("--help", "evalute"), ("--config", "x.yaml", "evalute", "--help")],
)
def test_an_unknown_command_is_an_error_wherever_help_stands(words: tuple[str, ...]) -> None:
    done = hlcore(*words)
    assert done.returncode != 0
    assert 'Did you mean "evaluate"?' in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words", [("evaluate", "--help"), ("-h", "evaluate"), ("--config", "x.yaml", "train", "--help")]
)
def test_help_of_a_command_needs_no_order(words: tuple[str, ...]) -> None:
    command = next(word for word in words if word in ("evaluate", "train"))
    assert f"Usage: hlcore {command}" in hlcore(*words).stdout


def test_a_folder_of_runs_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert hlcore("runs", tmp_path / "nosuch").stderr.endswith("nosuch is not a folder; expected one that holds runs\n")
    assert hlcore("runs", tmp_path).stderr == "no runs found\n"


@pytest.mark.parametrize("form", ["{}", "--root={}"])
def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    given = [form.format("~/missing")] if form == "{}" else [CHECKPOINTS / "camvid", form.format("~/missing")]
    done = hlcore("evaluate", *given)
    assert done.returncode == 1
    assert str(tmp_path / "missing") in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1: 2", "has the setting name 1, which is not text"),
        ("optim: {on: 3}", "has the setting name True, which is not text"),
        ("[" * 5000, "is not YAML"),
        ("network: {options: {x: 2024-01-01}}", "network.options has a value that JSON cannot represent"),
    ],
)
def test_settings_that_are_no_settings_are_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    done = hlcore("train", "--config", tmp_path / "odd.yaml", "--out", tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "RecursionError", "TypeError"))
    assert "is a folder" in hlcore("train", "--config", tmp_path).stderr


def test_errors_of_settings_lead_to_no_other_documentation(tmp_path: Path) -> None:
    done = in_own_process("train", "--optim.lr", "-1", "--out", tmp_path)
    assert done.returncode != 0
    assert "lr" in done.stdout + done.stderr
    assert "errors.pydantic.dev" not in done.stdout + done.stderr
