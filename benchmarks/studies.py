"""The document of docs/results/ about planted label faults."""

from collections.abc import Iterator, Sequence

import pandas as pd

from hlcore.analysis.statistics import filter_rows
from hlcore.report.numbers import Number, compare_numbers, find_number

GAIN = "average precision minus that of loss"


def format_markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def format_label_faults(faults: pd.DataFrame) -> Iterator[str]:
    """How well scores find planted label faults; the table is that of `benchmarks.label_faults`."""
    yield "    python -m benchmarks.label_faults --run RUN\n"
    yield (
        "Average precision of scores that find faults planted into the labels; `suspicion` is loss × (1 − hardness). "
        "The gain over plain loss is paired over the same images and plantings.\n"
    )
    for run, split in dict.fromkeys(zip(faults["run"], faults["split"], strict=True)):
        rows = filter_rows(faults, run=run, split=split)
        yield f"## {run}, {split}, {rows['images'].tolist()[0]} images, {rows['seeds'].tolist()[0]} plantings\n"
        pixels = filter_rows(rows, level="pixel")
        for kind, described in _KINDS.items():
            gain = find_number(pixels, method="suspicion", kind=kind, measure=GAIN)
            measured = compare_numbers(
                gain,
                Number(0, 0, 0),
                higher="suspicion finds more than plain loss",
                lower="suspicion finds less than plain loss, so hardness makes it worse",
                neither="suspicion and plain loss cannot be told apart",
            )
            yield f"- Over pixels, faults {described}: {measured}; gain {gain}."
        yield ""
        found = filter_rows(rows, kind="all", measure="average precision")
        names = list(zip(found["level"], found["method"], found["summary"], strict=True))
        cells = [
            [
                *name,
                str(find_number(rows, **where, measure="average precision")),
                str(find_number(rows, **where, measure=GAIN)).replace("not known", ""),
            ]
            for name in names
            for where in [{**dict(zip(("level", "method", "summary"), name, strict=True)), "kind": "all"}]
        ]
        yield format_markdown_table(["ranked", "by", "summary", "average precision", "gain over plain loss"], cells)


_KINDS = {
    "all": "of every kind",
    "swapped": "that swap a class",
    "shifted": "that shift an object",
    "dropped": "that drop an object",
    "under 500 px": "under 500 px",
    "500 px and more": "of 500 px and more",
}
