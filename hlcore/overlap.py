"""Load the next items and finish the last one in other threads while this thread computes."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
Result = TypeVar("Result")

AHEAD = 2
"""Number of items that are loaded ahead of the one that is computed."""
_AT_ONCE = 256


def overlap(
    items: Iterable[Item],
    load: Callable[[Item], Loaded],
    compute: Callable[[Loaded], Result],
    finish: Callable[[Result], object],
    *,
    is_large: Callable[[Loaded], bool] = lambda _: False,
) -> Generator[tuple[Item, Exception | None]]:
    """Run `finish(compute(load(item)))` for each item; yield the items in order as they are done, with their errors.

    `load` runs in a second thread and `finish` in a third, `compute` in the caller's. At most AHEAD loaded items and
    two results are in memory, and only one if the item is large. If the caller stops early, the item that is being
    finished is still finished; one that was computed after it is dropped.
    """
    finishing: deque[tuple[Item, Future[object]]] = deque()

    def wait() -> Iterator[tuple[Item, Exception | None]]:
        while finishing:
            item, finished = finishing.popleft()
            error = finished.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            yield item, error

    with ThreadPoolExecutor(1) as loader, ThreadPoolExecutor(1) as finisher:
        for item, loading in _load_ahead(items, load, loader):
            large = loading.exception() is None and is_large(loading.result())
            if large:
                yield from wait()
            computed = _compute(compute, loading)
            yield from wait()
            finishing.append((item, finisher.submit(_finish, finish, [computed])))
            del loading, computed  # the next result may need their memory
            if large:
                yield from wait()
        yield from wait()


def map_in_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result]:
    """The results for all items, in order, from up to eight threads.

    The threads get some hundred items at a time: memory does not grow with the number of items, and few are left to
    finish if the caller closes the generator early.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), _AT_ONCE):
            yield from pool.map(function, items[start : start + _AT_ONCE])


def _compute(compute: Callable[[Loaded], Result], loaded: Future[Loaded]) -> Future[Result]:
    """The result as a future, which also passes on an error."""
    computed: Future[Result] = Future()
    try:
        computed.set_result(compute(loaded.result()))
    except Exception as error:  # noqa: BLE001  (the caller of `overlap` decides what to do about it)
        computed.set_exception(error.with_traceback(None))  # its frames would keep the image in memory
    return computed


def _finish(finish: Callable[[Result], object], computed: list[Future[Result]]) -> object:
    """Finish a result that nothing but the list holds, so that its memory is free as soon as this returns."""
    return finish(computed.pop().result())


def _load_ahead(
    items: Iterable[Item], load: Callable[[Item], Loaded], loader: ThreadPoolExecutor
) -> Iterator[tuple[Item, Future[Loaded]]]:
    """Each item with its load, which began AHEAD items earlier."""
    loading: deque[tuple[Item, Future[Loaded]]] = deque()
    try:
        for item in items:
            loading.append((item, loader.submit(load, item)))
            if len(loading) > AHEAD:
                yield loading.popleft()
        while loading:
            yield loading.popleft()
    finally:
        for _, future in loading:
            future.cancel()
