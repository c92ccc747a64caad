"""Writes docs/results.md: what was measured on the bundled runs, every number and every sentence from the tables.

    python -m benchmarks.results                  # docs/results.md from the analyses below
    python -m benchmarks.results keep FOLDER      # first: keep the small tables of an analysis in benchmarks/results/

An analysis is made by `hlcore analyze`; the command of each stands in the document. Pictures, and tables with a row for
each object or image, are not kept: the photographs belong to their makers.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from cyclopts import App

from benchmarks.studies import markdown_table, of_faults, of_stability
from hlcore.analysis.error_prediction import STANDINGS
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.errors import REGIONS, SCORES
from hlcore.report import describe_analysis, sentences
from hlcore.report.numbers import find_number
from hlcore.report.sentences import BEFORE_TRAINING, Findings, Tables
from hlcore.storage.analyses import Analysis, AnalysisRecord, open_analysis
from hlcore.storage.files import make_folder, write_text
from hlcore.storage.runs import open_run

PROJECT = Path(__file__).parents[1]
KEPT = PROJECT / "benchmarks" / "results"
DOCUMENT = PROJECT / "docs" / "results.md"
TABLES = (
    "edge_contrast", "edges", "epoch_pairs", "levels", "risk_curves", "scores", "segmentation", "size_correlations",
)  # fmt: skip
"""What the document needs of an analysis."""
QUOTED = {
    "edges": "class_name == ''",
    "edge_contrast": "class_name == ''",
    "risk_curves": "region == 'all' and 0.1 <= pixels_share < 0.2",
}
"""Of the larger ones, the rows it needs."""
PARTS: tuple[tuple[str, Callable[[Tables], Findings]], ...] = (
    ("Segmentation", sentences.describe_segmentation),
    ("Edges", sentences.describe_edges),
    ("Objects", sentences.describe_objects),
    ("Errors", sentences.describe_errors),
    ("Stability", sentences.describe_stability),
)


class Entry(NamedTuple):
    """An analysis in the document."""

    title: str
    run: Path
    analysis: Path


ENTRIES = (
    Entry("streets, test", PROJECT / "checkpoints" / "streets", PROJECT / "checkpoints/streets/analyses/streets-test"),
    Entry("CamVid, test", PROJECT / "checkpoints" / "camvid", KEPT / "camvid-camvid-test"),
    Entry("CamVid, val", PROJECT / "checkpoints" / "camvid", KEPT / "camvid-camvid-val"),
    Entry("CamVid abroad: IDD-Lite, val", PROJECT / "checkpoints" / "camvid", KEPT / "camvid-idd_lite-val"),
)
ABOUT = """Written by `python -m benchmarks.results` from the tables of `hlcore analyze`: nothing in it is typed.
In brackets stands the 95 % interval over images: how far a number may move with other images of the same kind. It says
nothing about other trainings; each run has one seed. CamVid's images are frames of a few videos that resemble each
other, so its intervals are narrower than other drives would make them."""

app = App(name="python -m benchmarks.results", help=__doc__)


@app.default
def main(*, out: Path = DOCUMENT) -> None:
    """Write the document from the analyses that are there, and say which are not.

    Parameters
    ----------
    out
        The document.
    """
    there = [entry for entry in ENTRIES if (entry.analysis / "analysis.json").is_file()]
    for entry in ENTRIES:
        if entry not in there:
            print(f"left out: {entry.title}, there is no {entry.analysis}")
    write_text(out, document([(entry, open_analysis(entry.analysis)) for entry in there], read_studies()))


def read_studies() -> list[Iterator[str]]:
    """The sections of the studies whose tables are there."""
    faults, stability = KEPT / "label_faults.csv", KEPT / "stability.parquet"
    sections = [of_faults(pd.read_csv(faults, keep_default_na=False))] if faults.is_file() else []
    return [*sections, of_stability(pd.read_parquet(stability))] if stability.is_file() else sections


@app.command
def keep(analysis: Path) -> None:
    """Copy what the document needs of an analysis, without any path of this machine.

    Parameters
    ----------
    analysis
        Its folder.
    """
    opened = open_analysis(analysis)
    record = opened.record
    folder = KEPT / f"{record.run}-{record.dataset}-{record.split}"
    make_folder(folder)
    for name in TABLES:
        if opened.table_path(name).is_file():
            table = opened.table(name)
            if name in QUOTED:
                table = table.query(QUOTED[name])
            table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    portable = record.model_copy(update={"root": None, "command": portable_command(record)})
    write_text(folder / "analysis.json", portable.model_dump_json(indent=2) + "\n")
    print(f"{sum(file.stat().st_size for file in folder.iterdir())} bytes in {folder}")


def portable_command(record: AnalysisRecord) -> str:
    """The command of an analysis with the data set's name for its folder, and without the place of the result."""
    words = shlex.split(record.command.replace("--out=", "--out "))
    if "--out" in words:
        at = words.index("--out")
        del words[at : at + 2]
    return shlex.join(
        record.dataset.upper() if record.root and Path(word).resolve() == record.root else word for word in words
    )


def document(analyses: list[tuple[Entry, Analysis]], studies: Iterable[Iterable[str]] = ()) -> str:
    """The document, with the sections of the studies at its end."""
    parts = [
        f"# Results\n\n{ABOUT}\n",
        "## Where hardness loses\n",
        "AUROC of every other score (in brackets) against that of hardness, paired over the same images.\n",
        *_losses(analyses),
    ]
    for entry, analysis in analyses:
        parts += _of_analysis(entry, analysis)
    for section in studies:
        parts += section
    return "\n".join(parts).rstrip() + "\n"


def _losses(analyses: list[tuple[Entry, Analysis]]) -> Iterator[str]:
    rows = []
    for entry, analysis in analyses:
        for region, where in REGIONS.items():
            scores = filter_rows(analysis.table("scores"), region=region)
            standing = sentences.group_scores_by_standing(scores)
            auroc = str(find_number(scores, score="hardness", metric="auroc"))
            rows.append([entry.title, where, auroc, *("; ".join(standing[name]) or "none" for name in STANDINGS)])
    yield markdown_table(["data", "pixels", "hardness", *(f"hardness {name}" for name in STANDINGS)], rows)


def _of_analysis(entry: Entry, analysis: Analysis) -> Iterator[str]:
    record = analysis.record
    yield f"\n## {entry.title}\n"
    yield f"    {record.command}\n"
    seed = open_run(entry.run).record.config.seed
    about = {name: text for name, text in describe_analysis(record).items() if name != "Run"}
    yield "\n".join(f"- {name}: {text}" for name, text in {"Run": f"{record.run}, seed {seed}", **about}.items()) + "\n"
    for title, say in PARTS:
        if title == "Stability" and not record.epochs:
            continue
        findings = say(analysis.table)
        yield f"### {title}\n"
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
        yield markdown_table(["edge contrast, edges of", *names], rows)
    elif title == "Objects":
        rho = table("size_correlations")
        rows = [
            [quantity, *(str(find_number(rho, size=size, quantity=quantity)) for size in ("area_px", "thickness_px"))]
            for quantity in rho["quantity"].unique()
        ]
        yield markdown_table(["Spearman's rho of", "on area", "on thickness"], rows)
    elif title == "Errors":
        for metric, name in (("auroc", "AUROC"), ("ap", "AP-Error")):
            scores = filter_rows(table("scores"), metric=metric)
            rows = [
                [SCORES[score], *(str(find_number(scores, score=score, region=region)) for region in REGIONS)]
                for score in scores["score"].unique()
            ]
            yield markdown_table([name, *REGIONS.values()], rows)
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
        yield markdown_table([f"{name}, epochs", *maps], rows)
    kept = [name for name in dict.fromkeys(levels["snapshot"]) if name != BEFORE_TRAINING]
    rows = [
        [f"{_epoch(name)}", *(str(find_number(levels, map=of, measure="relative_level", snapshot=name)) for of in maps)]
        for name in kept
    ]
    yield markdown_table([f"mean over that at epoch {_epoch(kept[0])}, epoch", *maps], rows)


def _epoch(snapshot: str) -> int:
    return int(snapshot.removeprefix("epoch-"))


if __name__ == "__main__":
    app()
