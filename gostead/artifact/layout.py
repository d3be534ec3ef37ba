"""Whether a binary is as long as its own headers say, before a library reads more of it.

A library that forgives a file's end is what one wants for taking malware apart, and not for saying
that a file runs. Sources: mach-o/loader.h, elf(5).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MACHO = {b"\xfe\xed\xfa\xce": ">", b"\xce\xfa\xed\xfe": "<",
         b"\xfe\xed\xfa\xcf": ">", b"\xcf\xfa\xed\xfe": "<"}  # fmt: skip
_WIDE = (b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe")
_SEGMENT, _SEGMENT_64, _SYMTAB, _SIGNATURE = 0x1, 0x19, 0x2, 0x1D
#: Commands that are an offset and a size into __LINKEDIT.
_LINKEDIT = {0x1D, 0x1E, 0x26, 0x29, 0x2B, 0x2E, 0x80000033, 0x80000034}
_NOBITS = 8


@dataclass
class Layout:
    """`cpu`, `subtype` and `kind` as in the header; `readable`: its tables are whole."""

    cpu: int = 0
    subtype: int = 0
    kind: int = 0
    little: bool = True
    abi: int = 0
    signature: tuple[int, int] | None = None
    readable: bool = False
    broken: list[str] = field(default_factory=list)

    def needs(self, what: str, start: int, size: int, have: int) -> None:
        """Notes it where bytes are missing, the first time."""
        if start + size > have and not self.broken:
            self.broken.append(f"truncated: {what} ends at byte {start + size}, the file at {have}")


def of_macho(data: memoryview) -> Layout:
    """The layout of a Mach-O image; its first four bytes are known to be right."""
    magic, have = bytes(data[:4]), len(data)
    order, wide = MACHO[magic], magic in _WIDE
    found, at = Layout(little=order == "<"), 32 if wide else 28
    if have < at:
        found.needs("its header", 0, at, have)
        return found
    found.cpu, found.subtype, found.kind, count, size = struct.unpack_from(f"{order}5I", data, 4)
    end = at + size
    if end > have:
        found.needs("its table of load commands", at, size, have)
        return found
    for number in range(count):
        command, length = struct.unpack_from(f"{order}2I", data, at) if at + 8 <= end else (0, 0)
        if length < 8 or length % 4 or at + length > end:
            found.broken.append(f"load command {number + 1} of {count} does not fit into its table")
            return found
        fault = _command(found, order, command, data[at : at + length], have)
        if fault:
            found.broken.append(f"load command {number + 1} of {count} is too short for its kind")
            return found
        at += length
    if at != end:
        found.broken.append(f"{count} load commands fill {at - end + size} of {size} bytes")
    found.readable = at == end
    return found


def _command(found: Layout, order: str, command: int, raw: memoryview, have: int) -> bool:
    """Looks at one load command; whether it is too short."""
    try:
        if command in (_SEGMENT, _SEGMENT_64):
            name = bytes(raw[8:24]).rstrip(b"\0").decode("latin-1") or "its one segment"
            form, at = (f"{order}2Q", 40) if command == _SEGMENT_64 else (f"{order}2I", 32)
            offset, size = struct.unpack_from(form, raw, at)
            found.needs(name, offset, size, have)
        elif command == _SYMTAB:
            offset, count, strings, size = struct.unpack_from(f"{order}4I", raw, 8)
            found.needs("its symbol table", offset, count * 12, have)
            found.needs("its string table", strings, size, have)
        elif command in _LINKEDIT:
            offset, size = struct.unpack_from(f"{order}2I", raw, 8)
            what = "its code signature" if command == _SIGNATURE else "its linker's data"
            found.needs(what, offset, size, have)
            if command == _SIGNATURE:
                found.signature = (offset, size)
    except struct.error:
        return True
    return False


def of_elf(data: memoryview) -> Layout:
    """The layout of an ELF file; its first four bytes are known to be right."""
    found, have = Layout(), len(data)
    if have < 20 or data[4] not in (1, 2) or data[5] not in (1, 2):
        found.broken.append("truncated or damaged: no ELF header")
        return found
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    found.little, found.abi = order == "<", data[7]
    found.kind, found.cpu = struct.unpack_from(f"{order}2H", data, 16)
    if have < (64 if wide else 52):
        found.needs("its header", 0, 64 if wide else 52, have)
        return found
    word = "Q" if wide else "I"
    (programs, sections, _, _, program_size, programs_count, section_size, sections_count) = (
        struct.unpack_from(f"{order}2{word}I5H", data, 32 if wide else 28)
    )
    found.needs("its table of segments", programs, program_size * programs_count, have)
    found.needs("its table of sections", sections, section_size * sections_count, have)
    if programs_count and program_size != (56 if wide else 32):
        found.broken.append(f"its segments are described in {program_size} bytes each")
    if sections_count and section_size != (64 if wide else 40):
        found.broken.append(f"its sections are described in {section_size} bytes each")
    if found.broken:
        return found
    for index in range(programs_count):
        at = programs + index * program_size
        offset = struct.unpack_from(f"{order}{word}", data, at + (8 if wide else 4))[0]
        size = struct.unpack_from(f"{order}{word}", data, at + (32 if wide else 16))[0]
        found.needs(f"segment {index + 1}", offset, size, have)
    for index in range(sections_count):
        at = sections + index * section_size
        kind = struct.unpack_from(f"{order}I", data, at + 4)[0]
        offset, size = struct.unpack_from(f"{order}2{word}", data, at + (24 if wide else 16))
        if kind not in (0, _NOBITS):
            found.needs(f"section {index + 1}", offset, size, have)
    found.readable = not found.broken
    return found
