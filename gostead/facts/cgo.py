"""The C compilers of a host, as they describe themselves, and the proof that one of them works."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gostead.facts.entries import text


@dataclass(frozen=True)
class Compiler:
    """A compiler as it is declared (`words`) and found: its path (empty: not there), what it makes
    programs for (x86_64-linux-gnu), its version, whether it has the C library's headers, where it
    has the start-up code of a program from (a bare name: nowhere), and when both were changed."""

    words: str
    path: str = ""
    machine: str = ""
    version: str = ""
    headers: bool = False
    start: str = ""
    mark: str = ""

    @property
    def links(self) -> bool:
        """Whether it has what every program is linked with."""
        return self.start.startswith("/")


@dataclass(frozen=True)
class CgoState:
    """`compilers`: C, then C++; `libc` of the host: glibc, musl or unknown; `manager`: apt or none;
    `proof`: the fingerprint with which a program was last seen to link and run."""

    compilers: tuple[Compiler, ...] = ()
    libc: str = "unknown"
    manager: str = "none"
    proof: str = ""

    def fingerprint(self, version: str) -> str:
        """What a proof holds for: the compilers as they are, and the Go that asked."""
        told = "\n".join(f"{c.words}\t{c.path}\t{c.machine}\t{c.mark}" for c in self.compilers)
        return hashlib.sha256(f"{version}\n{told}".encode("utf-8", "surrogateescape")).hexdigest()


def parse_compiler(fields: tuple[bytes, ...]) -> Compiler:
    """A `compiler` record. Raises ValueError where it is not of the probe's form."""
    words, path, machine, version, headers, start, mark = map(text, fields)
    return Compiler(words, path, machine, version, headers == "yes", start, mark)
