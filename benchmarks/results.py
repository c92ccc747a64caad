"""Write docs/results.md and docs/results/ from the tables.

    python -m benchmarks.results                  # the documents and the headline of the README
    python -m benchmarks.results copy-tables FOLDER # first: copy the small tables of an analysis to benchmarks/results/

`hlcore analyze` makes an analysis; the document shows the command of each. Pictures and tables with a row per object or
image are not kept, as the photographs must not be redistributed.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from cyclopts import App

from benchmarks.claims import format_headline
from benchmarks.documents import Entry, format_details, format_study, format_summary
from benchmarks.evidence.grid import open_grid
from benchmarks.evidence.sweep import read_rows
from benchmarks.studies import format_fits, format_label_faults, format_suspicion
from hlcore.storage.analyses import AnalysisRecord, open_analysis
from hlcore.storage.files import make_folder, write_text

PROJECT = Path(__file__).parents[1]
RESULTS_FOLDER = PROJECT / "benchmarks" / "results"
DOCS, README = PROJECT / "docs", PROJECT / "README.md"
MEMORISE_TABLE = RESULTS_FOLDER / "memorise.csv"
HEADLINE_MARKS = ("<!-- headline: written by benchmarks.results -->", "<!-- end of headline -->")
TABLES = (
    "edge_contrast", "edges", "epoch_pairs", "levels", "risk_curves", "scores", "segmentation", "size_correlations",
)  # fmt: skip
"""Tables of an analysis that the document needs."""
QUOTED_ROWS = {
    "edges": "class_name == ''",
    "edge_contrast": "class_name == ''",
    "risk_curves": "region == 'all' and 0.1 <= pixels_share < 0.2",
}
"""Rows that it needs of the larger tables."""
ENTRIES = (
    Entry("streets, test", PROJECT / "checkpoints" / "streets", PROJECT / "checkpoints/streets/analyses/streets-test"),
    Entry("CamVid, test", PROJECT / "checkpoints" / "camvid", PROJECT / "checkpoints/camvid/analyses/camvid-test"),
    Entry("CamVid, val", PROJECT / "checkpoints" / "camvid", RESULTS_FOLDER / "camvid-camvid-val"),
    Entry("CamVid run on IDD-Lite, val", PROJECT / "checkpoints" / "camvid", RESULTS_FOLDER / "camvid-idd_lite-val"),
)
app = App(name="python -m benchmarks.results", help=__doc__)


@app.default
def main(*, docs: Path = DOCS, readme: Path = README) -> None:
    """Write the documents from the tables that exist, and print which are missing.

    Parameters
    ----------
    docs
        Folder of results.md and results/.
    readme
        File with the headline.
    """
    there = [entry for entry in ENTRIES if (entry.analysis / "analysis.json").is_file()]
    for entry in ENTRIES:
        if entry not in there:
            print(f"skipped: {entry.title}; {entry.analysis} does not exist")
    analyses = [(entry, open_analysis(entry.analysis)) for entry in there]
    rows, grid = pd.DataFrame(read_rows("method")), open_grid("method")
    memorised = pd.read_csv(MEMORISE_TABLE) if MEMORISE_TABLE.is_file() else None
    documents = format_details(analyses, rows, grid)
    documents |= {name: format_study(title, section) for name, title, section in read_studies()}
    make_folder(docs / "results")
    for name, text in documents.items():
        write_text(docs / "results" / f"{name}.md", text)
    write_text(docs / "results.md", format_summary(analyses, rows, grid, memorised, documents))
    write_text(readme, insert_headline(readme.read_text(encoding="utf-8"), format_headline(rows, grid)))


def insert_headline(text: str, sentence: str) -> str:
    """The README with the sentence between its marks."""
    before, rest = text.split(HEADLINE_MARKS[0])
    _, after = rest.split(HEADLINE_MARKS[1])
    return f"{before}{HEADLINE_MARKS[0]}\n{sentence}\n{HEADLINE_MARKS[1]}{after}"


def read_studies() -> Iterator[tuple[str, str, Iterator[str]]]:
    """Name, title and text of the studies whose tables exist."""
    faults = RESULTS_FOLDER / "label_faults.csv"
    if faults.is_file():
        yield "label-faults", "Planted label faults", format_label_faults(pd.read_csv(faults, keep_default_na=False))
    fits = RESULTS_FOLDER / "fit.csv"
    if fits.is_file():
        yield "fit", "Hardness fitted to trained networks", format_fits(pd.read_csv(fits, keep_default_na=False))
    suspicion = RESULTS_FOLDER / "suspicion.csv"
    if suspicion.is_file():
        yield "suspicion", "Small models that find errors", format_suspicion(pd.read_csv(suspicion))


@app.command
def copy_tables(analysis: Path) -> None:
    """Copy the tables that the document needs of an analysis, without any path of this machine.

    Parameters
    ----------
    analysis
        Folder of the analysis.
    """
    opened = open_analysis(analysis)
    record = opened.record
    folder = RESULTS_FOLDER / f"{record.run}-{record.dataset}-{record.split}"
    make_folder(folder)
    for name in TABLES:
        if opened.table_path(name).is_file():
            table = opened.table(name)
            if name in QUOTED_ROWS:
                table = table.query(QUOTED_ROWS[name])
            table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    portable = record.model_copy(update={"root": None, "command": make_portable_command(record)})
    write_text(folder / "analysis.json", portable.model_dump_json(indent=2) + "\n")
    print(f"{sum(file.stat().st_size for file in folder.iterdir())} bytes in {folder}")


def make_portable_command(record: AnalysisRecord) -> str:
    """The command of an analysis with the data set's name in place of its folder, and without --out."""
    words = shlex.split(record.command.replace("--out=", "--out "))
    if "--out" in words:
        at = words.index("--out")
        del words[at : at + 2]
    return shlex.join(
        record.dataset.upper() if record.root and Path(word).resolve() == record.root else word for word in words
    )


if __name__ == "__main__":
    app()
