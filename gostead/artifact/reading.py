"""From a file to its contents. Runs in a process of its own: see `asking`."""

from __future__ import annotations

import mmap
import os
import re
import stat

from gostead.artifact import container, layout
from gostead.artifact.container import Piece
from gostead.artifact.model import Contents, NotABinary, Part

LARGEST = 1 << 30
_GO_OBJECT = re.compile(rb"go object ([a-z0-9]{1,20}) ([a-z0-9_]{1,20}) (\S{1,60})")


def read(path: str) -> Contents:
    """What `path` holds. Raises NotABinary, OSError."""
    # O_NONBLOCK: opening a fifo would wait for who writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotABinary("it is not a regular file")
        if status.st_size > LARGEST:
            raise NotABinary(f"it has {status.st_size} bytes; not more than {LARGEST} are read")
        if not status.st_size:
            raise NotABinary(container.what_it_is(memoryview(b"")))
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as mapped, memoryview(mapped) as data:
            contents = read_bytes(data)
    finally:
        os.close(descriptor)
    return contents


def read_bytes(data: memoryview) -> Contents:
    """The same for bytes. Raises NotABinary where they are of no kind that is known here."""
    contents = Contents(len(data))
    if container.is_archive(data):
        contents.container = "archive"
        pieces, contents.broken = container.members(data)
    elif bytes(data[:4]) in container.FAT:
        contents.container = "universal"
        contents.wide = bytes(data[:4]) == container.WIDE
        found, contents.broken = container.slices(data)
        pieces = []
        for piece in found:
            if container.is_archive(piece.data):
                inner, wrong = container.members(piece.data, f"{_slice(piece)}/")
                pieces += inner
                contents.broken += wrong
            else:
                pieces.append(Piece(_slice(piece), piece.data, piece.cpu))
    else:
        pieces = [Piece("", data)]
    contents.parts = [_part(piece) for piece in pieces]
    only = contents.parts[0] if contents.parts else None
    if not contents.container and only and only.format == "other" and not only.broken:
        raise NotABinary(container.what_it_is(data))
    return contents


def _slice(piece: Piece) -> str:
    from gostead.artifact import macho

    return macho.machine(piece.cpu or 0)


def _part(piece: Piece) -> Part:
    try:
        return _known(piece)
    except UnicodeDecodeError:  # LIEF gives all names as text
        what = "a name in its tables is no UTF-8: damaged, or not to be read here"
        return Part(piece.name, "other", "binary", broken=[what])


def _known(piece: Piece) -> Part:
    head = bytes(piece.data[:4])
    if head in layout.MACHO:
        from gostead.artifact import macho

        return macho.read(piece)
    if head == b"\x7fELF":
        from gostead.artifact import elf

        return elf.read(piece)
    if match := _GO_OBJECT.match(bytes(piece.data[:200])):
        words = [word.decode("ascii", "replace") for word in match.groups()]
        return Part(piece.name, "Go object", f"{words[0]}, {words[2]}", words[1])
    part = Part(piece.name, "other", container.what_it_is(piece.data))
    if piece.cpu is not None:
        part.broken.append(part.kind)
    return part
