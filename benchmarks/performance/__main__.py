"""Measure, and write the tables of docs/performance.md.

    make bench
    python -m benchmarks.performance --only inference --threads 1

Stop everything else on the machine first. Each study writes its numbers, with the machine and the versions, into
benchmarks/performance/results/.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.measured_tables import fill_in_table
from benchmarks.performance.studies import STUDIES
from benchmarks.performance.timing import describe_machine
from benchmarks.studies import format_markdown_table
from hlcore.process import keep_freed_memory

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
ABOUT_MACHINE = ("processor", "cores", "system", "python", "torch", "numpy")


def main() -> None:
    """Measure the chosen studies with each number of threads."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=STUDIES, action="append", help="measure only these studies")
    parser.add_argument("--threads", type=int, action="append", help="numbers of threads; default: 1 and 2")
    options = parser.parse_args()
    keep_freed_memory()
    for name in options.only or STUDIES:
        tables = []
        for threads in options.threads or (1, 2):
            torch.set_num_threads(threads)
            tables.append(STUDIES[name]().assign(threads=threads))
        table = pd.concat(tables, ignore_index=True)
        save(name, table)
        print(f"{name}\n\n{format_table(table)}")
    write_document()


def save(name: str, table: pd.DataFrame) -> None:
    """Write the rows of a study with the machine they come from."""
    rows = [{key: _round(value) for key, value in row.items()} for row in table.to_dict("records")]
    machine = {key: value for key, value in describe_machine().items() if key != "threads"}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n", "utf-8")


def write_document() -> None:
    """Write the tables of docs/performance.md from the saved numbers."""
    DOCUMENT.write_text(fill_in_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


def fill_in_tables(text: str) -> str:
    """The text of docs/performance.md with the saved numbers."""
    machines = set()
    for name in STUDIES:
        path = RESULTS / f"{name}.json"
        if not path.is_file():
            continue
        saved = json.loads(path.read_text("utf-8"))
        machines.add(", ".join(f"{key} {saved['machine'][key]}" for key in ABOUT_MACHINE if key in saved["machine"]))
        text = fill_in_table(text, f"benchmarks.performance {name}", format_table(pd.DataFrame(saved["rows"])))
    return fill_in_table(text, "benchmarks.performance", "".join(f"- {machine}\n" for machine in sorted(machines)))


def format_table(table: pd.DataFrame) -> str:
    """The rows in Markdown: what was measured first, then the numbers."""
    keys = [column for column in ("image", "decoder", "part", "threads", "variant") if column in table]
    cells: dict[str, Callable[[pd.Series], str]] = {key: lambda row, key=key: str(row[key]) for key in keys}
    if "median_ms" in table:
        cells["median (quartiles), ms"] = lambda row: (
            f"{_format(row['median_ms'])} ({_format(row['low_ms'])} to {_format(row['high_ms'])})"
        )
        cells["ratio"] = lambda row: f"{row['ratio']:.2f}"
    else:
        cells |= {
            column: lambda row, column=column: _format(row[column]) for column in table.columns if column not in keys
        }
    order: Sequence[str] = keys
    rows = table.sort_values([key for key in order if key != "variant"], kind="stable") if len(order) > 1 else table
    return format_markdown_table([*cells], [[cell(row) for cell in cells.values()] for _, row in rows.iterrows()])


def _format(number: Any) -> str:
    """Three significant digits, or whole numbers from 100."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _round(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
