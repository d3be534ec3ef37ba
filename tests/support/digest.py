"""A digest of a whole root file system, to say what a run changed: everything, or nothing.

Per path: type, mode, owner, size, content, link target, link count of files, extended attributes;
with `times` also mtime and ctime, so that even a file written and put back, or a temporary file
that came and went in a directory, shows. Mount points (/proc, /dev, /run and what a test bound
into the root) are not entered, nor what sshd itself writes (`ALWAYS_EXCLUDED`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

#: Relative to the root: written by sshd and login themselves.
ALWAYS_EXCLUDED = frozenset({"var/log", "proc", "run", "dev", "sys"})

Entry = tuple[object, ...]


@dataclass(frozen=True)
class Digest:
    """A snapshot: equal to another one if nothing that it covers differs."""

    entries: dict[str, Entry] = field(repr=False)

    @property
    def hexdigest(self) -> str:
        """One number for all of it."""
        return hashlib.sha256(repr(sorted(self.entries.items())).encode()).hexdigest()

    def changes(self, later: Digest) -> list[str]:
        """List what differs in `later`, a line per path: `+ path`, `- path` or `~ path: a -> b`."""
        lines = []
        for path in sorted(self.entries.keys() | later.entries.keys()):
            before, after = self.entries.get(path), later.entries.get(path)
            if before is None:
                lines.append(f"+ {path}: {after}")
            elif after is None:
                lines.append(f"- {path}: {before}")
            elif before != after:
                lines.append(f"~ {path}: {before} -> {after}")
        return lines


def digest_tree(
    root: Path,
    *,
    mounts: frozenset[str] = frozenset(),
    exclude: frozenset[str] = frozenset(),
    times: bool = False,
    content: Callable[[str, Path], str] | None = None,
) -> Digest:
    """Digest the tree at `root`.

    `mounts` and `exclude` are paths relative to it: the former are recorded as directories whose
    content is not ours, the latter left out. `content(relative, path)` may supply a file's hash.
    """
    entries: dict[str, Entry] = {}
    skip = ALWAYS_EXCLUDED | exclude
    for relative, path in _walk(root, skip, mounts):
        entries[relative] = _entry(relative, path, times, content or _hash_of)
    return Digest(entries)


def _walk(root: Path, skip: frozenset[str], mounts: frozenset[str]) -> Iterator[tuple[str, str]]:
    pending = [""]
    while pending:
        directory = pending.pop()
        with os.scandir(f"{root}/{directory}") as found:
            for item in found:
                relative = f"{directory}/{item.name}" if directory else item.name
                if relative in skip or relative in mounts:
                    continue
                yield relative, item.path
                if item.is_dir(follow_symlinks=False):
                    pending.append(relative)


def _entry(relative: str, path: str, times: bool, content: Callable[[str, Path], str]) -> Entry:
    status = os.lstat(path)
    entry: Entry = (stat.filemode(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISREG(status.st_mode):
        entry += (status.st_nlink, status.st_size, content(relative, Path(path)))
    elif stat.S_ISLNK(status.st_mode):
        entry += (str(Path(path).readlink()),)
    elif not stat.S_ISDIR(status.st_mode):
        entry += (status.st_rdev,)
    names = os.listxattr(path, follow_symlinks=False)
    if names:
        pairs = ((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))
        entry += (tuple(pairs),)
    if times:
        entry += (status.st_mtime_ns, status.st_ctime_ns)
    return entry


def _hash_of(_relative: str, path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def hash_of_upper(lower: Sequence[Path], upper: Path) -> Callable[[str, Path], str]:
    """Return a `content` for an overlay: only what the upper layer holds is read anew.

    An overlay copies a file up before its first change, so one that is not in `upper` has the
    bytes of the first of `lower` that has it, to which nobody writes; those are hashed once per
    process.
    """

    def content(relative: str, path: Path) -> str:
        if not os.path.lexists(upper / relative):
            for layer in lower:
                if os.path.lexists(layer / relative):
                    return _hash_of_lower(layer / relative)
        return _hash_of(relative, path)

    return content


@cache
def _hash_of_lower(path: Path) -> str:
    return _hash_of("", path)
