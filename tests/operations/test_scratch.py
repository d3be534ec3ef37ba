"""Directories that builds left: old ones that nobody uses are told or removed."""

from __future__ import annotations

import pytest

from gostead.templates import host_script
from tests.support.orphaned import MAKE_SCRATCH, apply, declare, of, start
from tests.support.sandbox import Sandbox
from tests.support.site import Site


def scratch(ground: Sandbox, path: str, made: str = "-2 days", user: str = "ann") -> None:
    ground.run(MAKE_SCRATCH.format(path, made), user=user, check=True)


def test_what_builds_left_is_told_or_removed(site: Site, ground: Sandbox) -> None:
    tmp = "/srv/go-tmp"
    site.declare(users=["ann"], cache={"tmp": tmp},
                 orphans={"action": "report", "min_age": "1s"})  # fmt: skip
    assert site.apply(ground)["exit"] == 0
    old = ["/tmp/go-build11", f"{tmp}/1002/go-build12"]
    for path in old:
        scratch(ground, path)
    scratch(ground, "/tmp/go-build13", "-1 hour")
    scratch(ground, "/tmp/go-build14", user="zed")
    scratch(ground, "/tmp/go-build")
    scratch(ground, "/tmp/go-build15x")
    victim = "mkdir -p /srv/victim; echo v >/srv/victim/f; touch -d '-2 days' /srv/victim"
    ground.run(f"{victim}; chown -R ann /srv/victim")
    ground.run(
        "ln -s /srv/victim /tmp/go-build16; ln -s /srv/victim /tmp/go-build11/link", user="ann"
    )
    ground.run("touch -h -d '-2 days' /tmp/go-build11 /tmp/go-build16", user="ann")
    report = site.plan(ground)
    assert report["exit"] == 0
    assert {f["item"] for f in of(report)} == set(old)
    longer = {"action": "report", "min_age": "3d"}
    site.declare(users=["ann"], cache={"tmp": tmp}, orphans=longer)
    assert of(site.plan(ground)) == []
    site.declare(users=["ann"], cache={"tmp": tmp},
                 orphans={"action": "terminate", "min_age": "1s"})  # fmt: skip
    report = site.apply(ground)
    assert report["exit"] == 0, report
    assert {(c["item"], c["result"]) for c in of(report, "changes")} == {
        (path, "changed") for path in old
    }
    left = ground.run(f"ls -d /tmp/go-build* {tmp}/1002/*").stdout.split()
    assert left == [f"/tmp/go-build{n}" for n in ("", "13", "14", "15x", "16")]
    assert ground.run("cat /srv/victim/f").stdout == "v\n"
    assert of(site.apply(ground), "changes") == []


@pytest.mark.parametrize("how", ["runs", "stands", "reads"])
def test_a_directory_in_use_stays(site: Site, ground: Sandbox, how: str) -> None:
    path = "/tmp/go-build21"
    scratch(ground, path)
    if how == "runs":  # and that process is no orphan: its parent lives
        ground.run(f"mkdir -p {path}/b001/exe; cp /bin/sleep {path}/b001/exe/t", user="ann")
        start(ground, "/home/ann/shell", "-c", f"{path}/b001/exe/t 1000 & wait",
              program="/bin/dash")  # fmt: skip
    elif how == "stands":
        start(
            ground, "/home/ann/shell", "-c", f"cd {path}/b001; sleep 1000; :", program="/bin/dash"
        )
    else:
        start(ground, "/home/ann/shell", "-c", f"exec 7<{path}/b001/x; sleep 1000; :",
              program="/bin/dash")  # fmt: skip
    ground.run(f"touch -d '-2 days' {path}; sleep 0.3", user="ann")
    declare(site)
    report = apply(site, ground)
    assert (report["exit"], of(report, "changes"), of(report)) == (0, [], [])
    # What came into use since it was planned, too.
    values = {"user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann", "path": path,
              "minutes": 1440}  # fmt: skip
    done = ground.run(["sh", "-s"], input=host_script("change/scratch", **values))
    assert done.returncode == 10
    assert ground.run(["ls", f"{path}/b001/x"]).returncode == 0


def test_a_directory_that_was_exchanged_for_a_link_stays(ground: Sandbox) -> None:
    ground.run("mkdir -p /srv/victim; echo v >/srv/victim/f; touch -d '-2 days' /srv/victim;"
               "ln -s /srv/victim /tmp/go-build31; chown -R ann /srv/victim;"
               "chown -h ann /tmp/go-build31; touch -h -d '-2 days' /tmp/go-build31")  # fmt: skip
    values = {"user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann",
              "path": "/tmp/go-build31", "minutes": 1440}  # fmt: skip
    done = ground.run(["sh", "-s"], input=host_script("change/scratch", **values))
    assert done.returncode == 10
    assert ground.run("cat /srv/victim/f").stdout == "v\n"
