"""Work spread over the machines of a Ray cluster; needs the extra hlcore[cluster]."""

import logging
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from hlcore.errors import ClusterError, HlcoreError, InvalidInputError
from hlcore.process import keep_freed_memory

log = logging.getLogger(__name__)

Row: TypeAlias = Mapping[str, Any]
Work: TypeAlias = Callable[[Sequence[Row]], Iterable[Any]]
"""Takes some rows and gives one result for each, in their order."""

WORKER_BYTES = 2 * 2**30
"""Memory that each worker asks the cluster for."""
RETRIES = 2
"""How often work is done again whose worker was lost."""
LOST = f"its worker ended without a word {RETRIES + 1} times, as when memory runs out"
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
        if address.startswith("ray://"):
            raise InvalidInputError(
                f"{address} is a Ray client server; run the command on a machine of the cluster, or submit it with "
                "`ray job submit`"
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

        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of our own reports nothing to Ray's makers
        if self._address not in (None, "local"):
            _check_reachable(self._address)
        handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            ray.init(self._address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ClusterError(f"cannot use the Ray cluster ({reason[:300]})") from error
        finally:
            for each, handler in handlers.items():  # Ray's own would end the process without a word
                signal.signal(each, handler)
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        ray.shutdown()

    def __str__(self) -> str:
        """The cluster in words, such as "2 machines, 8 cores"."""
        import ray

        machines = sum(node["Alive"] for node in ray.nodes())
        gpus = f", {self._count('GPU')} GPUs" if self._count("GPU") else ""
        return f"{machines} machine{'' if machines == 1 else 's'}, {self._count('CPU')} cores{gpus}"

    def _count(self, resource: str) -> int:
        """How much all machines have together, such as CPU, GPU or memory (bytes)."""
        import ray

        return int(ray.cluster_resources().get(resource, 0))

    def choose_device(self, device: str) -> str:
        """Where the workers run networks: "cpu" instead of "auto" if the cluster has no GPU."""
        return "cpu" if device == "auto" and not self._count("GPU") else device

    def map(
        self, open_work: Callable[[], Work], rows: Sequence[Row], *, device: str, give_up: Callable[[Row], Any]
    ) -> Generator[Any]:
        """The results of all rows, in their order.

        Each worker calls `open_work` once, for example to load a network, and then works on some rows at a time. If it
        is lost, with its machine or because memory runs out, its rows are worked on again, each by itself in the end.

        Args:
            open_work: Pickled and sent to each worker, so that everything it names must exist on all machines.
            rows: Small dictionaries of text and numbers.
            device: As chosen by `choose_device`; each worker gets a GPU unless it is "cpu".
            give_up: The result of a row whose worker is lost each time.

        Raises:
            HlcoreError: as raised by the work.
            ClusterError: the cluster has no core or GPU, or is lost.
        """
        import ray
        from ray.exceptions import RayError

        count = self._count_workers(device, len(rows))
        at_once = max(1, min(_ROWS, len(rows) // (8 * count)))
        waiting = deque(range(start, min(start + at_once, len(rows))) for start in range(0, len(rows), at_once))
        needs: dict[str, Any] = {"num_cpus": 1, "num_gpus": int(device != "cpu")}
        worker: Any = ray.remote(max_restarts=-1, max_task_retries=RETRIES, **needs)(_Worker)
        idle = [worker.remote(open_work) for _ in range(count if rows else 0)]
        running: dict[Any, tuple[Any, range]] = {}
        results: dict[int, Any] = {}
        next_row = 0
        try:
            while waiting or running:
                while waiting and idle:
                    part, actor = waiting.popleft(), idle.pop()
                    running[actor.work.remote([rows[index] for index in part])] = actor, part
                for reference in ray.wait(list(running))[0]:
                    actor, part = running.pop(reference)
                    idle.append(actor)
                    done = _get_results(reference)
                    if done is None and len(part) > 1:
                        waiting.extendleft(range(index, index + 1) for index in reversed(part))
                    else:
                        results |= zip(part, done or [give_up(rows[part.start])], strict=True)
                while next_row in results:
                    yield results.pop(next_row)
                    next_row += 1
        except RayError as error:
            raise ClusterError(f"the cluster failed: {' '.join(str(error).split())[:500]}") from error

    def _count_workers(self, device: str, most: int) -> int:
        """How many workers find a place on the cluster, at least 1.

        Raises:
            ClusterError: there is none for this device.
        """
        import ray

        resource = "CPU" if device == "cpu" else "GPU"
        places = self._count(resource)
        if not places:
            raise ClusterError(f"the cluster has no {resource} ({self}); add a machine with one, or choose a --device")
        if ray.available_resources().get(resource, 0) < 1:
            log.info("each %s of the cluster is in use; waiting", resource)
        if resource == "CPU":
            places = min(places, self._count("memory") // WORKER_BYTES)
        return max(1, min(places, most))


@contextmanager
def connect(address: Sequence[str] | None) -> Iterator[Cluster | None]:
    """A cluster while it is needed, or None.

    Args:
        address: None for no cluster; empty for "auto", or one address.
    """
    if address is None:
        yield None
        return
    with Cluster(*address) as cluster:
        yield cluster


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


def _get_results(reference: Any) -> list[Any] | None:
    """The results of a worker, or None if it was lost each time.

    Raises:
        HlcoreError: as raised by the work.
    """
    import ray
    from ray.exceptions import OutOfMemoryError, RayActorError

    try:
        done = ray.get(reference)
    except (OutOfMemoryError, RayActorError):
        return None
    if isinstance(done, HlcoreError):
        raise done
    return done


class _Worker:
    """A process of the cluster."""

    def __init__(self, open_work: Callable[[], Work]) -> None:
        keep_freed_memory()
        self._error: HlcoreError | None = None
        try:
            self._work = open_work()
        except HlcoreError as error:
            self._error = error

    def work(self, rows: Sequence[Row]) -> list[Any] | HlcoreError:
        """The results of some rows, or the error that ended the work."""
        if self._error is not None:
            return self._error
        try:
            return list(self._work(rows))
        except HlcoreError as error:
            return error
