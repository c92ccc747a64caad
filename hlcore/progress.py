"""What a person sees of a training run in the terminal, and how they stop it."""

import os
import signal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hlcore.training.loop import Reports


def follow_training(reports: Reports) -> None:
    """Draws the progress of a training run; the first Ctrl-C stops it after the present step."""
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        if asked_to_stop:
            raise KeyboardInterrupt
        asked_to_stop = True

    before = signal.signal(signal.SIGINT, stop)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"  # of the processes on this machine; the others say nothing
    try:
        with Progress(*columns, console=Console(stderr=True, quiet=not is_first)) as bar:
            task = bar.add_task("train", total=None)
            report = next(reports)
            while True:
                values = report.values
                if report.ends_epoch:
                    bar.console.print(f"epoch {report.epoch}: val mIoU {_shown(values['mean_iou'])}")
                elif values:
                    text = (
                        f"epoch {report.epoch}  ce {_shown(values['mean_ce'])}  lift {_shown(values['hardness_lift'])}"
                    )
                    bar.update(task, description=text, completed=report.iteration, total=report.iterations)
                try:
                    report = reports.send(asked_to_stop)
                except StopIteration:
                    break
    finally:
        signal.signal(signal.SIGINT, before)
    if is_first:
        path, complete = report.run.path, report.run.record.state == "complete"
        print(f"complete: {path}" if complete else f"stopped; go on with: hlcore train --resume {path}")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
