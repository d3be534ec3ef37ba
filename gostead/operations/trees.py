"""Part of the subject toolchains: the trees, their profiles and which one is active."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

from gostead.declaration import GoSetup, MissingPin, minimum_macos, pin_for
from gostead.facts.host_state import HostState
from gostead.facts.toolchains import FORMAT, Registered, ToolchainsState
from gostead.operations.change import Change, PlanError, Script, Toolchain
from gostead.operations.guard import why_not_by_host

SUBJECT = "toolchains"
COMMANDS = ("go", "gofmt")
# A release of Go unpacks to about 260 MiB in about 13,000 entries (1.27.3); twice that is needed
# while a damaged tree is replaced.
NEEDED_KIB = 400 * 1024
NEEDED_INODES = 20_000


def module(name: str, platform: str) -> str:
    """The toolchain module whose h1 the tree `name` (go1.27.3) must have."""
    return f"golang.org/toolchain@v0.0.1-{name}.{platform}"


def hexadecimal(h1: str) -> str:
    """An `h1:` hash as the host computes it."""
    return base64.b64decode(h1.removeprefix("h1:")).hex()


def held_version(state: ToolchainsState, now: datetime | None = None) -> str:
    """The version that a hold in force keeps active; empty without one."""
    hold = state.hold
    if hold is None:
        return ""
    if hold.until:
        try:
            until = datetime.fromisoformat(hold.until)
        except ValueError:
            return hold.version  # a hold that we cannot read is obeyed
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        if until <= (now or datetime.now(UTC)):
            return ""
    return hold.version


def layout(state: HostState) -> Iterator[Change]:
    """The root, with its registry, as one rename."""
    root = state.toolchains.root
    if root.kind == "absent":
        yield Change(
            SUBJECT, root.path, "absent", "made", "gostead keeps its toolchains there", "scope",
            Script("change/layout", {"root": root.path, "format": FORMAT}),
        )  # fmt: skip


def directories(state: HostState) -> Iterator[Change]:
    """The directories of ours: there, and ours alone to write; only we look into the state."""
    found, system = state.toolchains, state.system
    if found.root.kind != "directory":
        return  # `layout` makes them
    wanted = {f"{system.root}/toolchains": "755", f"{system.root}/profiles": "755"}
    wanted |= {system.state: "700", f"{system.state}/stamps": "700"}
    wanted |= {f"{system.state}/manifests": "700"}
    for name in found.children("profiles"):
        path = f"{system.root}/profiles/{name}"
        if found.entry(path).kind == "directory" and Registered("profile", path) in found.registry:
            wanted |= {path: "755", f"{path}/bin": "755"}
    for path, mode in wanted.items():
        entry = found.entry(path)
        if entry.kind not in ("absent", "directory"):
            raise PlanError(
                f"{path} is in the way ({entry.describe()}): expected a directory of gostead's. "
                "Move it away"
            )
        if (entry.kind, entry.uid, entry.mode) != ("directory", system.uid, mode):
            yield Change(
                SUBJECT, path, entry.describe(), f"directory, mode {mode}, uid {system.uid}",
                "others could exchange what runs as `go`" if entry.kind == "directory"
                else "gostead keeps its state and trees there", "scope",
                Script("change/directory", {"root": system.root, "path": path, "mode": mode,
                                            "uid": system.uid}),
            )  # fmt: skip


def trees(declared: GoSetup, state: HostState, held: str = "") -> Iterator[Change]:
    """A complete, verified tree for each declared version, and for the one that is held."""
    system, found = state.system, state.toolchains
    fetched = 0
    for version in dict.fromkeys([*declared.toolchains.all_versions, *([held] if held else [])]):
        name = f"go{version}"
        _check_macos(version, state)
        try:
            pin = pin_for(declared, version, system.platform)
        except MissingPin as error:
            if version not in declared.toolchains.all_versions:
                continue
            raise PlanError(str(error)) from None
        wanted = hexadecimal(pin.h1)
        path = f"{system.root}/toolchains/{name}"
        entry, tree = found.entry(path), found.trees.get(name)
        if entry.kind not in ("absent", "directory"):
            raise PlanError(
                f"{path} is in the way ({entry.describe()}): expected a directory of gostead's or "
                "nothing. Move it away"
            )
        if entry.kind == "directory" and Registered("toolchain", path) not in found.registry:
            raise PlanError(
                f"{path} exists and gostead did not make it: a tree of unknown origin is not "
                "adopted. Move it away"
            )
        values = {
            "root": system.root,
            "name": name,
            "module": module(name, system.platform),
            "h1_hex": wanted,
        }
        if tree is None:
            before, why, repair = "absent", _declared_as(declared, version), False
        elif tree.status == "stamped" and tree.stamped_hash == wanted:
            continue
        elif tree.status == "hashed" and tree.hash == wanted and not tree.oddities:
            if tree.stamp.split("\n", 1)[0] != f"1 {tree.summary} {wanted}":
                yield Change(
                    SUBJECT, f"{system.state}/stamps/{name}", "another time of change", "renewed",
                    "the tree's metadata changed; hashed, its contents are the release's",
                    "toolchains",
                    Script("change/stamp", {**values, "summary": tree.summary,
                                            "origin": tree.origin or "found in place, verified"}),
                )  # fmt: skip
            continue
        else:
            named = {line.split(" (")[0] for line in tree.differences}
            odd = [o if "(" in o else f"{o} (mode, owner or kind)" for o in tree.oddities]
            odd = [line for line in odd if line.split(" (")[0] not in named]
            wrong = [*tree.differences, *odd] or ["its contents are another release's"]
            shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            before, why, repair = "damaged", f"not what was released: {shown}", True
        impossible = why_not_by_host(declared, state, pin)
        if declared.toolchains.fetch == "host" and impossible:
            raise PlanError(f"fetch: host cannot bring {name}: {impossible}")
        fetched += 2 if repair else 1
        _check_space(state, fetched)
        yield Change(
            SUBJECT, path, before, name, why,
            "toolchains.default" if version == declared.toolchains.default
            else "toolchains.versions",
            Script("change/install", {**values, "repair": repair},
                   Toolchain(version, system.platform, pin.h1)),
        )  # fmt: skip


def profiles(declared: GoSetup, state: HostState) -> Iterator[Change]:
    """A profile for each declared version: goroot and the commands that PATH will find."""
    root = state.system.root
    for version in declared.toolchains.all_versions:
        name = f"go{version}"
        path = f"{root}/profiles/{name}"
        links = {f"{path}/goroot": f"../../toolchains/{name}"}
        links |= {f"{path}/bin/{command}": f"../goroot/bin/{command}" for command in COMMANDS}
        wrong = [p for p, t in links.items() if state.toolchains.entry(p).target != t]
        if wrong:
            if state.toolchains.entry(path).kind not in ("absent", "directory"):
                raise PlanError(
                    f"{path} is in the way ({state.toolchains.entry(path).describe()}): expected "
                    "a directory of gostead's or nothing. Move it away"
                )
            absent = state.toolchains.entry(path).kind == "absent"
            yield Change(
                SUBJECT, path, "absent" if absent else "incomplete", "complete",
                f"PATH reaches {name} through it" if absent
                else f"not as made: {', '.join(p.removeprefix(path + '/') for p in wrong)}",
                "toolchains",
                Script("change/profile", {"root": root, "name": name, "commands": COMMANDS}),
            )  # fmt: skip


def switch(state: HostState, target: str, why: str, key: str) -> Iterator[Change]:
    """The active profile, exchanged by one rename."""
    root, current = state.system.root, state.toolchains.entry(f"{state.system.root}/current")
    if current.kind not in ("absent", "link"):
        raise PlanError(
            f"{current.path} is in the way ({current.describe()}): expected a link of gostead's "
            "or nothing. Move it away"
        )
    if current.target != f"profiles/{target}":
        yield Change(
            SUBJECT, current.path, state.toolchains.active() or current.target or "absent", target,
            why, key,
            Script("change/switch", {"root": root, "before": current.target, "hold": None,
                                     "after": f"profiles/{target}"}),
        )  # fmt: skip


def _declared_as(declared: GoSetup, version: str) -> str:
    default = declared.toolchains.default
    return f"default is {default}" if version == default else "declared in versions"


def _check_macos(version: str, state: HostState) -> None:
    if state.system.name == "darwin" and state.system.version < minimum_macos(version):
        needed = ".".join(map(str, minimum_macos(version)))
        found = ".".join(map(str, state.system.version))
        raise PlanError(
            f"Go {version} needs macOS {needed} or newer, this host has "
            f"{found or 'an unknown one'}: declare an older Go for it in group_data/hosts"
        )


def _check_space(state: HostState, trees: int) -> None:
    found = state.toolchains
    for free, needed, what in (
        (found.free_kib, NEEDED_KIB * trees, "KiB"),
        (found.free_inodes, NEEDED_INODES * trees, "inodes"),
    ):
        if free is not None and free < needed:
            raise PlanError(
                f"not enough room on filesystem {found.filesystem} for {state.system.root}: "
                f"{free} {what} free, {needed} needed. Nothing was fetched"
            )
