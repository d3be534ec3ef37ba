"""Scorecard, ssh-cut: the cable is pulled while a host is being changed. The run ends within its
time limit, says which host it was, and does the others; the next one finds nothing by halves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.conftest import Controller
from tests.support.fault_driver import Fault
from tests.support.ssh_host import Fleet, SshHost
from tests.support.stand_in_systemd import BOOTED
from tests.support.waiting import wait_until

#: Seconds: the limit of a script, and what the one that is cut off waits at its checkpoint; it
#: would be in time.
LIMIT, WAITS = 8, 4
SCHEDULE = {"every": "1h", "source": "https://git.example.com/x.git", "ref": "0" * 40}
#: Subject -> what is declared, and where the cable is pulled.
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "toolchains": ({}, "install-verified"),
    "shells": ({"users": ["deploy"]}, "home-written"),
    "slices": ({"slices": {"builds": {"tasks_max": 99}, "units": ["r.service"]}}, "reload-done"),
    "schedule": ({"schedule": SCHEDULE}, "schedule-reloaded"),
}


def pull_when_there(host: SshHost) -> None:
    wait_until((host.path / "run/there").exists, "it never came to that", 60, every=0.05)
    host.cut()


@pytest.mark.parametrize("subject", CHANGES)
def test_the_others_are_done_and_the_next_run_mends_it(
    subject: str, fleet: Callable[..., Fleet], control: Callable[..., Controller]
) -> None:
    go, checkpoint = CHANGES[subject]
    hosts = fleet(3)
    for host in hosts:
        host.run(BOOTED, check=True)
    controller = control(hosts)
    controller.site.declare(**go)
    waits = f'[ "$1.$(uname -n)" != {checkpoint}.web2 ] || {{ : >/run/there; sleep {WAITS}; }}'

    pulling = threading.Thread(target=pull_when_there, args=[hosts[1]])
    pulling.start()
    began = time.monotonic()
    report = controller.ask("apply", "-y", "--timeout", str(LIMIT), fault=Fault(at=waits))
    pulling.join()
    assert time.monotonic() - began < 60
    assert (hosts[1].path / "run/there").exists()
    told = {name: (host["status"], host["error"]) for name, host in report["hosts"].items()}
    assert report["exit"] == 1
    assert (told["web1"], told["web3"]) == (("changed", None),) * 2, told
    assert told["web2"][0] == "failed"
    assert told["web2"][1]

    hosts[1].mend()
    hosts[1].run("while pgrep -x sleep >/dev/null; do busybox sleep 0.2; done", timeout=WAITS + 20)
    controller.converge()
    again = controller.converge()
    assert [host["changes"] for host in again["hosts"].values()] == [[], [], []]
