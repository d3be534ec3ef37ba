"""Locks between controllers on one machine: flock, waited for without blocking the process."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gostead.sources.errors import CacheError

WAIT = 3900.0
"""Seconds; longer than any download may take, so only a stuck holder is met."""

_POLL = 0.05


@contextmanager
def hold(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds the lock file; calls `waiting` once if somebody else does. It ends with the process.

    Polls: under gevent a blocking flock would stop the very greenlet that is to let go. flock
    belongs to the open file, so threads and greenlets exclude each other too.
    """
    deadline = time.monotonic() + WAIT
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CacheError(f"the lock {path} cannot be opened: {error.strerror}") from error
    try:
        told = False
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    waiting()
                    told = True
                if time.monotonic() > deadline:
                    raise CacheError(
                        f"another gostead has held {path} for more than {WAIT / 60:.0f} minutes; "
                        "end that process"
                    ) from None
                time.sleep(_POLL)
        yield
    finally:
        os.close(fd)
