"""One thread that runs the networks of all sessions, in the order they ask.

Each network then has the whole processor for a moment, and memory does not grow with the number of sessions.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from app.limits import WAIT_S
from hlcore.errors import HlcoreError

P = ParamSpec("P")
T = TypeVar("T")

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="networks")


class ServerBusyError(HlcoreError):
    """Too many sessions wait for a network."""


def run_in_turn(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns, after the calls of other sessions; it must not use Streamlit.

    Raises:
        ServerBusyError: the turn did not come within `WAIT_S` seconds.
    """
    future = _worker.submit(function, *args, **kwargs)
    try:
        return future.result(timeout=WAIT_S)
    except TimeoutError as error:
        if future.cancel():
            raise ServerBusyError(
                f"the server is busy: this image waited {WAIT_S} s for its turn; "
                "try again in a minute, or select a smaller size"
            ) from error
        return future.result()  # it runs now, or the function itself raised
