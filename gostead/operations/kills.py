"""Part of the subject slices: processes that the kernel killed for want of memory: in which unit,
over which limit, and as entries of the journal."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from gostead.declaration.sizes import written
from gostead.facts.kills import Kill
from gostead.facts.slices import SlicesState
from gostead.operations.budget_groups import children, label, root_of, roots, since, unit_of
from gostead.operations.change import Finding
from gostead.operations.unit_files import SLICE

SUBJECT = "slices"
NAMED = 3  # processes that a finding names; the journal has them all
BUDGET, OWN, OTHER, HOST = range(4)
MEND = {
    BUDGET: "raise memory_max, or declare go_limits: auto",
    OWN: "raise that limit, or declare go_limits: auto",
    OTHER: "raise that limit",
    HOST: "lower memory_max, so that everything else on the host has room",
}


class Told(Finding):
    """A finding that says what happened since the last run."""


def killed(state: SlicesState) -> Iterator[Told]:
    """What to tell of kills, each of the innermost unit that is known."""
    inside = _by_unit(state)
    for path, number in sorted(_numbers(state, inside).items()):
        kills = inside.get(path, [])
        for reason in sorted({_reason(state, kill) for kill in kills}):
            these = [kill for kill in kills if _reason(state, kill) == reason]
            names = [f"{k.task} (process {k.pid} of uid {k.uid})" for k in these[:NAMED]]
            names += [f"{len(these) - NAMED} more"] if len(these) > NAMED else []
            yield _told(state, path, len(these), reason, these[0], ": " + ", ".join(names))
        if number > len(kills):
            yield _told(state, path, number - len(kills), BUDGET, None, "; the kernel's log does "
                        "not say which")  # fmt: skip
    if state.journal.more:
        what = f"the kernel's log has {state.journal.more} more lines about kills"
        yield Told(SUBJECT, SLICE, "note", f"{what}, too many or not clear",
                   "journalctl _TRANSPORT=kernel has them")  # fmt: skip


def entries(state: SlicesState) -> list[list[str]]:
    """The fields of an entry of the journal for each kill (systemd.journal-fields(7)):
    "NAME=value", no value with a line's end in it."""
    found = []
    for path, kills in sorted(_by_unit(state).items()):
        for kill in kills:
            why = _why(kill, _reason(state, kill))
            moment = datetime.datetime.fromtimestamp(int(kill.when.split(".")[0]), datetime.UTC)
            fields = {
                "MESSAGE": f"{kill.task} (process {kill.pid} of uid {kill.uid}) in {label(path)} "
                           f"was killed: {why}",
                "PRIORITY": "4",
                "SYSLOG_IDENTIFIER": "gostead",
                "GOSTEAD_EVENT": "oom_kill",
                "GOSTEAD_TASK": kill.task,
                "GOSTEAD_PID": str(kill.pid),
                "GOSTEAD_UID": str(kill.uid),
                "GOSTEAD_UNIT": label(path),
                "GOSTEAD_CGROUP": kill.group,
                "GOSTEAD_LIMIT": kill.limit,
                "GOSTEAD_KILLED_AT": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            }  # fmt: skip
            found.append([f"{name}={value}" for name, value in fields.items() if value])
    return found


def _by_unit(state: SlicesState) -> dict[str, list[Kill]]:
    """The kernel's lines that are about a budget of ours, by the path of the unit."""
    among = roots(state)
    found: dict[str, list[Kill]] = {}
    for kill in state.journal.kills:
        root = root_of(kill.group, among)
        if root:
            found.setdefault(unit_of(kill.group, root), []).append(kill)
    return found


def _numbers(state: SlicesState, inside: dict[str, list[Kill]]) -> dict[str, int]:
    """How many were killed in each and in none below it: what the kernel's counters say, or its
    lines, whichever knows of more. The counters of what is gone are gone; of ten lines in five
    seconds the kernel writes no more, and of a whole cgroup that it kills it writes one."""
    told = {path: len(kills) for path, kills in inside.items()}
    below: dict[str, int] = {}
    for path in sorted({*state.groups, *told}, key=lambda one: -one.count("/")):
        inner = sum(below[child] for child in children(below, path))
        told[path] = max(told.get(path, 0), since(state, path).kills - inner)
        below[path] = told[path] + inner
    return {path: number for path, number in told.items() if number}


def _reason(state: SlicesState, kill: Kill) -> int:
    if not kill.limit:
        return HOST
    among = roots(state)
    if kill.limit in among:
        return BUDGET
    return OWN if root_of(kill.limit, among) else OTHER


def _why(kill: Kill, reason: int) -> str:
    if reason == BUDGET:
        return f"the builds were over their budget of memory (memory_max of {label(kill.limit)})"
    if reason == HOST:
        return "the host had no memory left, the budget was not reached"
    return f"{label(kill.limit)} was over a limit of memory that is not the budget"


def _told(
    state: SlicesState, path: str, number: int, reason: int, kill: Kill | None, names: str
) -> Told:
    group = state.groups.get(path)
    peak = f" (peak {written(group.peak())})" if group and group.peak() else ""
    why = "" if kill is None or reason == BUDGET else f", as {_why(kill, reason)}"
    processes = "1 process" if number == 1 else f"{number} processes"
    what = f"{processes} of it killed for want of memory since the last run{peak}{why}{names}"
    return Told(SUBJECT, label(path), "warning", what, MEND[reason])
