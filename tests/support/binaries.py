"""Binaries made by hand, for what no compiler makes: universal files, archives, small images.

The forms are those of mach-o/loader.h, mach-o/fat.h, cs_blobs.h and ar(5). What real linkers and
codesign write is in `go_binaries`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping

CPU = {"amd64": 0x01000007, "arm64": 0x0100000C, "386": 7, "ppc": 18}
AD_HOC, HARDENED, LINKER = 0x2, 0x10000, 0x20000
PAGE = 4096
SYSTEM = "/usr/lib/libSystem.B.dylib"
_HEADER = 32


def macho(
    cpu: str = "arm64", *, kind: int = 2, minimum: str = "13.0", sdk: str = "14.5",
    platform: int = 1, old: bool = False, libraries: Iterable[str] = (SYSTEM,),
    weak: Iterable[str] = (), rpaths: Iterable[str] = (), encrypted: bool = False,
    flags: int | None = AD_HOC, team: str = "", cms: str = "", name: str = "hello",
    code: bytes = b"code" * 3000,
) -> bytes:  # fmt: skip
    """A Mach-O image of 64 bits; `flags` of its code directory, None for no signature; `cms` is
    the signer's name. It could not run: its code is no code."""
    commands = []
    if old:
        commands.append(struct.pack("<4I", 0x24, 16, _packed(minimum), _packed(sdk)))
    elif minimum:
        commands.append(struct.pack("<6I", 0x32, 24, platform, _packed(minimum), _packed(sdk), 0))
    commands += [_with_text(0xC, 24, name, b"\0" * 12) for name in libraries]
    commands += [_with_text(0x80000018, 24, name, b"\0" * 12) for name in weak]
    commands += [_with_text(0x8000001C, 12, path) for path in rpaths]
    if encrypted:
        commands.append(struct.pack("<6I", 0x2C, 24, 0, PAGE, 1, 0))
    size = sum(map(len, commands)) + 2 * 72 + (16 if flags is not None else 0)
    count = len(commands) + 2 + (flags is not None)
    end = -(-(_HEADER + size + len(code)) // 16) * 16
    link = len(signature(bytes(end), 0, team, cms, name)) if flags is not None else 0
    commands += [
        _segment(b"__TEXT", 0x100000000, 0, end),
        _segment(b"__LINKEDIT", 0x101000000, end, link),
    ]
    if flags is not None:
        commands.append(struct.pack("<4I", 0x1D, 16, end, link))
    header = struct.pack("<8I", 0xFEEDFACF, CPU[cpu], 0, kind, count, size, 0x85, 0)
    image = (header + b"".join(commands) + code).ljust(end, b"\0")
    return image + (signature(image, flags, team, cms, name) if flags is not None else b"")


def signature(
    image: bytes, flags: int, team: str = "", cms: str = "", name: str = "hello"
) -> bytes:
    """An embedded signature of `image`, with or without somebody's name; no key is behind it."""
    pages = [image[at : at + PAGE] for at in range(0, len(image), PAGE)]
    texts = name.encode() + b"\0" + (team.encode() + b"\0" if team else b"")
    start, specials = 88, 2
    hashes = start + len(texts) + 32 * specials
    raw = struct.pack(
        ">9I4BI4IQ3Q", 0xFADE0C02, hashes + 32 * len(pages), 0x20400, flags, hashes, start,
        specials, len(pages), len(image), 32, 2, 0, 12, 0, 0, start + len(name) + 1 if team else 0,
        0, 0, 0, 0, 0, 0,
    )[:start]  # fmt: skip
    requirements = struct.pack(">3I", 0xFADE0C01, 12, 0)
    raw += texts + hashlib.sha256(requirements).digest() + bytes(32)
    raw += b"".join(hashlib.sha256(page).digest() for page in pages)
    blobs: dict[int, bytes] = {0: raw, 2: requirements}
    if cms:
        inside = b"\x30\x80" + cms.encode() + b"\0" + hashlib.sha256(raw).digest()
        blobs[0x10000] = struct.pack(">2I", 0xFADE0B01, 8 + len(inside)) + inside
    at, index = 12 + 8 * len(blobs), b""
    for slot, blob in blobs.items():
        index += struct.pack(">2I", slot, at)
        at += len(blob)
    return struct.pack(">3I", 0xFADE0CC0, at, len(blobs)) + index + b"".join(blobs.values())


def universal(
    slices: Mapping[str, bytes], *, wide: bool = False, align: int = 14,
    moved: Mapping[str, int] | None = None,
) -> bytes:  # fmt: skip
    """A universal file, as lipo writes it; `moved` adds to the offset that the table says."""
    form = ">2I2Q2I" if wide else ">5I"
    table, body, at = b"", b"", 8 + struct.calcsize(form) * len(slices)
    start = at
    for cpu, content in slices.items():
        offset = -(-at // (1 << align)) * (1 << align)
        told = offset + (moved or {}).get(cpu, 0)
        table += struct.pack(form, CPU[cpu], 0, told, len(content), align, *([0] if wide else []))
        body = body.ljust(offset - start, b"\0") + content
        at = offset + len(content)
    return struct.pack(">2I", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices)) + table + body


def bsd_archive(members: Mapping[str, bytes]) -> bytes:
    """An archive as libtool of macOS writes it: names before the contents, and a symbol table."""
    made = b"!<arch>\n"
    for name, content in {"__.SYMDEF SORTED": bytes(8), **members}.items():
        text = name.encode() + b"\0" * (-len(name) % 8 + 4)
        size = len(text) + len(content)
        made += f"#1/{len(text):<13}{0:<12}{0:<6}{0:<6}{100644:<8}{size:<10}`\n".encode()
        made += text + content + b"\n" * (size % 2)
    return made


def patched(image: bytes, old: str, new: str) -> bytes:
    """`image` with a path replaced in its load commands; the new one is not longer."""
    wanted = old.encode() + b"\0"
    assert image.count(wanted) >= 1
    assert len(new) <= len(old)
    return image.replace(wanted, new.encode().ljust(len(wanted), b"\0"), 1)


def _packed(version: str) -> int:
    major, minor, patch = ([int(part) for part in version.split(".")] + [0, 0])[:3]
    return major << 16 | minor << 8 | patch


def _with_text(command: int, at: int, text: str, between: bytes = b"") -> bytes:
    raw = text.encode() + b"\0"
    size = -(-(at + len(raw)) // 8) * 8
    return (struct.pack("<3I", command, size, at) + between + raw).ljust(size, b"\0")


def _segment(name: bytes, address: int, offset: int, size: int) -> bytes:
    return struct.pack("<2I16s4Q4I", 0x19, 72, name, address, -(-size // PAGE) * PAGE, offset, size,
                       7, 5, 0, 0)  # fmt: skip
