"""Go's build information: the blob that its linker leaves in a section of its own.

Sources: debug/buildinfo and runtime/debug (ParseBuildInfo) of Go 1.27. No library on the package
index reads it without an executable of the reader's own.
"""

from __future__ import annotations

import ast

from gostead.artifact.model import GoBuild

MAGIC = b"\xff Go buildinf:"
#: Dependencies are part of the text: half a megabyte of them has been seen in the wild.
LONGEST = 16 << 20
_SETTINGS = 256


def find(data: memoryview, address: int = 0) -> GoBuild | None:
    """The build information in a section or segment that is loaded at `address`; None without."""
    content = bytes(data)
    at = content.find(MAGIC)
    while at >= 0 and (address + at) % 16:  # the linker aligns it; code that reads it does not
        at = content.find(MAGIC, at + 1)
    if at < 0 or at + 32 > len(content):
        return None
    if not content[at + 15] & 2:
        return GoBuild("a go older than 1.18")  # pointers to strings, instead of the strings
    version, end = _string(content, at + 32)
    text, _ = _string(content, end)
    if not version:
        return None
    build = GoBuild(version.decode("utf-8", "replace")[:200])
    if len(text) >= 33 and text[-17:-16] == b"\n":  # between two marks of 16 bytes
        _read(text[16:-16].decode("utf-8", "replace"), build)
    return build


def _string(content: bytes, at: int) -> tuple[bytes, int]:
    """A string behind its length as a varint, and where it ends; empty where it does not fit."""
    length = 0
    for shift in range(0, 63, 7):
        if at >= len(content):
            return b"", at
        byte = content[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    if length > LONGEST or at + length > len(content):
        return b"", at
    return content[at : at + length], at + length


def _read(text: str, build: GoBuild) -> None:
    for line in text.splitlines():
        word, _, rest = line.partition("\t")
        if word == "path":
            build.path = rest[:1000]
        elif word == "mod":
            build.main = " ".join(rest.split("\t")[:2])[:1000]
        elif word == "build" and len(build.settings) < _SETTINGS:
            key, value = _setting(rest)
            build.settings[key[:200]] = value[:1000]


def _setting(text: str) -> tuple[str, str]:
    """Key and value; either may be quoted as Go quotes strings."""
    if text[:1] in ('"', "`"):
        end = text.find(text[0] + "=", 1)
        key, value = text[: end + 1], text[end + 2 :]
    else:
        key, _, value = text.partition("=")
    return _unquoted(key), _unquoted(value)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "`":
        return text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
    return text
