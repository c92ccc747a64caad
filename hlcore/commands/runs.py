"""The command `hlcore runs`."""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hlcore.errors import HlcoreError, InvalidInputError


def runs(folders: list[Path] | None = None, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the runs in folders (default: runs and checkpoints) with their network, data and mean IoU.

    A narrow terminal shows fewer columns; a pipe gets all of them, separated by tabs.

    Parameters
    ----------
    folders
        Folders to search.
    as_json
        Print JSON.
    """
    from rich.console import Console

    from hlcore.listing import describe_run, format_cells, make_table
    from hlcore.storage.runs import find_runs, open_run

    if missing := [folder for folder in folders or [] if not folder.is_dir()]:
        raise InvalidInputError(f"{missing[0]} is not a folder; expected one that holds runs")
    rows = []
    for path in find_runs(*(folders or [Path("runs"), Path("checkpoints")])):
        try:
            run = open_run(path)
            rows.append(describe_run(run))
            for sentence in run.list_faults():
                print(sentence, file=sys.stderr)
        except HlcoreError as error:
            print(f"skipped: {error}", file=sys.stderr)
    if not rows:
        print("no runs found", file=sys.stderr)
    if as_json:
        print(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        console = Console()
        console.print(make_table(rows, console.width))
    else:
        for cells in [list(rows[0]), *map(format_cells, rows)] if rows else []:
            print("\t".join(cells))
