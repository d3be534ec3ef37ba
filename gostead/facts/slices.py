"""What holds budgets on a host: systemd, cgroup v2, the units, and what the kernel counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gostead.facts.entries import Entry, text
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


@dataclass(frozen=True)
class Group:
    """A cgroup: the first line of each file that says a limit; counters by "file key"; PSI's
    averages are among them as "memory.pressure some avg300"."""

    path: str
    limits: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)

    def count(self, name: str) -> int:
        """A counter; 0 where the kernel has none."""
        return int(self.counters.get(name, 0))


@dataclass(frozen=True)
class SlicesState:
    """`memory` and `swap` in bytes; `users`: uid by name, None where there is no such user; `units`
    by name, those that match a declared pattern and the slices; `matched`: the former's names;
    `seen`: the counters of each cgroup when they were last told."""

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
    seen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

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
        if file in ("memory.events", "cpu.stat"):
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
    return Group(text(fields[0]), limits, counters)


def parse_seen(content: bytes) -> dict[str, tuple[int, ...]]:
    """What the last run kept: "path high max oom_kill throttled" in each line. A line that is of
    another form counts as none."""
    found = {}
    for line in content.decode("utf-8", "replace").splitlines():
        path, *numbers = line.split()
        if numbers and all(number.isdigit() for number in numbers):
            found[path] = tuple(int(number) for number in numbers)
    return found


def parse_machine(fields: tuple[bytes, ...]) -> tuple[str, tuple[str, ...], int, int, int]:
    """A `slices` record: cgroup version, controllers, memory, swap (bytes), processors."""
    version, controllers, memory, processors = map(text, fields)
    sizes = [int(word) * 1024 for word in memory.split()]
    return (version, tuple(controllers.split()), sizes[0] if sizes else 0,
            sizes[1] if len(sizes) > 1 else 0, int(processors or 1))  # fmt: skip
