"""Every test that docs/reliability.md names exists."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_promise_names_tests_that_exist() -> None:
    text = (PROJECT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and not re.match(r"\|(-| promise)", line)]
    assert rows
    for row in rows:
        named = re.findall(r"`(tests/\S+\.py)::(\w+)`", row)
        assert named, f"no test in: {row}"
        for path, name in named:
            assert f"def {name}(" in (PROJECT / path).read_text(encoding="utf-8"), f"{path} has no {name}"
