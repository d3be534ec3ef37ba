"""Reads a zip's central directory with bounds; zipfile would take any number of entries."""

import stat
import struct
from dataclasses import dataclass

from gostead.sources.errors import Contents
from gostead.sources.names import decode_name
from gostead.sources.packed import PackedFile
from gostead.sources.redact import printable
from gostead.sources.writer import MAX_MEMBERS

_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_DIRECTORY = 32 << 20
STORED, DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One file: where its local header is, how it is packed, and the sizes that are announced."""

    name: str
    method: int
    packed: int
    size: int
    offset: int


def zip_entries(packed: PackedFile) -> list[ZipEntry]:
    """The files of a zip, in the directory's order.

    Raises Contents for what is no zip, for zip64 (no toolchain needs it), for encrypted members,
    unknown methods, links, devices and setuid bits.
    """
    end = packed.size()
    tail_at = max(0, end - _END.size - 0xFFFF)
    tail = packed.read(end - tail_at, tail_at)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or len(tail) - found < _END.size:
        raise Contents("not a zip file, or cut short: it has no end record")
    _, disk, first, here, count, length, start, _ = _END.unpack_from(tail, found)
    if disk or first or here != count or 0xFFFF in (count,) or 0xFFFFFFFF in (length, start):
        raise Contents("a zip in several parts or in zip64 format")
    if count > MAX_MEMBERS or length > _MAX_DIRECTORY:
        raise Contents(f"a zip directory of {count} entries and {length} bytes")
    directory = packed.read(length, start)
    entries = []
    at = 0
    for _ in range(count):
        entry, at = _entry(directory, at)
        entries.append(entry)
    return entries


def _entry(directory: bytes, at: int) -> tuple[ZipEntry, int]:
    try:
        fields = _ENTRY.unpack_from(directory, at)
    except struct.error as error:
        raise Contents("a zip directory that is cut short") from error
    magic, made, _, flags, method, _, _, _, packed, size, names, extra, comment = fields[:13]
    attributes, offset = fields[15], fields[16]
    raw = directory[at + _ENTRY.size : at + _ENTRY.size + names]
    if magic != b"PK\1\2" or len(raw) != names:
        raise Contents("a zip directory that makes no sense")
    name = decode_name(raw)
    shown = printable(name, 120)
    if flags & 0x1 or method not in (STORED, DEFLATED):
        raise Contents(f"member {shown!r} is encrypted or packed by the unknown method {method}")
    mode = attributes >> 16 if made >> 8 in (3, 19) else 0  # Unix, macOS
    if mode & 0o7000 or stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Contents(f"member {shown!r} is no plain file (mode {mode:o})")
    at += _ENTRY.size + names + extra + comment
    return ZipEntry(name, method, packed, size, offset), at


def data_offset(packed: PackedFile, entry: ZipEntry) -> int:
    """Where the packed data of an entry begins."""
    local = packed.read(_LOCAL.size, entry.offset)
    if len(local) != _LOCAL.size or not local.startswith(b"PK\3\4"):
        raise Contents(f"member {printable(entry.name, 120)!r} has no header where it should be")
    names, extra = _LOCAL.unpack(local)[-2:]
    return int(entry.offset + _LOCAL.size + names + extra)
