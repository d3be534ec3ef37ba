"""Apple's developer tools on a Mac, read without starting one of their stand-ins.

/usr/bin/clang, git, python3 and the like are stand-ins: without the tools they open a dialogue.
What is read are files, receipts (pkgutil) and xcode-select, which belong to macOS itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gostead.declaration.xcode import TOOLS
from gostead.facts.entries import text

Version = tuple[int, ...]
Condition = Literal["absent", "removed", "partial", "unregistered", "stale", "present"]


@dataclass(frozen=True)
class Application:
    """An Xcode.app: its path, and CFBundleShortVersionString of its version.plist."""

    path: str
    version: Version


@dataclass(frozen=True)
class Offer:
    """What `softwareupdate -l` offers under `label`."""

    label: str
    version: Version


@dataclass(frozen=True)
class XcodeState:
    """`directory`, `clang`: whether they are there; `receipt`: the package's version (empty: no
    receipt); `selected`: what xcode-select names (empty: nothing); `selectable`: whether that is
    there; `sdks`: the versions of the SDKs of the Command Line Tools; `agreed`: the version of
    Xcode whose licence was agreed to; `offers`: what macOS already knows to be on offer; `others`:
    Go programs elsewhere, and the processors they are for (empty: several, or unknown)."""

    asked: bool = False
    directory: bool = False
    clang: bool = False
    receipt: Version = ()
    selected: str = ""
    selectable: bool = False
    sdks: tuple[Version, ...] = ()
    applications: tuple[Application, ...] = ()
    agreed: Version = ()
    offers: tuple[Offer, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether compilers can be started, without a dialogue: what is selected is there."""
        return self.selectable and (self.selected != TOOLS or (self.clang and bool(self.sdks)))

    @property
    def identity(self) -> str:
        """What a proof holds for: what is selected, and its versions."""
        known = [f"{one.path} {one.version}" for one in self.applications]
        return f"{self.selected} {self.receipt} {sorted(self.sdks)} {sorted(known)}"

    def condition(self, macos: Version) -> Condition:
        """What state the Command Line Tools are in, on a macOS of that version."""
        if not self.directory:
            return "removed" if self.receipt else "absent"
        if not self.clang or not self.sdks:
            return "partial"
        if not self.receipt:
            return "unregistered"
        # An SDK that is older than the system is what an upgrade of macOS leaves behind. They count
        # alike: 10.15 and 10.14 are as far apart as 26 and 15.
        digits = 2 if macos[:1] == (10,) else 1
        return "stale" if max(self.sdks)[:digits] < macos[:digits] else "present"


def version_of(words: str) -> Version:
    """The leading numbers of a version: 26.6.0.0.1.1781586589 is (26, 6, 0, 0, 1, 1781586589)."""
    found = re.match(r"\d+(\.\d+)*", words)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def receipt_of(info: str) -> Version:
    """The version of the package that `pkgutil --pkg-info` tells of."""
    for line in info.splitlines():
        key, _, value = line.partition(":")
        if key == "version":
            return version_of(value.strip())[:3]
    return ()


def offers_of(listed: str) -> tuple[Offer, ...]:
    """The Command Line Tools in what `softwareupdate -l` prints, newest last, without betas.

    Labels were "Command Line Tools (macOS High Sierra version 10.13) for Xcode-9.1", are "Command
    Line Tools for Xcode-16.4", and from 26 on "Command Line Tools for Xcode 26.4-26.4.1": the
    version is what follows the last hyphen, and is compared as numbers.
    """
    found = []
    for line in listed.splitlines():
        match = re.match(r"\s*\*\s+(?:Label: )?(Command Line Tools.*-(\d+(?:\.\d+)*))\s*$", line)
        if match and "beta" not in match[1].lower():
            found.append(Offer(match[1], version_of(match[2])))
    return tuple(sorted(found, key=lambda offer: offer.version))


#: Magic number and cputype of a Mach-O header, byte by byte (<mach-o/loader.h>, <mach/machine.h>).
PROCESSORS = {"cffaedfe0c000001": "arm64", "cffaedfe07000001": "x86_64"}


def parse_xcode(
    fields: tuple[bytes, ...],
    *,
    application: Iterable[tuple[bytes, ...]],
    sdk: Iterable[tuple[bytes, ...]],
    processor: Iterable[tuple[bytes, ...]],
) -> XcodeState:
    """The `xcode` record with those of its parts.

    Raises ValueError where they are not of the probe's form.
    """
    tools, receipt, selected, selectable, agreed, listed = map(text, fields)
    if tools not in ("absent", "partial", "there") or selectable not in ("yes", "no"):
        raise ValueError(f"unknown state of the Command Line Tools {tools!r} {selectable!r}")
    # A name without a version is a link to one that has it.
    names = (text(target) or text(name) for name, target in sdk)
    found = (re.fullmatch(r"MacOSX(\d+(?:\.\d+)*)\.sdk", name) for name in names)
    versions = {version_of(match[1]) for match in found if match}
    return XcodeState(
        True, tools != "absent", tools == "there", receipt_of(receipt), selected,
        selectable == "yes", tuple(sorted(versions)),
        tuple(Application(text(path), version_of(text(version))) for path, version in application),
        version_of(agreed), offers_of(listed),
        {text(path): PROCESSORS.get(text(head), "") for path, head in processor},
    )  # fmt: skip
