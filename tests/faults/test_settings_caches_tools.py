"""Scorecard: settings, caches and tools where there is no room, or where two runs meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import Ground, told

HOST = "tools.example.com"
ONE: dict[str, Any] = {"tools": [f"{HOST}/one@v1.0.0"]}
NEWER: dict[str, Any] = {"tools": [f"{HOST}/one@v1.1.0"]}
SAYS = "one v{} go1.27.3\n"
FILL = "cat /dev/zero >/opt/filler 2>/dev/null || :"


@pytest.mark.parametrize("step", ["tool-begun", "tool-built"])
def test_no_room_for_a_tool(step: str, ground: Ground) -> None:
    ground.run("mount -t tmpfs -o size=3m,nr_inodes=300,mode=755 tmpfs /opt")
    ground.site.declare(users=["root"], **ONE)
    assert ground.apply(fault=Fault(room=True))["exit"] == 0
    ground.site.declare(users=["root"], **NEWER)
    at = f'[ "$1" != {step} ] || {{ {FILL}; }}'
    report = ground.apply(fault=Fault(template="change/tool", at=at, room=True))
    assert report["exit"] == 1
    assert "filesystem /opt" in told(report)
    assert ground.run("/opt/gostead/current/bin/one") == SAYS.format("1.0.0")
    assert ground.leftovers() == []
    ground.run("rm /opt/filler")
    assert ground.apply(fault=Fault(room=True))["exit"] == 0
    assert ground.run("/opt/gostead/current/bin/one") == SAYS.format("1.1.0")


def test_a_rename_of_a_tool_that_fails(ground: Ground) -> None:
    ground.site.declare(users=["root"], **ONE)
    ground.converge()
    ground.site.declare(users=["root"], **NEWER)
    calls = "rename,renameat,renameat2:error=ENOSPC"
    assert ground.apply(fault=Fault(template="change/tool", inject=calls))["exit"] == 1
    assert ground.run("/opt/gostead/current/bin/one") == SAYS.format("1.0.0")
    ground.converge()
    assert ground.run("/opt/gostead/current/bin/one") == SAYS.format("1.1.0")


def test_no_inode_for_a_cache(ground: Ground) -> None:
    ground.run("mount -t tmpfs -o nr_inodes=2,mode=755 tmpfs /var/cache; : >/var/cache/last || :")
    ground.site.declare(users=["root"], cache={"root": "/var/cache/go"})
    report = ground.apply()
    assert report["exit"] == 1
    assert "filesystem /var/cache" in told(report)
    ground.run("rm /var/cache/last; mount -o remount,nr_inodes=100 /var/cache")
    ground.converge()
    assert ground.run("stat -c '%u %a' /var/cache/go/0") == "0 700\n"


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_home_that_takes_no_settings(how: str, ground: Ground) -> None:
    ground.run("mkdir -p /home/ann/.config/go; echo GOFLAGS=-v >/home/ann/.config/go/env;"
               "chown -R ann: /home/ann/.config")  # fmt: skip
    ground.site.declare(users=["ann"])
    ground.converge()
    ground.run("cp -a /home/ann/.config /srv/config")
    if how == "full":
        ground.run("mount -t tmpfs -o size=16k,mode=755 tmpfs /home/ann/.config;"
                   "cp -a /srv/config/. /home/ann/.config; chown ann: /home/ann/.config;"
                   "su ann -c 'cat /dev/zero >~/.config/full' 2>/dev/null || :")  # fmt: skip
    else:
        ground.run("mount --bind /home/ann/.config /home/ann/.config;"
                   "mount -o remount,ro,bind /home/ann/.config")  # fmt: skip
    ground.site.declare(users=["ann"], env={"GOPRIVATE": "x" * 8000})
    report = ground.apply()
    assert report["exit"] == 1
    assert "/home/ann/.config" in told(report)
    assert ground.run("cat /home/ann/.config/go/env") == "GOFLAGS=-v\n"
    assert ".gostead-new" not in ground.run("ls -A /home/ann/.config/go")
    ground.run("rm -f /home/ann/.config/full; umount /home/ann/.config")
    ground.converge()
    assert "GOPRIVATE=xxx" in ground.run("cat /home/ann/.config/go/env")


def test_two_runs_at_once_mix_nothing(ground: Ground) -> None:
    for turn in range(4):
        more = (ONE, NEWER)[turn % 2]
        ground.site.declare(users=["ann", "zed"], env={"GOFLAGS": f"-tags=t{turn}"},
                            cache={"root": "/var/cache/go"}, **more)  # fmt: skip
        if turn == 2:
            ground.run("rm -rf /var/cache/go; chown zed /home/zed/.config/go/env")
        with ThreadPoolExecutor(2) as pool:
            reports = [run.result() for run in [pool.submit(ground.apply) for _ in range(2)]]
        assert [report["exit"] for report in reports] == [0, 0], [told(r) for r in reports]
        for user in ("ann", "zed"):
            text = ground.run(f"cat /home/{user}/.config/go/env")
            assert text.count("GOFLAGS=") == text.count(f"GOFLAGS=-tags=t{turn}\n") == 1
        assert ground.run("/opt/gostead/current/bin/one") == SAYS.format(f"1.{turn % 2}.0")
        assert ground.plan()["exit"] == 0
