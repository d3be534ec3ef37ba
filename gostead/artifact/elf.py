"""ELF files, read by LIEF after their layout was found whole."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import lief

from gostead.artifact import buildinfo, layout
from gostead.artifact.container import Piece
from gostead.artifact.model import Elf, GoBuild, Part, Version

_MACHINES = {3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "amd64",
             183: "arm64", 243: "riscv64", 258: "loong64"}  # fmt: skip
_LITTLE = {"mips": "mipsle", "ppc64": "ppc64le"}
_KINDS = {1: "object", 2: "program", 3: "library", 4: "core dump"}
#: e_ident[EI_OSABI] of systems that are not Linux; 0 (System V) and 3 (GNU) say Linux or nothing.
_ABIS = {2: "NetBSD", 6: "Solaris", 9: "FreeBSD", 12: "OpenBSD"}
_LOADERS = {"/libexec/ld-elf.so.1": "FreeBSD", "/usr/libexec/ld.elf_so": "NetBSD",
            "/usr/libexec/ld.so": "OpenBSD", "/lib/amd64/ld.so.1": "Solaris",
            "/system/bin/linker": "Android", "/system/bin/linker64": "Android"}  # fmt: skip
_GLIBC = re.compile(r"GLIBC_([0-9]{1,4}(?:\.[0-9]{1,4}){1,2})")
#: What the name stands for: since which glibc there is such a thing.
_ABI_NAMES: dict[str, Version] = {"GLIBC_ABI_DT_RELR": (2, 36)}
_NEEDED, _RPATH, _RUNPATH = (
    lief.ELF.DynamicEntry.TAG.NEEDED,
    lief.ELF.DynamicEntry.TAG.RPATH,
    lief.ELF.DynamicEntry.TAG.RUNPATH,
)


def read(piece: Piece) -> Part:
    """What an ELF file says of itself. Nothing but the layout is read where that is broken."""
    found = layout.of_elf(piece.data)
    part = Part(piece.name, "ELF", _KINDS.get(found.kind, f"type {found.kind}"))
    name = _MACHINES.get(found.cpu, f"machine {found.cpu:#x}")
    part.machine = _LITTLE.get(name, name) if found.little else name
    part.broken = found.broken[:5]
    if not found.readable:
        return part
    config = lief.ELF.ParserConfig()
    config.parse_relocations = config.parse_symtab_symbols = False
    config.parse_notes = config.parse_overlay = False
    binary = lief.ELF.parse(bytes(piece.data), config)
    if binary is None:
        part.broken.append("its tables cannot be read")
        return part
    part.elf = elf = _facts(binary)
    elf.foreign = _LOADERS.get(elf.interpreter, "") or _ABIS.get(found.abi, "")
    shared = any(e.tag == lief.ELF.DynamicEntry.TAG.SONAME for e in binary.dynamic_entries)
    if found.kind == 3 and (elf.pie if shared else elf.pie or elf.interpreter):
        part.kind = "program"  # libc.so.6 has an interpreter, and is none
    elf.pie = part.kind == "program" and found.kind == 3
    elf.static = part.kind == "program" and not elf.interpreter and not elf.needed
    part.go = _go(binary, piece.data)
    return part


def _facts(binary: lief.ELF.Binary) -> Elf:
    elf = Elf(interpreter=_text(binary.interpreter) if binary.has_interpreter else "")
    position_independent = False
    for entry in binary.dynamic_entries:
        if isinstance(entry, lief.ELF.DynamicEntryLibrary) and entry.tag == _NEEDED:
            elf.needed.append(_text(entry.name))
        elif isinstance(entry, lief.ELF.DynamicEntryRpath | lief.ELF.DynamicEntryRunPath):
            text = entry.rpath if isinstance(entry, lief.ELF.DynamicEntryRpath) else entry.runpath
            elf.runpaths += [part[:1000] for part in _text(text).split(":")]
        elif isinstance(entry, lief.ELF.DynamicEntryFlags):
            position_independent |= lief.ELF.DynamicEntryFlags.FLAG.PIE in entry.flags
    elf.pie = position_independent
    elf.libc = _libc(elf)
    for requirement in binary.symbols_version_requirement:
        for version in requirement.get_auxiliary_symbols():
            name = _text(version.name)
            elf.private |= name == "GLIBC_PRIVATE"
            match = _GLIBC.fullmatch(name)
            number = tuple(map(int, match[1].split("."))) if match else _ABI_NAMES.get(name, ())
            elf.glibc = max(elf.glibc, number)
    del elf.needed[500:], elf.runpaths[100:]
    return elf


def _libc(elf: Elf) -> str:
    loader = PurePosixPath(elf.interpreter).name
    if loader.startswith("ld-musl-") or any(
        name.startswith(("libc.musl-", "ld-musl-")) or name == "libc.so" for name in elf.needed
    ):
        return "musl"
    if loader.startswith(("ld-linux", "ld64.so", "ld.so.1")) or "libc.so.6" in elf.needed:
        return "glibc"
    return f"that of {elf.interpreter}" if elf.interpreter else ""


def _go(binary: lief.ELF.Binary, data: memoryview) -> GoBuild | None:
    """From its section; where a tool took the sections away, from the first writable segment."""
    for section in binary.sections:
        if section.name == ".go.buildinfo":
            content = data[section.offset : section.offset + section.size]
            return buildinfo.find(content, section.virtual_address)
    for segment in binary.segments:
        if segment.type == lief.ELF.Segment.TYPE.LOAD and segment.has(lief.ELF.Segment.FLAGS.W):
            content = data[segment.file_offset : segment.file_offset + segment.physical_size]
            return buildinfo.find(content, segment.virtual_address)
    return None


def _text(name: str | bytes) -> str:
    return (name.decode("utf-8", "replace") if isinstance(name, bytes) else name)[:1000]
