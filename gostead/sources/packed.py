"""The file that is being unpacked, which may still be growing while it is downloaded."""

import os
from _queue import SimpleQueue


class Stopped(Exception):
    """What was read is no longer wanted, or was started anew by the server."""


class PackedFile:
    """Reads `fd` at any offset, from a native thread.

    Until `complete()` is called, reading past the end waits for `grown()` instead of meaning the
    end. After `stop()` every read raises Stopped.
    """

    def __init__(self, fd: int, *, complete: bool) -> None:
        self._fd = fd
        self._complete = complete
        self._stopped = False
        self._news: SimpleQueue[None] = SimpleQueue()

    def size(self) -> int:
        """Bytes that are there now."""
        return os.fstat(self._fd).st_size

    def read(self, size: int, offset: int) -> bytes:
        """At most `size` bytes; none only at the end of the complete file."""
        while True:
            if self._stopped:
                raise Stopped
            complete = self._complete  # before the read: what comes after it is not missed
            data = os.pread(self._fd, size, offset)
            if data or complete:
                return data
            self._news.get()

    def grown(self) -> None:
        """More is there."""
        self._news.put(None)

    def complete(self) -> None:
        """Nothing more will come."""
        self._complete = True
        self._news.put(None)

    def stop(self) -> None:
        """Ends whoever reads."""
        self._stopped = True
        self._news.put(None)
