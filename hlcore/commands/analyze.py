"""The command `hlcore analyze`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from hlcore.commands.options import INTERRUPTED, ClusterAddress, find_address
from hlcore.config import AnalyzeConfig

if TYPE_CHECKING:  # --help imports no storage
    from hlcore.storage.analyses import Analysis
    from hlcore.storage.runs import Run


def analyze(
    run: Path,
    data: Path | None = None,
    *,
    config: Annotated[AnalyzeConfig | None, Parameter(name="*")] = None,
    cluster: ClusterAddress = None,
) -> None:
    """Measure a run on a data set: write tables for the app and a standalone report.

    Run the same command again to continue after an interruption; Ctrl-C loses at most one image. Images that cannot be
    measured are left out with a message, and named in the report; the exit status is then 1.

    Parameters
    ----------
    run
        Run folder.
    data
        Folder of the data set. Default: the one the run was trained on. Not needed for streets.
    cluster
        Work on a Ray cluster: HOST:PORT, or local for the cores of this machine. Without a value: $RAY_ADDRESS, else
        the cluster that this machine belongs to, else its own cores. All machines must see the run, the data set and
        --out at the same paths.
    """
    from hlcore.storage.runs import open_run

    command = shlex.join(["hlcore", *sys.argv[1:]])
    run_analysis(open_run(run), data, config or AnalyzeConfig(), command=command, address=find_address(cluster))


def run_analysis(
    run: "Run", data: Path | None, config: AnalyzeConfig, *, command: str, address: str | None = None
) -> "Analysis":
    """Measure a run, with progress on stderr, and write its report.

    Raises:
        SystemExit: it was interrupted, or images were left out.
    """
    from hlcore.cluster import connect
    from hlcore.measuring.loop import analyze as measure
    from hlcore.progress.analysis import show_analysis_progress
    from hlcore.report import write_report

    with connect(address) as workers:
        analysis = show_analysis_progress(measure(run, data, config, command=command, cluster=workers), command=command)
    if analysis is None:
        raise SystemExit(INTERRUPTED)
    print(f"complete: {write_report(analysis)}")
    for name, reason in analysis.record.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if analysis.record.left_out:
        raise SystemExit(1)
    return analysis
