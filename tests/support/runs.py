"""The directories of live test hosts, and sweeping those that a killed run left behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.support.cache import cache_dir, remove


def runs_dir() -> Path:
    """Return the directory that holds one directory per live root."""
    directory = cache_dir() / "runs"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def new_run_dir(name: str) -> Path:
    """Make a directory for a root called `name`, owned by this process until it ends."""
    # The owner is part of the name: a directory is never without one, not even for an instant.
    prefix = f"gostead-test-{os.getpid()}-{start_time(os.getpid())}-{name}-"
    return Path(tempfile.mkdtemp(prefix=prefix, dir=runs_dir()))


def release_run_dir(directory: Path) -> None:
    """Remove a directory of `new_run_dir`."""
    remove(directory)


def sweep() -> list[Path]:
    """Remove the directories whose owner is gone, and return them.

    Their namespaces, mounts and processes went with the owner (see `root.Root`).
    """
    swept = []
    for directory in runs_dir().glob("gostead-test-*"):
        _, _, pid, started, *_ = directory.name.split("-")
        if start_time(int(pid)) != int(started):
            remove(directory)
            swept.append(directory)
    return swept


def start_time(pid: int) -> int | None:
    """Return when process `pid` started, in clock ticks since boot; None if there is none.

    Source: proc_pid_stat(5), field 22, counted after the last parenthesis as the name may hold any.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[19])
