"""The networks of all sessions run one after the other."""

import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app import limits
from app.loading import worker
from app.loading.worker import ServerBusyError, run_in_turn
from hlcore.types import MAX_PIXELS

PROJECT = Path(__file__).parents[3]


def test_calls_of_many_sessions_run_one_at_a_time_and_each_gets_its_own_result():
    running, most = 0, 0

    def square(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.005)
        running -= 1
        return number * number

    with ThreadPoolExecutor(8) as sessions:
        results = list(sessions.map(lambda number: run_in_turn(square, number), range(24)))
    assert results == [number * number for number in range(24)]
    assert most == 1


def test_an_error_reaches_the_session_that_asked_and_the_next_call_runs():
    with pytest.raises(TimeoutError, match="its own"):
        run_in_turn(lambda: (_ for _ in ()).throw(TimeoutError("its own")))
    assert run_in_turn(str, 3) == "3"


def test_a_session_that_waits_too_long_is_told_so_and_its_call_does_not_run(monkeypatch):
    monkeypatch.setattr(worker, "WAIT_S", 0.05)
    started, release, ran = threading.Event(), threading.Event(), []

    def hold() -> bool:
        started.set()
        return release.wait()

    with ThreadPoolExecutor(1) as other:
        first = other.submit(run_in_turn, hold)
        assert started.wait(5)
        with pytest.raises(ServerBusyError, match="the server is busy: this image waited"):
            run_in_turn(ran.append, 1)
        release.set()
        assert first.result(), "a call that runs is not cut short"
    run_in_turn(ran.append, 2)
    assert ran == [2]


def test_a_session_is_told_its_place_in_line_until_its_turn_comes(monkeypatch):
    monkeypatch.setattr(worker, "TOLD_S", 0.02)
    release, told, waits = threading.Event(), [], threading.Event()

    class Placeholder:
        def info(self, text: str, **_: str) -> None:
            told.append(text)
            waits.set()

        def empty(self) -> None:
            told.append("")

    def wait_in_line() -> int:
        worker.follow_waiting(Placeholder(), lambda: None)
        return run_in_turn(int, 7)

    with ThreadPoolExecutor(3) as sessions:
        others = [sessions.submit(run_in_turn, release.wait) for _ in range(2)]
        while len([call for call in worker._asked if not call.future.done()]) < 2:
            time.sleep(0.01)
        last = sessions.submit(wait_in_line)
        assert waits.wait(5)
        release.set()
        assert last.result() == 7
        assert all(other.result() for other in others)
    assert told[0] == "Waiting for the network: 2 images come first."
    assert told[-1] == ""


def test_what_nobody_waits_for_comes_after_the_calls_of_other_sessions():
    release, order = threading.Event(), []

    def prepare() -> None:
        with worker.after_others():
            run_in_turn(order.append, "later")

    with ThreadPoolExecutor(3) as sessions:
        first = sessions.submit(run_in_turn, release.wait)
        while not worker._asked or worker._asked[-1].future.done():
            time.sleep(0.01)
        preparing = sessions.submit(prepare)
        time.sleep(0.1)
        second = sessions.submit(run_in_turn, order.append, "now")
        while len([call for call in worker._asked if not call.future.done()]) < 2:
            time.sleep(0.01)
        release.set()
        for call in (first, preparing, second):
            call.result()
    assert order == ["now", "later"]


def test_the_documented_limits_are_those_of_the_code():
    text = (PROJECT / "docs" / "server.md").read_text(encoding="utf-8")
    config = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    compose = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    for row in (
        f"| size of an upload | {config['maxUploadSize']} MB |",
        f"| pixels of an uploaded image | {MAX_PIXELS // 1_000_000} megapixels |",
        f"| longer side at which an image is analysed | {limits.SIDES[-1]} px |",
        f"| waiting for the turn to run a network | {limits.WAIT_S} s |",
        f"| cached maps and tables | {config['maxCacheDataSize'].removesuffix('mb')} MB |",
    ):
        assert row in text
    assert "| memory of the container | 4 GB |" in text
    assert "mem_limit: 4g" in compose
