"""The host converges itself: a systemd timer, and what it runs. The runner verifies a commit before
anything of it is used (templates/converge_scheduled.sh.j2)."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.durations import seconds
from gostead.declaration.schedule import CALENDAR
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.schedule import ENABLED, SERVICE, SLICE, TIMER
from gostead.facts.systemd import UNITS
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.registry import digest, registered
from gostead.templates import render

SUBJECT = "schedule"
#: The registry's kinds of this subject: units, the link that enables one, and what is in our root.
KINDS = ("scheduled-unit", "scheduled-link", "schedule")
#: Seconds: a first run may install toolchains and build tools on a slow machine.
LONGEST = 3 * 3600
_SLICE = """\
# Written by gostead.
[Unit]
Description=What gostead may take while this host converges itself

[Slice]
CPUWeight=20
IOWeight=20
MemoryHigh=50%
MemoryMax=75%
TasksMax=4096
"""
_SERVICE = """\
# Written by gostead.
[Unit]
Description=Converges the Go setup of this host (gostead)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={runner}
Slice={slice}
Nice=10
IOSchedulingClass=idle
TimeoutStartSec={longest}
"""
_TIMER = """\
# Written by gostead.
[Unit]
Description=Converges the Go setup of this host every {every} (gostead)

[Timer]
OnCalendar={calendar}
RandomizedDelaySec={jitter}
Persistent=true

[Install]
WantedBy=timers.target
"""


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    if not declared.schedule.every:
        return Plan.of(take_back(state, SUBJECT, "no schedule is declared", "schedule.every"))
    if state.system.name != "linux":
        return Plan(not_applicable="a schedule needs systemd: this is macOS")
    faults = [*_cannot(state), *_foreign(declared, state)]
    if faults:
        return Plan((), tuple(faults))
    return Plan.of([*_scheduled(declared, state), *_notes(declared, state)])


@functools.cache
def runner(root: str, source: str, ref: str, fixed: bool) -> bytes:
    """The script that the timer runs."""
    values = {"root": root, "source": source, "ref": ref, "fixed": fixed}
    scheme = urlsplit(source).scheme
    return render("converge_scheduled.sh.j2", **values, scheme=scheme).encode()


def files(declared: GoSetup, root: str) -> dict[str, tuple[str, bytes]]:
    """Mode and bytes of each file that belongs to the schedule, by path."""
    schedule, program = declared.schedule, f"{root}/libexec/converge-scheduled"
    every = schedule.every or ""
    script = runner(root, schedule.source or "", schedule.ref or "", schedule.fixed)
    service = _SERVICE.format(runner=program, slice=SLICE, longest=LONGEST)
    timer = _TIMER.format(
        every=every, calendar=CALENDAR[seconds(every)], jitter=seconds(schedule.jitter)
    )
    return {
        program: ("755", script),
        f"{root}/schedule/allowed_signers": ("644", schedule.allowed_signers().encode()),
        f"{UNITS}/{SLICE}": ("644", _SLICE.encode()),
        f"{UNITS}/{SERVICE}": ("644", service.encode()),
        f"{UNITS}/{TIMER}": ("644", timer.encode()),
    }


def _cannot(state: HostState) -> Iterator[Finding]:
    """What keeps this host from converging itself."""
    known = state.schedule
    if state.system.scope != "system":
        yield Finding(SUBJECT, TIMER, "error", "a schedule needs scope: system, this host's is "
                      "user", "connect as root, or set `_sudo` in the inventory")  # fmt: skip
    elif known.systemd == "none":
        yield Finding(SUBJECT, TIMER, "error", "a schedule is declared, and there is no systemd "
                      "here", "install systemd, or run gostead from cron yourself")  # fmt: skip
    else:
        for command in known.missing:
            package = "openssh-client" if command == "ssh-keygen" else command
            yield Finding(SUBJECT, command, "error", "is not there: a scheduled run fetches with "
                          "git and verifies with ssh-keygen", f"install {package}")  # fmt: skip


def _foreign(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    """What stands where ours is to be, and is not ours."""
    for path in [*files(declared, state.system.root), ENABLED]:
        entry = state.schedule.entry(path)
        kind = "scheduled-link" if path == ENABLED else _kind(path)
        expected = ("absent", "link") if path == ENABLED else ("absent", "file")
        ours = registered(state, kind, path) is not None
        if entry.kind not in expected or (entry.kind != "absent" and not ours):
            yield Finding(SUBJECT, path, "error", f"gostead did not write it: {entry.describe()}",
                          "move it away")  # fmt: skip
    entry = state.schedule.entry(f"{state.system.root}/schedule")
    if entry.kind not in ("absent", "directory") or entry.uid not in (None, 0):
        yield Finding(SUBJECT, entry.path, "error", f"expected a directory of root's: "
                      f"{entry.describe()}", "move it away")  # fmt: skip


def _kind(path: str) -> str:
    return "scheduled-unit" if path.startswith(UNITS) else "schedule"


def _scheduled(declared: GoSetup, state: HostState) -> Iterator[Change]:
    """One change for all of it: a timer is worth what all its parts are."""
    known, schedule, root = state.schedule, declared.schedule, state.system.root
    running = known.systemd == "running"
    wrong, written = [], []
    for path, (mode, content) in files(declared, root).items():
        entry, name = known.entry(path), path.rpartition("/")[2]
        if entry.kind == "absent":
            wrong.append(f"{name} absent")
        elif entry.content != content:
            wrong.append(f"{name} another")
        elif (entry.mode, entry.uid, entry.gid) != (mode, 0, 0):
            wrong.append(f"{name} mode {entry.mode}, uid {entry.uid}")
        else:
            continue
        written.append({
            "kind": _kind(path), "path": path, "mode": mode, "content": content.decode(),
            "before": digest(entry.content) if entry.kind == "file" else "absent",
            "after": digest(content),
        })  # fmt: skip
    place, link = known.entry(f"{root}/schedule"), known.entry(ENABLED)
    if place.kind == "directory" and place.mode != "700":
        wrong.append(f"{place.path} mode {place.mode}")
    enable = link.target not in (f"../{TIMER}", f"{UNITS}/{TIMER}")
    wrong += ["not enabled"] * enable
    units = any(one["kind"] == "scheduled-unit" for one in written)
    wrong += ["not loaded as it is written"] * bool(running and known.outdated and not units)
    wrong += ["not active"] * bool(running and TIMER not in known.active)
    if not wrong:
        return
    absent = known.entry(f"{UNITS}/{TIMER}").kind == "absent"
    values = {
        "root": root, "files": written, "enable": enable, "enabled": ENABLED, "running": running,
        "reload": bool(units or enable or known.outdated),
    }  # fmt: skip
    yield Change(
        SUBJECT, TIMER, "absent" if absent else ", ".join(wrong),
        f"every {schedule.every}, {schedule.ref} of {schedule.source}",
        "the host is to converge itself", "schedule.every",
        Script("change/schedule", values),
    )  # fmt: skip


def _notes(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    """What one should know of a schedule that is as declared."""
    if "self" in declared.users and state.system.sudo_user not in ("", "root"):
        yield Finding(SUBJECT, "users", "warning", "`self` is root in a scheduled run, and "
                      f"{state.system.sudo_user} in this one: each takes back what the other did "
                      "for its user", "name the users instead of self")  # fmt: skip
    if state.schedule.systemd == "installed":
        yield Finding(SUBJECT, TIMER, "note", "systemd does not run here: the timer starts with "
                      "it", "")  # fmt: skip
    last = state.schedule.last
    if last is not None and last.result in ("refused", "failed"):
        yield Finding(SUBJECT, SERVICE, "warning", f"the last scheduled run ({last.when}) "
                      f"{'was ' * (last.result == 'refused')}{last.result}: {last.error}",
                      f"journalctl -u {SERVICE}")  # fmt: skip
    elif last is not None and last.result != "converged":
        yield Finding(SUBJECT, SERVICE, "note", f"the last scheduled run ({last.when}) "
                      f"{last.result}: {last.error}", "")  # fmt: skip


def take_back(state: HostState, subject: str, why: str, key: str) -> Iterator[Change | Finding]:
    """Takes the timer and all that belongs to it away; a unit that was edited since stays."""
    ours = sorted((r.kind, r.path) for r in state.toolchains.registry if r.kind in KINDS)
    if not ours:
        return
    gone = []
    for kind, path in ours:
        entry, known = state.schedule.entry(path), registered(state, kind, path)
        if kind == "schedule" or entry.kind == "absent" or known is None:
            continue
        if kind == "scheduled-link" and entry.kind == "link":
            gone.append((path, ""))
        elif _as_written(entry, known.detail):
            gone.append((path, known.detail))
        else:
            yield Finding(subject, path, "warning", "edited since gostead wrote it: left",
                          "remove it if nobody needs it")  # fmt: skip
    place = f"{state.system.root}/schedule"
    values = {"root": state.system.root, "files": gone, "registered": ours}
    yield Change(subject, place, f"{TIMER} and its releases", "absent", why, key,
                 Script("change/unschedule", values))  # fmt: skip


def _as_written(entry: Entry, detail: str) -> bool:
    return entry.kind == "file" and digest(entry.content) == detail


@operation()
def schedule(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Lets the host converge itself, where a schedule is declared.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
