"""Run a command in this process or in one of its own."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import pytest

from hlcore import cli


class Terminal(io.StringIO):
    """Output that a command takes for a terminal."""

    def isatty(self) -> bool:
        return True


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def in_own_process(*arguments: object, **environment: str) -> Done:
    command = [sys.executable, "-m", "hlcore", *map(str, arguments)]
    wide = {"COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    settings = os.environ | wide | environment
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=settings, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def hlcore(*arguments: object, terminal: bool = False) -> Done:
    """The command in this process, as `main` runs it; its output is a pipe or a terminal."""
    stdout, stderr = Terminal() if terminal else io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.setattr("sys.argv", ["hlcore", *map(str, arguments)])
        patch.setattr(cli.app, "config", cli.app.config)  # --config sets it
        patch.setenv("COLUMNS", "200")
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    return Done(int(code), stdout.getvalue(), stderr.getvalue())
