"""What holds budgets on a host: systemd, cgroup v2, the units, and what the kernel counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gostead.facts.entries import Entry, text
from gostead.facts.kills import Journal, parse_journal
from gostead.facts.systemd import blocks


@dataclass(frozen=True)
class Unit:
    """What systemd says of a unit. `work`: "pid name" of a process in it that the service did not
    start with; empty: none."""

    name: str
    loaded: bool = False
    active: bool = False
    group: str = ""
    slice: str = ""
    kill_mode: str = ""
    stale: bool = False  # its files were changed since systemd read them
    drop_ins: tuple[str, ...] = ()
    work: str = ""


class Counted(NamedTuple):
    """What the kernel counted in a cgroup: how often its own memory.high and memory.max were
    reached, processes killed in it and below it, periods in which its own quota held it back, and
    whole seconds of that, and in which some process of it waited for memory."""

    high: int = 0
    most: int = 0
    kills: int = 0
    periods: int = 0
    throttled: int = 0
    waited: int = 0


class Seen(NamedTuple):
    """A cgroup as it was told of last: which one it was (empty: there was none), and what it had
    counted."""

    made: str
    counted: Counted


@dataclass(frozen=True)
class Group:
    """A cgroup: the first line of each file that says a limit; counters by "file key"; PSI's
    averages are among them as "memory.pressure some avg300". `made`: another cgroup that gets the
    same path, in this boot or the next one, says something else here."""

    path: str
    limits: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    made: str = ""

    def counted(self) -> Counted:
        """Its counters; 0 where the kernel has none."""
        found = self.counters
        # memory.events counts what happened below as well; .local is there since Linux 5.2.
        local = "memory.events.local" if "memory.events.local high" in found else "memory.events"
        return Counted(
            int(found.get(f"{local} high", 0)), int(found.get(f"{local} max", 0)),
            int(found.get("memory.events oom_kill", 0)), int(found.get("cpu.stat nr_throttled", 0)),
            int(found.get("cpu.stat throttled_usec", 0)) // 1_000_000,
            int(found.get("memory.pressure some total", 0)) // 1_000_000,
        )  # fmt: skip

    def peak(self) -> int:
        """The most memory it ever had, in bytes; 0 where the kernel does not say (before 5.19)."""
        return int(self.counters.get("memory.peak", 0))


@dataclass(frozen=True)
class SlicesState:
    """`memory` and `swap` in bytes; `users`: uid by name, None where there is no such user; `units`
    by name, those that match a declared pattern and the slices; `matched`: the former's names;
    `seen`: each cgroup as it was told of last; empty: nothing was ever told; `since`: where the
    journal was read to then; `journal`: what the kernel said of kills since; `systemd`: running,
    installed (an image, or a container) or none; `weights`: whether the kernel has io.weight."""

    cgroup: str = "none"
    controllers: tuple[str, ...] = ()
    memory: int = 0
    swap: int = 0
    processors: int = 1
    entries: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, int | None] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    matched: tuple[str, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    since: str = ""
    journal: Journal = field(default_factory=Journal)
    systemd: str = "none"
    weights: bool = False

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)

    def unit(self, name: str) -> Unit:
        """What systemd says of it; nothing, where it was not asked."""
        return self.units.get(name) or Unit(name)


def parse_units(shown: bytes, work: Mapping[str, str]) -> Iterator[Unit]:
    """What `systemctl show` says of several units; `work` by the unit's name."""
    for values in blocks(text(shown)):
        name = values["Id"]
        yield Unit(
            name, values.get("LoadState") == "loaded", values.get("ActiveState") == "active",
            values.get("ControlGroup", ""), values.get("Slice", ""), values.get("KillMode", ""),
            values.get("NeedDaemonReload") == "yes",
            tuple(values.get("DropInPaths", "").split()), work.get(name, ""),
        )  # fmt: skip


def parse_group(fields: tuple[bytes, ...]) -> Group:
    """A `cgroup` record. Raises ValueError where it is not of the kernel's form (cgroup-v2.rst)."""
    limits: dict[str, str] = {}
    counters: dict[str, float] = {}
    for line in text(fields[1]).splitlines():
        file, _, value = line.partition(": ")
        if file in ("memory.events", "memory.events.local", "cpu.stat"):
            key, _, number = value.partition(" ")
            counters[f"{file} {key}"] = int(number)
        elif file == "memory.pressure":
            kind, *pairs = value.split()
            for pair in pairs:
                key, _, number = pair.partition("=")
                counters[f"{file} {kind} {key}"] = float(number)
        elif file == "memory.peak":
            counters[file] = int(value)
        else:
            limits.setdefault(file, value)
    return Group(text(fields[0]), limits, counters, text(fields[2]))


def parse_seen(content: bytes) -> tuple[dict[str, Seen], str]:
    """What the last run kept: "path made" and the counters in each line, and "cursor" with the
    place in the journal. A line that is of another form counts as none."""
    found, cursor = {}, ""
    for line in content.decode("utf-8", "replace").splitlines():
        path, *rest = line.split() or [""]
        if path == "cursor" and len(rest) == 1:
            cursor = rest[0]
        elif len(rest) == 1 + len(Counted()) and all(number.isdecimal() for number in rest[1:]):
            made = "" if rest[0] == "-" else rest[0]
            found[path] = Seen(made, Counted(*map(int, rest[1:])))
    return found, cursor


def parse_told(content: bytes, fields: tuple[bytes, ...]) -> tuple[dict[str, Seen], str, Journal]:
    """What the last run kept, and a `kills` record: what the kernel said since."""
    return *parse_seen(content), parse_journal(fields[0])


def parse_machine(fields: tuple[bytes, ...]) -> tuple[str, tuple[str, ...], int, int, int]:
    """A `slices` record: cgroup version, controllers, memory, swap (bytes), processors."""
    version, controllers, memory, processors = map(text, fields)
    sizes = [int(word) * 1024 for word in memory.split()]
    return (version, tuple(controllers.split()), sizes[0] if sizes else 0,
            sizes[1] if len(sizes) > 1 else 0, int(processors or 1))  # fmt: skip
