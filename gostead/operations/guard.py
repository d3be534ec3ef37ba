"""What must be so before anything on a host is changed. Every refusal names what was found."""

from __future__ import annotations

from gostead.declaration import GoSetup, Pin
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.operations.change import PlanError


def check_host(declared: GoSetup, state: HostState) -> None:
    """Raises PlanError where this host cannot be converged as declared."""
    system, toolchains = state.system, state.toolchains
    for path in state.unreadable:
        raise PlanError(
            f"cannot read {path} as {system.user}: what is there is unknown, so nothing is "
            "changed. Mend its permissions or connect as its owner"
        )
    if system.scope == "system" and system.uid != 0:
        raise PlanError(
            f"scope: system needs root, the connection is {system.user!r} (uid {system.uid}): "
            "connect as root, set `_sudo` in the inventory, or declare `scope: user`"
        )
    if system.scope == "user":
        _check_user_scope(declared, state)
    check_directory(toolchains.root, system.uid)
    if toolchains.root.kind == "directory" and toolchains.format is None:
        raise PlanError(
            f"{system.root} exists and gostead did not make it: expected nothing, or a directory "
            "with gostead's registry. Move it away"
        )


def _check_user_scope(declared: GoSetup, state: HostState) -> None:
    system = state.system
    if system.uid == 0 and system.sudo_user not in ("", "root"):
        raise PlanError(
            f"scope: user under sudo would write into a home of {system.sudo_user!r} as root: "
            f"run it as {system.sudo_user!r}, without sudo"
        )
    others = [user for user in declared.users if user not in ("self", system.user)]
    if others:
        raise PlanError(
            f"scope: user serves the connecting user ({system.user!r}) alone, declared are also "
            f"{', '.join(others)}: declare `scope: system`, or `users: [self]`"
        )


def check_platform(state: HostState) -> None:
    """Raises PlanError for a platform that no toolchain of ours runs on."""
    if not state.system.supported:
        raise PlanError(
            f"no Go toolchain is pinned for {state.system.platform}: expected one of linux-amd64, "
            "linux-arm64, darwin-amd64, darwin-arm64"
        )


def check_directory(entry: Entry, uid: int) -> None:
    """Raises PlanError where `entry` is there and no directory that `uid` alone can write."""
    if entry.kind == "absent":
        return
    if entry.kind != "directory":
        raise PlanError(
            f"{entry.path} is in the way ({entry.describe()}): expected a directory of gostead's "
            "or nothing. Move it away"
        )
    if entry.uid != uid or writable_by_others(entry):
        raise PlanError(
            f"{entry.path} is not ours alone ({entry.describe()}): expected owner {uid} and no "
            "write permission for group and others. Others could exchange what runs as `go`"
        )


def writable_by_others(entry: Entry) -> bool:
    """Whether group or others may write the directory or file."""
    return bool(int(entry.mode or "0", 8) & 0o022)


def why_not_by_host(declared: GoSetup, state: HostState, pin: Pin) -> str:
    """Why the host cannot fetch an archive itself; empty where it can. Only with a sha256 pin,
    verified there before anything is unpacked."""
    toolchains = declared.toolchains
    if pin.sha256 is None:
        return "no sha256 is pinned for the archive: pin it, or declare `fetch: controller`"
    if "archive" not in toolchains.sources:
        return "sources has no archive: add it, or declare `fetch: controller`"
    if toolchains.archive_url.startswith("file:"):
        return "archive_url is a file of the controller: declare `fetch: controller`"
    if state.system.fetcher != "curl":
        return "the host has no curl: install it, or declare `fetch: controller`"
    return ""
