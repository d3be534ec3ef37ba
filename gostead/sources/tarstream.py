"""Reads a tar stream: ustar, pax and GNU names, regular files and directories, nothing else.

An own reader, because what must be bounded here (pax and long-name headers are read whole by
tarfile) and what must be refused (links, devices, sparse files, setuid) is easier to see in
150 lines than to prove of a general one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gostead.sources.canonical import BLOCK
from gostead.sources.errors import Contents
from gostead.sources.names import decode_name
from gostead.sources.redact import printable

MAX_EXTENSION = 64 << 10
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a fifo",
    b"7": "a contiguous file",
    b"S": "a sparse file",
    b"K": "a long link name",
}


@dataclass(frozen=True)
class Member:
    """One member: a regular file or, when `directory`, a directory (size 0)."""

    name: str
    size: int
    directory: bool


class TarStream:
    """Iterates over the members of a tar that comes in pieces.

    The data of a member is read by `data()` before the next member is asked for; what is not
    read is skipped. Raises Contents for anything but regular files and directories, for set
    setuid, setgid or sticky bits, and for headers that make no sense.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self._left = 0
        self._pad = 0

    def data(self) -> Iterator[memoryview]:
        """The data of the present member, in pieces."""
        while self._left:
            piece = self._some(self._left)
            self._left -= len(piece)
            yield piece

    def __iter__(self) -> Iterator[Member]:
        pax: dict[str, str] = {}
        long_name: str | None = None
        while True:
            for _ in self.data():
                pass
            self._exactly(self._pad)
            self._pad = 0
            block = bytes(self._exactly(BLOCK))
            if not any(block):
                self._drain()
                return
            kind, size = block[156:157], _number(block[124:136], "size")
            _check_sum(block)
            if kind in (b"x", b"g", b"L"):
                if size > MAX_EXTENSION:
                    raise Contents(f"a header extension of {size} bytes")
                text = bytes(self._exactly(size))
                self._exactly(-size % BLOCK)
                if kind == b"x":
                    pax = _pax(text)
                elif kind == b"L":
                    long_name = decode_name(text.rstrip(b"\0"))
                else:
                    _pax(text)
                continue
            name = pax.get("path") or long_name or _name(block)
            pax, long_name = {}, None
            member = _member(name, kind, size, _number(block[100:108], "mode"))
            self._left, self._pad = member.size, -member.size % BLOCK
            yield member

    def _some(self, limit: int) -> memoryview:
        """At least one byte, at most `limit`."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                raise Contents("the archive ends early: truncated")
            self._piece = memoryview(piece)
        part, self._piece = self._piece[:limit], self._piece[limit:]
        return part

    def _exactly(self, size: int) -> memoryview | bytes:
        if size <= len(self._piece):
            part, self._piece = self._piece[:size], self._piece[size:]
            return part
        whole = b""
        while len(whole) < size:
            whole += self._some(size - len(whole))
        return whole

    def _drain(self) -> None:
        """To the end of the stream, so that its checksum is checked too."""
        self._piece = memoryview(b"")
        for _ in self._pieces:
            pass


def _member(name: str, kind: bytes, size: int, mode: int) -> Member:
    shown = printable(name, 120)
    if kind not in (b"0", b"\0", b"5"):
        raise Contents(f"member {shown!r} is {_KINDS.get(kind, f'of the unknown type {kind!r}')}")
    if mode & 0o7000:
        raise Contents(f"member {shown!r} has a setuid, setgid or sticky bit (mode {mode:o})")
    directory = kind == b"5"
    if directory and size:
        raise Contents(f"directory {shown!r} with {size} bytes of data")
    return Member(name.removesuffix("/") if directory else name, size, directory)


def _name(block: bytes) -> str:
    """The name in the header itself: with the prefix field where the format has one."""
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return decode_name(prefix + b"/" + name if prefix else name)


def _number(field: bytes, what: str) -> int:
    """An octal number; base 256 is for sizes of 8 GiB and more, which nothing here has."""
    text = field.strip(b" \0")
    try:
        return int(text or b"0", 8) if not text.startswith((b"-", b"+")) else _no_number(what)
    except ValueError:
        return _no_number(what)


def _no_number(what: str) -> int:
    raise Contents(f"a header with an impossible {what}")


def _check_sum(block: bytes) -> None:
    if _number(block[148:156], "checksum") != sum(block[:148]) + sum(block[156:]) + 8 * 32:
        raise Contents("a header with a wrong checksum: this is no tar archive, or it is damaged")


def _pax(text: bytes) -> dict[str, str]:
    """The `path` of a pax header; times, owners and comments are ignored."""
    found = {}
    while text:
        length, space, _ = text.partition(b" ")
        if not space or not length.isdigit() or not len(length) + 2 < int(length) <= len(text):
            raise Contents("a pax header that makes no sense")
        record, text = text[len(length) + 1 : int(length)], text[int(length) :]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise Contents("a pax header that makes no sense")
        if key == b"path":
            found["path"] = decode_name(value[:-1])
        elif key in (b"size", b"linkpath") or key.startswith(b"GNU.sparse"):
            raise Contents(f"a pax header with {printable(decode_name(key))}")
    return found
