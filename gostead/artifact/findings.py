"""What keeps a file from running, or makes that depend on one machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gostead.artifact.model import Contents, MachO, Part

_SYSTEM = ("/usr/lib/", "/System/")
#: Where things are on the machine that built it, and hardly on another one.
_BUILDERS = ("/opt/homebrew/", "/usr/local/Cellar/", "/usr/local/opt/", "/opt/local/", "/home/",
             "/Users/", "/root/", "/tmp/", "/private/", "/var/", "/build/", "/builds/",  # noqa: S108
             "/nix/store/", "/gnu/store/", "/workspace/", "/github/", "/runner/")  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """`item` is the part; `error`: it does not run, `warning`: not everywhere, `note`: good to
    know."""

    item: str
    severity: Literal["error", "warning", "note"]
    what: str
    mend: str = ""


def findings(contents: Contents) -> list[Finding]:
    """All of a file's, those of the container first."""
    again = "fetch or build it again: nothing of it is to be trusted"
    found = [Finding("", "error", what, again) for what in contents.broken]
    if contents.container == "archive" and not contents.parts and not contents.broken:
        found.append(Finding("", "error", "an archive without members", again))
    if not_started(contents):
        what = "a universal header of 64 bits: macOS starts no program that has one"
        found.append(Finding("", "error", what, "`lipo -create` without -fat64"))
    for part in contents.parts:
        item = part.name or part.machine
        found += [Finding(item, "error", what, again) for what in part.broken]
        if part.macho:
            found += _macho(item, part, part.macho)
        if part.elf:
            found += _elf(item, part)
        found += _go(item, part)
    return found


def not_started(contents: Contents) -> bool:
    """Whether the kernel knows the header of a program. Source: xnu's exec_fat_imgact, which
    takes FAT_MAGIC alone; dyld and the linker take both."""
    return contents.wide and any(part.kind == "program" for part in contents.parts)


def needed_libraries(macho: MachO) -> list[str]:
    """The libraries that macOS itself does not bring."""
    return [
        lib.name for lib in macho.libraries if not lib.name.startswith(_SYSTEM) and not lib.weak
    ]


def is_loaded(part: Part) -> bool:
    """Whether a system's loader takes it as it is: objects and members are linked before."""
    return part.kind in ("program", "library", "plugin")


def unsigned_arm64(part: Part) -> bool:
    """Whether Apple silicon kills it for having no signature. Source: macOS 11 release notes."""
    macho = part.macho
    mac = macho is not None and macho.platform in ("", "macos", "mac_catalyst")
    unsigned = macho is not None and macho.signature is None
    return mac and unsigned and part.machine == "arm64" and is_loaded(part)


def _macho(item: str, part: Part, macho: MachO) -> Iterator[Finding]:
    if unsigned_arm64(part) and not part.broken:
        yield Finding(
            item, "error", "no code signature: Apple silicon kills it when it starts",
            "`codesign -s - FILE` on a Mac; Go's own linker signs arm64 by itself",
        )  # fmt: skip
    if macho.encrypted:
        yield Finding(item, "error", "it is encrypted, for the account that bought it")
    wanted = [(lib.name, "links", lib.weak) for lib in macho.libraries]
    if any(lib.name.startswith("@rpath/") for lib in macho.libraries):
        wanted += [(path, "looks for libraries in", True) for path in macho.rpaths]
    for path, verb, weak in wanted:
        if path.startswith(_BUILDERS) and not path.startswith("/usr/lib/"):
            severity: Literal["error", "warning"] = "warning" if weak else "error"
            yield Finding(
                item, severity, f"{verb} {path}, a path of the machine that built it",
                "link it statically, or by @rpath or @executable_path, and ship it beside",
            )  # fmt: skip
    signature = macho.signature
    if signature and not signature.broken and signature.ad_hoc and is_loaded(part):
        yield Finding(
            item, "note", "signed ad-hoc: it runs where it was built or fetched with curl; what a "
            "browser downloaded Gatekeeper refuses", "a Developer ID and notarization",
        )  # fmt: skip
    if part.machine == "amd64" and signature is None and is_loaded(part) and not part.broken:
        yield Finding(
            item, "note", "not signed: it runs on Intel where it was built or fetched with curl; "
            "what a browser downloaded Gatekeeper refuses", "a Developer ID and notarization",
        )  # fmt: skip


def _elf(item: str, part: Part) -> Iterator[Finding]:
    elf = part.elf
    assert elf is not None  # noqa: S101
    wanted = [(name, "links", "error") for name in elf.needed if "/" in name]
    wanted += [(path, "looks for libraries in", "warning") for path in elf.runpaths]
    wanted += [(elf.interpreter, "is started by", "error")]
    for path, verb, severity in wanted:
        if path.startswith(_BUILDERS):
            yield Finding(
                item, severity, f"{verb} {path}, a path of the machine that built it",  # type: ignore[arg-type]
                "CGO_ENABLED=0, or link it statically, or by $ORIGIN",
            )  # fmt: skip
    if elf.private:
        yield Finding(
            item, "warning", "it uses glibc's private symbols: it runs with the glibc it was built "
            "with, and hardly with another", "link it statically, or build it where it shall run",
        )  # fmt: skip


def _go(item: str, part: Part) -> Iterator[Finding]:
    settings = part.go.settings if part.go else {}
    if settings.get("-race") == "true":
        yield Finding(item, "note", "built with the race detector: for tests, slow and large")
    if settings.get("vcs.modified") == "true":
        commit = settings.get("vcs.revision", "?")[:12]
        yield Finding(item, "note", f"built from a changed tree: not what commit {commit} holds")
    machine = settings.get("GOARCH")
    if machine and part.machine != machine and not part.machine.startswith("arm64"):
        yield Finding(item, "error", f"Go built it for {machine}, its header says {part.machine}")
