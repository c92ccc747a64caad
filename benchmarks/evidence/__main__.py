"""Command line of the training grids."""

from pathlib import Path

import pandas as pd
from cyclopts import App

from benchmarks.evidence.compare import CLASS_MEASURES, MEASURES, compare_paired
from benchmarks.evidence.grid import open_grid
from benchmarks.evidence.rule import choose_rate, judge_rates
from benchmarks.evidence.sweep import fill_table, read_rows, train_baselines

app = App(name="python -m benchmarks.evidence", help="Grids of training runs, and comparisons paired over seeds.")


@app.command
def run(
    table: str,
    *,
    data: Path,
    out: Path = Path("runs/evidence"),
    most: int | None = None,
    only: list[str] | None = None,
    baselines: bool = False,
) -> None:
    """Train and measure the missing runs of a table.

    Parameters
    ----------
    table
        Name of the grid, such as method.
    data
        Folder of the data sets, each in a subfolder of its name (camvid, idd_lite).
    out
        Folder of the runs.
    most
        Maximum number of runs to train.
    only
        Fill only the runs with this value, such as streets or sgd_1; give it twice for runs with both. In this way
        several processes can share the work.
    baselines
        First train the baselines again that have rows but are not in `out`: on another machine, the fidelity of the
        missing runs needs their networks.
    """
    if baselines:
        for line in train_baselines(table, data=data, out=out, only=only or ()):
            print(line, flush=True)
    for line in fill_table(table, data=data, out=out, most=most, only=only or ()):
        print(line, flush=True)


@app.command
def compare(table: str) -> None:
    """Print the difference between each variant and its baseline, paired over seeds.

    Parameters
    ----------
    table
        Name of the grid.
    """
    measures = (*MEASURES, *CLASS_MEASURES)
    differences = compare_paired(pd.DataFrame(read_rows(table)), open_grid(table), measures=measures)
    print("no two variants share a seed yet" if differences.empty else differences.round(4).to_string(index=False))


@app.command
def choose(table: str = "method") -> None:
    """Print how each learning rate of the hardness branch meets the rule, and which one the rule chooses.

    Parameters
    ----------
    table
        Name of the grid.
    """
    judged = judge_rates(pd.DataFrame(read_rows(table)), open_grid(table))
    print(judged.round(4).to_string(index=False))
    chosen = choose_rate(judged)
    print(f"{chosen.variant or 'no choice yet'}: {chosen.reason}")


if __name__ == "__main__":
    app()
