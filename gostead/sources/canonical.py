"""The canonical tar: what is streamed to hosts, the same bytes from whatever source.

Names relative to the tree's root (`bin/go`, no prefix, go.mod files under their own name); only
regular files and the directories that hold them; directories 0755, files 0444, what is executed
0555; uid = gid = 0 and no owner names; every mtime 2009-11-10T23:00:00Z; sorted by path
component, so that each directory is followed by what is in it; plain ustar, which GNU, BSD and
busybox tar all read.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 512
MTIME = 1257894000
END = bytes(2 * BLOCK)


@dataclass(frozen=True)
class CanonicalTar:
    """A verified canonical tar in the controller's cache.

    `size` is the tar's bytes, `tree_bytes` the bytes of all files in it, `entries` the number of
    its members (files and directories; the root itself is none). `sha256` is of the tar, `h1` is
    the tree's and equals the pin. `origin` says where it came from, for people; it holds no
    secret.
    """

    path: Path
    size: int
    entries: int
    tree_bytes: int
    sha256: str
    h1: str
    origin: str

    def open(self) -> BinaryIO:
        """The tar from its beginning; the caller closes it."""
        return self.path.open("rb")

    def compressed(self) -> Path:
        """A gzip copy (level 1) beside the tar, made on first use; for slow links.

        Raises SourceError when it cannot be written.
        """
        from gostead.sources.compress import compressed_copy

        return compressed_copy(self.path, self.sha256)


def header(name: str, size: int, mode: int, *, directory: bool = False) -> bytes:
    """The ustar header of one member; `name` without a trailing slash.

    Raises ValueError when the name does not fit into the two fields of ustar.
    """
    prefix, last = _split(name.encode() + (b"/" if directory else b""))
    block = b"".join(
        (
            last.ljust(100, b"\0"),
            b"%07o\0" % mode,
            b"0000000\0" * 2,
            b"%011o\0" % size,
            b"%011o\0" % MTIME,
            b" " * 8,
            b"5" if directory else b"0",
            bytes(100),
            b"ustar\x0000",
            bytes(32 + 32),
            b"0000000\0" * 2,
            prefix.ljust(155, b"\0"),
            bytes(12),
        )
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Prefix and name fields: at most 155 and 100 bytes, joined by a slash."""
    if len(name) <= 100:
        return b"", name
    cut = name.find(b"/", len(name) - 101, 156)
    if cut <= 0 or cut == len(name) - 1:
        raise ValueError(f"name does not fit into a ustar header: {name!r}")
    return name[:cut], name[cut + 1 :]


def padding(size: int) -> bytes:
    """The zeros after a file's data, up to the next block."""
    return bytes(-size % BLOCK)


def parents(path: str) -> list[str]:
    """The directories above a path, outermost first."""
    found = []
    cut = path.find("/")
    while cut >= 0:
        found.append(path[:cut])
        cut = path.find("/", cut + 1)
    return found


def mount_point(path: Path) -> Path:
    """The file system a path lies on, named by where it is mounted."""
    here = path.resolve()
    while not os.path.ismount(here) and here != here.parent:
        here = here.parent
    return here
