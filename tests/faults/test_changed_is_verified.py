"""Scorecard: a change that did not take is FAILED, never "changed"."""

from __future__ import annotations

from tests.support.faults import Ground, changes, told

LYING_MV = "printf '#!/bin/sh\\nexit 0\\n' >/usr/bin/mv && chmod 755 /usr/bin/mv"


def test_a_directory_that_nothing_can_be_written_to(ground: Ground) -> None:
    ground.converge()
    ground.run("ln -sf /bin/true /usr/local/bin/go && chattr +i /usr/local/bin")
    try:
        report = ground.apply()
    finally:
        ground.run("chattr -i /usr/local/bin")
    assert (report["exit"], changes(report)) == (1, {"/usr/local/bin/go": "failed"})
    assert "/usr/local/bin" in told(report)


def test_a_tool_that_says_yes_and_does_nothing(ground: Ground) -> None:
    ground.converge()
    ground.run("ln -sfn /nowhere /opt/gostead/current")
    ground.run(LYING_MV)
    report = ground.apply()
    assert (report["exit"], changes(report)) == (1, {"/opt/gostead/current": "failed"})
    assert "did not take" in told(report)
