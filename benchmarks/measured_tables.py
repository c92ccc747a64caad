"""Tables in a document that are written by the benchmark that measured them."""

from collections.abc import Sequence
from pathlib import Path


def write_row(document: Path, name: str, columns: Sequence[str], row: Sequence[str], *, key: int) -> None:
    """Write a row into the table between `<!-- measured by NAME -->` and `<!-- end of measured -->`.

    Args:
        document: Markdown file.
        name: Name of the benchmark, such as benchmarks.uploads.
        columns: Titles of the columns.
        row: The cells.
        key: Number of the first columns, which say what was measured; an earlier row with the same ones is replaced.
    """
    start, end = f"<!-- measured by {name} -->\n", "<!-- end of measured -->"
    before, rest = document.read_text(encoding="utf-8").split(start)
    table, after = rest.split(end, 1)
    rows = [tuple(line.strip("| ").split(" | ")) for line in table.splitlines()[2:]]
    rows = [other for other in rows if other[:key] != tuple(row[:key])] + [tuple(row)]
    lines = ["| " + " | ".join(cells) + " |\n" for cells in (columns, ["---"] * len(columns), *rows)]
    document.write_text(f"{before}{start}{''.join(lines)}{end}{after}", encoding="utf-8")


def fill_in_table(text: str, name: str, table: str) -> str:
    """The text of a document with a table between `<!-- measured by NAME -->` and `<!-- end of measured -->`."""
    start, end = f"<!-- measured by {name} -->\n", "<!-- end of measured -->"
    before, rest = text.split(start)
    return f"{before}{start}{table}{end}{rest.split(end, 1)[1]}"
