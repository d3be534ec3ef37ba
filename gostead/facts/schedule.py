"""What a host converges itself by: its files, how systemd or launchd sees it, the last result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gostead.facts.entries import Entry, text
from gostead.facts.systemd import UNITS, blocks

SLICE, SERVICE, TIMER = (
    "gosteadconverge.slice",
    "gostead-converge.service",
    "gostead-converge.timer",
)
ENABLED = f"{UNITS}/timers.target.wants/{TIMER}"
#: Where whoever administers a Mac puts what launchd runs as root (launchd(8)); our two jobs there.
DAEMONS = "/Library/LaunchDaemons"
JOB, CLOCK = "dev.gostead.converge", "dev.gostead.converge.clock"


@dataclass(frozen=True)
class LastRun:
    """What the last scheduled run said of itself."""

    when: str = ""
    commit: str = ""
    result: str = ""
    error: str = ""


@dataclass(frozen=True)
class ScheduleState:
    """`entries` by path, those of units and of our own files with their bytes; `missing` commands
    that a scheduled run needs; `manager`, which is systemd or launchd: running, installed (it is an
    image, or something else is process 1), or none; `active` units, or loaded jobs; `outdated`
    units, whose file changed since it was loaded; `at_work`: a scheduled run is; `network`: the
    digest of the file with the proxy, whose bytes are not brought."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    manager: Literal["running", "installed", "none"] = "none"
    active: frozenset[str] = frozenset()
    outdated: frozenset[str] = frozenset()
    at_work: bool = False
    network: str = ""
    last: LastRun | None = None

    def entry(self, path: str) -> Entry:
        """What stands at `path`; absent where the probe did not see it."""
        return self.entries.get(path) or Entry(path)


def parse_schedule(
    fields: tuple[bytes, ...], entries: Mapping[str, Entry], result: str
) -> ScheduleState:
    """The `schedule` record, with the bytes of the file `result`. Raises ValueError where it is not
    of the probe's form."""
    missing, manager, shown, at_work, network = map(text, fields)
    if manager not in ("running", "installed", "none"):
        raise ValueError(f"unknown state of systemd or launchd {manager!r}")
    active, outdated = set(), set()
    for said in blocks(shown):
        if said.get("ActiveState") == "active":
            active.add(said["Id"])
        if said.get("NeedDaemonReload") == "yes":
            outdated.add(said["Id"])
    found = entries.get(result)
    return ScheduleState(
        entries, tuple(missing.split()), manager,  # type: ignore[arg-type] # one of the three
        frozenset(active), frozenset(outdated), at_work == "yes", network,
        _last(found.content if found else None),
    )  # fmt: skip


def _last(content: bytes | None) -> LastRun | None:
    """A file that is not of its form says that the last run did not end well."""
    if content is None:
        return None
    try:
        said = json.loads(content)
        return LastRun(*(str(said[key]) for key in ("when", "commit", "result", "error")))
    except (ValueError, KeyError, TypeError):
        return LastRun(result="failed", error="its result cannot be read")
