"""Documents of docs/results/ about separate studies: planted label faults, and the stability of the maps."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from hlcore.analysis.statistics import filter_rows
from hlcore.report.numbers import Number, compare_numbers, find_number

GAIN = "average precision minus that of loss"
PACES = {"streets-every-epoch": "3e-3, as given", "streets-tenth-hardness": "3e-4", "streets-slow-hardness": "3e-5"}
"""Runs that differ only in the learning rate of the hardness branch, the fastest first."""
SHOWN_PAIRS = 5
"""Number of epoch pairs listed for a run, evenly spaced over its training; all pairs are counted."""


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def of_faults(faults: pd.DataFrame) -> Iterator[str]:
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
        for kind in ("all", "swapped", "shifted", "dropped", "under 500 px", "500 px and more"):
            gain = find_number(pixels, method="suspicion", kind=kind, measure=GAIN)
            said = compare_numbers(
                gain,
                Number(0, 0, 0),
                higher="suspicion finds more than plain loss",
                lower="suspicion finds less than plain loss, so hardness makes it worse",
                neither="suspicion and plain loss cannot be told apart",
            )
            yield f"- Over pixels, faults {_KINDS[kind]}: {said}; gain {gain}."
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
        yield markdown_table(["ranked", "by", "summary", "average precision", "gain over plain loss"], cells)


_KINDS = {
    "all": "of every kind",
    "swapped": "that swap a class",
    "shifted": "that shift an object",
    "dropped": "that drop an object",
    "under 500 px": "under 500 px",
    "500 px and more": "of 500 px and more",
}


def of_stability(study: pd.DataFrame) -> Iterator[str]:
    """How stable the maps of each run are between epochs; the table is that of `benchmarks.stability`."""
    yield "    python -m benchmarks.stability --run RUN\n"
    yield (
        "Consecutive saved epochs of each run. `near 0` is the share of Spearman's squared rank differences at pixels "
        "where both maps are below 0.05; the ranks of such pixels are noise.\n"
    )
    yield from _of_pace(study)
    for run, split in dict.fromkeys(zip(study["run"], study["split"], strict=True)):
        if not split:
            continue
        rows = filter_rows(study, run=run, split=split)
        pairs = _consecutive(rows)
        images = max(rows["images"].tolist())
        yield f"## {run}, {split}, {images:.0f} images\n"
        for measure, name in (("top10_iou", "top 10 % IoU"), ("spearman", "Spearman's rho")):
            hardness, loss = (
                [find_number(rows, map=of, measure=measure, first=a, second=b) for a, b in pairs]
                for of in ("hardness", "loss")
            )
            above = sum(h.low > other.high for h, other in zip(hardness, loss, strict=True))
            below = sum(h.high < other.low for h, other in zip(hardness, loss, strict=True))
            yield (
                f"- {name}: hardness clearly higher in {above} of {len(pairs)} pairs of epochs, loss in {below}; "
                f"at the last pair {hardness[-1]} for hardness and {loss[-1]} for loss."
            )
        levels = [
            find_number(rows, map=of, measure="relative_level", second=pairs[-1][1]) for of in ("hardness", "loss")
        ]
        yield f"- Last divided by first saved epoch, without epoch 0: mean hardness {levels[0]}, loss {levels[1]}.\n"
        shown = [pairs[i] for i in np.unique(np.linspace(0, len(pairs) - 1, SHOWN_PAIRS).round().astype(int))]
        cells = [
            [
                f"{_epoch(a)} → {_epoch(b)}",
                *(str(find_number(rows, map=of, measure=m, first=a, second=b)) for m, of in _SHOWN),
            ]
            for a, b in shown
        ]
        yield markdown_table(["epochs", *(f"{_NAMES[m]}, {of}" for m, of in _SHOWN)], cells)


def _of_pace(study: pd.DataFrame) -> Iterator[str]:
    """The effect of the hardness branch's learning rate alone; empty if its runs are not in the table."""
    paces = {run: rate for run, rate in PACES.items() if run in set(study["run"])}
    if len(paces) < 2:
        return
    yield "## The learning rate of the hardness branch\n"
    yield (
        "The paper's lambda = 0.01 slows the branch down under SGD and has no effect under AdamW, which normalises "
        "each gradient. The table compares runs on streets, one seed each, that differ only in the branch's rate:\n"
    )
    command = "hlcore train --config checkpoints/streets.yaml --keep-epochs 25 --probe-images 12"
    yield f"    {command} --optim.hardness-lr RATE\n"
    rows = []
    for run, rate in paces.items():
        held_out = filter_rows(study, run=run, split="val")
        last = _consecutive(held_out)[-1]
        for of in ("hardness", "loss"):
            kept = find_number(held_out, map=of, measure="relative_level", second=last[1])
            pairs = [
                find_number(held_out, map=of, measure="spearman", first=a, second=b) for a, b in _consecutive(held_out)
            ]
            overlaps = [
                find_number(held_out, map=of, measure="top10_iou", first=a, second=b) for a, b in _consecutive(held_out)
            ]
            saturated = find_number(held_out, map=of, measure="near_one", second=last[1])
            medians = [f"{np.median([pair.value for pair in found]):.3f}" for found in (pairs, overlaps)]
            rows.append([run, rate, of, str(kept), *medians, str(saturated) if of == "hardness" else ""])
    columns = [
        "run",
        "RATE",
        "map",
        "last level / first",
        "median Spearman",
        "median top 10 % IoU",
        "share above 0.95",
    ]
    yield markdown_table(columns, rows)
    fast, *_, slow = (
        find_number(
            filter_rows(study, run=run, split="val"), map="hardness", measure="relative_level", second=_last(study, run)
        )
        for run in paces
    )
    yield (
        compare_numbers(
            slow,
            fast,
            higher="On held-out images, hardness fades less the slower its branch learns: the paper's claim about its "
            "level depends on the branch's learning rate and not on the loss alone. A slow branch is not a converged "
            "one: in so few steps it also separates less.",
            lower="On held-out images, hardness fades more the slower its branch learns.",
            neither="On held-out images, the branch's learning rate does not clearly change how much hardness fades.",
        )
        + "\n"
    )


def _last(study: pd.DataFrame, run: str) -> str:
    return _consecutive(filter_rows(study, run=run, split="val"))[-1][1]


_SHOWN = tuple((measure, of) for measure in ("top10_iou", "spearman", "tail") for of in ("hardness", "loss"))
_NAMES = {"top10_iou": "top 10 % IoU", "spearman": "Spearman", "tail": "near 0"}


def _consecutive(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of consecutive saved epochs, without epoch 0."""
    names = sorted(name for name in set(filter_rows(rows, measure="level")["second"]) if _epoch(name) > 0)
    return list(pairwise(names))


def _epoch(snapshot: str) -> int:
    return int(snapshot.removeprefix("epoch-"))
