"""Where the tests keep what is costly to make: root file systems, keys, toolchains.

`$GOSTEAD_TEST_CACHE`, else `.cache/tests` in the project. It is safe to delete at any time that no
test runs. Everything in it is built aside and renamed, under a lock, so that parallel workers
and killed runs never leave a half-made entry.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """Return the cache directory, made when needed; only its owner can look inside."""
    directory = Path(os.environ.get("GOSTEAD_TEST_CACHE") or PROJECT / ".cache" / "tests")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory.resolve()


def recipe_key(*parts: str) -> str:
    """Return a short name that changes whenever one of `parts` does."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cache's lock called `name`; it goes with the process, however that ends."""
    path = cache_dir() / f"{name}.lock"
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def built_once(name: str, build: Callable[[Path], None]) -> Path:
    """Return `<cache>/<name>`, calling `build(path)` with a path beside it if it is not there yet.

    `build` makes a file or directory at the path it gets; that is renamed into place when it
    returns, and removed when it raises. What a killed build left is removed by the next one.
    """
    path = cache_dir() / name
    if path.exists():
        return path
    with locked(name):
        if path.exists():
            return path
        for leftover in path.parent.glob(f"{name}.building-*"):
            remove(leftover)
        aside = path.with_name(f"{name}.building-{uuid.uuid4().hex[:8]}")
        try:
            build(aside)
            aside.rename(path)
        finally:
            remove(aside)
    return path


def remove(path: Path) -> None:
    """Remove a file or a whole tree; absent is fine, and so are directories without write bits."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        if os.geteuid() != 0:
            for directory, _names, _files in os.walk(path):
                Path(directory).chmod(0o700)
        shutil.rmtree(path)


def file_system_of(path: Path) -> str:
    """Return the type of the file system that `path` is on. Source: proc_pid_mountinfo(5)."""
    above = [(at, kind) for at, kind in mounts("self") if path.is_relative_to(at)]
    # Of several at one place, the last one is on top; max() takes the first of equals.
    return max(reversed(above), key=lambda mount: len(mount[0]))[1]


def mounts(pid: int | str) -> list[tuple[str, str]]:
    """Return (mount point, type) for all that process `pid` sees mounted, in order."""
    found = []
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        # Blanks and the like stand there as octal escapes.
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields.split()[4])
        found.append((point, rest.split()[0]))
    return found
