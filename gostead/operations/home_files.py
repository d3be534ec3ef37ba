"""Part of the subject shells: one file in one home, written or taken back by its owner."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks, crontabs, launchd, runners
from gostead.operations.change import Change, Content, Finding, Script
from gostead.templates import quote

SUBJECT = "shells"
#: The registry's kinds of this subject, less the user's name.
KINDS = ("block", "after", "file", "goroot", "runner", "cron")
GOROOT_MARK = b"true # gostead: "


def source_line(root: str) -> str:
    """The line that a POSIX shell's block holds."""
    script = quote(f"{root}/env.sh")
    return f"if [ -r {script} ]; then . {script}; fi"


def fish_line(root: str) -> str:
    """The same in fish."""
    script = quote(f"{root}/env.fish")
    return f"if test -r {script}; source {script}; end"


def home_script(
    state: HostState, home: Home, entry: Entry, kind: str, detail: str, after: bytes | None,
    forget: bool = False, save: bool = False, runner: str = "", prove: str = "",
    told: str = "", mode: str = "", label: str = "",
) -> Script:  # fmt: skip
    """The act on one file of a home, made by its owner; `after` None removes it, `forget` strikes
    it from the registry, `save` keeps the bytes that were there among our own, and the service of
    `runner`, where it is active, is registered as one to be started again; `prove` is a script that
    its owner runs afterwards, with `told` on its standard input; `mode` is the file's, where it is
    not to stay as it is. `label` is launchd's name of an agent whose file this is."""
    missing: list[str] = []
    directory = posixpath.dirname(entry.path)
    while (
        after is not None
        and directory != "/"
        and home.entries.get(directory, Entry(directory, "directory")).kind == "absent"
    ):
        missing.insert(0, directory)
        directory = posixpath.dirname(directory)
    emptied = [
        r.path
        for r in sorted(registered_of(state, home.name), key=lambda r: -len(r.path))
        if after is None and r.kind.startswith("dir@") and entry.path.startswith(f"{r.path}/")
    ]
    service = runners.service_of(state.shells, home, runner) if runner else None
    values = {
        "emptied": emptied,
        "root": state.system.root, "user": home.name, "uid": home.uid, "gid": home.gid,
        "home": home.home, "path": entry.path, "kind": kind, "detail": detail,
        "directories": missing, "mode": mode or entry.mode or "644", "forget": forget,
        "save": save, "runner": runner, "unit": service.name if service else "",
        "prove": prove, "told": told, "unload": launchd.unload(label) if label else "",
        "act": "remove" if after is None else "write",
        "before": hashlib.sha256(entry.content or b"").hexdigest()
        if entry.kind == "file" else "absent",
        "after": hashlib.sha256(after or b"").hexdigest(),
    }  # fmt: skip
    return Script("change/home", values, Content(after or b""))


def take_back(
    state: HostState, home: Home, item: Registered, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """Takes a block or file of ours out of a home again; what was edited since stays."""
    entry, kind = home.entry(item.path), item.kind.partition("@")[0]
    content, after = entry.content or b"", None
    if entry.kind == "file" and kind == "file":
        if hashlib.sha256(content).hexdigest() != item.detail:
            yield Finding(subject, item.path, "warning", "edited since gostead wrote it: left",
                          "remove it if nobody needs it", user=home.name)  # fmt: skip
            return
    elif entry.kind == "file" and kind == "goroot":
        after = restored(content)
    elif entry.kind == "file" and kind == "runner":
        after = runners.take(content, f"{state.system.root}/current/bin")
        if item.detail == "created" and after == runners.REST:
            after = None
    elif entry.kind == "file":
        marks = blocks.AFTER if kind == "after" else blocks.BLOCK
        after = blocks.take(content, item.detail, marks)
        if item.detail == "created" and not after:
            after = None
    if kind == "cron":
        yield from crontabs.take_back(state, home, item, subject, why, key)
        return
    runner = posixpath.dirname(item.path) if kind == "runner" else ""
    agent = item.path == launchd.place(home.home, launchd.SCREEN)
    script = home_script(
        state, home, entry, item.kind, item.detail, after, forget=True, runner=runner,
        prove=launchd.unload(launchd.SCREEN) if agent else "",
    )  # fmt: skip
    words = ("file of gostead's", "absent") if after is None else ("with a block", "without")
    if kind == "goroot":
        words = ("without an exported GOROOT", "as it was")
    if entry.kind == "absent":
        words = ("registered", "forgotten")
    yield Change(subject, item.path, *words, why, key, script, home.name)


def is_declared(declared: GoSetup, state: HostState, home: Home) -> bool:
    """Whether the home is that of a declared user: the probe was asked for the users of both
    operating systems."""
    system = state.system
    me = (system.sudo_user if system.uid == 0 else "") or system.user
    return home.declared and (
        home.name in declared.users
        or ("self" in declared.users and home.name == me)
        or "humans" in declared.users
    )


def registered(state: HostState, user: str, kind: str, path: str) -> Registered | None:
    """The registry's line for that item of a user, if we made it."""
    found = (r for r in registered_of(state, user) if (r.kind, r.path) == (f"{kind}@{user}", path))
    return next(found, None)


def registered_of(state: HostState, user: str) -> list[Registered]:
    """All that the registry has of a user, in a fixed order."""
    found = (r for r in state.toolchains.registry if r.kind.endswith(f"@{user}"))
    return sorted(found, key=lambda r: (r.path, r.kind))


def restored(content: bytes) -> bytes:
    """The content with every line that we made a comment as it was."""
    return b"\n".join(line.removeprefix(GOROOT_MARK) for line in content.split(b"\n"))
