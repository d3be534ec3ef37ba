"""Mach-O images, read by LIEF after their layout was found whole."""

from __future__ import annotations

import lief

from gostead.artifact import buildinfo, layout, signature
from gostead.artifact.container import Piece
from gostead.artifact.model import Library, MachO, Part, Signature, Version

_CPU = {7: "386", 0x01000007: "amd64", 12: "arm", 0x0100000C: "arm64", 0x0200000C: "arm64_32",
        18: "ppc", 0x01000012: "ppc64"}  # fmt: skip
_KINDS = {1: "object", 2: "program", 4: "core dump", 6: "library", 7: "loader", 8: "plugin",
          9: "library stub", 10: "debug symbols", 11: "kernel extension"}  # fmt: skip
_LOADED = {"LOAD_DYLIB", "LOAD_WEAK_DYLIB", "REEXPORT_DYLIB", "LOAD_UPWARD_DYLIB"}
_MINIMUM = {"VERSION_MIN_MACOSX": "macos", "VERSION_MIN_IPHONEOS": "ios",
            "VERSION_MIN_TVOS": "tvos", "VERSION_MIN_WATCHOS": "watchos"}  # fmt: skip


def machine(cpu: int) -> str:
    """Go's word for a CPU type."""
    return _CPU.get(cpu, f"CPU type {cpu & 0xFFFFFFFF:#x}")


def read(piece: Piece) -> Part:
    """What a Mach-O image says of itself. Nothing but the layout is read where that is broken."""
    found = layout.of_macho(piece.data)
    part = Part(piece.name, "Mach-O", _KINDS.get(found.kind, f"type {found.kind}"))
    part.machine, part.broken = machine(found.cpu), found.broken[:5]
    if piece.cpu is not None and piece.cpu & 0xFFFFFFFF != found.cpu:
        part.broken.append(f"the table of slices calls it {machine(piece.cpu)}")
    if not found.readable:
        return part
    config = lief.MachO.ParserConfig()
    config.parse_dyld_exports = config.parse_dyld_bindings = config.parse_dyld_rebases = False
    fat = lief.MachO.parse(bytes(piece.data), config)
    binary = fat.at(0) if fat is not None and len(fat) else None
    if binary is None:
        part.broken.append("its load commands cannot be read")
        return part
    part.macho = _facts(binary)
    for section in binary.sections:
        if section.name == "__go_buildinfo" and section.offset + section.size <= len(piece.data):
            content = piece.data[section.offset : section.offset + section.size]
            part.go = buildinfo.find(content, section.virtual_address)
    if found.signature and sum(found.signature) > len(piece.data):
        part.macho.signature = Signature(broken=["cut off"])
    elif found.signature:
        part.macho.signature = signature.read(piece.data, *found.signature)
        part.broken += part.macho.signature.broken
    return part


def _facts(binary: lief.MachO.Binary) -> MachO:
    facts = MachO()
    for command in binary.commands:
        name = _name(command.command)
        if isinstance(command, lief.MachO.DylibCommand) and name in _LOADED:
            facts.libraries.append(Library(_text(command.name), name == "LOAD_WEAK_DYLIB"))
        elif isinstance(command, lief.MachO.RPathCommand):
            facts.rpaths.append(_text(command.path))
        elif isinstance(command, lief.MachO.BuildVersion):
            # A library for macOS and Catalyst has two of them.
            if facts.platform != "macos":
                facts.platform = _name(command.platform).lower()
                facts.minimum, facts.sdk = _version(command.minos), _version(command.sdk)
        elif isinstance(command, lief.MachO.VersionMin):
            facts.platform = _MINIMUM.get(name, name.lower())
            facts.minimum, facts.sdk = _version(command.version), _version(command.sdk)
        elif isinstance(command, lief.MachO.EncryptionInfo):
            facts.encrypted = command.crypt_id != 0
    del facts.libraries[500:], facts.rpaths[100:]
    return facts


def _name(value: object) -> str:
    """Of one of LIEF's enumerations; a value that it does not know comes as a number."""
    return getattr(value, "name", f"number {value}")


def _version(numbers: list[int]) -> Version:
    """(13, 0, 0) as (13, 0): nobody says the third one where it is zero."""
    return tuple(numbers[:2] if len(numbers) > 2 and not numbers[2] else numbers)


def _text(name: str | bytes) -> str:
    return (name.decode("utf-8", "replace") if isinstance(name, bytes) else name)[:1000]
