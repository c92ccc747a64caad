"""How ways of doing the same thing are compared, and that the document has the saved numbers."""

import itertools

import pandas as pd
import pytest

from benchmarks.performance import __main__ as bench
from benchmarks.performance import timing


def test_ways_take_turns_and_the_first_round_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    rounds = [[0.0, 0.1, 0.0, 0.2], [0.0, 0.1, 0.0, 0.9], [0.0, 0.2, 0.0, 0.4]]  # start, end, start, end
    clock = itertools.accumulate([0.0, 0.0, *itertools.chain(*rounds)])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    table = timing.measure({"one": lambda: order.append(1), "two": lambda: order.append(2)}, repeats=3)
    assert order == [1, 2] * 4
    assert table["variant"].tolist() == ["one", "two"]
    assert table["median_ms"].round(6).tolist() == [100, 400]
    assert table["ratio"].round(6).tolist() == [1, 2]


def test_the_document_has_the_saved_numbers() -> None:
    text = bench.DOCUMENT.read_text(encoding="utf-8")
    assert bench.fill_in_tables(text) == text, "run `make bench`"


def test_a_table_has_keys_first_and_is_sorted_by_them() -> None:
    row = {"median_ms": 1234.5, "low_ms": 9.876, "high_ms": 120.0, "ratio": 1.05, "repeats": 3}
    rows = [
        {"variant": "b", "image": "2 x 1", "threads": 2} | row,
        {"variant": "a", "image": "1 x 1", "threads": 1} | row,
    ]
    lines = bench.format_table(pd.DataFrame(rows)).splitlines()
    assert lines[0] == "| image | threads | variant | median (quartiles), ms | ratio |"
    assert lines[2] == "| 1 x 1 | 1 | a | 1,234 (9.88 to 120) | 1.05 |"
    assert lines[3].startswith("| 2 x 1 | 2 | b |")
