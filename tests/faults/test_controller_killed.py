"""Scorecard: the controller dies in the middle: no half state, and a rerun converges."""

from __future__ import annotations

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground


@pytest.mark.parametrize(
    "checkpoint", ["install-begun", "install-unpacked", "install-named", "switch-previous"]
)
def test_a_rerun_converges(checkpoint: str, ground: Ground) -> None:
    ground.site.declare({"default": OLD})
    ground.converge()
    ground.site.declare({"default": NEW})
    killed = ground.gostead(
        "apply", "-y", "@local", "--declaration", str(ground.site.declaration), "--json",
        fault=Fault(at='[ "$1" != ' + checkpoint + ' ] || kill -9 $PPID'),
    )  # fmt: skip
    assert killed.returncode in (-9, 137), killed.stderr
    assert ground.go_version() in {OLD, NEW}
    ground.converge()
    ground.assert_converged(NEW)
