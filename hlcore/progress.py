"""Progress bars in the terminal, and stopping with Ctrl-C."""

import os
import shlex
import signal
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from hlcore.measuring.loop import Step
from hlcore.storage.analyses import Analysis
from hlcore.training.loop import Reports

Image = TypeVar("Image")


class _SpeedColumn(ProgressColumn):
    """The speed in images per second, once it is known."""

    def render(self, task: Task) -> Text:
        """The cell of a task."""
        return Text("" if task.speed is None else f"{task.speed:.3g} images/s", style="progress.data.speed")


_COLUMNS = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
_IMAGE_COLUMNS = (*_COLUMNS, _SpeedColumn())


def track_images(images: Generator[Image], what: str, total: int, *, done: int = 0) -> Iterator[Image]:
    """The images, with their progress on stderr: how many, how many a second, and how long the rest takes.

    Args:
        images: Closed at the end, however that comes.
        what: What is done with them, in a word.
        total: Number of images, including those done earlier.
        done: Number of images done earlier.
    """
    with closing(images), Progress(*_IMAGE_COLUMNS, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=done)
        for image in images:
            bar.advance(task)
            yield image


def show_training_progress(reports: Reports) -> bool:
    """Whether a run completed, after showing its progress; Ctrl-C or SIGTERM stops it after the current step."""
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        if asked_to_stop:
            raise KeyboardInterrupt
        asked_to_stop = True

    before = [(each, signal.signal(each, stop)) for each in (signal.SIGINT, signal.SIGTERM)]
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"  # only the first process on a machine prints
    try:
        with Progress(*_COLUMNS, console=Console(stderr=True, quiet=not is_first)) as bar:
            task = bar.add_task("train", total=None)
            report = next(reports)
            while True:
                values = report.values
                if report.checked:
                    bar.update(task, description="check labels", completed=report.checked[0], total=report.checked[1])
                elif report.ends_epoch:
                    bar.console.print(f"epoch {report.epoch}: val mIoU {_format(values['mean_iou'])}")
                elif values:
                    ce, lift = _format(values["mean_ce"]), _format(values["hardness_lift"])
                    text = f"epoch {report.epoch}  ce {ce}  lift {lift}"
                    bar.update(task, description=text, completed=report.iteration, total=report.iterations)
                try:
                    report = reports.send(asked_to_stop)
                except StopIteration:
                    break
    finally:
        for each, handler in before:
            signal.signal(each, handler)
    complete = report.run.record.state == "complete"
    if is_first:
        path = report.run.path
        stopped = (
            "stopped before the first step; nothing was written"
            if report.checked
            else f"stopped; continue with: {shlex.join(['hlcore', 'train', '--resume', str(path)])}"
        )
        print(f"complete: {path}" if complete else stopped)
    return complete


def show_analysis_progress(steps: Iterator[Step], *, command: str) -> Analysis | None:
    """The finished analysis, after showing its progress, or None if Ctrl-C stopped it; `command` continues it."""
    analysis = None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores SIGINT in background jobs
    try:
        with Progress(*_IMAGE_COLUMNS, console=Console(stderr=True)) as bar:
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


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
