"""A private temporary file in the cache, and the removal of those that dead processes left."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_GRACE = 60.0
"""Seconds between the making of a file and its lock, with a wide margin."""


@dataclass(frozen=True)
class Fetched:
    """What came: sha256 (hex) and bytes of the file as transferred."""

    sha256: str
    size: int


class Listener(Protocol):
    """Hears of what happens to a Spool; an exception goes to whoever writes."""

    def grown(self) -> None:
        """Bytes were appended."""

    def restarted(self) -> None:
        """What was there is about to be cut off."""


class Spool:
    """An open file, mode 0600, under a name that nobody can guess; locked while in use.

    The lock (flock) tells a later run that this one still lives, whatever its pid or namespace.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{secrets.token_hex(16)}.part"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self.listener: Listener | None = None
        self.fd = os.open(self.path, flags, 0o600)
        fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def append(self, data: bytes) -> None:
        """Writes all of it at the end. Raises OSError (a full disk, say)."""
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd, view) :]
        if self.listener:
            self.listener.grown()

    def reset(self) -> None:
        """Empties the file."""
        if self.listener and os.fstat(self.fd).st_size:
            self.listener.restarted()
        os.lseek(self.fd, 0, os.SEEK_SET)
        os.ftruncate(self.fd, 0)

    def discard(self) -> None:
        """Closes the file and removes it, unless it was renamed."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        os.close(self.fd)


@contextmanager
def spool(directory: Path) -> Iterator[Spool]:
    """A Spool for the time of a `with` block."""
    made = Spool(directory)
    try:
        yield made
    finally:
        made.discard()


def sweep(directory: Path) -> None:
    """Removes the temporary files that no living process holds."""
    now = time.time()
    for path in directory.glob("*.part"):
        with suppress(OSError):
            if now - path.lstat().st_mtime < _GRACE:
                continue
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(fd)
