"""One thread that runs the networks of all sessions, in the order they ask.

Each network then has the whole processor for a moment, and memory does not grow with the number of sessions.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ParamSpec, TypeVar

from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from app.limits import WAIT_S
from hlcore.errors import HlcoreError

P = ParamSpec("P")
T = TypeVar("T")

TOLD_S = 0.5
"""Seconds between two looks at the place in line; whoever waits for less is told nothing."""

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="networks")
_asked: list[Future[Any]] = []
_asking = threading.Lock()
_script = threading.local()


class ServerBusyError(HlcoreError):
    """Too many sessions wait for a network."""


def show_place_in(placeholder: DeltaGenerator) -> None:
    """Say there, during this run of the script, how many images come first while it waits for its turn."""
    _script.placeholder = placeholder


def run_in_turn(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns, after the calls of other sessions; it must not use Streamlit.

    Raises:
        ServerBusyError: the turn did not come within `WAIT_S` seconds.
    """
    with _asking:
        earlier = [other for other in _asked if not other.done()]
        future = _worker.submit(function, *args, **kwargs)
        _asked[:] = [*earlier, future]
    deadline = time.monotonic() + WAIT_S
    said = ""
    while not wait([future], timeout=min(TOLD_S, WAIT_S)).done:
        ahead = sum(not other.done() for other in earlier)
        if ahead and time.monotonic() > deadline and future.cancel():
            _say("")
            raise ServerBusyError(
                f"the server is busy: this image waited {WAIT_S} s for its turn; "
                "try again in a minute, or select a smaller size"
            )
        images = "one image comes" if ahead == 1 else f"{ahead} images come"
        text = f"Waiting for the network: {images} first." if ahead else ""
        if text != said:
            _say(said := text)
    if said:
        _say("")
    return future.result()


def _say(text: str) -> None:
    """Write a text into the placeholder, or clear it."""
    placeholder = getattr(_script, "placeholder", None)
    if placeholder is None:
        return
    # In another thread: Streamlit records what a cached function draws in its own, to draw it again without a call.
    thread = threading.Thread(
        target=lambda: placeholder.info(text, icon=":material/hourglass:") if text else placeholder.empty()
    )
    add_script_run_ctx(thread, get_script_run_ctx())
    thread.start()
    thread.join()
