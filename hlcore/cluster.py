"""Work spread over the machines of a Ray cluster; needs the extra hlcore[cluster]."""

import logging
import os
import signal
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, TypeAlias

from hlcore.errors import ClusterError, HlcoreError, InvalidInputError
from hlcore.process import keep_freed_memory

log = logging.getLogger(__name__)

Row: TypeAlias = Mapping[str, Any]
Work: TypeAlias = Callable[[Sequence[Row]], Iterable[Any]]
"""Takes some rows and gives one result for each, in their order."""

WORKER_BYTES = 2 * 2**30
"""Memory that each worker asks the cluster for."""
TRIES = 3
"""How often the same row is tried if its worker dies, and how often in a row workers may die while they start."""
LOST = f"its worker died {TRIES} times, probably for lack of memory; see Ray's logs"
"""Why a row has no result."""
_CONNECT_S = 5
_ROWS = 32
"""Most rows that a worker takes at once."""
_PASSED_ON = ("HLCORE_PLUGINS",)
"""Environment variables of this process that workers need too; they have those of `ray start`."""


class Cluster:
    """The workers that Ray starts on a cluster: one for each GPU or, if there is none, for each core.

    A context manager, which connects and disconnects.
    """

    def __init__(self, address: str = "auto") -> None:
        """Nothing is started yet.

        Args:
            address: HOST:PORT of a cluster, or "local" for the cores of this machine. "auto" stands for $RAY_ADDRESS,
                else the cluster that this machine belongs to, else its own cores.

        Raises:
            InvalidInputError: Ray is not installed, or the address is not HOST:PORT.
        """
        if address == "auto":
            address = os.environ.get("RAY_ADDRESS") or "auto"
        if address.startswith(("ray://", "http://", "https://")):
            raise InvalidInputError(
                f"{address} takes jobs from outside the cluster; give HOST:PORT of its head (or set $RAY_ADDRESS to "
                "that) and run the command on one of its machines, or submit it with `ray job submit`"
            )
        if address not in ("auto", "local") and not address.rpartition(":")[2].isdecimal():
            raise InvalidInputError(f"expected the address of a Ray cluster such as 10.0.0.1:6379, got {address!r}")
        try:
            import ray  # noqa: F401
        except ImportError as error:
            raise InvalidInputError(
                "--cluster needs Ray, which is not installed; pip install 'hlcore[cluster]'"
            ) from error
        self._address = None if address == "auto" else address

    def __enter__(self) -> "Cluster":  # noqa: PYI034  (the tests' run-time type checker does not know Self)
        import ray
        from ray.exceptions import RayError

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own reports nothing to Ray's makers
        if self._address not in (None, "local"):
            _check_reachable(self._address)
        try:
            with _keep_signal_handlers():
                ray.init(self._address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError, RayError) as error:
            raise ClusterError(f"cannot use the Ray cluster ({_last_line(error)})") from error
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        ray.shutdown()

    def __str__(self) -> str:
        """The cluster in words, such as "2 machines, 8 cores"."""
        parts = [(len(self._machines()), "machine"), (self._count("CPU"), "core"), (self._count("GPU"), "GPU")]
        return ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for number, what in parts if number)

    def _machines(self) -> list[dict[str, float]]:
        """What each machine has, such as CPU, GPU and memory (bytes)."""
        import ray

        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def _count(self, resource: str) -> int:
        return int(sum(machine.get(resource, 0) for machine in self._machines()))

    def choose_device(self, device: str) -> str:
        """Where the workers run networks; "auto" stands for "cuda" if the cluster has a GPU, else for "cpu"."""
        return device if device != "auto" else "cuda" if self._count("GPU") else "cpu"

    def map(
        self, open_work: Callable[[], Work], rows: Sequence[Row], *, device: str, on_lost: Callable[[Row], Any]
    ) -> Generator[Any]:
        """The results of all rows, in their order.

        Each worker calls `open_work` once, for example to load a network, and then works on some rows at a time. If it
        dies, with its machine or because memory runs out, others try its rows again, each by itself.

        Args:
            open_work: Pickled and sent to each worker, so that everything it names must exist on all machines.
            rows: Small dictionaries of text and numbers.
            device: As chosen by `choose_device`; each worker gets a GPU unless it is "cpu".
            on_lost: The result of a row whose worker died TRIES times.

        Raises:
            ClusterError: the cluster has no place for a worker, workers do not start, or the cluster is lost.
            Exception: as raised by `open_work` (expected errors) or by the work.
        """
        from ray.exceptions import RayError

        if not rows:
            return
        count = min(self._count_places(device), len(rows))
        at_once = max(1, min(_ROWS, len(rows) // (8 * count)))
        parts = [range(start, min(start + at_once, len(rows))) for start in range(0, len(rows), at_once)]
        needs: dict[str, Any] = {"num_cpus": 1, "num_gpus": int(device != "cpu"), "memory": WORKER_BYTES}
        workers = _Workers(open_work, count, needs)
        results: dict[int, Any] = {}
        deaths: Counter[int] = Counter()
        next_row = 0
        try:
            for part, done in workers.run(rows, waiting := deque(parts)):
                if done is not None:
                    results |= zip(part, done, strict=True)
                else:
                    deaths.update(part)
                    lost = [index for index in part if deaths[index] == TRIES]
                    results |= {index: on_lost(rows[index]) for index in lost}
                    waiting.extendleft(range(index, index + 1) for index in reversed(part) if index not in lost)
                while next_row in results:
                    yield results.pop(next_row)
                    next_row += 1
        except RayError as error:
            raise ClusterError(f"the cluster failed: {_last_line(error)}") from error
        finally:
            workers.stop()

    def _count_places(self, device: str) -> int:
        """How many workers find a place on the cluster, at least 1.

        Raises:
            ClusterError: there is none for this device.
        """
        import ray

        resource = "CPU" if device == "cpu" else "GPU"
        places = 0
        for machine in self._machines():
            of_memory = machine.get("memory", 0) // WORKER_BYTES
            places += int(min(machine.get("CPU", 0), machine.get(resource, 0), of_memory))
        if not places:
            gpu = "" if resource == "CPU" else "a GPU, "
            raise ClusterError(f"no machine of the cluster ({self}) has {gpu}a core and 2 GB of memory for a worker")
        if ray.available_resources().get(resource, 0) < 1:
            log.info("each %s of the cluster is in use; waiting", resource)
        return places


class _Workers:
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
            raise ClusterError(f"workers of the cluster do not start: {_last_line(died)}") from died
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


@contextmanager
def connect(address: str | None) -> Iterator[Cluster | None]:
    """The cluster at an address while it is needed, or None without one."""
    if address is None:
        yield None
        return
    with Cluster(address) as cluster:
        yield cluster


@contextmanager
def _keep_signal_handlers() -> Iterator[None]:
    """Put the handlers of Ctrl-C and SIGTERM back; Ray's own would end the process without a word."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


def _check_reachable(address: str) -> None:
    """Raise ClusterError if nothing answers at an address, which Ray itself would try for many minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S):
            pass
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({error}); start one with `ray start --head`, or check its address"
        ) from error


def _get_cause(error: Any) -> Exception:
    """What the work raised."""
    return error.cause


def _last_line(error: BaseException) -> str:
    """The end of an error's text, which in Ray's errors says what happened."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1].strip()[-300:]
