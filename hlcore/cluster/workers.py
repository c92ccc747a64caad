"""The workers of a cluster: processes that Ray starts where there is a place, and that work on some rows at a time."""

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypeAlias

from hlcore.errors import ClusterError, HlcoreError
from hlcore.process import keep_freed_memory

Row: TypeAlias = Mapping[str, Any]
Work: TypeAlias = Callable[[Sequence[Row]], Iterable[Any]]
"""Takes some rows and gives one result for each, in their order."""

TRIES = 3
"""How often the same row is tried if its worker dies, and how often in a row workers may die while they start."""
_PASSED_ON = ("HLCORE_PLUGINS",)
"""Environment variables of this process that workers need too; they have those of `ray start`."""


class Workers:
    """Workers that are started when there is work, and again when they die."""

    def __init__(self, open_work: Callable[[], Work], count: int, needs: Mapping[str, Any]) -> None:
        import ray

        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        worker: Any = ray.remote(max_restarts=0, max_task_retries=0, **needs)(_Worker)
        self._start = lambda: worker.remote(open_work, version("hlcore"), environment)
        self._count = count
        self._starting: dict[Any, Any] = {}  # references to a worker's first answer, and the worker
        self._idle: list[Any] = []
        self._running: dict[Any, tuple[Any, range]] = {}
        self._failed_starts = 0

    def run(self, rows: Sequence[Row], waiting: deque[range]) -> Iterator[tuple[range, list[Any] | None]]:
        """Each part of the rows with its results, or with None if its worker died.

        Args:
            rows: The rows.
            waiting: Parts to do; the caller may add some.
        """
        import ray

        while waiting or self._running:
            while waiting and self._idle:
                worker, part = self._idle.pop(), waiting.popleft()
                self._running[worker.work.remote([rows[index] for index in part])] = worker, part
            while len(self._starting) + len(self._running) < self._count and len(self._starting) < len(waiting):
                worker = self._start()
                self._starting[worker.ready.remote()] = worker
            for reference in ray.wait([*self._running, *self._starting])[0]:
                if reference in self._starting:
                    self._finish_start(reference)
                else:
                    yield self._finish_part(reference)
            while self._idle and not waiting:  # a lost machine's worker may need the core
                ray.kill(self._idle.pop())

    def stop(self) -> None:
        """End all workers."""
        import ray

        for worker in [*self._idle, *self._starting.values(), *(worker for worker, _ in self._running.values())]:
            ray.kill(worker)

    def _finish_start(self, reference: Any) -> None:
        """Take a worker that has started; ClusterError if workers do not start."""
        import ray
        from ray.exceptions import RayActorError

        worker = self._starting.pop(reference)
        try:
            error: Any = ray.get(reference)
        except RayActorError as died:
            self._failed_starts += 1
            if self._failed_starts < TRIES:
                return
            raise ClusterError(f"workers of the cluster do not start: {last_line(died)}") from died
        if error is not None:
            raise error
        self._failed_starts = 0
        self._idle.append(worker)

    def _finish_part(self, reference: Any) -> tuple[range, list[Any] | None]:
        """A part with its results, or None if its worker died; raises what the work raised."""
        import ray
        from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError

        worker, part = self._running.pop(reference)
        try:
            done = ray.get(reference)
        except (OutOfMemoryError, RayActorError):
            return part, None
        except RayTaskError as error:
            raise _get_cause(error) from error
        self._idle.append(worker)
        if isinstance(done, HlcoreError):
            raise done
        return part, done


class _Worker:
    """A process of the cluster."""

    def __init__(self, open_work: Callable[[], Work], wanted: str, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        keep_freed_memory()
        self._error: Exception | None = None
        if version("hlcore") != wanted:
            host = socket.gethostname()
            self._error = ClusterError(f"{host} has hlcore {version('hlcore')}, but this machine has {wanted}")
            return
        try:
            self._work = open_work()
        except HlcoreError as error:
            self._error = error

    def ready(self) -> Exception | None:
        """Why the worker cannot work, if it cannot."""
        return self._error

    def work(self, rows: Sequence[Row]) -> list[Any] | HlcoreError:
        """The results of some rows, or the expected error that ended the work."""
        try:
            return list(self._work(rows))
        except HlcoreError as error:
            return error


def _get_cause(error: Any) -> Exception:
    """What the work raised."""
    return error.cause


def last_line(error: BaseException) -> str:
    """The end of an error's text, which in Ray's errors says what happened."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1].strip()[-300:]
