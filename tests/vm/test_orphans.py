"""Orphans where systemd rules: which cgroup the kernel says, and who takes a child up."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.support.controller import Controller
from tests.support.vm.guest import Guest

#: Started as deploy: a program in the place of a go run child, whose parent then ends.
CHILD = "/tmp/go-build{0}/b001/exe/server"
MAKE = "mkdir -p /tmp/go-build{0}/b001/exe && cp /bin/sleep " + CHILD
LEAVE = "sh -c '" + CHILD + " 1000 </dev/null >/dev/null 2>&1 &'"
AS_DEPLOY = (
    "setpriv --reuid deploy --regid deploy --init-groups env HOME=/home/deploy "
    "XDG_RUNTIME_DIR=/run/user/$(id -u deploy) "
)


def left(guest: Guest, number: int) -> str:
    """The number, parent's name and cgroup of that child; empty where there is none."""
    return guest.run(
        f"pid=$(pgrep -f '^{CHILD.format(number)} ') || exit 0; "
        "above=$(ps -o ppid= -p $pid | tr -d ' '); "
        "echo $pid $above $(ps -o comm= -p $above) $(cat /proc/$pid/cgroup)"
    ).stdout.strip()


def test_sessions_and_scopes_are_cleaned_and_services_are_not(
    guest: Guest, control_guest: Callable[..., Controller]
) -> None:
    controller = control_guest(guest)
    orphans = {"action": "terminate", "min_age": "1s"}
    controller.site.declare(scope="system", users=["deploy"], orphans=orphans)
    for number in (1, 2, 3, 4):
        guest.run(MAKE.format(number), user="deploy")
    guest.run("loginctl enable-linger deploy")
    with guest.login("deploy"):
        guest.run(LEAVE.format(1), user="deploy")  # the session of that ssh connection
        guest.run(f"{AS_DEPLOY}systemd-run --user --scope {LEAVE.format(2)}")
        unit = "-p KillMode=process -p RemainAfterExit=yes -p Type=oneshot"
        guest.run(f"{AS_DEPLOY}systemd-run --user {unit} {LEAVE.format(3)}")
        guest.run(f"systemd-run --uid=deploy {unit} {LEAVE.format(4)}")
        time.sleep(3)
        places = {number: left(guest, number) for number in (1, 2, 3, 4)}
        assert "session-" in places[1], places
        assert ".scope" in places[2], places
        assert "/user@" in places[2], places
        assert "/app.slice/run-" in places[3], places
        assert "/system.slice/run-" in places[4], places
        controller.converge()
        after = {number for number in (1, 2, 3, 4) if left(guest, number)}
        assert after == {3, 4}, places
        assert controller.changes(controller.converge()) == {}
