"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(
    holds: Callable[[], bool], otherwise: str, seconds: float = 90, every: float = 1
) -> None:
    """Asks `every` so many seconds. AssertionError with `otherwise` where it does not hold within
    `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(every)
