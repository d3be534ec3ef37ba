"""Scorecard: two runs at once: one changes, the other waits; nothing is mixed. Twenty times."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground, told


def at_once(ground: Ground, count: int = 2) -> list[dict[str, Any]]:
    """So many applies, started at the same moment."""
    with ThreadPoolExecutor(count) as pool:
        return [run.result() for run in [pool.submit(ground.apply) for _ in range(count)]]


# With --all it is twenty times.
@pytest.mark.parametrize("part", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_nothing_is_mixed(part: int, ground: Ground) -> None:
    for turn in range(5):
        version = (NEW, OLD)[turn % 2]
        ground.site.declare({"default": version, "keep": 0})
        if turn == 3:
            ground.cause("a link elsewhere")
        reports = at_once(ground)
        assert [report["exit"] for report in reports] == [0, 0], [told(r) for r in reports]
        ground.assert_converged(version)
        assert ground.run("ls /opt/gostead/toolchains") == f"go{version}\n"


def test_who_does_not_want_to_wait_is_told_who_is_at_work(ground: Ground) -> None:
    ground.converge()
    ground.run("ln -s run7:1:$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20):"
               "$(cat /proc/sys/kernel/random/boot_id) /opt/gostead/state/lock")  # fmt: skip
    ground.cause("no link")
    impatient = Fault(template="change/link", replace={"-ge 300 ]": "-ge 1 ]"})
    report = ground.apply(fault=impatient)
    assert report["exit"] == 1
    assert "another run holds the lock: run7:1:" in told(report)
    assert ground.go_version() == NEW
