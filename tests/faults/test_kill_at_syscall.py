"""Scorecard: SIGKILL at the N-th system call of a script: the old Go runs; the retry converges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground

#: Steps through a script of about 60 (a switch) to 250 (a repair) calls, and beyond its end.
STEPS = {
    "change/install": (5, 23, 41, 67, 90, 120),
    "change/profile": (30, 60),
    "change/switch": (30, 55),
}


@pytest.mark.parametrize(
    ("template", "step"), [(name, step) for name, steps in STEPS.items() for step in steps]
)
def test_an_upgrade_can_die_anywhere(template: str, step: int, ground: Ground) -> None:
    ground.site.declare({"default": OLD})
    ground.converge()
    ground.site.declare({"default": NEW})
    ground.apply(fault=Fault(template=template, kill_at_syscall=step))
    assert ground.go_version() in {OLD, NEW}
    ground.converge()
    ground.assert_converged(NEW)


@pytest.mark.parametrize("step", [60, 85, 110, 135, 160])
def test_a_repair_can_die_anywhere(step: int, make_ground: Callable[..., Ground]) -> None:
    ground = make_ground("ann")
    ground.converge()
    ground.cause("a deleted directory")
    ground.apply(fault=Fault(template="change/install", kill_at_syscall=step))
    assert ground.go_version() == NEW
    ground.converge()
    ground.assert_converged(NEW)


def test_the_fault_is_real(ground: Ground) -> None:
    report = ground.apply(fault=Fault(template="change/install", kill_at_syscall=23))
    assert report["exit"] == 1
