"""Part of the subject toolchains: the links in the directory that every PATH has."""

from __future__ import annotations

from collections.abc import Iterator

from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.operations.change import Change, Finding, Script
from gostead.operations.guard import writable_by_others
from gostead.operations.registry import registered
from gostead.operations.trees import COMMANDS, SUBJECT


def links(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """/usr/local/bin/{go,gofmt} (user scope: ~/.local/bin), for what reads no start-up file."""
    directory = state.toolchains.entry(state.system.bin)
    policy = declared.toolchains.links
    if policy == "off":
        for command in COMMANDS:
            yield from unlink(state, f"{directory.path}/{command}", "links: off")
        return
    refusal = _refusal(state)
    if refusal:
        yield Finding(SUBJECT, directory.path, "warning", refusal,
                      "what reads no start-up file (sh -c, systemd units) will not find Go; "
                      "make the directory root's alone, or declare `links: off`")  # fmt: skip
        return
    for command in COMMANDS:
        path = f"{directory.path}/{command}"
        entry, ours = state.toolchains.entry(path), registered(state, "link", path)
        target = f"{state.system.root}/current/bin/{command}"
        if entry.target == target and ours:
            continue
        foreign = entry.kind != "absent" and not ours
        if entry.kind not in ("absent", "link") or (foreign and policy != "force"):
            what = f"not gostead's ({entry.describe()}): left alone"
            yield Finding(SUBJECT, path, "warning", what,
                          "it answers before the declared Go where PATH has no start-up file; "
                          "remove it, or declare `links: force` to take over a link")  # fmt: skip
            continue
        yield Change(
            SUBJECT, path, entry.target or "absent", target,
            "sh -c, systemd units and ssh commands find Go there"
            if state.system.scope == "system" else "on the PATH of many login shells",
            "toolchains.links",
            Script("change/link", {"root": state.system.root, "path": path, "target": target,
                                   "before": entry.target,
                                   "original": ours.detail if ours else entry.target}),
        )  # fmt: skip


def unlink(state: HostState, path: str, why: str) -> Iterator[Change]:
    """Takes a link of ours away, whatever it leads to now."""
    ours = registered(state, "link", path)
    if ours:
        command = path.rpartition("/")[2]
        target = f"{state.system.root}/current/bin/{command}"
        yield Change(
            SUBJECT, path, state.toolchains.entry(path).target or "absent",
            ours.detail or "absent", why, "toolchains.links",
            Script("change/unlink", {"root": state.system.root, "path": path, "target": target,
                                     "original": ours.detail}),
        )  # fmt: skip


def _refusal(state: HostState) -> str:
    directory = state.toolchains.entry(state.system.bin)
    if directory.kind == "absent":
        return ""
    if directory.kind != "directory":
        return f"expected a directory, found: {directory.describe()}"
    mode = int(directory.mode or "0", 8)
    if state.system.scope == "system" and (directory.uid != 0 or writable_by_others(directory)):
        return f"others than root can write it ({directory.describe()}): no links are made there"
    if state.system.scope == "user" and (directory.uid != state.system.uid or mode & 0o002):
        return f"others can write it ({directory.describe()}): no links are made there"
    return ""
