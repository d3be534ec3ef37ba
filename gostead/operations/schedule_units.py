"""Part of the subject schedule: the files by which a host converges itself: what is run, and what
has systemd or launchd run it.

Source: systemd.timer(5), systemd.resource-control(5), launchd.plist(5).
"""

from __future__ import annotations

import functools
import plistlib
from typing import Any
from urllib.parse import urlsplit

from gostead.declaration import GoSetup
from gostead.declaration.durations import seconds
from gostead.declaration.schedule import CALENDAR
from gostead.facts.schedule import CLOCK, DAEMONS, JOB, SERVICE, SLICE, TIMER
from gostead.facts.systemd import UNITS
from gostead.templates import quote, render

#: Seconds: a first run may install toolchains and build tools on a slow machine.
LONGEST = 5 * 3600
_PROXIES = ("https_proxy", "http_proxy")
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
SuccessExitStatus=11
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


def program(root: str) -> str:
    """The path of what systemd or launchd runs."""
    return f"{root}/libexec/converge-scheduled"


@functools.cache
def runner(
    root: str, source: str, ref: str, fixed: bool, mac: bool, every: int, jitter: int
) -> bytes:
    """The script there. Launchd's clock leaves it to the script when to begin, within `jitter` of
    each `every` seconds; systemd's does not."""
    values = {"root": root, "source": source, "ref": ref, "fixed": fixed, "mac": mac}
    values |= {"every": every, "jitter": jitter, "scheme": urlsplit(source).scheme}
    return render("converge_scheduled.sh.j2", **values).encode()


def files(declared: GoSetup, root: str, mac: bool) -> dict[str, tuple[str, bytes]]:
    """Mode and bytes of each file that belongs to the schedule, by path."""
    schedule = declared.schedule
    every, jitter = seconds(schedule.every or ""), seconds(schedule.jitter)
    source, ref = schedule.source or "", schedule.ref or ""
    script = runner(root, source, ref, schedule.fixed, mac, *((every, jitter) if mac else (0, 0)))
    jobs = _jobs(root, every) if mac else _units(root, schedule.every or "", every, jitter)
    return {
        program(root): ("755", script),
        f"{root}/schedule/allowed_signers": ("644", schedule.allowed_signers().encode()),
        network_file(root): ("600", _network(declared)),
        **{path: ("644", content) for path, content in jobs.items()},
    }


def network_file(root: str) -> str:
    """The path of what tells a scheduled run how to reach its repository and its packages."""
    return f"{root}/schedule/network"


def _network(declared: GoSetup) -> bytes:
    """Variables for a shell. `auth` is for Go's hosts and goes to no other."""
    proxy, bundle = declared.network.proxy, declared.network.ca_bundle
    lines = []
    if proxy:
        lines += [f"{name}={quote(proxy.get_secret_value())}" for name in _PROXIES]
        lines.append(f"export {' '.join(_PROXIES)}")
    if bundle:
        lines.append(f"ca_bundle={quote(bundle)}")
    return "".join(f"{line}\n" for line in lines).encode()


def _units(root: str, text: str, every: int, jitter: int) -> dict[str, bytes]:
    service = _SERVICE.format(runner=program(root), slice=SLICE, longest=LONGEST)
    timer = _TIMER.format(every=text, calendar=CALENDAR[every], jitter=jitter)
    units = {SLICE: _SLICE, SERVICE: service, TIMER: timer}
    return {f"{UNITS}/{name}": content.encode() for name, content in units.items()}


def _jobs(root: str, every: int) -> dict[str, bytes]:
    """A job and the clock that starts it, apart: a run may change the clock, and the job goes on.
    launchd has no slices: in the background, with low priority for the disk, is the nearest."""
    job = {
        "Label": JOB, "ProgramArguments": [program(root), "--log"],
        "ProcessType": "Background", "LowPriorityIO": True, "Nice": 10,
    }  # fmt: skip
    clock = {
        "Label": CLOCK, "ProgramArguments": [program(root), "--when-due"], "RunAtLoad": True,
        "StartCalendarInterval": _strikes(every), "ProcessType": "Background",
    }  # fmt: skip
    return {f"{DAEMONS}/{each['Label']}.plist": plistlib.dumps(each) for each in (job, clock)}


def _strikes(every: int) -> list[dict[str, int]]:
    """The times at which CALENDAR's words have it, in launchd's: what is left out is every one."""
    minutes = every // 60
    if minutes < 60:
        return [{"Minute": minute} for minute in range(0, 60, minutes)]
    if minutes < 24 * 60:
        return [{"Hour": hour, "Minute": 0} for hour in range(0, 24, minutes // 60)]
    strike: dict[str, Any] = {"Hour": 0, "Minute": 0}
    return [strike | ({"Weekday": 1} if minutes > 24 * 60 else {})]
