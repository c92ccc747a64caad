"""Every test that docs/reliability.md names exists, and tries as many cases as it says."""

import subprocess
import sys

import pytest

from tests.reliability import DOCUMENT, PROJECT, read_promises


def test_every_promise_names_tests_that_exist() -> None:
    promises = read_promises(DOCUMENT.read_text(encoding="utf-8"))
    assert len(promises) > 25
    for line, tests in promises.items():
        assert tests, f"no test in: {line}"
        for path, name in (test.split("::") for test in tests):
            assert f"def {name}(" in (PROJECT / path).read_text(encoding="utf-8"), f"{path} has no {name}"


@pytest.mark.slow
def test_the_numbers_of_cases_are_those_that_pytest_collects() -> None:
    command = [sys.executable, "-m", "tests.reliability"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
