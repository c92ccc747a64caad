"""The progress of an analysis."""

import signal
from collections.abc import Generator
from contextlib import closing

from rich.console import Console
from rich.progress import Progress

from hlcore.measuring.loop import Step
from hlcore.progress.images import IMAGE_COLUMNS
from hlcore.storage.analyses import Analysis


def show_analysis_progress(steps: Generator[Step], *, command: str) -> Analysis | None:
    """The finished analysis, after showing its progress, or None if Ctrl-C stopped it; `command` continues it."""
    analysis = None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores SIGINT in background jobs
    try:
        with closing(steps), Progress(*IMAGE_COLUMNS, console=Console(stderr=True)) as bar:
            task = bar.add_task("analyze", total=None)
            for step in steps:
                total = step.analysis.record.images
                bar.update(task, description=step.status, completed=step.measured, total=total)
                analysis = step.analysis
    except KeyboardInterrupt:
        print(f"stopped; continue with: {command}")
        return None
    finally:
        signal.signal(signal.SIGINT, before)
    return analysis
