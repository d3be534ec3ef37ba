"""Scorecard: full-at-download, -extract, -rename, inodes-exhausted: the old Go is intact, staging
is gone, and the message names the filesystem."""

from __future__ import annotations

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground, told
from tests.support.mirror import Served

#: Leaves no byte, and no inode, on the filesystem of /opt.
FILL = {
    "bytes": "cat /dev/zero >/opt/filler 2>/dev/null || :",
    "inodes": '(i=0; mkdir -p /opt/fillers; while : >"/opt/fillers/$i"; do i=$((i + 1)); done)'
    " 2>/dev/null || :",
}


def on_a_small_filesystem(ground: Ground) -> None:
    """The old Go on a tmpfs at /opt, and the new one declared."""
    ground.run("mount -t tmpfs -o size=3m,nr_inodes=300,mode=755 tmpfs /opt")
    ground.site.declare({"default": OLD})
    report = ground.apply(fault=Fault(room=True))
    assert report["exit"] == 0, report
    ground.site.declare({"default": NEW})


def refused_and_recovers(ground: Ground, fault: Fault) -> None:
    """The fault fails the run with the filesystem's name; with room again all is well."""
    report = ground.apply(fault=fault)
    assert report["exit"] == 1
    assert "filesystem /opt" in told(report)
    assert ground.go_version() == OLD
    assert ground.leftovers() == []
    ground.run("rm -rf /opt/filler /opt/fillers")
    assert ground.apply(fault=Fault(room=True))["exit"] == 0
    assert ground.go_version() == NEW


@pytest.mark.parametrize("what", FILL)
@pytest.mark.parametrize(
    "checkpoint", ["install-begun", "install-unpacked", "install-verified", "profile-made"]
)
def test_at_each_step_of_an_install(checkpoint: str, what: str, ground: Ground) -> None:
    on_a_small_filesystem(ground)
    template = "change/" + checkpoint.split("-")[0]
    at = f'[ "$1" != {checkpoint} ] || {{ {FILL[what]}; }}'
    if checkpoint == "profile-made":  # what comes after it needs no room: fill before it
        refused_and_recovers(ground, Fault(template=template, first=FILL[what], room=True))
    else:
        refused_and_recovers(ground, Fault(template=template, at=at, room=True))


@pytest.mark.parametrize("template", ["change/install", "change/switch"])
def test_at_the_rename(template: str, ground: Ground) -> None:
    on_a_small_filesystem(ground)
    calls = "rename,renameat,renameat2:error=ENOSPC"
    refused_and_recovers(ground, Fault(template=template, inject=calls, room=True))


def test_while_the_host_downloads(ground: Ground) -> None:
    on_a_small_filesystem(ground)
    served = Served(ground.site.mirror, ground.sandbox)
    try:
        wanted = {"archive_url": served.url, "fetch": "host", "pins": ground.site.pins(sha256=True)}
        ground.site.declare({"default": NEW, **wanted})
        at = f'[ "$1" != install-begun ] || {{ {FILL["bytes"]}; }}'
        refused_and_recovers(ground, Fault(template="change/install", at=at, room=True))
    finally:
        served.close()


def test_while_the_controller_downloads(ground: Ground) -> None:
    cache = "/root/.cache/gostead"
    ground.site.declare({"default": OLD})
    ground.converge()
    ground.run(
        f"mount -t tmpfs -o size=64k,mode=700 tmpfs {cache}; cat /dev/zero >{cache}/filler || :"
    )
    ground.site.declare({"default": NEW})
    report = ground.apply()
    assert report["exit"] == 1
    assert f"the file system {cache} has 0 MiB free" in told(report)
    assert ground.go_version() == OLD
    assert ground.run(f"find {cache} -type f -size +0 ! -name filler") == ""
    ground.run(f"umount {cache}")
    ground.converge()
    ground.assert_converged(NEW)


@pytest.mark.parametrize("limit", ["size=64m", "size=2g,nr_inodes=5000"])
def test_it_is_told_while_planning_and_nothing_is_fetched(limit: str, ground: Ground) -> None:
    ground.run(f"mount -t tmpfs -o {limit} tmpfs /opt")
    report = ground.plan()
    assert report["exit"] == 1
    assert "not enough room on filesystem /opt" in told(report)
    assert ground.apply()["exit"] == 1
    assert ground.run("ls -A /opt; find /root/.cache/gostead -name '*.tar*'") == ""
