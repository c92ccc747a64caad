"""The connection to a Ray cluster, and the results of rows that its workers work on."""

import logging
import os
import signal
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hlcore.cluster.workers import TRIES, Row, Work, Workers, last_line
from hlcore.errors import ClusterError, InvalidInputError

log = logging.getLogger(__name__)

WORKER_BYTES = 2 * 2**30
"""Memory that each worker asks the cluster for."""
LOST = f"its worker died {TRIES} times, probably for lack of memory; see Ray's logs"
"""Why a row has no result."""
_CONNECT_S = 5
_ROWS = 32
"""Most rows that a worker takes at once."""


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
            raise ClusterError(f"cannot use the Ray cluster ({last_line(error)})") from error
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
        workers = Workers(open_work, count, needs)
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
            raise ClusterError(f"the cluster failed: {last_line(error)}") from error
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
