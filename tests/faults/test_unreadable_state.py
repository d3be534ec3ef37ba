"""Scorecard: what cannot be read is "cannot read X", never "absent": nothing is rebuilt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import Ground, changes, told


@pytest.mark.parametrize(
    "item",
    [
        "", "/state", "/state/stamps", "/state/registry", "/state/format", "/toolchains",
        "/toolchains/go1.27.3", "/toolchains/go1.27.3/src", "/toolchains/go1.27.3/src/fmt/print.go",
        "/profiles", "/profiles/go1.27.3", "/profiles/go1.27.3/bin",
    ],
)  # fmt: skip
def test_a_path_without_permission(item: str, make_ground: Callable[..., Ground]) -> None:
    ground = make_ground("ann")
    ground.converge()
    before = ground.sandbox.digest()
    path = ground.root + item
    mode = ground.run(f"stat -c %a {path}").strip()
    ground.run(f"chmod 000 {path}")
    for report in (ground.plan(), ground.apply()):
        assert (report["exit"], changes(report)) == (1, {})
        assert f"cannot read {path}" in told(report)
    ground.run(f"chmod {mode} {path}")
    assert before.changes(ground.sandbox.digest()) == []


@pytest.mark.parametrize(
    "filtered",
    [
        "head -c 300", "head -c 0", "sed '$d'", "tr 0-9 '\\200'",
        "head -c 9000000 /dev/zero", "sed 's/end [0-9]*/end 7/'", "sed 2d", "cut -c 1-2000",
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole(filtered: str, ground: Ground) -> None:
    ground.converge()
    before = ground.sandbox.digest(times=True)
    ground.site.declare({"default": "1.26.8"})
    fault = Fault(probe=f"{{ {filtered}; }}")
    for report in (ground.plan(fault=fault), ground.apply(fault=fault)):
        assert (report["exit"], changes(report)) == (1, {})
        assert told(report) != ""
    assert before.changes(ground.sandbox.digest(times=True)) == []
