"""No process that Go work of the declared users left behind is there: by ps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import Answer, Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup
from gostead.declaration.durations import seconds, spoken

SUBJECT = "orphans"
PS = "ps -A -ww -o pid= -o ppid= -o uid= -o etime= -o args="
#: What go starts by its whole path, and what editors start by its name.
GO_WORK = re.compile(
    r"(/go-build\d+/b\d+/(exe/[^/]+|[^/]+\.test)|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+"
    r"|/pkg/tool/\w+/(asm|cgo|compile|cover|link|vet)|(^|/)(gopls|dlv)|/__debug_bin\d*)$"
)
ON_PURPOSE = re.compile(r"\*\* telemetry \*\*|gopls.* --?(listen|port)\b")


@dataclass(frozen=True)
class Row:
    """A line of ps."""

    pid: int
    ppid: int
    uid: int
    age: int
    command: str


def test_nothing_of_go_is_left_running(
    host: Any, run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Any
) -> None:
    action = setup.orphans.action
    if setup.state == "absent" or action == "off":
        pytest.skip("nobody is to look")
    answer = ask(host, PS)
    if answer.code:
        pytest.skip("ps of this host does not tell how old a process is")
    names = {person.uid: person.name for person in shells_of(run, where, setup).people}
    if where.scope == "user":
        names = {uid: name for uid, name in names.items() if uid == where.uid}
    findings = []
    for row in _orphans(answer, set(names), seconds(setup.orphans.min_age)):
        if _of_a_service(host, row) or _of_another_root(host, row):
            continue
        findings.append(
            AuditFinding(
                SUBJECT, f"process {row.pid}",
                f"runs for {spoken(row.age)} without its parent: {printable(row.command, 120)}",
                "gostead apply" if action == "terminate" else f"kill {row.pid}",
                "error" if action == "terminate" else "warning", names[row.uid],
            )
        )  # fmt: skip
    failing = findings[:1] if action == "terminate" else []
    for finding in findings[len(failing) :]:
        note(finding)
    if failing:
        raise NotAsDeclared(failing[0])


def _orphans(answer: Answer, uids: set[int], min_age: int) -> Iterator[Row]:
    rows = {row.pid: row for row in map(_row, answer.out.split("\n")) if row}
    for row in rows.values():
        words = row.command.split(" ")
        above = rows.get(row.ppid)
        manager = above and above.uid == row.uid and re.match(r"\S*systemd --user", above.command)
        if (
            row.uid in uids
            and GO_WORK.search(words[0])
            and (row.ppid == 1 or manager)
            and row.age > min_age
            and not ON_PURPOSE.search(row.command)
        ):
            yield row


def _row(line: str) -> Row | None:
    words = line.split(None, 4)
    if len(words) < 5 or not all(word.isdigit() for word in words[:3]):
        return None  # the rest of an argument with a line feed in it
    days, _, clock = words[3].rpartition("-")
    age = int(days or 0) * 86400
    for place, part in enumerate(reversed(clock.split(":"))):
        age += int(part) * 60**place
    return Row(int(words[0]), int(words[1]), int(words[2]), age, words[4])


def _of_a_service(host: Any, row: Row) -> bool:
    """Where there are cgroups; the user's own manager is none."""
    said = ask(host, 'ps -o cgroup= -p "$1"', str(row.pid)).out
    own = f"user@{row.uid}.service"
    return any(part.endswith(".service") and part != own for part in re.split(r"[/,\s]", said))


def _of_another_root(host: Any, row: Row) -> bool:
    """The machine's, seen from an image, or a container's, seen from the machine."""
    script = '[ ! -e "/proc/$1/root" ] || [ "/proc/$1/root" -ef / ]'
    return ask(host, script, str(row.pid)).code != 0
