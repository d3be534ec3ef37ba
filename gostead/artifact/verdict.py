"""Where a file runs, in plain words. Pure: facts in, words out.

The verdicts about macOS come from the formats and Apple's documents; no Mac has run the files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gostead.artifact.findings import (
    Finding,
    findings,
    is_loaded,
    needed_libraries,
    not_started,
    unsigned_arm64,
)
from gostead.artifact.model import Contents, GoBuild, MachO, Part, Version
from gostead.declaration import minimum_macos

_CHIPS = {"arm64": "Apple silicon", "amd64": "Intel"}
_FIRST_APPLE_SILICON: Version = (11,)
_SHOWN = ("GOOS", "GOARCH", "CGO_ENABLED", "GOAMD64", "GOARM64", "GOARM", "-buildmode", "-race",
          "-trimpath", "vcs.revision", "vcs.time", "vcs.modified")  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """`title` says what the file is, `runs` where it runs, `details` what it is made of."""

    title: str
    runs: list[str]
    details: list[str]
    findings: list[Finding]


def judge(contents: Contents) -> Verdict:
    """What there is to say about a file."""
    parts, found = contents.parts, findings(contents)
    broken = bool(contents.broken)
    if contents.container == "archive" or any("/" in part.name for part in parts):
        return Verdict(_title(contents), _archive(parts, broken), _members(parts), found)
    runs = ["runs nowhere: the file is damaged"] if broken else []
    if not_started(contents):
        runs = ["runs nowhere: macOS starts no program with a universal header of 64 bits"]
    if not runs:
        macs = [part for part in parts if part.format == "Mach-O"]
        runs = _macs(macs) if macs else [_linux(parts[0])]
    details = [line for part in parts for line in _details(part, several=len(parts) > 1)]
    return Verdict(_title(contents), runs, details, found)


def _title(contents: Contents) -> str:
    parts, size = contents.parts, f"{contents.size / 1e6:.1f} MB"
    machines = ", ".join(dict.fromkeys(part.machine for part in parts if part.machine))
    if contents.container == "archive":
        return f"archive of {len(parts)} members, {machines or 'no binaries'} ({size})"
    if contents.container == "universal":
        kind = parts[0].kind if parts and "/" not in parts[0].name else "archive"
        return f"universal Mach-O {kind}, {machines} ({size})"
    return f"{parts[0].format} {parts[0].kind}, {machines} ({size})"


def _macs(parts: list[Part]) -> list[str]:
    """One line where all slices say the same, else one per processor."""
    lines: list[str] = []
    needs: dict[str, list[str]] = {}
    for part in parts:
        chip = _CHIPS.get(part.machine)
        reason = _why_not(part)
        if reason or chip is None:
            lines.append(f"{part.machine}: {reason or 'no Mac of today runs it'}")
        else:
            needs.setdefault(_macos(part), []).append(chip)
    verb = "runs on" if parts[0].kind == "program" else "loads into programs on"
    if parts[0].kind not in ("program", "library", "plugin"):
        verb = "links into programs for"
    missing = dict.fromkeys(n for p in parts if p.macho for n in needed_libraries(p.macho))
    only = f"; only where {' and '.join(missing)} is found" if missing else ""
    for version, chips in needs.items():
        lines.append(f"{verb} {version} on {' and on '.join(chips)}{_elsewhere(parts)}{only}")
    return lines


def _macos(part: Part) -> str:
    """Which macOS, in words."""
    version = macos_of(part)
    return f"macOS {_dotted(version)} or newer" if version else "macOS (it does not say which)"


def _elsewhere(parts: list[Part]) -> str:
    """About the processor that there is no slice for."""
    machines = {part.machine for part in parts}
    if "arm64" in machines and "amd64" not in machines:
        return "; not on Intel"
    if "amd64" in machines and "arm64" not in machines:
        return "; on Apple silicon only by Rosetta 2, where that is installed"
    return ""


def _why_not(part: Part) -> str:
    if part.broken:
        return f"does not run: {part.broken[0]}"
    if unsigned_arm64(part):
        return "does not run on Apple silicon: it has no code signature, and is killed for that"
    platform = part.macho.platform if part.macho else ""
    if platform not in ("", "macos", "mac_catalyst"):
        return f"made for {platform}, not for macOS"
    return ""


def macos_of(part: Part) -> Version:
    """The oldest macOS for it: the latest of what the file says, what its Go needs, and what its
    processor came with."""
    said = part.macho.minimum if part.macho else ()
    first = _FIRST_APPLE_SILICON if part.machine == "arm64" else ()
    return max(said, first, go_minimum(part.go))


def go_minimum(build: GoBuild | None) -> Version:
    """The oldest macOS for the Go release that built it; () where that is not known."""
    if build is None or not build.version.startswith("go1"):
        return ()
    try:  # "go1.27.3 X:nocoverageredesign" is that release with an experiment
        return minimum_macos(build.version.split()[0].split("-")[0].removeprefix("go"))
    except ValueError:
        return ()


def _linux(part: Part) -> str:
    if part.format != "ELF" or part.broken or part.elf is None:
        return f"runs nowhere: {(part.broken or ['nothing is known of it'])[0]}"
    elf, settings = part.elf, part.go.settings if part.go else {}
    system = settings.get("GOOS", "linux")
    if elf.foreign or system != "linux":
        return f"made for {elf.foreign or system} {part.machine}, not for Linux"
    verb = "runs on" if part.kind == "program" else "loads into programs on"
    verb = verb if is_loaded(part) else "links into programs for"
    where = f"{verb} Linux {part.machine}"
    if (level := settings.get("GOAMD64", "v1")) != "v1":
        where += f" with a processor of level x86-64-{level} or higher"
    if elf.static:
        return f"{where}, whatever its libc is, also in an empty container"
    if elf.libc == "glibc":
        version = f" {_dotted(elf.glibc)} or newer" if elf.glibc else ""
        return f"{where} with glibc{version}; not where the libc is musl (Alpine)"
    if elf.libc == "musl":
        or_there = f", or where {elf.interpreter} is installed" if elf.interpreter else ""
        return f"{where} with musl (Alpine{or_there})"
    return f"{where} with {elf.libc}" if elf.libc else where


def _archive(parts: list[Part], broken: bool) -> list[str]:
    if broken:
        return ["links into nothing: the archive is damaged"]
    lines = []
    for part in parts:
        if part.broken:
            lines.append(f"{part.name}: cannot be linked: {part.broken[0]}")
        elif part.format == "Mach-O" and part.machine in _CHIPS:
            lines.append(f"links into programs for {_macos(part)} on {_CHIPS[part.machine]}")
        elif part.format == "ELF":
            lines.append(_linux(part))
        elif part.format == "Go object":
            system, _, version = part.kind.partition(", ")
            lines.append(f"links into Go programs for {system} {part.machine}, by {version} alone")
    return list(dict.fromkeys(lines))[:20] or ["links into nothing: no member is a binary"]


def _members(parts: list[Part]) -> list[str]:
    counted = Counter(f"{p.format} {p.kind}, {p.machine}".rstrip(", ") for p in parts)
    lines = [f"{count} of {kind}" for kind, count in counted.most_common(10)]
    built = {line: None for part in parts for line in _built(part.go)}
    return [*lines, *list(built)[:4]]


def _details(part: Part, *, several: bool) -> list[str]:
    lines = _built(part.go)
    if part.macho:
        lines += [_signed(part.macho), *_versions(part, part.macho)]
        needed = needed_libraries(part.macho)
        own = len(part.macho.libraries) - len(needed)
        lines.append(
            f"libraries: {own} that macOS brings" + "".join(f"; must be there: {n}" for n in needed)
        )
        if needed and part.macho.rpaths:
            lines.append(f"@rpath is {' or '.join(part.macho.rpaths)}")
    if part.elf:
        if part.kind == "program":
            lines.append(f"{'static' if part.elf.static else f'loader {part.elf.interpreter}'}, "
                         f"{'' if part.elf.pie else 'not '}position-independent")  # fmt: skip
        if part.elf.needed:
            lines.append(f"libraries that must be there: {', '.join(part.elf.needed)}")
    return [f"{part.machine}: {line}" if several else line for line in lines]


def _versions(part: Part, macho: MachO) -> list[str]:
    said, needs = macho.minimum, go_minimum(part.go)
    lines = []
    if said:
        platform = "macOS" if macho.platform == "macos" else macho.platform
        sdk = _dotted(macho.sdk)
        lines.append(
            f"minimum in the file: {platform} {_dotted(said)}; built with the SDK of {sdk}"
        )
    if said and needs > said and part.go:
        lines.append(f"but {part.go.version} needs macOS {_dotted(needs)}, and that counts")
    return lines


def _signed(macho: MachO) -> str:
    signature = macho.signature
    if signature is None:
        return "signature: none"
    if signature.broken and not signature.identifier:
        return "signature: damaged"
    who = f"by {signature.authority}" if signature.authority else "of a kind that is not known"
    if signature.ad_hoc:
        who = "ad-hoc, by the linker" if signature.by_linker else "ad-hoc"
    elif signature.team:
        who += f", team {signature.team}"
    hardened = "with" if signature.hardened else "without"
    holds = "damaged" if signature.broken else f"all {signature.pages} pages hash to it"
    return f"signature: {who}, as {signature.identifier}, {hardened} hardened runtime; {holds}"


def _built(build: GoBuild | None) -> list[str]:
    if build is None:
        return []
    shown = " ".join(f"{k}={build.settings[k]}" for k in _SHOWN if k in build.settings)
    what = build.main or build.path
    return [f"built by {build.version}{f' from {what}' if what else ''}: {shown}".rstrip(": ")]


def _dotted(version: Version) -> str:
    numbers = version[:-1] if len(version) == 2 and version[0] > 10 and not version[1] else version
    return ".".join(map(str, numbers))
