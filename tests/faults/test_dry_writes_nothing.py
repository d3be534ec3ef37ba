"""Scorecard: a plan writes nothing on the host, not even a file that comes and goes in /tmp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.faults import OLD, Ground
from tests.support.stand_in_systemd import BOOTED, BUDGET


@pytest.mark.parametrize(
    ("user", "options", "declared"),
    [
        ("root", (), {}), ("root", ("--deep",), {}), ("ann", (), {}), ("ann", ("--deep",), {}),
        ("root", (), BUDGET),
    ],
    ids=["root", "root-deep", "ann", "ann-deep", "slices"],
)  # fmt: skip
def test_with_everything_to_do_and_with_drift(
    user: str, options: tuple[str, ...], declared: dict[str, Any],
    make_ground: Callable[..., Ground],
) -> None:  # fmt: skip
    ground = make_ground(user)
    if declared:
        ground.run(BOOTED)
        ground.site.declare(**declared)
    before = ground.sandbox.digest(times=True)
    assert ground.plan(*options)["exit"] == 2
    assert before.changes(ground.sandbox.digest(times=True)) == []
    ground.converge()
    ground.cause("an edited file")
    if declared:
        ground.run("echo '#' >>/etc/systemd/system/gobuilds.slice; rm /usr/local/bin/go-slice")
    ground.site.declare({"versions": [OLD], "links": "off"}, **declared)
    before = ground.sandbox.digest(times=True)
    assert ground.plan(*options)["exit"] == 2
    assert before.changes(ground.sandbox.digest(times=True)) == []
