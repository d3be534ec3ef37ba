"""Processes that Go work left behind, and the directories that builds left: told, or ended.

Nothing here is under the lock or in the registry: a process is ended by what it is, once.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.durations import seconds, spoken
from gostead.declaration.sizes import written
from gostead.facts.host_state import HostState
from gostead.facts.orphans import Process, Scratch
from gostead.facts.people import Home
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.home_files import is_declared

SUBJECT = "orphans"
#: Seconds that a process has to end in after TERM, before KILL.
GRACE = 10
#: Seconds for which nothing was made in a build's directory: a test may run long.
SCRATCH_AGE = 86400
#: A container's processes, where they are seen from outside: whoever runs it reaps them.
CONTAINER = re.compile(r"(docker|libpod|crio|cri-containerd|machine)-.*\.scope")
MEND = "declare `orphans: {action: terminate}`"


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent" or declared.orphans.action == "off":
        return Plan()
    owners = {h.uid: h for h in reversed(state.shells.homes) if is_declared(declared, state, h)}
    return Plan.of([
        *_processes(declared, state, owners), *_zombies(declared, state, owners),
        *_scratch(declared, state, owners),
    ])  # fmt: skip


def is_orphan(process: Process, uid: int, min_age: int) -> bool:
    """The safe rule: all of that user's own, left by its parent, old enough, no service's, and not
    one that outlives its parent on purpose."""
    return (
        bool(process.kind)
        and set(process.uids) == {uid}
        and _left(process, uid)
        and process.age > min_age
        and not _served(process.cgroup, uid)
        and not process.stays
    )


def _left(process: Process, uid: int) -> bool:
    """Whether its parent is init, or the systemd of that user."""
    manager = process.parent_exe.rpartition("/")[2] == "systemd"
    return process.ppid == 1 or (manager and set(process.parent_uids) == {uid})


def _served(cgroup: str, uid: int) -> bool:
    """Whether a service or a container has it. The manager of a user is one itself, and what stands
    below it in scopes is that user's."""
    parts = cgroup.split("/")
    services = (part for part in parts if part.endswith(".service"))
    return any(part != f"user@{uid}.service" for part in services) or any(
        CONTAINER.fullmatch(part) for part in parts
    )


def _processes(
    declared: GoSetup, state: HostState, owners: dict[int, Home]
) -> Iterator[Change | Finding]:
    for process in state.orphans.processes:
        home = owners.get(process.uids[0])
        if home is None or not is_orphan(process, home.uid, seconds(declared.orphans.min_age)):
            continue
        name = process.exe.rpartition("/")[2][:60]
        item = f"process {process.pid} ({process.kind}{'' if name == process.kind else ' ' + name})"
        what = f"runs for {spoken(process.age)}, {written(process.memory_kib * 1024)}"
        if declared.orphans.action == "report":
            yield Finding(SUBJECT, item, "warning", f"{what}, and what started it is gone "
                          f"({process.exe[:200]})", f"kill {process.pid}, or {MEND}",
                          user=home.name)  # fmt: skip
            continue
        yield Change(
            SUBJECT, item, what, "ended", f"what started it is gone ({process.exe[:200]})",
            "orphans.action",
            Script("change/orphan", _owner(home) | {
                "pid": process.pid, "ppid": process.ppid, "start": process.start,
                "exe": process.exe, "grace": GRACE}),
            home.name, arises=True,
        )  # fmt: skip
    if state.orphans.more:
        yield Finding(SUBJECT, "processes", "warning", "there are more than are looked at in one "
                      "run", "apply again")  # fmt: skip


def _zombies(declared: GoSetup, state: HostState, owners: dict[int, Home]) -> Iterator[Finding]:
    for zombie in state.orphans.zombies:
        home = owners.get(zombie.uids[0])
        if home is None or zombie.age <= seconds(declared.orphans.min_age):
            continue
        who = f"process {zombie.ppid} ({zombie.parent})"
        mend = f"mend or end {who}"
        if zombie.ppid == 1:
            mend = "in a container, start it with an init (docker run --init)"
        what = f"has ended and was not reaped: only its parent can, {who}"
        item = f"process {zombie.pid} ({zombie.name})"
        yield Finding(SUBJECT, item, "note", what, mend, user=home.name)


def _scratch(
    declared: GoSetup, state: HostState, owners: dict[int, Home]
) -> Iterator[Change | Finding]:
    least = max(seconds(declared.orphans.min_age), SCRATCH_AGE)
    for directory in state.orphans.scratch:
        home = owners.get(directory.uid)
        if home is None or directory.used or directory.age <= least:
            continue
        if declared.orphans.action == "report":
            yield Finding(SUBJECT, directory.path, "warning", _lies(directory),
                          f"rm -r {directory.path}, or {MEND}", user=home.name)  # fmt: skip
            continue
        yield Change(
            SUBJECT, directory.path, _lies(directory), "absent", "no process uses it",
            "orphans.action",
            Script("change/scratch", _owner(home) | {
                "path": directory.path, "minutes": least // 60}),
            home.name, arises=True,
        )  # fmt: skip


def _lies(directory: Scratch) -> str:
    return f"left by a build, unchanged for {spoken(directory.age)}"


def _owner(home: Home) -> dict[str, Any]:
    return {"user": home.name, "uid": home.uid, "gid": home.gid, "home": home.home}


@operation()
def orphans(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Finds processes that Go work of the declared users left behind, and ends them where declared.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
