"""Scorecard: a second run changes nothing and touches no file on the whole host."""

from __future__ import annotations

from tests.support.faults import Ground, changes


def test_not_even_a_time_of_change_differs(any_ground: Ground) -> None:
    any_ground.converge()
    before = any_ground.sandbox.digest(times=True)
    assert changes(any_ground.converge()) == {}
    assert before.changes(any_ground.sandbox.digest(times=True)) == []
