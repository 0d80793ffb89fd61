"""Work done by another thread, a little ahead of where its results are used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def ahead(work: Callable[[_Item], _Result], items: Iterable[_Item], most: int = 2) -> Generator[_Result, None, None]:
    """What `work` makes of each item, in order, while one thread is up to `most` items ahead.

    `items` is gone through by the caller's thread; `work` runs in the other one alone, so a file's handle that only it
    uses needs no lock. Its exceptions come out unchanged. Once the generator is closed, the thread is gone.
    """
    waiting: deque[Future[_Result]] = deque()
    thread = ThreadPoolExecutor(1, "ahead")
    try:
        for item in items:
            waiting.append(thread.submit(work, item))
            if len(waiting) > most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)
