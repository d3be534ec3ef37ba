"""Part of the subject shells: the start-up files in the declared users' homes.

Which file for which way of starting a shell: bash(1) INVOCATION, zsh(1) STARTUP/SHUTDOWN FILES,
fish(1) CONFIGURATION; measured by running them. A block stands where the file's own later lines do
not undo it, as far as that goes without moving any of the user's lines.
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks, launchd, learning, runner_services, runners
from gostead.operations.change import Change, Finding
from gostead.operations.crontabs import crontab
from gostead.operations.goroot import goroot_lines, told
from gostead.operations.home_files import (
    KINDS,
    SUBJECT,
    fish_line,
    home_script,
    is_declared,
    registered,
    registered_of,
    source_line,
    take_back,
)
from gostead.templates import quote


@dataclass(frozen=True)
class Wanted:
    """A block (or, `whole`, a file of ours) that a home should have, and why."""

    path: str
    why: str
    text: str
    where: blocks.Where = "last"
    whole: bool = False
    only_last: bool = False  # nothing but blank lines may follow: known from running the shells
    start: str = ""  # a script of the user's that puts it into force
    label: str = ""  # launchd's name of what is then there
    marks: blocks.Marks = blocks.BLOCK

    @property
    def kind(self) -> str:
        """Its kind in the registry, less the user's name."""
        return "file" if self.whole else "after" if self.marks is blocks.AFTER else "block"


def homes(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """What the homes of declared users lack, and what those of former ones have too much."""
    for path in declared.shells.runners:
        if not any(path in home.runners for home in state.shells.homes):
            yield Finding(SUBJECT, path, "error", "is no directory of a declared user",
                          "declare the user whose runner it is, or take it out")  # fmt: skip
    for name in state.shells.nobody:
        if name in declared.users:
            yield Finding(SUBJECT, name, "error", "no such user on this host",
                          "make the user, or take the name out of `users`", user=name)  # fmt: skip
    for home in state.shells.homes:
        ours = is_declared(declared, state, home)
        if home.error:
            if ours:
                yield Finding(SUBJECT, home.home, "error", home.error,
                              "mend the home, or take the user out of `users`",
                              user=home.name)  # fmt: skip
            continue
        wanted = _with_last(state, home, list(wanted_in(declared, state, home))) if ours else []
        met: set[tuple[str, str]] = set()
        for item in wanted:
            key = (item.kind, home.resolve(item.path))
            if key not in met:  # two names may lead to one file
                met.add(key)
                yield from _converge(state, home, item)
        if ours and declared.shells.cron:
            met.add(("cron", "/crontab"))
            known_table = registered(state, home.name, "cron", "/crontab")
            yield from crontab(state, home, known_table, SUBJECT)
        moved: set[str] = set()
        if ours:
            for path, found in _runners(declared, state, home):
                met.add(("runner", path))
                if found:
                    yield found
                if isinstance(found, Change):
                    moved.add(posixpath.dirname(path))
            yield from goroot_lines(declared, state, home)
            yield from told(declared, state, home)
        for known in registered_of(state, home.name):
            kind = known.kind.partition("@")[0]
            asked = kind == "goroot" and ours and declared.shells.goroot == "comment-out"
            if kind in KINDS and not asked and (kind, known.path) not in met:
                yield from take_back(state, home, known, SUBJECT, "no longer asked for", "users")
                if kind == "runner":
                    moved.add(posixpath.dirname(known.path))
        for runner in sorted({*moved, *(home.runners if ours else ())}):
            yield from runner_services.restart(state, home, runner, SUBJECT, "shells.runners",
                                               moved=runner in moved)  # fmt: skip


def _runners(
    declared: GoSetup, state: HostState, home: Home
) -> Iterator[tuple[str, Change | Finding | None]]:
    """The files of the user's CI runners, each with what it lacks."""
    directory = f"{state.system.root}/current/bin"
    for runner in (path for path in declared.shells.runners if path in home.runners):
        for name, put in ((".path", runners.put), (".env", runners.put_env)):
            entry = home.entry(f"{runner}/{name}")
            ours = registered(state, home.name, "runner", entry.path)
            if entry.kind == "absent" and name == ".env":
                continue
            if entry.kind not in ("absent", "file") or (
                entry.kind == "file" and entry.content is None
            ):
                what = f"expected a file: {entry.describe()}"
                yield entry.path, Finding(SUBJECT, entry.path, "error", what, "mend it",
                                          user=home.name)  # fmt: skip
                continue
            before = entry.content or b""
            if name == ".env" and re.search(rb"(?m)^GOROOT=", before):
                what = "it sets GOROOT for every job"
                yield entry.path, Finding(SUBJECT, entry.path, "warning", what,
                                          "take the line out", user=home.name)  # fmt: skip
            after = put(before, directory)
            if after == before and (ours is not None or name == ".env"):
                yield entry.path, None
                continue
            detail = ours.detail if ours else "created" if entry.kind == "absent" else ""
            script = home_script(state, home, entry, f"runner@{home.name}", detail, after,
                                 runner=runner)  # fmt: skip
            yield entry.path, Change(
                SUBJECT, entry.path, "another PATH", "Go first",
                "the runner's jobs get their PATH from it", "shells.runners", script, home.name,
            )  # fmt: skip


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
    if declared.shells.gui and state.system.name == "darwin":
        yield Wanted(launchd.place(at, launchd.SCREEN), "what is started at the screen has its "
                     "PATH from launchd", launchd.screen_agent(root), whole=True,
                     start=launchd.load(at, launchd.SCREEN), label=launchd.SCREEN)  # fmt: skip


def _with_last(state: HostState, home: Home, wanted: list[Wanted]) -> list[Wanted]:
    """The same, with the last word in the files where running the shells showed the need of it."""
    line = source_line(state.system.root)
    for (path,) in learning.parse(home.trace).of("last"):
        why = "a line further down takes another go to the front; found by running the shell"
        known = next((w for w in wanted if w.path == path and not w.whole), None)
        if known is None:
            text = fish_line(state.system.root) if path.endswith(".fish") else line
            wanted.append(Wanted(path, why, text, only_last=True))
        elif known.where == "first":
            wanted.append(Wanted(path, why, line, only_last=True, marks=blocks.AFTER))
        else:
            wanted[wanted.index(known)] = dataclasses.replace(known, why=why, only_last=True)
    return wanted


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
        moved = wanted.only_last and ours and not blocks.is_last(before, wanted.marks)
        stays = blocks.take(before, ours.detail, wanted.marks) if moved and ours else before
        after, joint = blocks.put(stays, text, wanted.where, wanted.marks)
        detail = "created" if entry.kind == "absent" else joint
        if ours and not moved:
            detail = ours.detail
    loaded = not wanted.label or wanted.label not in home.unloaded
    if after == before and ours and entry.kind == "file" and loaded:
        return
    why = wanted.why
    if entry.path != wanted.path:
        why += f"; {wanted.path} leads there, and what keeps it (git?) will see a change"
    yield _change(state, home, entry, wanted, detail, after, why)


def _refusal(
    home: Home, wanted: Wanted, entry: Entry, ours: Registered | None
) -> tuple[str, str] | None:
    if entry.kind == "file" and entry.content is None:
        return f"cannot be read by {home.name}, so it is not changed", "mend its mode or size"
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
    state: HostState, home: Home, entry: Entry, wanted: Wanted, detail: str, after: bytes, why: str
) -> Change:
    words = ("another", "as made") if wanted.whole else ("no block", "with a block")
    if wanted.whole and after == entry.content:
        words = ("not loaded", "as made")
    kind = f"{wanted.kind}@{home.name}"
    script = home_script(state, home, entry, kind, detail, after, prove=wanted.start,
                         label=wanted.label)  # fmt: skip
    return Change(
        SUBJECT, entry.path, "absent" if entry.kind == "absent" else words[0], words[1], why,
        "users", script, home.name,
    )  # fmt: skip
