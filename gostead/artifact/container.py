"""Files that hold several binaries: universal (fat) ones and ar archives, and both at once.

Sources: mach-o/fat.h, ar(5) of macOS, and the System V form as binutils writes it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gostead.artifact.model import NotABinary

FAT = {b"\xca\xfe\xba\xbe": ">iiIII", b"\xca\xfe\xba\xbf": ">iiQQII"}
AR, THIN_AR = b"!<arch>\n", b"!<thin>\n"
WIDE = b"\xca\xfe\xba\xbf"
#: A Java class begins like a universal file; its next number is 45 or more.
SLICES = 44
#: Go's archive of its own standard library has less; a C library some thousands.
MEMBERS = 20_000
_TABLES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64", "__.SYMDEF_64 SORTED")
_WORDS = ((b"MZ", "a Windows program"), (b"#!", "a script"), (b"PK\x03\x04", "a zip file"),
          (b"\x1f\x8b", "a gzip file"), (b"BC\xc0\xde", "LLVM bitcode"))  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """Bytes that should be a binary. `cpu` is the CPU type that a universal file announces."""

    name: str
    data: memoryview
    cpu: int | None = None


def what_it_is(data: memoryview) -> str:
    """A few words for what is no binary."""
    if not data:
        return "it is empty"
    head = bytes(data[:8])
    known = (f"it is {words}" for magic, words in _WORDS if head.startswith(magic))
    return next(known, f"no Mach-O, ELF or ar file: it begins with {head.hex(' ')}")


def is_archive(data: memoryview) -> bool:
    """Whether it is an archive, thin or not."""
    return bytes(data[:8]) in (AR, THIN_AR)


def slices(data: memoryview) -> tuple[list[Piece], list[str]]:
    """The slices of a universal file, those that lie within it, and what is wrong with the table.

    Raises NotABinary for a Java class.
    """
    form = FAT[bytes(data[:4])]
    if len(data) < 8:
        return [], [f"truncated: {len(data)} bytes are not a universal header"]
    (count,) = struct.unpack_from(">I", data, 4)
    if count > SLICES:
        raise NotABinary(f"it is a Java class, or a universal file of {count} slices")
    size, end = struct.calcsize(form), 8 + count * struct.calcsize(form)
    if not count:
        return [], ["a universal file without slices"]
    if end > len(data):
        return [], [f"truncated: its table of {count} slices ends at byte {end}, "
                    f"the file at {len(data)}"]  # fmt: skip
    pieces: list[Piece] = []
    wrong: list[str] = []
    taken: list[tuple[int, int]] = [(0, end)]
    seen: set[tuple[int, int]] = set()
    for number in range(count):
        cpu, subtype, offset, length, align = struct.unpack_from(form, data, 8 + number * size)[:5]
        what = f"slice {number + 1} (bytes {offset} to {offset + length})"
        if offset + length > len(data):
            wrong.append(f"{what} does not fit into the file of {len(data)} bytes")
            continue
        if any(offset < stop and start < offset + length for start, stop in taken):
            wrong.append(f"{what} lies over the table or another slice")
        if align > 31 or offset % (1 << align):
            wrong.append(f"{what} is not aligned to 2^{align} as the table says")
        if (cpu, subtype & 0xFFFFFF) in seen:
            wrong.append(f"{what} is for a processor that another slice is for")
        seen.add((cpu, subtype & 0xFFFFFF))
        taken.append((offset, offset + length))
        pieces.append(Piece("", data[offset : offset + length], cpu))
    return pieces, wrong


def members(data: memoryview, prefix: str = "") -> tuple[list[Piece], list[str]]:
    """The members of an archive, its symbol tables left out, and what is wrong with it."""
    if bytes(data[:8]) == THIN_AR:
        return [], ["a thin archive: its members are files on the machine that made it"]
    pieces: list[Piece] = []
    names = b""
    at = 8
    while at < len(data):
        if len(pieces) == MEMBERS:
            return pieces, [f"more than {MEMBERS} members: the rest was not looked at"]
        header = bytes(data[at : at + 60])
        field = header[48:58].rstrip(b" ")
        if len(header) < 60:
            return pieces, [f"truncated: a member's header at byte {at} is cut off"]
        if header[58:] != b"`\n" or not field.isdigit():
            return pieces, [f"no member's header at byte {at}"]
        size, name = int(field), header[:16].decode("latin-1").rstrip(" ")
        start, stop = at + 60, at + 60 + size
        if stop > len(data):
            end = f"the member at byte {at} ends at byte {stop}"
            return pieces, [f"truncated: {end}, the archive at {len(data)}"]
        if name == "//":
            names = bytes(data[start:stop])
        elif name.startswith("#1/") and name[3:].isdigit():  # BSD: the name is before the content
            length = int(name[3:])
            if length > size:
                return pieces, [f"a name of {length} bytes in a member of {size} at byte {at}"]
            name = bytes(data[start : start + length]).rstrip(b"\0").decode("utf-8", "replace")
            start += length
        elif name[0:1] == "/" and name[1:].isdigit():  # System V: an offset into the member `//`
            if int(name[1:]) >= len(names):
                return pieces, [f"the member at byte {at} has its name outside of the name table"]
            name = names[int(name[1:]) :].partition(b"\n")[0].decode("utf-8", "replace")
        if name not in (*_TABLES, "//"):
            pieces.append(Piece(f"{prefix}{name.removesuffix('/')[:200]}", data[start:stop]))
        at = stop + stop % 2
    return pieces, []
