"""How long and how much: the bounds of one download, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a download; times in seconds, sizes in bytes.

    `connect`: name resolution and connection together. `stall`: the longest wait for the reply's
    head, and for each 64 KiB of the body (so a server that dribbles is a stalled one). `total`:
    one file, all attempts. `attempts`: how often a transfer that broke is taken up again, with
    pauses of `backoff`, twice that, … and jitter, or what Retry-After asks for up to
    `retry_after`.
    """

    connect: float = 5.0
    stall: float = 30.0
    total: float = 3600.0
    attempts: int = 4
    backoff: float = 0.5
    retry_after: float = 15.0
    redirects: int = 5
    max_bytes: int = 400 << 20


DEFAULT = Limits()
