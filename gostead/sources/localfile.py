"""A file: URL: copied into the spool like any other source."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gostead.sources.errors import NotThere, Refused, TransferFailed
from gostead.sources.limits import Limits
from gostead.sources.redact import redact_url
from gostead.sources.spool import Fetched, Spool

_PIECE = 1 << 20


def copy_file(
    url: str,
    into: Spool,
    limits: Limits,
    *,
    magic: bytes,
    progress: Callable[[int, int | None], None] | None = None,
) -> Fetched:
    """Copies what a file: URL names. Same errors as Download.run()."""
    shown = redact_url(url)
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise Refused(f"{shown}: a file URL of another machine; use file:///path")
    try:
        # Not blocking: the path may name a fifo.
        fd = os.open(Path(unquote(parts.path)), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotThere(f"{shown}: no such file") from error
    except (OSError, ValueError) as error:
        raise TransferFailed(f"{shown}: cannot be opened ({error})") from error
    try:
        return _copy(fd, shown, into, limits, magic, progress)
    finally:
        os.close(fd)


def _copy(
    fd: int,
    shown: str,
    into: Spool,
    limits: Limits,
    magic: bytes,
    progress: Callable[[int, int | None], None] | None,
) -> Fetched:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{shown}: no regular file")
    if status.st_size > limits.max_bytes:
        raise Refused(f"{shown}: {status.st_size} bytes, far more than any toolchain")
    into.reset()
    sha, done = hashlib.sha256(), 0
    while True:
        try:
            piece = os.read(fd, min(_PIECE, limits.max_bytes + 1 - done))
        except OSError as error:
            raise TransferFailed(f"{shown}: cannot be read ({error})") from error
        if not piece:
            break
        if done == 0 and not piece.startswith(magic):
            raise Refused(f"{shown}: what is there is no such file (begins {piece[:16]!r})")
        into.append(piece)
        sha.update(piece)
        done += len(piece)
        if done > limits.max_bytes:
            raise Refused(f"{shown}: grows while it is read")
        if progress:
            progress(done, status.st_size)
    if not done:
        raise TransferFailed(f"{shown}: empty")
    return Fetched(sha.hexdigest(), done)
