"""What a user's shells do with Go, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

#: The ways a person or a machine starts a shell. `login`, `interactive`, `both` and `plain`
#: (neither) are asked of each installed shell; the others are what their name says.
MODES = (
    "login", "interactive", "both", "plain", "script", "ssh-command", "ssh-terminal",
    "su", "sudo-login", "sudo", "cron", "tmux", "nested", "bare",
)  # fmt: skip

Run = Callable[[str], bytes]
"""Runs a POSIX sh script on the host as whoever connects (root, or one user) and returns its
standard output; raises what its transport raises."""


@dataclass(frozen=True)
class Person:
    """A user as the host's user database knows it."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True)
class Variable:
    """An exported variable that Go reads: `shown` without the credentials of a URL, `digest` the
    sha256 of the value itself."""

    name: str
    shown: str
    digest: str


@dataclass(frozen=True)
class Cell:
    """One way of starting one shell for one user, and what it does with Go.

    `go` is the path of the `go` that runs there (what `command -v` says; empty: none); `resolved`
    the file behind its links; `count` how often the declared directory stands on PATH and
    `position` where first (1 is the front, 0 nowhere); `goroot` an exported GOROOT; `printed` what
    start-up wrote before our question, cut at 400 characters; `seconds` how long it took;
    `variables` what Go reads from the environment there, GOROOT apart.
    `status`: `asked`; `not-applicable` (why says so: no tmux here); `timeout`; `failed` (why).
    """

    user: str
    shell: str
    mode: str
    status: Literal["asked", "not-applicable", "timeout", "failed"] = "asked"
    why: str = ""
    go: str = ""
    resolved: str = ""
    count: int = 0
    position: int = 0
    path: str = ""
    goroot: str = ""
    printed: str = ""
    seconds: float = 0.0
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True)
class Cause:
    """The line that decided: one that changed PATH (`path`), GOROOT (`goroot`) or another variable
    (its name) in that way of starting, or the last command that was begun there (`end`; `value` is
    the command).

    `text` is the line itself as it stands in the file, cut at 200 characters.
    """

    user: str
    shell: str
    mode: str
    what: str
    file: str
    line: int
    text: str
    value: str = ""


def plain(cell: Cell) -> dict[str, Any]:
    """A cell as reports have it: variables by name, without the digests of what may be secrets."""
    data = dataclasses.asdict(cell)
    data["variables"] = {variable.name: variable.shown for variable in cell.variables}
    return data
