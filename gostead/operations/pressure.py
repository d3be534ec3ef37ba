"""Part of the subject slices: what the budget did since the last run: who was slowed down, what was
killed, and how much would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from gostead.declaration import GoSetup
from gostead.declaration.sizes import written
from gostead.declaration.slices import Budget, memory_bytes
from gostead.facts.host_state import HostState
from gostead.facts.slices import Counted, Group, SlicesState
from gostead.operations.budget_groups import kept, label, root_of, roots, since
from gostead.operations.change import Change, Finding, Script
from gostead.operations.context import declared as declaration
from gostead.operations.context import record
from gostead.operations.execute import run_script
from gostead.operations.kills import Told, entries, killed
from gostead.operations.unit_files import SLICE

if TYPE_CHECKING:
    from pyinfra.api.host import Host

__all__ = ["findings", "kept", "note"]
SUBJECT = "slices"
STALLED = 10.0  # percent of five minutes in which some process waited for memory
WAITED = (
    10  # seconds of waiting since the last run that are worth a line where no limit was reached
)
NAMED = 3  # units that are named in a line
STEP = 256 * 2**20  # bytes: what a budget in bytes is rounded up to
MOST = 95  # percent of the host's memory: the rest is not for builds


def findings(declared: GoSetup, state: SlicesState) -> Iterator[Told]:
    """What to tell of each budget and of each unit in it."""
    budget, among = declared.slices.builds, roots(state)
    if budget is None:
        return
    yield from killed(state)
    for path, group in sorted(state.groups.items()):
        counted = since(state, path)
        if path in among:
            yield from _reached(budget, state, group, counted)
        else:
            yield from _own(state, group, counted, among)
        if _percent(group) >= STALLED and not any(
            _percent(inner) >= STALLED for other, inner in state.groups.items()
            if other.startswith(f"{path}/")
        ):  # fmt: skip
            yield _told(group, f"its processes waited for memory in {_percent(group):.0f}% of the "
                        "last five minutes", "raise memory_high, or build less at once",
                        "warning")  # fmt: skip


def _reached(budget: Budget, state: SlicesState, group: Group, counted: Counted) -> Iterator[Told]:
    """What the budget itself did. Where a slice was slowed down it says nothing of whom: the time
    for which processes waited for memory does."""
    peak = f"; peak {written(group.peak())}" if group.peak() else ""
    if counted.high:
        advice = _advice(budget, state.memory, group.peak())
        yield _told(group, f"{_limit('memory_high', budget.memory_high)} was reached "
                    f"{_times(counted.high, 'time')} since the last run{peak}"
                    f"{advice}{_waited(state, group)}")  # fmt: skip
    if counted.most and not counted.kills:
        yield _told(group, f"{_limit('memory_max', budget.memory_max)} was reached "
                    f"{_times(counted.most, 'time')} since the last run, and none was killed"
                    f"{peak}{'' if counted.high else _waited(state, group)}")  # fmt: skip
    if counted.periods:
        yield _told(group, f"{_limit('cpu_quota', budget.cpu_quota)} held it back in "
                    f"{_periods(counted)} since the last run")  # fmt: skip


def _own(state: SlicesState, group: Group, counted: Counted, among: list[str]) -> Iterator[Told]:
    """What happened in a unit, where its budget's line does not name it."""
    peak = f"; peak {written(group.peak())}" if group.peak() else ""
    if counted.high or (counted.most and not counted.kills):
        what = "MemoryHigh" if counted.high else "MemoryMax"
        times = _times(counted.high or counted.most, "time")
        yield _told(group, f"its own {what} was reached {times} since the last run{peak}")
    if counted.periods:
        yield _told(group, f"its own CPUQuota held it back in {_periods(counted)} since the last "
                    "run")  # fmt: skip
    whole = since(state, root_of(group.path, among))
    if counted.waited >= WAITED and not whole.high and not whole.most:
        yield _told(group, f"its processes waited {counted.waited} s for memory since the last "
                    f"run{peak}")  # fmt: skip


def _waited(state: SlicesState, group: Group) -> str:
    """The units of a budget that waited for memory, those that waited longest first; the budget's
    own time where they are gone."""
    among = roots(state)
    found = [(since(state, path).waited, path, inner.peak()) for path, inner in state.groups.items()
             if path != group.path and root_of(path, among) == group.path]  # fmt: skip
    longest = sorted((one for one in found if one[0]), key=lambda one: (-one[0], one[1]))
    units = [f"{label(path)} {seconds} s{f' (peak {written(peak)})' if peak else ''}"
             for seconds, path, peak in longest[:NAMED]]  # fmt: skip
    if units:
        return f"; waited for memory: {', '.join(units)}"
    whole = since(state, group.path).waited
    return f"; waited {whole} s for memory" if whole else ""


def _advice(budget: Budget, memory: int, peak: int) -> str:
    """What would hold the peak and a twentieth more, as the budget is declared: the next step of 5%
    of the host's memory, or of 256 MiB."""
    high, most = budget.memory_high, budget.memory_max
    if not high or not memory:
        return ""
    percent = -(-peak * 105 // (memory * 5)) * 5
    if high.endswith("%"):
        size, said = memory * percent // 100, f"{percent}%"
    else:
        size = -(-peak * 105 // (100 * STEP)) * STEP
        said = f"{size // 2**30}GiB" if size % 2**30 == 0 else f"{size // 2**20}MiB"
    if memory_bytes(high, memory) >= size:
        return ""
    if size > memory * MOST // 100:
        return "; the host has not the memory for more: build less at once"
    if most and memory_bytes(most, memory) < size:
        return f"; {said} would do, and a memory_max (now {most}) above it"
    return f"; {said} would do"


def _limit(key: str, value: str | None) -> str:
    return f"{key} {value}" if value else key


def _percent(group: Group) -> float:
    return group.counters.get("memory.pressure some avg300", 0.0)


def _periods(counted: Counted) -> str:
    seconds = f" ({counted.throttled} s)" if counted.throttled else ""
    return f"{_times(counted.periods, 'period')}{seconds}"


def _times(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}"


def _told(
    group: Group, what: str, mend: str = "", severity: Literal["warning", "note"] = "note"
) -> Told:
    return Told(SUBJECT, label(group.path), severity, what, mend)


def note(host: Host, state: HostState) -> None:
    """Keeps the counters on the host, and writes one entry to the journal for each kill that the
    kernel told of since they were kept last. What the report says of them is what is kept: not what
    was so before the run changed anything. Raises as `execute` does."""
    slices, known = state.slices, record(host)
    setup = declaration(host).for_system(state.system.name)
    known.findings = [one for one in known.findings if not isinstance(one, Told)]
    known.findings += findings(setup, slices)
    lines = [f"{path} {seen.made or '-'} {' '.join(map(str, seen.counted))}"
             for path, seen in sorted(kept(slices).items())]  # fmt: skip
    if cursor := slices.journal.cursor or slices.since:
        lines.append(f"cursor {cursor}")
    values = {"root": state.system.root, "lines": lines, "entries": entries(slices)}
    change = Change(SUBJECT, SLICE, "told", "noted", "what happened since the last run", "",
                    Script("change/pressure", values))  # fmt: skip
    if unwritten := run_script(host, change, {}, None).stdout.strip():
        known.findings.append(Finding(
            SUBJECT, SLICE, "warning", f"{unwritten.decode()} entries could not be written to the "
            "journal", "logger --journald (util-linux) must work there",
        ))  # fmt: skip
