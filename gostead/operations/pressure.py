"""Part of the subject slices: what the budget did since the last run: who was slowed down, what was
killed, and how much would do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gostead.declaration import GoSetup
from gostead.declaration.sizes import written
from gostead.declaration.slices import memory_bytes
from gostead.facts.host_state import HostState
from gostead.facts.slices import Group, SlicesState
from gostead.operations.change import Change, Finding, Script
from gostead.operations.execute import run_script
from gostead.operations.unit_files import SLICE

if TYPE_CHECKING:
    from pyinfra.api.host import Host

SUBJECT = "slices"
#: What is kept of each cgroup: the counters of cgroup-v2.rst, "memory.events" and "cpu.stat".
COUNTERS = ("memory.events high", "memory.events max", "memory.events oom_kill",
            "cpu.stat nr_throttled")  # fmt: skip
STALLED = 10.0  # percent of five minutes in which some process waited for memory


def kept(state: SlicesState) -> dict[str, tuple[int, ...]]:
    """What the next run compares with: the counters of each cgroup that counted something."""
    found = {path: tuple(group.count(name) for name in COUNTERS)
             for path, group in state.groups.items()}  # fmt: skip
    return {path: counts for path, counts in found.items() if any(counts)}


def _since(state: SlicesState, group: Group) -> tuple[int, ...]:
    """What was counted since the last run; a cgroup that counts less was made anew meanwhile."""
    now = tuple(group.count(name) for name in COUNTERS)
    before = state.seen.get(group.path, (0,) * len(COUNTERS))
    if len(before) != len(now) or any(a < b for a, b in zip(now, before, strict=True)):
        return now
    return tuple(a - b for a, b in zip(now, before, strict=True))


def findings(declared: GoSetup, state: SlicesState) -> Iterator[Finding]:
    """What to tell of each cgroup."""
    for path in sorted(state.groups):
        group = state.groups[path]
        high, most, kills, throttled = _since(state, group)
        name = path.strip("/").replace("user.slice/", "").removesuffix(f"/{SLICE}") or path
        whole = path.endswith(f"/{SLICE}") or path.startswith("/user.")
        peak = int(group.counters.get("memory.peak", 0))
        inner = [g for p, g in state.groups.items() if p.startswith(f"{path}/")]
        # What a unit below says is not said again of the whole.
        kills -= min(kills, sum(_since(state, group)[2] for group in inner))
        if kills:
            yield Finding(SUBJECT, name, "warning", f"{_times(kills, 'process')} of it killed for "
                          f"want of memory since the last run (peak {written(peak)})",
                          "journalctl GOSTEAD_EVENT=oom_kill says which; raise memory_max, or "
                          "declare go_limits: auto")  # fmt: skip
        if whole and high:
            yield Finding(SUBJECT, name, "note", f"memory_high was reached {_times(high, 'time')} "
                          f"since the last run; peak {written(peak)}"
                          f"{_advice(declared, state, peak)}", "")  # fmt: skip
        if whole and most and not kills:
            yield Finding(SUBJECT, name, "note", f"memory_max was reached {_times(most, 'time')} "
                          "since the last run, and none was killed", "")  # fmt: skip
        if whole and throttled:
            yield Finding(SUBJECT, name, "note", "cpu_quota held it back in "
                          f"{_times(throttled, 'period')} since the last run", "")  # fmt: skip
        stalled = group.counters.get("memory.pressure some avg300", 0.0)
        if whole and stalled >= STALLED:
            yield Finding(
                SUBJECT, name, "warning",
                f"its processes waited for memory in {stalled:.0f}% of the last five minutes",
                "raise memory_high, or build less at once",
            )  # fmt: skip


def _times(number: int, word: str) -> str:
    plural = "es" if word.endswith("s") else "s"
    return f"{number} {word}{plural if number != 1 else ''}"


def _advice(declared: GoSetup, state: SlicesState, peak: int) -> str:
    """The next step of 5% of the host's memory that holds the peak and a twentieth more."""
    budget = declared.slices.builds
    if budget is None or not budget.memory_high or not state.memory:
        return ""
    percent = -(-peak * 105 // (state.memory * 5)) * 5
    if memory_bytes(budget.memory_high, state.memory) >= state.memory * percent // 100:
        return ""
    if percent > 95:
        return "; the host has not the memory for more: build less at once"
    return f"; {percent}% would do"


def note(host: Host, state: HostState) -> None:
    """Keeps the counters on the host, and writes one entry to the journal for each kill that the
    kernel told of since they were kept last. Raises as `execute` does."""
    lines = [f"{path} {' '.join(map(str, counts))}"
             for path, counts in sorted(kept(state.slices).items())]  # fmt: skip
    kills = any(_since(state.slices, group)[2] for group in state.slices.groups.values())
    values = {"root": state.system.root, "lines": lines, "kills": kills, "slice": SLICE}
    change = Change(SUBJECT, SLICE, "told", "noted", "what happened since the last run", "",
                    Script("change/pressure", values))  # fmt: skip
    run_script(host, change, {}, None)
