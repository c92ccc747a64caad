"""The text of docs/results.md and docs/results/; every number and every verdict comes from a table."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.claims import (
    DATA_TITLES,
    format_signed,
    list_analysis_claims,
    list_memorising_claims,
    list_training_claims,
)
from benchmarks.evidence.compare import CLASS_MEASURES, MEASURES, compare_paired
from benchmarks.evidence.grid import Grid
from benchmarks.evidence.rule import CANDIDATES, choose_rate, judge_rates, summarise
from benchmarks.studies import format_markdown_table
from hlcore.analysis.error_prediction import STANDINGS
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.errors import REGIONS, SCORES
from hlcore.report import describe_analysis, sentences
from hlcore.report.numbers import Number, find_number, format_number
from hlcore.report.sentences import BEFORE_TRAINING, Findings, Tables
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import open_run

PARTS: tuple[tuple[str, Callable[[Tables], Findings]], ...] = (
    ("Segmentation", sentences.describe_segmentation),
    ("Edges", sentences.describe_edges),
    ("Objects", sentences.describe_objects),
    ("Errors", sentences.describe_errors),
    ("Stability", sentences.describe_stability),
)


CLAIM_TABLES = ("edge_contrast", "size_correlations", "scores")
"""Tables of an analysis that the claims are checked against."""
PICTURES = Path(__file__).parents[1] / "docs" / "images" / "results"
ABOUT = """Generated from tables by `python -m benchmarks.results`. Brackets hold 95 % intervals: over seeds (Student's
t) if seeds are named, otherwise over images (bootstrap). An interval over images says nothing about other training
runs, and one over seeds nothing about other data. CamVid's images are frames of a few videos, so its intervals over
images are too narrow."""
FIGURES = {
    "gain": "Gain of the hardness loss over cross entropy in each class, paired by seed",
    "stability": "How much both maps change from epoch to epoch",
    "edges": "Hardness, loss and error rate by distance to the nearest label edge",
    "size": "Hardness by object size, and what remains after accounting for edges",
    "errors": "How well each score finds errors: risk against coverage",
}
"""Name in docs/images/results to caption; `python -m benchmarks.figures` draws them."""
LENGTHS = ("streets_300", "streets", "streets_3000")
"""Data of the evidence that differ in the number of training steps only."""
LONG = "Tables of each data set"


class Entry(NamedTuple):
    """An analysis in the document."""

    title: str
    run: Path
    analysis: Path


def format_summary(
    analyses: list[tuple[Entry, Analysis]],
    rows: pd.DataFrame,
    grid: Grid,
    memorised: pd.DataFrame | None,
    long: Mapping[str, str],
) -> str:
    """One page: the claims, the figures, all variants, and links to the long tables."""
    tables = {entry.title: {name: analysis.table(name) for name in CLAIM_TABLES} for entry, analysis in analyses}
    found = [*list_training_claims(rows, grid)]
    found += [] if memorised is None else list_memorising_claims(memorised)
    found += list_analysis_claims(tables)
    parts = [f"# Results\n\n{ABOUT}\n", "## Claims\n"]
    remaining = {claim.claim: "" for claim in found}
    cells = []
    for claim in found:
        cells.append([claim.claim if claim.claim in remaining else "", claim.measured, f"**{claim.verdict}**"])
        remaining.pop(claim.claim, None)
    parts.append(format_markdown_table(["claim", "measured here", "verdict"], cells))
    parts.append("## Figures\n")
    drawn = {name: text for name, text in FIGURES.items() if (PICTURES / f"{name}.svg").is_file()}
    parts += [f"![{text}](images/results/{name}.svg)\n\n{text}.\n" for name, text in drawn.items()]
    parts.append("## All variants\n")
    parts += format_variants(rows, grid)
    parts += format_training_lengths(rows, grid)
    parts.append(f"## {LONG}\n")
    parts += [f"- [{text.splitlines()[0].removeprefix('# ')}](results/{name}.md)" for name, text in long.items()]
    return "\n".join(parts).rstrip() + "\n"


def format_variants(rows: pd.DataFrame, grid: Grid) -> Iterator[str]:
    """A table of every variant for each data set."""
    summary, gains = summarise(rows, grid), compare_paired(rows, grid, measures=("mean_iou_last",))
    yield (
        "All variants of the method, and the losses it is compared with. `movement` is the total variation of the "
        "hardness weight between epochs divided by that of the loss map; `fidelity` is the rank correlation of "
        "hardness with the mean loss of networks with other seeds; both are measured on held-out images. "
        "benchmarks/evidence/method.yaml defines the variants.\n"
    )
    for data, title in DATA_TITLES.items():
        of_data = filter_rows(summary, data=data)
        if of_data.empty:
            continue
        cells = []
        for variant in grid.axes[grid.compared]:
            of = filter_rows(of_data, variant=variant)
            if of.empty:
                continue
            gain = filter_rows(gains, data=data, variant=variant) if len(gains) else gains
            points = "" if gain.empty else format_gain(gain.to_dict("records")[0])
            measures = ("hardness_lift", "movement/held_out", "fidelity/hardness_spearman")
            seeds = str(max(of["seeds"].tolist()))
            values = [find_number(of, measure=measure).value_text for measure in measures]
            mean_iou = find_number(of, measure="mean_iou_last").value_text
            cells.append([variant, seeds, mean_iou, points, *("" if v == "not known" else v for v in values)])
        yield f"### {title}\n"
        columns = ["variant", "seeds", "test mIoU", "points over ce", "HL lift", "movement", "fidelity"]
        yield format_markdown_table(columns, cells)


def format_training_lengths(rows: pd.DataFrame, grid: Grid) -> Iterator[str]:
    """How each rate of the hardness branch does in shorter and longer runs, for the seeds that every length has."""
    seeds = set.intersection(*(set(filter_rows(rows, data=data)["seed"]) for data in LENGTHS))
    if not seeds:
        return
    rows = pd.concat([filter_rows(rows, data=data, seed=seed) for data in LENGTHS for seed in sorted(seeds)])
    summary, gains = summarise(rows, grid), compare_paired(rows, grid, measures=("mean_iou_last",))
    cells, least = [], {}
    for data in LENGTHS:
        [steps] = filter_rows(rows, data=data)["steps"].unique()
        moved = {}
        for variant in CANDIDATES:
            of = filter_rows(summary, data=data, variant=variant)
            if of.empty:
                continue
            gain = format_gain(filter_rows(gains, data=data, variant=variant).to_dict("records")[0])
            movement = find_number(of, measure="movement/held_out")
            lift = find_number(of, measure="hardness_lift").value_text
            moved[variant] = movement.value
            cells.append([str(steps), variant, gain.removesuffix(", one seed"), lift, movement.value_text])
        least[int(steps)] = min(moved, key=moved.__getitem__)
    rates = "; ".join(f"at {steps} steps {variant}" for steps, variant in least.items())
    yield "## Rate and training length\n"
    yield (
        f"The streets network trained for other numbers of steps, each with its own schedule; {', '.join(seeds)}. "
        f"The map of this rate moves least: {rates}.\n"
    )
    yield format_markdown_table(["steps", "rate", "points over ce", "HL lift", "movement"], cells)


def format_gain(row: Mapping[str, Any]) -> str:
    """A difference of mIoU in points, and whether it is significant."""
    points = format_signed(Number(*(100 * row[name] for name in ("difference", "low", "high"))))
    return points if row["verdict"] in ("higher", "lower") else f"{points}, {row['verdict']}"


def format_study(title: str, section: Iterable[str]) -> str:
    """A long document about one study."""
    return "\n".join([f"# {title}\n\n{ABOUT}\n", *section]).rstrip() + "\n"


def format_details(analyses: list[tuple[Entry, Analysis]], rows: pd.DataFrame, grid: Grid) -> dict[str, str]:
    """The long documents, name to text."""
    documents = {}
    for entry, analysis in analyses:
        parts = [f"# {entry.title}\n\n{ABOUT}\n", "## Where hardness loses\n"]
        parts.append("AUROC of hardness and of every other score (in brackets), compared on the same images.\n")
        parts += [*_losses(entry, analysis), *_of_analysis(entry, analysis)]
        documents[analysis.path.name] = "\n".join(parts).rstrip() + "\n"
    documents["training"] = (
        "\n".join([f"# Training runs\n\n{ABOUT}\n", *format_training_tables(rows, grid)]).rstrip() + "\n"
    )
    return documents


def format_training_tables(rows: pd.DataFrame, grid: Grid) -> Iterator[str]:
    """Every difference from cross entropy, and the rule that chooses the default rate."""
    yield "    python -m benchmarks.evidence run method --data FOLDER\n"
    gains = compare_paired(rows, grid, measures=(*MEASURES, *CLASS_MEASURES))
    yield "## Differences from cross entropy, in points\n"
    cells = [
        [row["data"], row["variant"], row["measure"], str(row["seeds"]), format_gain(row)]
        for row in gains.to_dict("records")
    ]
    yield format_markdown_table(["data", "variant", "measure", "seeds", "difference"], cells)
    judged = judge_rates(rows, grid)
    if judged.empty:
        return
    yield "## The learning rate of the hardness branch\n"
    chosen = choose_rate(judged)
    yield f"The rule of [decisions.md](../decisions.md): **{chosen.variant or 'no choice yet'}**; {chosen.reason}.\n"
    cells = [
        [
            *(row["data"], row["variant"], str(row["seeds"]), format_number(row["mean_iou"])),
            format_signed(Number(*(100 * row[name] for name in ("below_best", "low", "high")))),
            *(format_number(row[name]) for name in ("lift", "movement")),
            "" if np.isnan(row["fidelity"]) else format_number(row["fidelity"]),
        ]
        for row in judged.to_dict("records")
    ]
    columns = ["data", "rate", "seeds", "test mIoU", "points vs best", "HL lift", "movement", "fidelity"]
    yield format_markdown_table(columns, cells)


def _losses(entry: Entry, analysis: Analysis) -> Iterator[str]:
    rows = []
    for region, where in REGIONS.items():
        scores = filter_rows(analysis.table("scores"), region=region)
        standing = sentences.group_scores_by_standing(scores)
        auroc = str(find_number(scores, score="hardness", metric="auroc"))
        rows.append([entry.title, where, auroc, *("; ".join(standing[name]) or "none" for name in STANDINGS)])
    yield format_markdown_table(["data", "pixels", "hardness", *(f"hardness {name}" for name in STANDINGS)], rows)


def _of_analysis(entry: Entry, analysis: Analysis) -> Iterator[str]:
    record = analysis.record
    yield "## How it was measured\n"
    yield f"    {record.command}\n"
    seed = open_run(entry.run).record.config.seed
    about = {name: text for name, text in describe_analysis(record).items() if name != "Run"}
    yield "\n".join(f"- {name}: {text}" for name, text in {"Run": f"{record.run}, seed {seed}", **about}.items()) + "\n"
    for title, say in PARTS:
        if title == "Stability" and not record.epochs:
            continue
        findings = say(analysis.table)
        yield f"## {title}\n"
        yield "\n\n".join([*findings.seen, f"*Not shown:* {findings.not_shown}"]) + "\n"
        yield from _tables_of(title, analysis)


def _tables_of(title: str, analysis: Analysis) -> Iterator[str]:
    table = analysis.table
    if title == "Edges":
        contrast = table("edge_contrast")
        names = ("hardness", "loss", "error_rate")
        rows = [
            [source, *(str(find_number(contrast, source=source, class_name="", quantity=name)) for name in names)]
            for source in contrast["source"].unique()
        ]
        yield format_markdown_table(["edge contrast, edges of", *names], rows)
    elif title == "Objects":
        rho = table("size_correlations")
        rows = [
            [quantity, *(str(find_number(rho, size=size, quantity=quantity)) for size in ("area_px", "thickness_px"))]
            for quantity in rho["quantity"].unique()
        ]
        yield format_markdown_table(["Spearman's rho of", "with area", "with thickness"], rows)
    elif title == "Errors":
        for metric, name in (("auroc", "AUROC"), ("ap", "AP-Error")):
            scores = filter_rows(table("scores"), metric=metric)
            rows = [
                [SCORES[score], *(str(find_number(scores, score=score, region=region)) for region in REGIONS)]
                for score in scores["score"].unique()
            ]
            yield format_markdown_table([name, *REGIONS.values()], rows)
    elif title == "Stability":
        yield from _stability_tables(analysis)


def _stability_tables(analysis: Analysis) -> Iterator[str]:
    pairs, levels = filter_rows(analysis.table("epoch_pairs"), kind="consecutive"), analysis.table("levels")
    of_pairs = list(dict.fromkeys(zip(pairs["first"], pairs["second"], strict=True)))
    maps = ("hardness", "loss")
    for measure, name in (("spearman", "Spearman's rho"), ("top10_iou", "top 10 % IoU")):
        rows = [
            [
                f"{_epoch(first)} → {_epoch(second)}",
                *(str(find_number(pairs, map=of, measure=measure, first=first, second=second)) for of in maps),
            ]
            for first, second in of_pairs
        ]
        yield format_markdown_table([f"{name}, epochs", *maps], rows)
    kept = [name for name in dict.fromkeys(levels["snapshot"]) if name != BEFORE_TRAINING]
    rows = [
        [f"{_epoch(name)}", *(str(find_number(levels, map=of, measure="relative_level", snapshot=name)) for of in maps)]
        for name in kept
    ]
    yield format_markdown_table([f"mean divided by that at epoch {_epoch(kept[0])}, epoch", *maps], rows)


def _epoch(snapshot: str) -> int:
    return int(snapshot.removeprefix("epoch-"))
