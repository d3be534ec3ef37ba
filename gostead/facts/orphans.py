"""Processes of Go work whose parent died, and the directories that builds left, as the kernel tells
them: proc_pid_stat(5), proc_pid_status(5), proc_pid_cgroup(5). Nobody's arguments are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gostead.facts.entries import text

#: What a program is by where it lies. `go run` and `go tool` start theirs from go's scratch
#: directory or, since 1.24, from the build cache; `go test` from the scratch directory.
KINDS = (
    ("go run child", re.compile(r"/go-build\d+/b\d+/exe/[^/]+")),
    ("go run child", re.compile(r"/([0-9a-f]{2})/\1[0-9a-f]{62}-d/[^/]+")),
    ("test binary", re.compile(r"/go-build\d+/b\d+/[^/]+\.test")),
    ("build tool", re.compile(r"/pkg/tool/[a-z0-9]+_[a-z0-9]+/(?:asm|buildid|cgo|compile|covdata|"
                              r"cover|fix|link|pack|preprofile|test2json|vet)")),
    ("gopls", re.compile(r"/gopls")),
    ("dlv", re.compile(r"/dlv(?:-dap)?")),
    ("dlv's debuggee", re.compile(r"/__debug_bin\d*")),
)  # fmt: skip
#: Programs by the name that the kernel keeps of one that has ended: 15 bytes at most.
ENDED = re.compile(r".+\.test|gopls|dlv|dlv-dap|compile|link|asm|cgo|vet|__debug_bin\d*")
DELETED = " (deleted)"
#: cmd/go and golang.org/x/telemetry give this to a child that outlives them on purpose.
TELEMETRY = b"** telemetry **"


@dataclass(frozen=True)
class Process:
    """A process that init or a systemd has as its child. `start`: when it began, as the kernel
    counts; `age` seconds, `memory_kib` resident and swapped; `uids` real, effective, saved and of
    the file system; `exe` without " (deleted)"; `stays`: why it outlives its parent on purpose
    (empty: it does not); `parent`: the name of who would reap it."""

    pid: int
    ppid: int
    start: str
    age: int
    uids: tuple[int, ...]
    name: str
    state: str = ""
    exe: str = ""
    kind: str = ""
    memory_kib: int = 0
    cgroup: str = "/"
    stays: str = ""
    parent: str = ""
    parent_exe: str = ""
    parent_uids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scratch:
    """A directory that go made for a build: its owner, seconds since something was made in it, and
    whether a process runs from it, stands in it or has a file of it open."""

    path: str
    uid: int
    age: int
    used: bool


@dataclass(frozen=True)
class OrphansState:
    """`zombies` have ended and were not reaped. `more`: there were more than are looked at."""

    processes: tuple[Process, ...] = ()
    zombies: tuple[Process, ...] = ()
    scratch: tuple[Scratch, ...] = ()
    more: bool = False


def kind_of(exe: str) -> str:
    """What kind of Go work runs from that path; empty: none."""
    return next((kind for kind, path in KINDS if re.search(rf"{path.pattern}\Z", exe)), "")


def parse_orphans(found: Iterable[tuple[str, tuple[bytes, ...]]]) -> OrphansState:
    """The probe's records `clock`, `process`, `zombie`, `scratch`, `more`. A process that ended
    while it was looked at is left out. Raises ValueError where one is not of the probe's form."""
    uptime, ticks, more = 0.0, 100, False
    processes, zombies, scratch = [], [], []
    for name, fields in found:
        if name == "clock":
            uptime, ticks = float(fields[0].split()[0]), int(fields[1])
        elif name == "process":
            processes.append(_process(fields, uptime, ticks))
        elif name == "elsewhere":
            processes.append(_elsewhere(fields))
        elif name == "zombie":
            zombies.append(_process(fields, uptime, ticks))
        elif name == "scratch":
            path, (uid, made), now, used = text(fields[0]), fields[1].split(), *fields[2:]
            scratch.append(Scratch(path, int(uid), int(now) - int(made), used == b"used"))
        else:
            more = True
    return OrphansState(
        tuple(p for p in processes if p and p.kind),
        tuple(p for p in zombies if p and p.state == "Z" and ENDED.fullmatch(p.name)),
        tuple(sorted(scratch, key=lambda s: s.path)), more,
    )  # fmt: skip


def _process(fields: tuple[bytes, ...], uptime: float, ticks: int) -> Process | None:
    stat, status, cgroup, exe, arguments, parent, parent_exe, again = fields
    known, then = _stat(stat), _stat(again)
    values, above = _values(status), _values(parent)
    # Twice: a number may be given to another process between two looks.
    if known is None or then is None or known[3] != then[3] or "Uid" not in values:
        return None
    name, state, ppid, start = known
    path = text(exe).removesuffix(DELETED)
    kind = kind_of(path)
    return Process(
        pid=int(stat.split(b" ", 1)[0]), ppid=ppid, start=start,
        age=int(uptime - int(start) / ticks), uids=_numbers(values["Uid"]), name=name, state=state,
        exe=path, kind=kind, memory_kib=_kib(values.get("VmRSS")) + _kib(values.get("VmSwap")),
        cgroup=_cgroup(text(cgroup)),
        stays=_stays(kind, bytes.fromhex(text(arguments)).split(b"\0")),
        parent=above.get("Name", ""), parent_exe=text(parent_exe).removesuffix(DELETED),
        parent_uids=_numbers(above.get("Uid", "")),
    )  # fmt: skip


def _elsewhere(fields: tuple[bytes, ...]) -> Process:
    """macOS, by ps(1): there are no cgroups, and the program's path is what ps shows of it."""
    pid, ppid, uid, elapsed, memory, start, exe, arguments = (text(field) for field in fields)
    days, _, clock = elapsed.rpartition("-")
    age = int(days or 0) * 86400
    for place, part in enumerate(reversed(clock.split(":"))):
        age += int(part) * 60**place
    kind = kind_of(exe)
    return Process(
        int(pid), int(ppid), start, age, (int(uid),), exe.rpartition("/")[2], "", exe, kind,
        int(memory), stays=_stays(kind, arguments.encode("utf-8", "surrogateescape").split(b" ")),
    )  # fmt: skip


def _stat(line: bytes) -> tuple[str, str, int, str] | None:
    """Name, state, parent and time of start. The name may hold anything, parentheses too."""
    head, _, tail = line.rpartition(b") ")
    words = tail.split()
    if len(words) < 20:
        return None
    return text(head.partition(b" (")[2]), text(words[0]), int(words[1]), text(words[19])


def _values(status: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text(status).split("\n"))
    return {key: value.strip() for key, _, value in lines}


def _numbers(words: str) -> tuple[int, ...]:
    return tuple(int(word) for word in words.split())


def _kib(value: str | None) -> int:
    return int(value.split()[0]) if value else 0


def _cgroup(lines: str) -> str:
    """Where systemd placed it: its own hierarchy of version 1 where there is one, else the one of
    version 2."""
    found = {}
    for line in lines.split("\n"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        found[controllers] = path
    return found.get("name=systemd") or found.get("") or "/"


def _stays(kind: str, arguments: list[bytes]) -> str:
    if TELEMETRY in b" ".join(arguments[1:4]):  # ps, on macOS, does not tell words apart
        return "telemetry"
    served = (b"-listen", b"--listen", b"-port", b"--port")
    if kind == "gopls" and any(a.split(b"=", 1)[0] in served for a in arguments[1:]):
        return "serves editors"
    return ""
