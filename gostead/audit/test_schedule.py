"""The host converges itself: systemd says so, and the last run says that it went well."""

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


@pytest.fixture
def scheduled(where: Place, setup: GoSetup) -> GoSetup:
    """The declaration, where it has a schedule and the host could keep it."""
    if setup.state == "absent" or not setup.schedule.every or where.system != "linux":
        pytest.skip("no schedule is declared")
    return setup


def wrong(item: str, what: str, mend: str = "gostead apply") -> NotAsDeclared:
    return NotAsDeclared(AuditFinding(SUBJECT, item, what, mend))


@pytest.mark.usefixtures("scheduled")
def test_the_timer_is_enabled_and_waits(host: Any) -> None:
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
    script = (
        'for unit in gosteadconverge.slice "$2" "$3"; do\n'
        '  systemctl show -p FragmentPath --value "$unit"\ndone |\n'
        '{ cat; echo "$1/schedule"; echo "$1/libexec/converge-scheduled"; } |\n'
        'while read -r path; do ls -ldnL "$path"; done'
    )
    listed = ask(host, script, where.root, SERVICE, TIMER).out.splitlines()
    for line in listed:
        mode, _, uid, *_ = line.split()
        if uid != "0" or mode[5] == "w" or mode[8] == "w":
            path = line.rpartition(" ")[2]
            raise wrong(path, f"others than root can write it: {mode[:10]} of uid {uid}")
    if len(listed) != 5:
        raise wrong(TIMER, f"{5 - len(listed)} of the files that it needs are not there")


def test_the_last_run_went_well(host: Any, where: Place, scheduled: GoSetup, note: Any) -> None:
    shown = ask(host, 'systemctl show -p Result --value "$1"', SERVICE).out.strip()
    told = ask(host, 'cat "$1/state/schedule.json"', where.root).out
    journal = f"journalctl -u {SERVICE}"
    if shown not in ("success", ""):
        raise wrong(SERVICE, f"ended with {printable(shown)} (systemctl show)", journal)
    if not told:
        note(AuditFinding(SUBJECT, SERVICE, "has not run yet", f"systemctl start {SERVICE}",
                          "note"))  # fmt: skip
        return
    last = json.loads(told)
    if last["result"] not in ("converged", "could not fetch"):
        raise wrong(SERVICE, f"{last['result']}: {printable(str(last['error']))}", journal)
    ref = scheduled.schedule.ref or ""
    if re.fullmatch("[0-9a-f]{40,64}", ref) and last["good"] not in ("", ref):
        note(AuditFinding(SUBJECT, SERVICE, f"the last good commit is {last['good']}, declared is "
                          f"{ref}", f"systemctl start {SERVICE}", "warning"))  # fmt: skip
