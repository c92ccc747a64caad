"""Documents of docs/results/ about planted label faults and about fitted branches."""

from collections.abc import Iterator, Sequence

import pandas as pd

from benchmarks.evidence.compare import estimate_mean
from benchmarks.fit import AGREEMENT, LEARNED_IN_TRAINING
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.errors import SCORES
from hlcore.report.numbers import Number, compare_numbers, find_number, format_number, join_names

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


def format_fits(table: pd.DataFrame) -> Iterator[str]:
    """What fitted branches find; the table is that of `benchmarks.fit`."""
    yield "    python -m benchmarks.fit --data FOLDER\n"
    yield (
        "Branches learned on the frozen features of the bundled networks, in up to 600 steps: the paper's hardness, "
        "and other targets of `hlcore fit --target`. Each is measured as a score of errors, at most on 100 images, "
        "beside scores that every network provides. The lift and the rank correlations, with the map learned in "
        "training and with that of another seed, are over 20 test images. Near edges and inside: within 2 px of an "
        "edge between predicted classes, and farther. Brackets hold 95 % intervals over seeds (Student's t); of the "
        "correlation of two seeds the table has the lowest and the highest.\n"
    )
    for run, where in dict.fromkeys(zip(table["run"], table["on"], strict=True)):
        rows = filter_rows(table, run=run, on=where)
        own = filter_rows(rows, score="hardness")
        images = filter_rows(own, measure="images")["value"].tolist()[0]
        yield f"## {run} on {where}, {images:.0f} images\n"
        measures = [name for name in FIT_MEASURES if name in set(rows["measure"])]
        cells = []
        for target, learned_on in dict.fromkeys(zip(own["target"], own["images"], strict=True)):
            found = filter_rows(own, target=target, images=learned_on)
            seeds = str(len(set(found["seed"].tolist()))) if learned_on != LEARNED_IN_TRAINING else ""
            cells.append([target, learned_on, seeds, *(_format_fit(found, name) for name in measures)])
        for score in [name for name in dict.fromkeys(rows["score"].tolist()) if name != "hardness"]:
            found = filter_rows(rows, score=score)
            cells.append([SCORES[score], "", "", *(_format_mean(found, name) for name in measures)])
        titles = ["target or score", "learned on", "seeds", *(FIT_MEASURES[name] for name in measures)]
        yield format_markdown_table(titles, cells)
        yield _name_best_target(rows)


def format_suspicion(table: pd.DataFrame) -> Iterator[str]:
    """Whether the suspicion of error finds more errors; the table is that of `benchmarks.suspicion`."""
    yield "    python -m benchmarks.suspicion --data FOLDER\n"
    yield (
        "The suspicion of error of `hlcore suspicion` (logistic regression on 1 − max softmax, entropy, 1 − margin, "
        "the distance to the predicted edge and the predicted class), without the class and with hardness besides, for "
        "the bundled `camvid` network. Each is fitted on one split of CamVid and tested on 60 images of another data "
        "set or split; the validation split of CamVid is one drive. The gain over 1 − max softmax is paired over the "
        "images. Brackets hold 95 % intervals over images (bootstrap). All scores are over the network's own classes; "
        "in [fit.md](fit.md) those on IDD-Lite are over merged classes, where they find less.\n"
    )
    for learned_on, tested_on in dict.fromkeys(zip(table["learned_on"], table["tested_on"], strict=True)):
        rows = filter_rows(table, learned_on=learned_on, tested_on=tested_on)
        yield f"## Fitted on {learned_on}, tested on {tested_on}\n"
        cells = []
        for row in rows.to_dict("records"):
            gain = Number(row["gain"], row["gain_low"], row["gain_high"])
            is_clear = row["gain_low"] * row["gain_high"] > 0
            verdict = "higher" if row["gain"] > 0 else "lower"
            name = SCORES.get(row["score"], row["score"])
            found = "" if row["score"] == "max_softmax" else verdict if is_clear else "not significant"
            cells.append([name, str(Number(row["auroc"], row["low"], row["high"])), str(gain), found])
        yield format_markdown_table(["score", "AUROC", "gain over 1 − max softmax", "AUROC is"], cells)


def _name_best_target(rows: pd.DataFrame) -> str:
    """The target with the highest mean AUROC of those learned on all training images, beside 1 − max softmax."""
    found = filter_rows(rows, measure="auroc, all")
    of_targets = filter_rows(found, score="hardness", images="train")
    numbers = {
        target: Number(*estimate_mean(filter_rows(of_targets, target=target)["value"].tolist()))
        for target in dict.fromkeys(of_targets["target"].tolist())
    }
    softmax = filter_rows(found, score="max_softmax")["value"].tolist()
    if not numbers or not softmax:
        return ""
    best = max(numbers, key=lambda target: numbers[target].value)
    tied = [name for name, number in numbers.items() if name != best and number.high >= numbers[best].low]
    beside = f", whose interval overlaps that of {join_names(tied)}" if tied else ""
    higher = "higher" if numbers[best].low > softmax[0] else "lower" if numbers[best].high < softmax[0] else ""
    than = f"{higher} than that" if higher else "not clearly different from that"
    return (
        f"Of the targets, {best} has the highest AUROC ({format_number(numbers[best].value)}){beside}; it is {than} of "
        f"1 − max softmax, which costs nothing ({format_number(softmax[0])}).\n"
    )


def _format_fit(rows: pd.DataFrame, measure: str) -> str:
    """As in `_format_mean`; for the agreement of seeds the range of the pairs, which share seeds."""
    values = filter_rows(rows, measure=measure)["value"].tolist()
    if measure != AGREEMENT or not values:
        return _format_mean(rows, measure)
    return f"{format_number(min(values))} to {format_number(max(values))}"


def _format_mean(rows: pd.DataFrame, measure: str) -> str:
    """Mean over seeds with its interval; empty without a row."""
    values = filter_rows(rows, measure=measure)["value"].tolist()
    return str(Number(*estimate_mean(values))) if values else ""


FIT_MEASURES = {
    "lift": "lift",
    "rank correlation": "correlation with the map learned in training",
    AGREEMENT: "correlation of two seeds",
    "auroc, all": "AUROC",
    "auroc, edge": "AUROC near edges",
    "auroc, interior": "AUROC inside",
    "ap, all": "AP",
    "aurc, all": "AURC (lower is better)",
}
"""Measure in the table of `benchmarks.fit` to the title of its column."""
_KINDS = {
    "all": "of every kind",
    "swapped": "that swap a class",
    "shifted": "that shift an object",
    "dropped": "that drop an object",
    "under 500 px": "under 500 px",
    "500 px and more": "of 500 px and more",
}
