"""Part of the subject shells: what running the shells found against us, a GOROOT first of all.

An exported GOROOT meets another `go` sooner or later: `compile: version "go1.26.6" does not match
go tool version "go1.27.3"`. A line is only touched where it still is what was traced, and where it
is one simple statement.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator

from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.operations import learning
from gostead.operations.change import Change, Finding
from gostead.operations.home_files import GOROOT_MARK, SUBJECT, home_script
from gostead.trace.survey import printable

_SIMPLE = re.compile(
    rb"[ \t]*((export|declare -x|typeset -x|typeset -gx)[ \t]+)?GOROOT=[^;&|`\\]*"
    rb"|[ \t]*export[ \t]+GOROOT[ \t]*"
    rb"|[ \t]*set[ \t]+(-gx|-x|-Ux|-gUx|--global --export|-g -x)[ \t]+GOROOT[ \t]+[^;&|`\\]*"
)


def goroot_lines(declared: GoSetup, state: HostState, home: Home) -> Iterator[Change | Finding]:
    """The lines that export a GOROOT: reported, or made comments where that is declared."""
    for found in learning.parse(home.trace).of("goroot"):
        path, number, mark = found
        entry = home.entry(home.resolve(path))
        lines = (entry.content or b"").split(b"\n")
        index = int(number) - 1
        text = lines[index] if 0 <= index < len(lines) else b""
        shown = printable(text.decode("utf-8", "surrogateescape").strip(), 200)
        where = f"{path}:{number}"
        holds = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest() == mark
        inside = path.startswith(f"{home.home}/")
        if inside and not holds:
            continue  # the file has changed: the next trace tells
        if declared.shells.goroot == "report" or not inside:
            yield _told(home, where, shown, "take that line out" + (
                ", or declare `shells: {goroot: comment-out}`" if inside else ""))  # fmt: skip
        elif entry.kind != "file" or entry.uid != home.uid or entry.names > 1:
            yield _told(home, where, shown, "the file is not the user's alone: take the line out")
        elif not _SIMPLE.fullmatch(text.rstrip(b"\r")):
            yield _told(home, where, shown, "it is more than one simple statement: take it out")
        else:
            lines[index] = GOROOT_MARK + text
            script = home_script(state, home, entry, f"goroot@{home.name}", "",
                                 b"\n".join(lines), save=True)  # fmt: skip
            yield Change(
                SUBJECT, entry.path, "exports a GOROOT", f"line {number} is a comment",
                "with another go on PATH a build mixes two releases", "shells.goroot",
                script, home.name,
            )  # fmt: skip


def _told(home: Home, where: str, shown: str, mend: str) -> Finding:
    return Finding(SUBJECT, "GOROOT", "warning", f"a GOROOT is exported: {shown}", mend, where,
                   home.name)  # fmt: skip


def told(declared: GoSetup, state: HostState, home: Home) -> Iterator[Finding]:  # noqa: ARG001
    """What no block of ours can win against, and what is not known since a file changed."""
    known = learning.parse(home.trace)
    if learning.stale(state, home):
        yield Finding(
            SUBJECT, home.home, "note", "start-up files changed since the shells were run",
            "gostead audit runs them; gostead apply --deep runs them and mends", user=home.name,
        )  # fmt: skip
        return
    found: dict[tuple[str, str], list[str]] = {}
    for shell, mode, where, text in known.of("beaten"):
        found.setdefault((where, text), []).append(f"{shell} {mode}")
    for (where, text), modes in found.items():
        name = posixpath.basename(where.rpartition(":")[0]) or "a start-up file"
        yield Finding(
            SUBJECT, ", ".join(modes), "warning",
            f"another go answers first: {text}" if text else "another go answers first",
            f"take the line out of {name}, or move it above gostead's block", where, home.name,
        )  # fmt: skip
