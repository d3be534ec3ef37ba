"""The host converges itself: a timer of systemd's or a clock of launchd's, and what that runs. It
verifies a commit before anything of it is used (templates/converge_scheduled.sh.j2)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.schedule import CLOCK, DAEMONS, ENABLED, JOB, SERVICE, TIMER
from gostead.facts.systemd import UNITS
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.registry import digest, registered
from gostead.operations.schedule_units import files, network_file

SUBJECT = "schedule"
#: The registry's kinds of this subject: units or jobs, the link that enables one, our root's.
KINDS = ("scheduled-unit", "scheduled-link", "schedule")
JOBS = (JOB, CLOCK)
_MISSING = {
    "git": ("is not there: a scheduled run fetches with it", "install git"),
    "git-2.34": ("is older than 2.34: it cannot verify who signed with an ssh key",
                 "install a newer one, or declare a commit id as ref"),
    "ssh-keygen": ("is not there: a scheduled run verifies with it", "install openssh-client"),
    "python": ("there is no Python 3.11 or newer, and no uv: a scheduled run is gostead's",
               "install python3 and python3-venv"),
}  # fmt: skip
_MISSING_ON_MACS = {
    **_MISSING,
    "git": ("there is none that only root can change: a scheduled run fetches with it",
            "declare xcode: {command_line_tools: present}"),
    "python": ("there is no Python 3.11 or newer that only root can change: whoever could would be "
               "root with the next run", "install python.org's package; Homebrew's belongs to a "
               "user"),
}  # fmt: skip


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    if not declared.schedule.every:
        return Plan.of(take_back(state, SUBJECT, "no schedule is declared", "schedule.every"))
    tools = declared.xcode.command_line_tools not in (None, "absent")
    faults = [*_cannot(state, tools, declared.schedule.fixed), *_foreign(declared, state)]
    if faults:
        return Plan((), tuple(faults))
    return Plan.of([*_scheduled(declared, state), *_notes(declared, state)])


def mac(state: HostState) -> bool:
    """Whether launchd is what starts things there."""
    return state.system.name == "darwin"


def item(state: HostState) -> str:
    """What the report calls the schedule of that host."""
    return CLOCK if mac(state) else TIMER


def _cannot(state: HostState, tools_declared: bool, fixed: bool) -> Iterator[Finding]:
    """What keeps this host from converging itself."""
    known = state.schedule
    if state.system.scope != "system":
        yield Finding(SUBJECT, item(state), "error", "a schedule needs scope: system, this host's "
                      "is user", "connect as root, or set `_sudo` in the inventory")  # fmt: skip
    elif known.manager == "none":
        yield Finding(SUBJECT, TIMER, "error", "a schedule is declared, and there is no systemd "
                      "here", "install systemd, or run gostead from cron yourself")  # fmt: skip
    else:
        for command in known.missing:
            if (command == "git" and tools_declared) or (command == "git-2.34" and fixed):
                continue  # Apple's tools converge earlier; a fixed commit needs no signature
            what, mend = (_MISSING_ON_MACS if mac(state) else _MISSING)[command]
            yield Finding(SUBJECT, command, "error", what, mend)


def _foreign(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    """What stands where ours is to be, and is not ours."""
    for path in [*files(declared, state.system.root, mac(state)), *[ENABLED] * (not mac(state))]:
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
    return "scheduled-unit" if path.startswith((UNITS, DAEMONS)) else "schedule"


def _scheduled(declared: GoSetup, state: HostState) -> Iterator[Change]:
    """One change for all of it: a timer is worth what all its parts are."""
    known, schedule, root = state.schedule, declared.schedule, state.system.root
    running = known.manager == "running"
    wrong, written = [], []
    for path, (mode, content) in files(declared, root, mac(state)).items():
        entry, name = known.entry(path), path.rpartition("/")[2]
        stands = _stands(state, entry)
        if entry.kind == "absent":
            wrong.append(f"{name} absent")
        elif stands != digest(content):
            wrong.append(f"{name} another")
        elif (entry.mode, entry.uid, entry.gid) != (mode, 0, 0):
            wrong.append(f"{name} mode {entry.mode}, uid {entry.uid}")
        else:
            continue
        written.append({
            "kind": _kind(path), "path": path, "mode": mode, "content": content.decode(),
            "before": stands, "after": digest(content),
        })  # fmt: skip
    place, link = known.entry(f"{root}/schedule"), known.entry(ENABLED)
    if place.kind == "directory" and place.mode != "700":
        wrong.append(f"{place.path} mode {place.mode}")
    enable = not mac(state) and link.target not in (f"../{TIMER}", f"{UNITS}/{TIMER}")
    wrong += ["not enabled"] * enable
    units = [one["path"] for one in written if one["kind"] == "scheduled-unit"]
    wrong += ["not loaded as it is written"] * bool(running and known.outdated and not units)
    wanted = JOBS if mac(state) else (TIMER,)
    wrong += [f"{name} is not active" for name in wanted if running and name not in known.active]
    if not wrong:
        return
    named = f"{DAEMONS}/{CLOCK}.plist" if mac(state) else f"{UNITS}/{TIMER}"
    values = {
        "root": root, "files": written, "enable": enable, "enabled": ENABLED, "running": running,
        "reload": bool(units or enable or known.outdated), "mac": mac(state), "jobs": JOBS,
        "anew": [job for job in JOBS if f"{DAEMONS}/{job}.plist" in units],
    }  # fmt: skip
    absent = known.entry(named).kind == "absent"
    yield Change(
        SUBJECT, item(state), "absent" if absent else ", ".join(wrong),
        f"every {schedule.every}, {schedule.ref} of {schedule.source}",
        "the host is to converge itself", "schedule.every",
        Script("change/schedule", values),
    )  # fmt: skip


def _stands(state: HostState, entry: Entry) -> str:
    """The digest of what stands there; "absent"."""
    if entry.path == network_file(state.system.root):
        return state.schedule.network or "absent"
    return digest(entry.content) if entry.kind == "file" else "absent"


def _notes(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    """What one should know of a schedule that is as declared."""
    if "self" in declared.users and state.system.sudo_user not in ("", "root"):
        yield Finding(SUBJECT, "users", "warning", "`self` is root in a scheduled run, and "
                      f"{state.system.sudo_user} in this one: each takes back what the other did "
                      "for its user", "name the users instead of self")  # fmt: skip
    if state.schedule.manager == "installed":
        yield Finding(SUBJECT, TIMER, "note", "systemd does not run here: the timer starts with "
                      "it", "")  # fmt: skip
    last, name = state.schedule.last, JOB if mac(state) else SERVICE
    log = f"{state.system.state}/schedule.log" if mac(state) else f"journalctl -u {SERVICE}"
    if last is not None and last.result == "running":
        if not state.schedule.at_work:
            yield Finding(SUBJECT, name, "warning", f"the scheduled run of {last.when} did not "
                          "come to its end: its limit of time or memory, a signal, or a restart of "
                          "the host", log)  # fmt: skip
    elif last is not None and last.result in ("refused", "failed"):
        yield Finding(SUBJECT, name, "warning", f"the last scheduled run ({last.when}) "
                      f"{'was ' * (last.result == 'refused')}{last.result}: {last.error}",
                      log)  # fmt: skip
    elif last is not None and last.result != "converged":
        yield Finding(SUBJECT, name, "note", f"the last scheduled run ({last.when}) "
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
    values = {"root": state.system.root, "files": gone, "registered": ours, "mac": mac(state),
              "jobs": JOBS[::-1]}  # fmt: skip
    yield Change(subject, place, f"{item(state)} and its releases", "absent", why, key,
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
