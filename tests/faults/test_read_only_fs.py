"""Scorecard: a read-only filesystem: a clear message, and nothing partial."""

from __future__ import annotations

import pytest

from tests.support.faults import NEW, OLD, Ground, told


@pytest.mark.parametrize("before", [None, OLD])
def test_of_the_toolchains(before: str | None, ground: Ground) -> None:
    if before:
        ground.site.declare({"default": before})
        ground.converge()
        ground.site.declare({"default": NEW})
    ground.run("mount --bind /opt /opt && mount -o remount,ro,bind /opt")
    digest = ground.sandbox.digest()
    report = ground.apply()
    assert report["exit"] == 1
    assert "cannot write /opt" in told(report)
    assert "ead-only file" in told(report)
    assert digest.changes(ground.sandbox.digest()) == []
    assert ground.go_version() == (before or "")
    ground.run("umount /opt")
    ground.converge()
    ground.assert_converged(NEW)


def test_of_the_links(ground: Ground) -> None:
    ground.run(
        "mount --bind /usr/local/bin /usr/local/bin && mount -o remount,ro,bind /usr/local/bin"
    )
    report = ground.apply()
    assert report["exit"] == 1
    assert "/usr/local/bin" in told(report)
    assert "ead-only file" in told(report)
    ground.run("umount /usr/local/bin")
    ground.converge()
    ground.assert_converged(NEW)
