"""Part of the subject shells: the start-up files in the declared users' homes.

Which file for which way of starting a shell: bash(1) INVOCATION, zsh(1) STARTUP/SHUTDOWN FILES,
fish(1) CONFIGURATION; measured by running them. A block stands where the file's own later lines do
not undo it, as far as that goes without moving any of the user's lines.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks
from gostead.operations.change import Change, Content, Finding, Script
from gostead.templates import quote

SUBJECT = "shells"


@dataclass(frozen=True)
class Wanted:
    """A block (or, `whole`, a file of ours) that a home should have, and why."""

    path: str
    why: str
    text: str
    where: blocks.Where = "last"
    whole: bool = False
    marks: blocks.Marks = blocks.BLOCK

    @property
    def kind(self) -> str:
        """Its kind in the registry, less the user's name."""
        return "file" if self.whole else "after" if self.marks is blocks.AFTER else "block"


def source_line(root: str) -> str:
    """The line that a POSIX shell's block holds."""
    script = quote(f"{root}/env.sh")
    return f"if [ -r {script} ]; then . {script}; fi"


def fish_line(root: str) -> str:
    """The same in fish."""
    script = quote(f"{root}/env.fish")
    return f"if test -r {script}; source {script}; end"


def homes(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """What the homes of declared users lack, and what those of former ones have too much."""
    for name in state.shells.nobody:
        if name in declared.users:
            yield Finding(SUBJECT, name, "error", "no such user on this host",
                          "make the user, or take the name out of `users`", user=name)  # fmt: skip
    for home in state.shells.homes:
        ours = home.declared and _is_declared(declared, state, home)
        if home.error:
            if ours:
                yield Finding(SUBJECT, home.home, "error", home.error,
                              "mend the home, or take the user out of `users`",
                              user=home.name)  # fmt: skip
            continue
        wanted = list(wanted_in(declared, state, home)) if ours else []
        met: set[tuple[str, str]] = set()
        for item in wanted:
            key = (item.kind, home.resolve(item.path))
            if key not in met:  # two names may lead to one file
                met.add(key)
                yield from _converge(state, home, item)
        for known in registered_of(state, home.name):
            kind = known.kind.partition("@")[0]
            if kind in ("block", "after", "file") and (kind, known.path) not in met:
                yield from take_back(state, home, known, SUBJECT, "no longer asked for", "users")


def _is_declared(declared: GoSetup, state: HostState, home: Home) -> bool:
    """The probe was asked for the users of both operating systems."""
    system = state.system
    me = (system.sudo_user if system.uid == 0 else "") or system.user
    return (
        home.name in declared.users
        or ("self" in declared.users and home.name == me)
        or "humans" in declared.users
    )


def wanted_in(declared: GoSetup, state: HostState, home: Home) -> Iterator[Wanted]:
    """The blocks and files that this home should have."""
    root, kinds = state.system.root, declared.shells.wanted(state.shells.installed)
    line, at = source_line(root), home.home
    if "bash" in kinds:
        # Debian's own returns early where nobody types, and ssh host command reads it: the top.
        yield Wanted(f"{at}/.bashrc", "interactive bash and ssh commands read it", line, "first")
        for name in (".bash_profile", ".bash_login"):
            if home.entry(home.resolve(f"{at}/{name}")).kind != "absent":
                yield Wanted(f"{at}/{name}", "login shells of bash read it first", line)
    if "bash" in kinds or "sh" in kinds:
        yield Wanted(f"{at}/.profile", "login shells read it", line)
    if "zsh" in kinds:
        yield Wanted(f"{at}/.zshenv", "every zsh reads it", line)
        yield Wanted(f"{home.zdotdir}/.zprofile", "login shells of zsh read it, after "
                     "path_helper on macOS", line)  # fmt: skip
    if "sh" in kinds and posixpath.basename(home.shell) == "mksh":
        yield Wanted(f"{at}/.mkshrc", "interactive mksh reads it", line)
    system_fish = state.system.scope == "system" and (
        state.shells.entry("/etc/fish").kind == "directory"
    )
    if "fish" in kinds and not system_fish:
        text = f"# Written by gostead.\nsource {quote(root + '/env.fish')}\n"
        yield Wanted(f"{home.config}/fish/conf.d/gostead.fish", "fish reads it", text, whole=True)


def _converge(state: HostState, home: Home, wanted: Wanted) -> Iterator[Change | Finding]:
    entry = home.entry(home.resolve(wanted.path))
    ours = registered(state, home.name, wanted.kind, entry.path)
    if refusal := _refusal(home, wanted, entry, ours):
        what, mend = refusal
        yield Finding(SUBJECT, entry.path, "error", what, mend, user=home.name)
        return
    before = entry.content or b""
    text = wanted.text.encode("utf-8", "surrogateescape")
    if wanted.whole:
        after, detail = text, hashlib.sha256(text).hexdigest()
    else:
        after, joint = blocks.put(before, text, wanted.where, wanted.marks)
        detail = ours.detail if ours else "created" if entry.kind == "absent" else joint
    if after == before and ours and entry.kind == "file":
        return
    why = wanted.why
    if entry.path != wanted.path:
        why += f"; {wanted.path} leads there, and what keeps it (git?) will see a change"
    yield _change(state, home, entry, f"{wanted.kind}@{home.name}", detail, after, why)


def _refusal(
    home: Home, wanted: Wanted, entry: Entry, ours: Registered | None
) -> tuple[str, str] | None:
    if entry.path in home.unreadable:
        return f"cannot be read by {home.name}, so it is not changed", "mend its permissions"
    if entry.kind not in ("absent", "file"):
        return f"expected a file or nothing, found: {entry.describe()}", "move it away"
    if entry.kind == "absent" and entry.path != wanted.path:
        return f"{wanted.path} is a link that leads nowhere ({entry.path})", "mend or remove it"
    if entry.kind == "file" and entry.uid != home.uid:
        return f"belongs to uid {entry.uid}, not to {home.name}: left alone", "chown it"
    if entry.names > 1:
        return (
            f"is one file under {entry.names} names: a rename would part them, and writing in "
            "place can lose it all: left alone",
            "make it a file of its own (cp it aside, and mv it back) or a symbolic link",
        )
    if wanted.whole and entry.kind == "file" and not ours:
        return "exists and gostead did not write it: left alone", "move it away"
    return None


def _change(
    state: HostState, home: Home, entry: Entry, kind: str, detail: str, after: bytes, why: str
) -> Change:
    words = ("no block", "with a block") if not kind.startswith("file") else ("another", "as made")
    return Change(
        SUBJECT, entry.path, "absent" if entry.kind == "absent" else words[0], words[1], why,
        "users", _script(state, home, entry, kind, detail, after), home.name,
    )  # fmt: skip


def _script(
    state: HostState, home: Home, entry: Entry, kind: str, detail: str, after: bytes | None,
    forget: bool = False,
) -> Script:  # fmt: skip
    """The act on one file; `after` None removes it."""
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
    values = {
        "emptied": emptied,
        "root": state.system.root, "user": home.name, "uid": home.uid, "gid": home.gid,
        "home": home.home, "path": entry.path, "kind": kind, "detail": detail,
        "directories": missing, "mode": entry.mode or "644", "forget": forget,
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
    elif entry.kind == "file":
        marks = blocks.AFTER if kind == "after" else blocks.BLOCK
        after = blocks.take(content, item.detail, marks)
        if item.detail == "created" and not after:
            after = None
    script = _script(state, home, entry, item.kind, item.detail, after, forget=True)
    words = ("file of gostead's", "absent") if after is None else ("with a block", "without")
    if entry.kind == "absent":
        words = ("registered", "forgotten")
    yield Change(subject, item.path, *words, why, key, script, home.name)


def registered(state: HostState, user: str, kind: str, path: str) -> Registered | None:
    """The registry's line for that item of a user, if we made it."""
    found = (r for r in registered_of(state, user) if (r.kind, r.path) == (f"{kind}@{user}", path))
    return next(found, None)


def registered_of(state: HostState, user: str) -> list[Registered]:
    """All that the registry has of a user, in a fixed order."""
    found = (r for r in state.toolchains.registry if r.kind.endswith(f"@{user}"))
    return sorted(found, key=lambda r: (r.path, r.kind))
