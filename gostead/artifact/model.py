"""What a file says of itself. Facts only: what they mean for a Mac or a Linux is for verdict.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Version = tuple[int, ...]


class NotABinary(Exception):
    """The file cannot be read, or is of a kind that is not looked at; the text says which."""


@dataclass
class GoBuild:
    """What Go's linker wrote into it, as `go version -m` shows it.

    `version` is "go1.27.3"; `main` is the main module with its version. `settings` are the build
    settings: GOOS, GOARCH, CGO_ENABLED, -race, vcs.revision and so on.
    """

    version: str
    path: str = ""
    main: str = ""
    settings: dict[str, str] = field(default_factory=dict)


@dataclass
class Signature:
    """An embedded code signature. `authority` is the name in the signer's certificate, "" where
    nobody's key made it; who issued that certificate is not checked."""

    identifier: str = ""
    team: str = ""
    authority: str = ""
    ad_hoc: bool = False
    by_linker: bool = False
    hardened: bool = False
    pages: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass
class Library:
    """A library that the loader looks for. A weak one may be missing."""

    name: str
    weak: bool = False


@dataclass
class MachO:
    """`platform` is "macos" and the like, "" where the file names none; versions are (13, 0)."""

    platform: str = ""
    minimum: Version = ()
    sdk: Version = ()
    libraries: list[Library] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    signature: Signature | None = None
    encrypted: bool = False


@dataclass
class Elf:
    """`libc` is glibc, musl or another loader's own; "" where it loads nothing. `glibc` is the
    highest version that a symbol asks for."""

    interpreter: str = ""
    libc: str = ""
    glibc: Version = ()
    private: bool = False
    static: bool = False
    pie: bool = False
    needed: list[str] = field(default_factory=list)
    runpaths: list[str] = field(default_factory=list)
    foreign: str = ""


@dataclass
class Part:
    """A thin binary, a slice of a universal one, or a member of an archive.

    `machine` is Go's word for it (amd64, arm64), or the number in hexadecimal. `broken` says what
    keeps it from being loaded.
    """

    name: str
    format: Literal["Mach-O", "ELF", "Go object", "other"]
    kind: str = ""
    machine: str = ""
    macho: MachO | None = None
    elf: Elf | None = None
    go: GoBuild | None = None
    broken: list[str] = field(default_factory=list)


@dataclass
class Contents:
    """All of a file. `size` in bytes; `broken` is what is wrong with the container itself; `wide`:
    a universal header of 64 bits."""

    size: int
    container: Literal["", "universal", "archive"] = ""
    wide: bool = False
    parts: list[Part] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
