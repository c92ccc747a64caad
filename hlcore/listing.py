"""Tables for the terminal: a list of runs, and scores. Names appear as they are, never read as markup."""

import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from hlcore.storage.runs import Run

WIDE = Console(width=10_000)
"""Measures tables before they are fitted."""
DROPPED_FIRST = ("parameters", "kept epochs", "network", "state", "last mIoU", "data", "loss", "best mIoU")
"""The columns of a list of runs that a narrow terminal leaves out, the least needed first."""


def describe_run(run: Run) -> dict[str, Any]:
    """What a list says of a run, by column."""
    config, scores = run.record.config, run.epoch_table()["mean_iou"].dropna()
    path = run.path.resolve()
    network, imported = f"{config.network.network} / {config.network.encoder}", run.record.imported
    return {
        "run": str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path),
        "state": run.record.state,
        "network": network if imported is None else f"maps of {', '.join(score.name for score in imported.scores)}",
        "data": config.data.dataset,
        "loss": run.record.objective,
        "parameters": run.record.parameters,
        "kept epochs": run.epochs,
        "last mIoU": round(scores.iloc[-1], 4) if len(scores) else None,
        "best mIoU": round(scores.max(), 4) if len(scores) else None,
    }


def format_cells(row: dict[str, Any]) -> list[str]:
    """A row's cells as text, without the tabs and line breaks that would break a table."""
    cells = row | {
        "parameters": str(row["parameters"]),
        "kept epochs": ", ".join(map(str, row["kept epochs"])),
        "last mIoU": "" if row["last mIoU"] is None else f"{row['last mIoU']:.4f}",
        "best mIoU": "" if row["best mIoU"] is None else f"{row['best mIoU']:.4f}",
    }
    return [" ".join(cell.split()) for cell in cells.values()]


def make_table(rows: list[dict[str, Any]], width: int) -> Table:
    """The runs as a table at most `width` characters wide: whole names, and the columns that fit."""
    names = list(rows[0]) if rows else ["run"]
    table = _make_table_of(rows, names)
    for name in DROPPED_FIRST:
        if WIDE.measure(table).maximum > width:
            names = [other for other in names if other != name]
            table = _make_table_of(rows, names)
    return table


def _make_table_of(rows: list[dict[str, Any]], names: list[str]) -> Table:
    table = Table(*names)
    for row in rows:
        cells = dict(zip(row, format_cells(row), strict=True))
        table.add_row(*(Text(cells[name], overflow="fold") for name in names))
    return table


def make_score_table(title: str, values: dict[str, float]) -> Table:
    """Scores with four decimals, a row each; a dash where there was nothing to score."""
    table = Table("", Column(Text(title)))
    for name, value in values.items():
        table.add_row(Text(name), "-" if math.isnan(value) else f"{value:.4f}")
    return table
