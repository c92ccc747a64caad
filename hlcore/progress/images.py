"""The progress of commands that work on images, one after the other."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Image = TypeVar("Image")


class _SpeedColumn(ProgressColumn):
    """The speed in images per second, once it is known."""

    def render(self, task: Task) -> Text:
        """The cell of a task."""
        if task.speed is None:
            return Text()
        speed = f"{task.speed:,.0f}" if task.speed >= 100 else f"{task.speed:.2g}"
        return Text(f"{speed} images/s", style="progress.data.speed")


COLUMNS = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
IMAGE_COLUMNS = (*COLUMNS, _SpeedColumn())


def track_images(images: Generator[Image], what: str, total: int, *, done: int = 0) -> Iterator[Image]:
    """The images, with their progress on stderr: how many, how many a second, and how long the rest takes.

    Args:
        images: Closed at the end, however that comes.
        what: What is done with them, in a word.
        total: Number of images, including those done earlier.
        done: Number of images done earlier.
    """
    with closing(images), Progress(*IMAGE_COLUMNS, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=done)
        for image in images:
            bar.advance(task)
            yield image
