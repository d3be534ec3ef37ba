"""Scorecard: a plan writes nothing on the host, not even a file that comes and goes in /tmp."""

from __future__ import annotations

import pytest

from tests.support.faults import OLD, Ground


@pytest.mark.parametrize("options", [(), ("--deep",)])
def test_with_everything_to_do_and_with_drift(options: tuple[str, ...], any_ground: Ground) -> None:
    before = any_ground.sandbox.digest(times=True)
    assert any_ground.plan(*options)["exit"] == 2
    assert before.changes(any_ground.sandbox.digest(times=True)) == []
    any_ground.converge()
    any_ground.cause("an edited file")
    any_ground.site.declare({"versions": [OLD], "links": "off"})
    before = any_ground.sandbox.digest(times=True)
    assert any_ground.plan(*options)["exit"] == 2
    assert before.changes(any_ground.sandbox.digest(times=True)) == []
