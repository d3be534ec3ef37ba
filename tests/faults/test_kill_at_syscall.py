"""Scorecard: SIGKILL at the N-th system call of a script: the old Go runs; the retry converges.

The shell alone dies: what it had started goes on for a moment, as on a real host.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground

# Every step of every script: minutes, so with --all.
pytestmark = pytest.mark.slow

#: strace counts each system call by itself: the shell waits for its commands some 50 times in an
#: install, 40 times for a profile, 25 times in a switch, 65 times in a repair; it only looks around
#: at first.
STEPS = {
    "change/install": (20, 28, 36, 42, 46, 48),
    "change/profile": (28, 35),
    "change/switch": (14, 18, 20, 22, 24),
}
CASES = [
    pytest.param(template, step, marks=[pytest.mark.slow] * (number % 2))
    for template, steps in STEPS.items()
    for number, step in enumerate(steps)
]


@pytest.mark.parametrize(("template", "step"), CASES)
def test_an_upgrade_can_die_anywhere(
    template: str, step: int, begin_ground: Callable[..., Ground]
) -> None:
    ground = begin_ground("root", {"default": OLD})
    ground.site.declare({"default": NEW})
    report = ground.apply(fault=Fault(template=template, kill_at_syscall=step))
    assert report["exit"] == 1, "it was not killed"
    assert ground.go_version() in {OLD, NEW}
    ground.converge()
    ground.assert_converged(NEW)


@pytest.mark.parametrize(
    "step",
    [46, 58, 61, *(pytest.param(step, marks=pytest.mark.slow) for step in (40, 50, 54, 57, 60))],
)
def test_a_repair_can_die_anywhere(step: int, begin_ground: Callable[..., Ground]) -> None:
    ground = begin_ground("ann")
    ground.cause("a deleted directory")
    report = ground.apply(fault=Fault(template="change/install", kill_at_syscall=step))
    assert report["exit"] == 1, "it was not killed"
    assert ground.go_version() == NEW
    ground.converge()
    ground.assert_converged(NEW)
