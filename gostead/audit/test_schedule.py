"""The host converges itself: systemd or launchd says so, and the last run that it went well."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

SUBJECT = "schedule"
TIMER, SERVICE = "gostead-converge.timer", "gostead-converge.service"
JOB, CLOCK = "dev.gostead.converge", "dev.gostead.converge.clock"
UNIT_FILES = """\
for unit in gosteadconverge.slice gostead-converge.service gostead-converge.timer; do
  systemctl show -p FragmentPath --value "$unit"
done"""
JOB_FILES = """\
for job in dev.gostead.converge dev.gostead.converge.clock; do
  echo "/Library/LaunchDaemons/$job.plist"
done"""
#: Both say something where a run is at work.
SERVICE_WORKS = "systemctl is-active gostead-converge.service | grep -x activating"
JOB_WORKS = "launchctl print system/dev.gostead.converge | grep 'state = running'"


@pytest.fixture
def scheduled(setup: GoSetup) -> GoSetup:
    """The declaration, where it has a schedule and the host could keep it."""
    if setup.state == "absent" or not setup.schedule.every:
        pytest.skip("no schedule is declared")
    return setup


def wrong(item: str, what: str, mend: str = "gostead apply") -> NotAsDeclared:
    return NotAsDeclared(AuditFinding(SUBJECT, item, what, mend))


@pytest.mark.usefixtures("scheduled")
def test_the_timer_is_enabled_and_waits(host: Any, where: Place) -> None:
    (jobs_are_loaded if where.system == "darwin" else timer_waits)(host)


def jobs_are_loaded(host: Any) -> None:
    """launchd has the clock and what it starts. Raises NotAsDeclared."""
    for job in (JOB, CLOCK):
        said = ask(host, 'launchctl print "system/$1" >/dev/null && echo loaded', job)
        if said.out.strip() != "loaded":
            raise wrong(job, f"launchd does not have it: {printable(said.error)}")


def timer_waits(host: Any) -> None:
    """systemd has the timer, and limits for what it starts. Raises NotAsDeclared."""
    said = ask(host, 'systemctl is-enabled "$1"; systemctl is-active "$1"', TIMER)
    if said.out.split() != ["enabled", "active"]:
        raise wrong(TIMER, f"is not enabled and active: {printable(said.out + said.error)}")
    if TIMER not in ask(host, "systemctl list-timers --no-legend --full", TIMER).out:
        raise wrong(TIMER, "is not among those that systemctl list-timers shows")
    limits = ask(host, 'systemctl show -p Slice --value "$1"', SERVICE).out.strip()
    if limits != "gosteadconverge.slice":
        raise wrong(SERVICE, f"runs in the slice {printable(limits)}, without limits of its own")


@pytest.mark.usefixtures("scheduled")
def test_only_root_can_change_what_runs(host: Any, where: Place) -> None:
    mac = where.system == "darwin"
    script = (
        f"{{ {JOB_FILES if mac else UNIT_FILES}\n"
        'echo "$1/schedule"; echo "$1/libexec/converge-scheduled"; } |\n'
        'while read -r path; do ls -ldnL "$path"; done'
    )
    listed = ask(host, script, where.root).out.splitlines()
    for line in listed:
        mode, _, uid, *_ = line.split()
        if uid != "0" or mode[5] == "w" or mode[8] == "w":
            path = line.rpartition(" ")[2]
            raise wrong(path, f"others than root can write it: {mode[:10]} of uid {uid}")
    expected = 4 if mac else 5
    if len(listed) != expected:
        missing = f"{expected - len(listed)} of the files that it needs are not there"
        raise wrong(CLOCK if mac else TIMER, missing)


def service_ended_well(host: Any, journal: str) -> None:
    """So systemd says. Raises NotAsDeclared."""
    shown = ask(host, 'systemctl show -p Result --value "$1"', SERVICE).out.strip()
    if shown not in ("success", ""):
        raise wrong(SERVICE, f"ended with {printable(shown)} (systemctl show)", journal)


def test_the_last_run_went_well(host: Any, where: Place, scheduled: GoSetup, note: Any) -> None:
    name, start, journal = SERVICE, f"systemctl start {SERVICE}", f"journalctl -u {SERVICE}"
    if where.system == "darwin":
        name, start = JOB, f"launchctl kickstart system/{JOB}"
        journal = f"{where.root}/state/schedule.log"
    else:
        service_ended_well(host, journal)
    told = ask(host, 'cat "$1/state/schedule.json"', where.root).out
    if not told:
        note(AuditFinding(SUBJECT, name, "has not run yet", start, "note"))
        return
    last = json.loads(told)
    if last["result"] == "running":
        if not ask(host, JOB_WORKS if where.system == "darwin" else SERVICE_WORKS).out:
            raise wrong(name, "did not come to its end", journal)
        return
    if last["result"] not in ("converged", "could not fetch"):
        raise wrong(name, f"{last['result']}: {printable(str(last['error']))}", journal)
    ref = scheduled.schedule.ref or ""
    if re.fullmatch("[0-9a-f]{40,64}", ref) and last["good"] not in ("", ref):
        note(AuditFinding(SUBJECT, name, f"the last good commit is {last['good']}, declared is "
                          f"{ref}", start, "warning"))  # fmt: skip
