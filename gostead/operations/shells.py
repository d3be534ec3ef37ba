"""The start-up files that put the declared Go first on PATH in login shells.

System scope: a file of ours in /etc/profile.d (bash, sh), a block in /etc/zsh/zshenv (Debian's zsh
does not read profile.d), a file in fish's conf.d, /etc/paths.d on macOS. User scope: a block in the
start-up files of the user's login shells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.toolchains import Registered
from gostead.operations import blocks
from gostead.operations.change import Change, Content, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.templates import quote, render

SUBJECT = "shells"


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    changes: list[Change] = []
    findings: list[Finding] = []
    for found in [*_files(state), *_blocks(state)]:
        if isinstance(found, Change):
            changes.append(found)
        else:
            findings.append(found)
    return Plan(tuple(changes), tuple(findings))


def _files(state: HostState) -> Iterator[Change | Finding]:
    system, shells = state.system, state.shells
    root, bin_ = system.root, f"{system.root}/current/bin"
    yield from _file(
        state, f"{root}/env.sh", render("env.sh.j2", bin=bin_), "POSIX shells source it"
    )
    fish = "fish" in shells.installed
    if fish:
        yield from _file(
            state, f"{root}/env.fish", render("env.fish.j2", bin=bin_), "fish sources it"
        )
    source_fish = f"# Written by gostead.\nsource {quote(root + '/env.fish')}\n"
    if system.scope == "user":
        if fish:
            path = shells.resolve(f"{system.home}/.config/fish/conf.d/gostead.fish")
            yield from _file(state, path, source_fish, "fish reads it")
        return
    if shells.entry("/etc/profile.d").kind == "directory":
        text = f"# Written by gostead; `gostead remove` takes it away.\n{_line(root)}\n"
        yield from _file(
            state, "/etc/profile.d/gostead.sh", text, "login shells of bash and sh read it"
        )
    if fish and shells.entry("/etc/fish").kind == "directory":
        yield from _file(state, "/etc/fish/conf.d/gostead.fish", source_fish, "fish reads it")
    if system.name == "darwin":
        yield from _file(state, "/etc/paths.d/gostead", f"{bin_}\n", "path_helper reads it")


def _blocks(state: HostState) -> Iterator[Change | Finding]:
    system, shells = state.system, state.shells
    if system.scope == "system":
        if shells.entry("/etc/zsh").kind == "directory":
            yield from _block(state, "/etc/zsh/zshenv", "every zsh reads it")
        return
    home = system.home
    yield from _block(state, f"{home}/.profile", "login shells read it")
    for name in (".bash_profile", ".bash_login"):
        # Where one of them exists, bash does not read ~/.profile.
        if shells.entry(shells.resolve(f"{home}/{name}")).kind != "absent":
            yield from _block(state, f"{home}/{name}", "login shells of bash read it first")
    zprofile = f"{home}/.zprofile"
    if "zsh" in shells.installed or shells.entry(shells.resolve(zprofile)).kind != "absent":
        yield from _block(state, zprofile, "login shells of zsh read it")


def _line(root: str) -> str:
    script = quote(f"{root}/env.sh")
    return f"if [ -r {script} ]; then . {script}; fi"


def _file(state: HostState, path: str, text: str, why: str) -> Iterator[Change | Finding]:
    entry, content = state.shells.entry(path), text.encode("utf-8", "surrogateescape")
    ours = registered(state, "file", path)
    if refusal := _refusal(entry):
        yield Finding(SUBJECT, path, "error", refusal, "move it away, and apply again")
    elif entry.kind == "file" and not ours:
        yield Finding(SUBJECT, path, "error", "exists and gostead did not write it: left alone",
                      "move it away, and apply again")  # fmt: skip
    elif entry.content != content or (entry.mode, entry.uid) != ("644", state.system.uid):
        yield _write(state, entry, content, "file", digest(content), "644", why)


def _block(state: HostState, path: str, why: str) -> Iterator[Change | Finding]:
    entry = state.shells.entry(state.shells.resolve(path))
    ours = registered(state, "block", entry.path)
    if refusal := _refusal(entry):
        yield Finding(SUBJECT, entry.path, "error", refusal, "mend it, and apply again")
        return
    before = entry.content or b""
    after, joint = blocks.put(before, _line(state.system.root).encode("utf-8", "surrogateescape"))
    if after == before and ours:
        return
    detail = ours.detail if ours else ("created" if entry.kind == "absent" else joint)
    yield _write(state, entry, after, "block", detail, entry.mode or "644", why)


def _write(
    state: HostState, entry: Entry, content: bytes, kind: str, detail: str, mode: str, why: str
) -> Change:
    # A block stands in somebody's file, which stays theirs.
    same_owner = kind == "file" or entry.uid in (None, state.system.uid)
    words = {"file": ("another content or mode", "as made"), "block": ("no block", "with a block")}
    return Change(
        SUBJECT, entry.path, "absent" if entry.kind == "absent" else words[kind][0], words[kind][1],
        why, "scope",
        Script(
            "change/file",
            {
                "root": state.system.root, "path": entry.path, "kind": kind, "detail": detail,
                "before": digest(entry.content) if entry.kind == "file" else "absent",
                "after": digest(content), "mode": mode,
                "owner": "" if same_owner else f"{entry.uid}:{entry.gid}",
            },
            Content(content),
        ),
    )  # fmt: skip


def _refusal(entry: Entry) -> str:
    if entry.kind not in ("absent", "file"):
        return f"expected a file or nothing, found: {entry.describe()}"
    if entry.kind == "file" and entry.content is None:
        return "cannot be read, so it is not changed"
    return ""


def registered(state: HostState, kind: str, path: str) -> Registered | None:
    """The registry's line for that item, if we made it."""
    found = (r for r in state.toolchains.registry if (r.kind, r.path) == (kind, path))
    return next(found, None)


def digest(content: bytes | None) -> str:
    """The sha256 of a file's bytes, hexadecimal, as a host's script compares it."""
    return hashlib.sha256(content or b"").hexdigest()


@operation()
def shells(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Puts the declared Go first on PATH in the login shells of the declared scope.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
