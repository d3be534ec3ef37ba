"""Work in native threads, which run in parallel also where gevent has patched `threading`.

Under gevent's monkey patching (pyinfra) a threading.Thread is a greenlet: it would run nothing
in parallel, and unpacking would stop every other host. What runs in a native thread must in turn
not touch sockets, nor the locks of `threading`: files, zlib and hashlib only.
"""

import sys
import time
from _queue import Empty, SimpleQueue
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_POLL = 0.002


class _End:
    """The last thing in a queue, with what ended the work."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[T]):
    """Iterates over `source` run in a native thread, at most `depth` items ahead.

    An exception of the source comes up where its next item would have come. Leaving the `with`
    block stops the source and returns once it no longer runs, so that what it reads can be
    closed.
    """

    def __init__(self, source: Iterator[T], depth: int) -> None:
        self._source = source
        self._ready: SimpleQueue[T | _End] = SimpleQueue()
        self._room: SimpleQueue[bool] = SimpleQueue()
        self._stop = False
        self._ended = False
        for _ in range(depth):
            self._room.put(True)
        _start_native(self._run)

    def _run(self) -> None:
        end = _End(None)
        try:
            while self._room.get() and not self._stop:
                try:
                    item = next(self._source)
                except StopIteration:
                    break
                self._ready.put(item)
        except BaseException as error:  # the consumer raises it again
            end = _End(error)
        self._ready.put(end)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._ended:
            raise StopIteration
        item = self._ready.get()
        if isinstance(item, _End):
            self._ended = True
            if item.error is not None:
                raise item.error
            raise StopIteration
        self._room.put(True)
        return item

    def __enter__(self) -> "Prefetch[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._room.put(False)
        while not self._ended:
            self._ended = isinstance(self._ready.get(), _End)


class Background(Generic[T]):
    """Runs `work` in a native thread. `stop` has to make it end soon, with an exception."""

    def __init__(self, work: Callable[[], T], stop: Callable[[], None]) -> None:
        self._work = work
        self._stop = stop
        self._ended: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self._outcome: tuple[T | None, BaseException | None] | None = None
        _start_native(self._run)

    def _run(self) -> None:
        try:
            self._ended.put((self._work(), None))
        except BaseException as error:  # wait() raises it again
            self._ended.put((None, error))

    def check(self) -> None:
        """Raises what ended the work, if something did."""
        if self._outcome is None:
            try:
                self._outcome = self._ended.get_nowait()
            except Empty:
                return
        if self._outcome[1] is not None:
            raise self._outcome[1]

    def wait(self) -> T:
        """The work's result, or its exception. Other greenlets run meanwhile."""
        while self._outcome is None:
            self.check()
            if self._outcome is None:
                time.sleep(_POLL)
        self.check()
        result: Any = self._outcome[0]
        return result  # type: ignore[no-any-return]

    def end(self) -> None:
        """Stops the work and waits until it no longer runs, so that files can be closed."""
        if self._outcome is None:
            self._stop()
            self._outcome = self._ended.get()


def _start_native(function: Callable[[], None]) -> None:
    """A native thread, also where gevent has replaced the means to start one."""
    start: Any = start_new_thread
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None:
        start = monkey.get_original("_thread", "start_new_thread")
    start(function, ())
