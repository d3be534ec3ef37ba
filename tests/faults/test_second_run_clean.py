"""Scorecard: a second run changes nothing and touches no file on the whole host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.faults import Ground, changes, host
from tests.support.stand_in_systemd import BOOTED, BUDGET


@pytest.mark.parametrize(
    ("user", "declared"),
    [("root", {}), ("ann", {}), ("root", BUDGET)],
    ids=["root", "ann", "slices"],
)
def test_not_even_a_time_of_change_differs(
    user: str, declared: dict[str, Any], make_ground: Callable[..., Ground]
) -> None:
    ground = make_ground(user)
    if declared:
        ground.run(BOOTED)
        ground.site.declare(**declared)
    assert set(declared) <= {change["subject"] for change in host(ground.converge())["changes"]}
    before = ground.sandbox.digest(times=True)
    assert changes(ground.converge()) == {}
    assert before.changes(ground.sandbox.digest(times=True)) == []
