"""What runs while something else is computed, and what is in memory then."""

import gc
import threading
import weakref
from contextlib import closing

import pytest

from hlcore.overlap import AHEAD, overlap


def test_items_come_in_order_each_with_its_own_error() -> None:
    def fail_at(number: int, at: int) -> int:
        if number == at:
            raise ValueError(f"{at} failed")
        return number

    steps = overlap(range(5), lambda n: fail_at(n, 1), lambda n: fail_at(n, 2), lambda n: fail_at(n, 3))
    assert [(number, error and str(error)) for number, error in steps] == [
        *((0, None), (1, "1 failed"), (2, "2 failed"), (3, "3 failed"), (4, None))
    ]


def test_one_item_is_finished_and_others_are_loaded_while_one_is_computed() -> None:
    finishing, loaded = threading.Event(), threading.Semaphore(0)

    def load(number: int) -> int:
        loaded.release()
        return number

    def compute(number: int) -> int:
        for _ in range(min(1 + AHEAD, 4) if number == 0 else 0):
            assert loaded.acquire(timeout=10), "the next items are loaded meanwhile"
        if number == 1:
            assert finishing.wait(10), "item 0 is being finished meanwhile"
        return number

    def finish(number: int) -> None:
        finishing.set()

    assert [error for _, error in overlap(range(4), load, compute, finish)] == [None] * 4


@pytest.mark.parametrize(("large", "most"), [(False, 2), (True, 1)])
def test_at_most_two_results_are_in_memory_and_one_if_they_are_large(large: bool, most: int) -> None:
    alive = 0
    seen = []
    lock = threading.Lock()

    class Result:
        def __init__(self) -> None:
            nonlocal alive
            with lock:
                alive += 1
                seen.append(alive)

        def __del__(self) -> None:
            nonlocal alive
            with lock:
                alive -= 1

    steps = overlap(range(6), int, lambda _: Result(), lambda _: None, is_large=lambda _: large)
    assert len(list(steps)) == 6
    assert max(seen) <= most


def test_an_interruption_waits_for_the_item_that_is_being_finished() -> None:
    computing, finished = threading.Event(), []

    def compute(number: int) -> int:
        if number == 1:
            computing.set()
            raise KeyboardInterrupt
        return number

    def finish(number: int) -> None:
        assert computing.wait(10)
        finished.append(number)

    with pytest.raises(KeyboardInterrupt), closing(overlap(range(100), int, compute, finish)) as steps:
        list(steps)
    assert finished == [0]


def test_an_image_that_failed_is_not_kept_in_memory() -> None:
    loaded: list[weakref.ref] = []

    class Loaded:
        pass

    def load(_: int) -> Loaded:
        one = Loaded()
        loaded.append(weakref.ref(one))
        return one

    def fail(_: Loaded) -> None:
        raise ValueError("failed")

    gc.disable()  # so that only references count
    try:
        alive = [sum(one() is not None for one in loaded) for _, error in overlap(range(8), load, fail, print) if error]
    finally:
        gc.enable()
    assert len(alive) == 8
    assert max(alive) <= AHEAD + 1, "those that are loaded ahead"
