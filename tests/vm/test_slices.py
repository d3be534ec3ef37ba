"""Budgets that the kernel holds, on Debian with a systemd of its own.

One guest for each release: on an emulated processor a first run takes its minute. Tests follow one
another, the removal last: each goes on with what the one before it left, so they are one test.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.controller import Controller
from tests.support.fault_driver import Fault
from tests.support.site import Site
from tests.support.vm.audit import audited
from tests.support.vm.guest import Guest

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
#: Waits for a job that does not end for some seconds, and not for a minute.
HASTY = Fault(patience=5)


@pytest.fixture(scope="module")
def held(
    release: str, standing: Guest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Guest, Controller]:
    """A guest with a runner that is to be held to the budget, and what converges it."""
    directory = tmp_path_factory.mktemp(f"slices-{release}")
    for path in (directory, directory.parent):
        path.chmod(0o755)
    for name in ("site", "home"):
        (directory / name).mkdir()
    site = Site(directory / "site")
    standing.run(f"cat >/etc/systemd/system/{UNIT}; systemctl start {UNIT}", input=RUNNER)
    standing.run("find /etc/systemd /usr/local /opt -printf '%p %M %l\\n' | sort >/srv/before")
    return standing, Controller(site, standing, directory / "home", seconds=600)


def apply(controller: Controller, fault: Fault | None = None, /, **budget: Any) -> dict[str, Any]:
    """Declares and converges; the host's part of the report."""
    controller.site.declare(
        scope="system", users=["root"],
        slices={"builds": BUDGET, "users": ["deploy"], "units": ["actions.runner.*.service"],
                "go_limits": "auto", **budget},
    )  # fmt: skip
    report = controller.ask("apply", "-y", *ONLY, fault=fault)
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


def job(guest: Guest) -> None:
    """Has the runner detach a process."""
    guest.run("echo go >/run/jobs; until pgrep -x sleep; do sleep 0.2; done")


def holds(guest: Guest) -> None:
    """Every limit is in the kernel's files, for the slice, for deploy, and for go-slice."""
    memory = int(guest.run("awk '/^MemTotal/ { print $2 }' /proc/meminfo").stdout) * 1024
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
        # su keeps what it came with; root's manager answers nobody else.
        by_su = "XDG_RUNTIME_DIR=/run/user/0 su deploy -c 'go-slice cat /proc/self/cgroup'"
        assert "/user@1000.service/gobuilds.slice/" in guest.run(by_su).stdout
    assert "/gobuilds.slice/" in guest.run("go-slice cat /proc/self/cgroup").stdout
    # Of a service that is in the slice nothing leaves it.
    service = "systemd-run -q --wait --pipe --slice=gobuilds.slice --unit=job"
    within = guest.run(f"{service} go-slice cat /proc/self/cgroup").stdout
    assert within == "0::/gobuilds.slice/job.service\n"
    assert guest.run("go-slice sh -c 'echo $GOMAXPROCS'").stdout == "1\n"


def a_service_at_work_is_not_disturbed_and_leaves_nothing_behind(
    held: tuple[Guest, Controller],
) -> None:
    guest, controller = held
    time.sleep(12)  # what begins ten seconds after the service is a job
    job(guest)
    main = guest.run(f"systemctl show -p MainPID --value {UNIT}").stdout
    read = reloads(guest)
    host = apply(controller, HASTY)
    assert "/etc/systemd/system/gobuilds.slice" in changed(host)
    assert reloads(guest) == read + 1
    assert UNIT not in changed(host)
    [said] = [f["what"] for f in host["findings"] if f["item"] == UNIT]
    assert "is at work (process" in said
    assert "sleep" in said
    assert guest.run(f"systemctl show -p MainPID --value {UNIT}").stdout == main
    guest.run("pkill -x sleep")
    assert changed(apply(controller)) == [UNIT]
    group = guest.run(f"systemctl show -p ControlGroup --value {UNIT}").stdout
    assert group == f"/gobuilds.slice/{UNIT}\n"

    # Now in the slice: what it detaches ends with it.
    job(guest)
    guest.run(f"systemctl stop {UNIT}")
    assert guest.run("pgrep -x sleep", check=False).stdout == ""


def a_power_loss_after_the_change_leaves_no_empty_file(
    held: tuple[Guest, Controller],
) -> None:
    guest, controller = held
    guest.run("sync; rm /etc/systemd/user/gobuilds.slice /opt/gostead/libexec/go-slice; sync")
    assert len(changed(apply(controller))) >= 2
    guest.power_loss()
    written = "$(find /etc/systemd -name '*gostead*' -type f) /etc/systemd/*/gobuilds.slice"
    sizes = guest.run(f"stat -c %s {written} /opt/gostead/libexec/go-slice").stdout.split()
    assert len(sizes) >= 5
    assert "0" not in sizes
    holds(guest)
    apply(controller)  # what was not on the disk yet when the power went is made again


def from_boot_on_the_limits_hold_and_nothing_is_to_do(held: tuple[Guest, Controller]) -> None:
    guest, controller = held
    guest.reboot()
    holds(guest)
    read = reloads(guest)
    assert changed(apply(controller)) == []
    assert reloads(guest) == read


def what_the_kernel_holds_is_compared_and_what_overrides_it_is_named(
    held: tuple[Guest, Controller],
) -> None:
    guest, controller = held
    guest.run(f"echo max >{CGROUP}/memory.high")
    assert changed(apply(controller)) == ["systemd"]
    holds(guest)
    guest.run("systemctl set-property --runtime gobuilds.slice MemoryHigh=99M")
    report = controller.ask("plan", *ONLY)
    assert report["exit"] == 1
    assert "/run/systemd/system.control/gobuilds.slice.d" in json.dumps(report)
    guest.run("rm -rf /run/systemd/system.control/gobuilds.slice.d; systemctl daemon-reload")
    assert audited(guest, controller, "slices") == (3, [])
    # Another budget, with a unit, while the slices are active.
    own = "/sys/fs/cgroup/user.slice/user-1000.slice"
    with guest.login("deploy"):
        guest.run("go-slice true", user="deploy")
        less = apply(controller, builds=BUDGET | {"memory_high": "200MiB"})
        assert limit(guest, "memory.high") == limit(guest, "memory.high", own) == str(200 << 20)
        # Their own systemd reads it with the next go-slice.
        [said] = [f["what"] for f in less["findings"] if f["item"] == "user@1000"]
        assert said.endswith(f"not {200 << 20}")
        guest.run("go-slice true", user="deploy")
        own += "/user@1000.service/gobuilds.slice"
        assert limit(guest, "memory.high", own) == str(200 << 20)
        [said] = [f["what"] for f in apply(controller)["findings"] if f["item"] == "user@1000"]
        assert f"memory.high is {200 << 20}, not " in said
    holds(guest)


def a_fork_bomb_ends_at_the_budget_and_ssh_answers(held: tuple[Guest, Controller]) -> None:
    guest, _ = held
    bomb = "bomb() { while :; do bomb & done; }; bomb"
    with guest.login("deploy"):
        guest.run(f"setsid go-slice bash -c '{bomb}' >/dev/null 2>&1 </dev/null &", user="deploy")
        path = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/gobuilds.slice"
        deadline = time.monotonic() + 60
        while int(guest.run(f"cat {path}/pids.current 2>/dev/null || echo 0").stdout) < 100:
            assert time.monotonic() < deadline, "the bomb does not go off"
        # A new connection: 5 s for its beginning are few on one emulated processor with a bomb.
        while guest.ssh("echo here").stdout != "here\n":
            assert time.monotonic() < deadline + 60, "nobody can log in any more"
        assert int(limit(guest, "pids.current", path)) <= 120
        guest.run(f"echo 1 >{path}/cgroup.kill")


def a_kill_is_told_once_and_stands_in_the_journal(held: tuple[Guest, Controller]) -> None:
    guest, controller = held
    # Without memory_high, which would slow it down for minutes first.
    hard = {"builds": {"memory_max": "50%", "memory_swap_max": 0, "tasks_max": 120}}
    apply(controller, **hard)
    eat = "eaten = []\nwhile True: eaten.append(bytes([1]) * (4 << 20))"
    # What ssh itself started and a signal ended has no exit code there: a shell tells it.
    done = guest.run(f"go-slice python3 -c '{eat}'; echo $?", timeout=300)
    assert done.stdout == "137\n"
    host = apply(controller, **hard)
    assert changed(host) == []
    told = [f["what"] for f in host["findings"]]
    assert any("1 process of it killed for want of memory" in what for what in told), told
    lines = guest.run("journalctl GOSTEAD_EVENT=oom_kill -o json --no-pager").stdout.splitlines()
    [entry] = [json.loads(line) for line in lines]
    assert (entry["GOSTEAD_TASK"], entry["GOSTEAD_UID"]) == ("python3", "0")
    assert entry["GOSTEAD_CGROUP"].startswith("/gobuilds.slice/")
    again = [f["what"] for f in apply(controller, **hard)["findings"]]
    assert not any("killed" in what for what in again)
    assert len(guest.run("journalctl GOSTEAD_EVENT=oom_kill -o json").stdout.splitlines()) == 1


def a_service_s_kill_is_told_by_its_name(held: tuple[Guest, Controller]) -> None:
    """Also when the service is gone, and whatever its process called itself."""
    guest, controller = held
    hard = {"builds": {"memory_max": "50%", "memory_swap_max": 0, "tasks_max": 120}}
    apply(controller, **hard)
    eat = """open("/proc/self/comm", "w").write("a b/c:\\n,pid=1")
eaten = []
while True: eaten.append(bytes([1]) * (4 << 20))"""
    run = "systemd-run -q --wait --collect --slice=gobuilds.slice --unit=hungry.service"
    guest.run(f"{run} python3 -c '{eat}'", check=False, timeout=300)
    [said] = [f["what"] for f in apply(controller, **hard)["findings"]
              if f["item"] == "hungry.service"]  # fmt: skip
    assert "1 process of it killed for want of memory" in said
    assert "a b/c:?,pid=1 (process " in said
    found = guest.run("journalctl GOSTEAD_UNIT=hungry.service -o json --no-pager").stdout
    [entry] = [json.loads(line) for line in found.splitlines()]
    assert entry["GOSTEAD_TASK"] == "a b/c:?,pid=1"
    assert (entry["GOSTEAD_EVENT"], entry["PRIORITY"]) == ("oom_kill", "4")
    assert entry["GOSTEAD_CGROUP"] == "/gobuilds.slice/hungry.service"
    assert entry["GOSTEAD_PID"] != "1"


def removed_all_is_as_before(held: tuple[Guest, Controller]) -> None:
    guest, controller = held
    guest.run(f"systemctl start {UNIT}")
    assert controller.ask("remove", "-y")["exit"] == 0
    now = "find /etc/systemd /usr/local /opt -printf '%p %M %l\\n' | sort | diff /srv/before -"
    assert guest.run(now, check=False).stdout == ""
    # The runner is in the slice still, and nothing holds it there.
    assert (limit(guest, "memory.high"), limit(guest, "pids.max")) == ("max", "max")
    guest.run(f"systemctl restart {UNIT}")
    group = guest.run(f"systemctl show -p ControlGroup --value {UNIT}").stdout
    assert group == f"/system.slice/{UNIT}\n"


def test_budgets_from_the_first_run_to_the_removal(held: tuple[Guest, Controller]) -> None:
    a_service_at_work_is_not_disturbed_and_leaves_nothing_behind(held)
    a_power_loss_after_the_change_leaves_no_empty_file(held)
    from_boot_on_the_limits_hold_and_nothing_is_to_do(held)
    what_the_kernel_holds_is_compared_and_what_overrides_it_is_named(held)
    a_fork_bomb_ends_at_the_budget_and_ssh_answers(held)
    a_kill_is_told_once_and_stands_in_the_journal(held)
    a_service_s_kill_is_told_by_its_name(held)
    removed_all_is_as_before(held)
