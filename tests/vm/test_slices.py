"""Budgets that the kernel holds, on Debian with a systemd of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.support.controller import Controller
from tests.support.vm.audit import audited
from tests.support.vm.guest import Guest

Control = Callable[..., Controller]
ONLY = ("--subject", "toolchains", "--subject", "slices", "--subject", "removal")
CGROUP = "/sys/fs/cgroup/gobuilds.slice"
BUDGET: dict[str, Any] = {
    "memory_high": "40%", "memory_max": "50%", "memory_swap_max": 0, "cpu_quota": "150%",
    "cpu_weight": 50, "io_weight": 20, "tasks_max": 120,
}  # fmt: skip
#: A runner as they come: it ends alone, and leaves behind what its jobs detached.
RUNNER = """\
[Service]
ExecStartPre=/bin/sh -c 'rm -f /run/jobs; mkfifo /run/jobs'
ExecStart=/bin/sh -c 'while :; do read job </run/jobs; setsid sleep 3000 & done'
KillMode=process
"""
UNIT = "actions.runner.one.service"


def apply(controller: Controller, **budget: Any) -> dict[str, Any]:
    """Declares and converges; the host's part of the report."""
    controller.site.declare(
        scope="system", users=["root"],
        slices={"builds": BUDGET, "users": ["deploy"], "units": ["actions.runner.*.service"],
                "go_limits": "auto", **budget},
    )  # fmt: skip
    report = controller.ask("apply", "-y", *ONLY)
    assert report["exit"] == 0, report
    (host,) = report["hosts"].values()
    found: dict[str, Any] = host
    return found


def changed(host: dict[str, Any]) -> list[str]:
    """The items that a run changed."""
    return [change["item"] for change in host["changes"]]


def limit(guest: Guest, file: str, path: str = CGROUP) -> str:
    """What the kernel says."""
    return guest.run(f"cat {path}/{file}").stdout.strip()


def reloads(guest: Guest) -> int:
    """How often systemd has read its files."""
    # "Reloading." up to 254; from then on "Reloading finished in 99 ms."
    lines = "journalctl -b _PID=1 --no-pager -o cat | grep -Ec '^Reloading([.]$| finished)' || :"
    return int(guest.run(lines).stdout)


def start_runner(guest: Guest) -> None:
    guest.run(f"cat >/etc/systemd/system/{UNIT}; systemctl start {UNIT}", input=RUNNER)


def listing(guest: Guest) -> str:
    return guest.run("find /etc/systemd /usr/local /opt -printf '%p %M %l\\n' | sort").stdout


def test_a_budget_from_the_first_run_to_the_removal(guest: Guest, control_guest: Control) -> None:
    controller = control_guest(guest)
    start_runner(guest)
    before, read = listing(guest), reloads(guest)
    host = apply(controller)
    assert UNIT in changed(host)
    assert reloads(guest) == read + 1
    memory = int(guest.run("awk '/^MemTotal/ { print $2 }' /proc/meminfo").stdout) * 1024

    def holds() -> None:
        assert abs(int(limit(guest, "memory.high")) - memory * 0.4) < memory * 0.001
        assert abs(int(limit(guest, "memory.max")) - memory * 0.5) < memory * 0.001
        assert limit(guest, "memory.swap.max") == "0"
        assert limit(guest, "cpu.max") == "150000 100000"
        assert limit(guest, "cpu.weight") == "50"
        assert limit(guest, "io.weight") == "default 20"
        assert limit(guest, "pids.max") == "120"
        own = "/sys/fs/cgroup/user.slice/user-1000.slice"
        with guest.login("deploy"):
            assert limit(guest, "pids.max", own) == "120"
            assert limit(guest, "cpu.weight", own) == "50"
            within = guest.run("go-slice cat /proc/self/cgroup", user="deploy").stdout
            assert "/user@1000.service/gobuilds.slice/" in within
            child = "cat /sys/fs/cgroup/$(cut -d: -f3 /proc/self/cgroup)/../pids.max"
            assert guest.run(f"go-slice sh -c '{child}'", user="deploy").stdout == "120\n"
        assert "/gobuilds.slice/" in guest.run("go-slice cat /proc/self/cgroup").stdout
        assert guest.run("go-slice sh -c 'echo $GOMAXPROCS'").stdout == "1\n"
        group = guest.run(f"systemctl show -p ControlGroup --value {UNIT}").stdout
        assert group == f"/gobuilds.slice/{UNIT}\n"

    holds()
    assert changed(apply(controller)) == []
    guest.reboot()
    guest.run(f"systemctl start {UNIT}")
    holds()
    read = reloads(guest)
    assert changed(apply(controller)) == []
    assert reloads(guest) == read

    # Somebody writes into the kernel's file: seen there, and mended.
    guest.run(f"echo max >{CGROUP}/memory.high")
    assert changed(apply(controller)) == ["systemd"]
    holds()
    # Somebody's drop-in is named, not fought.
    guest.run("systemctl set-property --runtime gobuilds.slice MemoryHigh=99M")
    report = controller.ask("plan", *ONLY)
    assert report["exit"] == 1
    assert "/run/systemd/system.control/gobuilds.slice.d" in json.dumps(report)
    guest.run("rm -rf /run/systemd/system.control/gobuilds.slice.d; systemctl daemon-reload")
    assert audited(guest, controller, "slices") == (3, [])

    assert controller.ask("remove", "-y")["exit"] == 0
    assert listing(guest) == before
    if guest.run(f"test -e {CGROUP}", check=False).returncode == 0:  # the runner is in it still
        assert (limit(guest, "memory.high"), limit(guest, "pids.max")) == ("max", "max")
    guest.run(f"systemctl restart {UNIT}")
    group = guest.run(f"systemctl show -p ControlGroup --value {UNIT}").stdout
    assert group == f"/system.slice/{UNIT}\n"


def test_a_service_at_work_is_not_disturbed_and_leaves_nothing_behind(
    guest: Guest, control_guest: Control
) -> None:
    controller = control_guest(guest)
    start_runner(guest)
    time.sleep(12)  # what begins ten seconds after the service is a job
    guest.run("echo go >/run/jobs; until pgrep -x sleep; do sleep 0.2; done")
    main = guest.run(f"systemctl show -p MainPID --value {UNIT}").stdout
    host = apply(controller)
    assert UNIT not in changed(host)
    [said] = [f["what"] for f in host["findings"] if f["item"] == UNIT]
    assert "is at work (process" in said
    assert "sleep" in said
    assert guest.run(f"systemctl show -p MainPID --value {UNIT}").stdout == main
    guest.run("pkill -x sleep")
    assert changed(apply(controller)) == [UNIT]

    # Now in the slice: what it detaches ends with it.
    guest.run("echo go >/run/jobs; until pgrep -x sleep; do sleep 0.2; done")
    guest.run(f"systemctl stop {UNIT}")
    assert guest.run("pgrep -x sleep", check=False).stdout == ""


def test_a_fork_bomb_ends_at_the_budget_and_ssh_answers(
    guest: Guest, control_guest: Control
) -> None:
    apply(control_guest(guest))
    bomb = "bomb() { while :; do bomb & done; }; bomb"
    with guest.login("deploy"):
        guest.run(f"setsid go-slice bash -c '{bomb}' >/dev/null 2>&1 </dev/null &", user="deploy")
        path = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/gobuilds.slice"
        deadline = time.monotonic() + 60
        while int(guest.run(f"cat {path}/pids.current 2>/dev/null || echo 0").stdout) < 110:
            assert time.monotonic() < deadline, "the bomb does not go off"
        for _ in range(3):
            began = time.monotonic()
            assert guest.run("echo here").stdout == "here\n"
            assert time.monotonic() - began < 20  # an emulated processor, busy with the bomb
            assert int(limit(guest, "pids.current", path)) <= 120
        guest.run(f"echo 1 >{path}/cgroup.kill")


def test_a_kill_is_told_once_and_stands_in_the_journal(
    guest: Guest, control_guest: Control
) -> None:
    controller = control_guest(guest)
    apply(controller)
    eat = "x = bytearray(800 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1"
    done = guest.run(f"go-slice python3 -c '{eat}'", check=False, timeout=300)
    assert done.returncode == 137
    host = apply(controller)
    assert changed(host) == []
    told = [f["what"] for f in host["findings"]]
    assert any("1 process of it killed for want of memory" in what for what in told), told
    assert any("memory_high was reached" in what for what in told), told
    lines = guest.run("journalctl GOSTEAD_EVENT=oom_kill -o json --no-pager").stdout.splitlines()
    [entry] = [json.loads(line) for line in lines]
    assert (entry["GOSTEAD_TASK"], entry["GOSTEAD_UID"]) == ("python3", "0")
    assert entry["GOSTEAD_CGROUP"].startswith("/gobuilds.slice/")
    again = [f["what"] for f in apply(controller)["findings"]]
    assert not any("killed" in what for what in again)
    assert len(guest.run("journalctl GOSTEAD_EVENT=oom_kill -o json").stdout.splitlines()) == 1


def test_a_power_loss_right_after_the_change_leaves_no_empty_file(
    guest: Guest, control_guest: Control
) -> None:
    controller = control_guest(guest)
    apply(controller)
    guest.power_loss()
    written = "$(find /etc/systemd -name '*gostead*' -type f) /etc/systemd/system/gobuilds.slice"
    sizes = guest.run(f"stat -c %s {written} /opt/gostead/libexec/go-slice").stdout.split()
    assert len(sizes) >= 4
    assert "0" not in sizes
    assert changed(apply(controller)) == []
