"""One thread that runs the networks of all sessions, in the order they ask.

Each network then has the whole processor for a moment, and memory does not grow with the number of sessions.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple, ParamSpec, TypeVar

from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from app.limits import WAIT_S
from hlcore.errors import HlcoreError

P = ParamSpec("P")
T = TypeVar("T")

TOLD_S = 0.5
"""Seconds between two looks at the place in line; whoever waits for less is told nothing."""

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="networks")
_asked: list["_Call"] = []
_asking = threading.Lock()
_script = threading.local()


class _Call(NamedTuple):
    """A call that waits or runs."""

    future: Future[Any]
    later: bool
    """Whether it prepares something that nobody waits for."""


class ServerBusyError(HlcoreError):
    """Too many sessions wait for a network."""


def follow_waiting(placeholder: DeltaGenerator, look_for_input: Callable[[], None]) -> None:
    """Say in the placeholder, during this run of the script, how many images come first while it waits for its turn.

    Args:
        placeholder: Empty.
        look_for_input: Ends the run, now and then, if the user has done something else meanwhile.
    """
    _script.placeholder = placeholder
    _script.look_for_input = look_for_input


@contextmanager
def after_others() -> Iterator[None]:
    """Let calls in this context wait until no other session waits for what it must show first."""
    _script.later = True
    try:
        yield
    finally:
        _script.later = False


def run_in_turn(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns, after the calls of other sessions; it must not use Streamlit.

    Raises:
        ServerBusyError: the turn did not come within `WAIT_S` seconds.
    """
    later = getattr(_script, "later", False)
    while later and (others := [call.future for call in _asked if not call.later and not call.future.done()]):
        wait(others, timeout=TOLD_S)
        _yield_to_user()
    with _asking:
        earlier = [call for call in _asked if not call.future.done()]
        future = _worker.submit(function, *args, **kwargs)
        _asked[:] = [*earlier, _Call(future, later)]
    try:
        _wait_for_turn(future, [call.future for call in earlier])
    except BaseException:
        future.cancel()
        raise
    return future.result()


def _wait_for_turn(future: Future[Any], earlier: Sequence[Future[Any]]) -> None:
    """Wait until a call is done, and say meanwhile how many come first."""
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
        _yield_to_user()
    if said:
        _say("")


def _yield_to_user() -> None:
    """End this run of the script if the user has done something else meanwhile."""
    look_for_input = getattr(_script, "look_for_input", None)
    if look_for_input is not None:
        look_for_input()


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
