"""The progress of a run that is trained or fitted."""

import os
import shlex
import signal
from typing import Literal

from rich.console import Console
from rich.progress import Progress

from hlcore.progress.images import COLUMNS
from hlcore.training.loop import Reports

_FIRST = {"train": "check labels", "fit": "features"}
"""What each command does with every image before the first step."""
_LAST = "errors"
"""What comes after the last step of a fit."""
_SCORES = {"train": ("val mIoU", "mean_iou"), "fit": ("val lift", "val_hardness_lift")}
"""What each command prints after an epoch."""


def show_training_progress(reports: Reports, *, command: Literal["train", "fit"] = "train") -> bool:
    """Whether a run completed, after showing its progress; Ctrl-C or SIGTERM stops it after the current step."""
    score_name, score_column = _SCORES[command]
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        if asked_to_stop:
            raise KeyboardInterrupt
        asked_to_stop = True

    before = [(each, signal.signal(each, stop)) for each in (signal.SIGINT, signal.SIGTERM)]
    ranks = [os.environ.get(name, "0") for name in ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK")]
    is_first = set(ranks) == {"0"}  # only the first process of the first machine prints
    try:
        with Progress(*COLUMNS, console=Console(stderr=True, quiet=not is_first)) as bar:
            task = bar.add_task(command, total=None)
            report = next(reports)
            while True:
                values = report.values
                if report.checked:
                    what, (completed, total) = _LAST if report.iteration else _FIRST[command], report.checked
                    bar.update(task, description=what, completed=completed, total=total)
                elif report.ends_epoch:
                    bar.console.print(f"epoch {report.epoch}: {score_name} {_format(values[score_column])}")
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
            if not (path / "run.json").is_file()
            else f"stopped; continue with: {shlex.join(['hlcore', command, '--resume', str(path)])}"
        )
        print(f"complete: {path}" if complete else stopped)
    return complete


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
