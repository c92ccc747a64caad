"""The promises of docs/reliability.md, and how many cases their tests try.

python -m tests.reliability            # exit status 1 if the column "cases" is out of date
python -m tests.reliability --write    # update it
"""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs" / "reliability.md"


def read_promises(text: str) -> dict[str, list[str]]:
    """Each line of the tables of promises, and the tests it names, as path::name."""
    tables = re.findall(r"^\| promise \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, flags=re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return {line: re.findall(r"`(tests/\S+\.py::\w+)`", line) for line in lines}


class CaseCounter:
    """A plugin of pytest that counts the cases of each test: its parameters, times the examples of Hypothesis."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            settings = getattr(getattr(item, "obj", None), "_hypothesis_internal_use_settings", None)
            self.cases[item.nodeid.partition("[")[0]] += settings.max_examples if settings else 1


def main() -> None:
    """Compare or write the numbers of cases."""
    text = DOCUMENT.read_text(encoding="utf-8")
    promises = read_promises(text)
    counter = CaseCounter()
    tests = sorted({test for tests in promises.values() for test in tests})
    if pytest.main(["--collect-only", "-qqq", *tests], [counter]):
        raise SystemExit("pytest cannot collect the tests of docs/reliability.md")
    written = text
    for line, named in promises.items():
        cells = line.strip("| ").split(" | ")[:3]
        cases = sum(counter.cases[test] for test in named)
        written = written.replace(line, f"| {' | '.join(cells)} | {cases:,} |")
    if "--write" in sys.argv:
        DOCUMENT.write_text(written, encoding="utf-8")
    elif written != text:
        raise SystemExit("the numbers of cases are out of date; run python -m tests.reliability --write")


if __name__ == "__main__":
    main()
