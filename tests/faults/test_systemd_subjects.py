"""Scorecard, for budgets and schedules: a systemd that does not answer is "cannot read", never "no
units" (unreadable-state); two runs at once mix nothing (concurrent-runs); a controller that dies
leaves nothing by halves (controller-killed)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.test_concurrent_runs import at_once
from tests.support.fault_driver import Fault
from tests.support.faults import Ground, changes, told
from tests.support.stand_in_systemd import BOOTED

SLICES = {"builds": {"tasks_max": 99}, "units": ["r.service"]}
SCHEDULE = {"every": "1h", "source": "https://git.example.com/x.git", "ref": "0" * 40}
DEAD = """
mv /usr/bin/systemctl /usr/bin/systemctl.real
printf '#!/bin/sh\\necho "Failed to connect to bus" >&2\\nexit 1\\n' >/usr/bin/systemctl
chmod 755 /usr/bin/systemctl
"""


@pytest.mark.parametrize("declared", [{"slices": SLICES}, {"schedule": SCHEDULE}], ids=str)
def test_a_systemd_that_does_not_answer_is_not_one_without_units(
    declared: dict[str, Any], ground: Ground
) -> None:
    ground.run(BOOTED)
    ground.site.declare(**declared)
    ground.converge()
    before = ground.sandbox.digest()
    ground.run(DEAD)
    for report in (ground.plan(), ground.apply()):
        assert (report["exit"], changes(report)) == (1, {})
        assert "cannot read systemd's units" in told(report)
    ground.run("mv /usr/bin/systemctl.real /usr/bin/systemctl")
    assert before.changes(ground.sandbox.digest()) == []
    assert changes(ground.converge()) == {}


def test_two_runs_at_once_write_units_once(ground: Ground) -> None:
    ground.run(BOOTED)
    for tasks, every in enumerate(("1h", "2h", "3h", "4h", "6h"), 90):
        ground.site.declare(
            slices=SLICES | {"builds": {"tasks_max": tasks}}, schedule=SCHEDULE | {"every": every}
        )
        reports = at_once(ground)
        assert [report["exit"] for report in reports] == [0, 0], [told(r) for r in reports]
        assert ground.run("cat /sys/fs/cgroup/gobuilds.slice/pids.max") == f"{tasks}\n"
        timer = ground.run("cat /etc/systemd/system/gostead-converge.timer")
        assert f"every {every} (gostead)" in timer
        assert "reload" not in ground.run("cat /opt/gostead/state/registry")
        assert changes(ground.converge()) == {}


def test_a_limit_that_systemd_does_not_take_is_failed(ground: Ground) -> None:
    ground.run(BOOTED)
    ground.run("sed -i 's/TasksMax=/TasksMax=.*/; s|//p|/max/p|' /usr/bin/systemctl")
    ground.site.declare(slices=SLICES)
    report = ground.apply()
    assert report["exit"] == 1
    assert "did not take" in told(report)


@pytest.mark.parametrize(
    "checkpoint", ["file-named", "reload-done", "restart-begun", "schedule-enabled"]
)
def test_what_a_dead_controller_began_is_ended_by_a_rerun(checkpoint: str, ground: Ground) -> None:
    ground.run(BOOTED)
    ground.site.declare(slices=SLICES, schedule=SCHEDULE)
    killed = ground.gostead(
        "apply", "-y", "@local", "--declaration", str(ground.site.declaration), "--json",
        fault=Fault(at='[ "$1" != ' + checkpoint + ' ] || kill -9 $PPID'),
    )  # fmt: skip
    assert killed.returncode in (-9, 137), killed.stderr
    ground.converge()
    assert ground.run("cat /sys/fs/cgroup/gobuilds.slice/pids.max") == "99\n"
    owed = {
        line.split("\t")[0] for line in ground.run("cat /opt/gostead/state/registry").split("\n")
    }
    assert owed.isdisjoint({"reload", "restart"})
    assert changes(ground.converge()) == {}
