"""The start-up files that put the declared Go first on PATH in every shell that reads one.

System scope: a file of ours in /etc/profile.d (login shells of bash and sh), blocks in Debian's
/etc/bash.bashrc and /etc/zsh/zshenv, a file in fish's conf.d, a PATH in /etc/environment (PAM: ssh
commands of shells that read nothing), /etc/paths.d on macOS. Both scopes: the users' own files.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.operations import blocks
from gostead.operations.change import Change, Finding, Plan
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.home_files import source_line
from gostead.operations.homes import homes
from gostead.operations.learning import learn, stale
from gostead.operations.registry import digest, file_script, registered
from gostead.templates import quote, render

SUBJECT = "shells"


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    kinds = declared.shells.wanted(state.shells.installed)
    untried = any(home.declared and stale(state, home) for home in state.shells.homes)
    return Plan.of(
        [*_files(state, kinds), *_blocks(state, kinds), *homes(declared, state)], untried=untried
    )


def _files(state: HostState, kinds: tuple[str, ...]) -> Iterator[Change | Finding]:
    system, shells = state.system, state.shells
    root, bin_ = system.root, f"{system.root}/current/bin"
    yield from _file(
        state, f"{root}/env.sh", render("env.sh.j2", bin=bin_), "POSIX shells source it"
    )
    if "fish" in kinds:
        yield from _file(
            state, f"{root}/env.fish", render("env.fish.j2", bin=bin_), "fish sources it"
        )
    if system.scope == "user":
        return
    login = "sh" in kinds or "bash" in kinds
    if login and shells.entry("/etc/profile.d").kind == "directory":
        text = f"# Written by gostead; `gostead remove` takes it away.\n{source_line(root)}\n"
        yield from _file(
            state, "/etc/profile.d/gostead.sh", text, "login shells of bash and sh read it"
        )
    if "fish" in kinds and shells.entry("/etc/fish").kind == "directory":
        text = f"# Written by gostead.\nsource {quote(root + '/env.fish')}\n"
        yield from _file(state, "/etc/fish/conf.d/gostead.fish", text, "fish reads it")
    if system.name == "darwin":
        yield from _file(state, "/etc/paths.d/gostead", f"{bin_}\n", "path_helper reads it")


def _blocks(state: HostState, kinds: tuple[str, ...]) -> Iterator[Change | Finding]:
    shells, root = state.shells, state.system.root
    if state.system.scope == "user":
        return
    if "zsh" in kinds and shells.entry("/etc/zsh").kind == "directory":
        yield from _block(state, "/etc/zsh/zshenv", source_line(root), "every zsh reads it")
    # It returns early where nobody types, and bash reads it for ssh host command too: the top.
    if "bash" in kinds and shells.entry("/etc/bash.bashrc").kind == "file":
        yield from _block(
            state, "/etc/bash.bashrc", source_line(root), "interactive bash reads it", "first"
        )
    if state.system.name == "linux" and shells.entry("/etc/pam.d").kind == "directory":
        yield from _block(
            state, "/etc/environment", _pam_line(state),
            "PAM sets it for ssh host command where the shell reads no file",
        )  # fmt: skip


#: PATH of a session that PAM opens, where /etc/environment says none (Debian's and Ubuntu's own).
SESSION_PATH = (
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games"
)


def _pam_line(state: HostState) -> str:
    """PATH with Go in front of what the file's own last PATH line says (PAM expands nothing)."""
    directory, path = f"{state.system.root}/current/bin", SESSION_PATH
    content = blocks.take(state.shells.entry("/etc/environment").content or b"", "")
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() == "PATH" and value.strip("\"' \t"):
            path = value.strip("\"' \t")
    others = [part for part in path.split(":") if part != directory]
    return f'PATH="{":".join([directory, *others])}"'


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


def _block(
    state: HostState, path: str, line: str, why: str, where: blocks.Where = "last"
) -> Iterator[Change | Finding]:
    entry = state.shells.entry(state.shells.resolve(path))
    ours = registered(state, "block", entry.path)
    if refusal := _refusal(entry):
        yield Finding(SUBJECT, entry.path, "error", refusal, "mend it, and apply again")
        return
    before = entry.content or b""
    after, joint = blocks.put(before, line.encode("utf-8", "surrogateescape"), where)
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
        file_script(state, entry, content, kind, mode, detail=detail,
                    owner="" if same_owner else f"{entry.uid}:{entry.gid}"),
    )  # fmt: skip


def _refusal(entry: Entry) -> str:
    if entry.kind not in ("absent", "file"):
        return f"expected a file or nothing, found: {entry.describe()}"
    if entry.kind == "file" and entry.content is None:
        return "cannot be read, so it is not changed"
    return ""


@operation()
def shells(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Puts the declared Go first on PATH in the shells of the host and of the declared users.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory, learn)
