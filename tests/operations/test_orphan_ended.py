"""One orphan is ended: looked at again before each signal, by its owner; what came of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gostead.templates import host_script
from tests.support.orphaned import (
    RUN_CHILD,
    age,
    alive,
    apply,
    child_of,
    declare,
    of,
    script,
    start,
    status_of,
)
from tests.support.sandbox import Sandbox
from tests.support.site import Site


def test_one_that_ignores_term_is_killed(site: Site, ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD, "-c", "trap '' TERM; while :; do sleep 1; done",
                program="/bin/dash")  # fmt: skip
    child = child_of(ground, pid)
    age()
    declare(site)
    began = time.monotonic()
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert 9 < time.monotonic() - began < 25
    assert not alive(ground, pid)
    assert child  # it is no Go program: nobody looks for it


def test_one_that_is_ended_and_not_reaped_is_said_to_be_so(site: Site, ground: Sandbox) -> None:
    ground.run("mkdir -p /tmp/go-build1/b001/exe; cp /bin/sleep /tmp/go-build1/b001/exe/server;"
               "mkdir -p /home/ann/lib; cp /bin/sleep /home/ann/lib/systemd")  # fmt: skip
    manager = start(
        ground, "/home/ann/shell", "-c",
        "/tmp/go-build1/b001/exe/server 1000 & exec /home/ann/lib/systemd 1000",
        program="/bin/dash",
    )  # fmt: skip
    pid = child_of(ground, manager)
    age()
    declare(site)
    report = apply(site, ground)
    assert report["exit"] == 0, report
    (change,) = of(report, "changes")
    assert f"only its parent can, process {manager} (systemd)" in change["detail"]
    assert "State:\tZ" in status_of(ground, pid)
    assert of(apply(site, ground), "changes") == []


@pytest.mark.parametrize("other", [{"ppid": 77}, {"exe": "/usr/bin/other"}])
def test_one_that_changed_since_is_not_ended(ground: Sandbox, other: dict[str, Any]) -> None:
    pid = start(ground, RUN_CHILD)
    done = ground.run(["sh", "-s"], input=script(ground, pid, **other))
    assert done.returncode == 10
    assert "changed since planned" in done.stderr
    assert alive(ground, pid)


def test_one_that_ended_meanwhile_is_no_trouble(ground: Sandbox) -> None:
    pid = start(ground, RUN_CHILD)
    text = script(ground, pid)
    ground.run(f"kill -9 {pid}; sleep 0.2", check=True)
    assert ground.run(["sh", "-s"], input=text).returncode == 0


def test_a_number_that_was_given_again_is_not_ended(ground: Sandbox) -> None:
    """The same number, program, user and parent: only when it began is another."""
    ground.run("mount -t proc proc /mnt", check=True)
    pid = start(ground, RUN_CHILD)
    text = script(ground, pid)
    ground.run(f"kill -9 {pid}; sleep 0.2", check=True)
    for _ in range(50):
        words = f"echo {pid - 1} >/mnt/sys/kernel/ns_last_pid; "
        again = ground.run(
            f"{words} setpriv --reuid 1002 --regid 1002 --clear-groups {RUN_CHILD} 1000 "
            "</dev/null >/dev/null 2>&1 & sleep 0.1; echo $!"
        ).stdout
        if int(again) == pid:
            break
        ground.run(["kill", "-9", again.strip()])
    assert int(again) == pid
    assert ground.run(["sh", "-s"], input=text).returncode == 0
    assert alive(ground, pid)
    # The owner's own part looks once more, right before the signal.
    inner = host_script("lib/in_process", pid=pid, start="1", user="ann")
    ground.run(["sh", "-s"], input=inner, env={"GOSTEAD_INPUT": "TERM"}, user="ann", check=True)
    assert alive(ground, pid)


def test_root_ends_nobody_elses(ground: Sandbox) -> None:
    """Whatever root was told, the signal is the declared user's."""
    pid = start(ground, RUN_CHILD, user="zed")
    done = ground.run(["sh", "-s"], input=script(ground, pid))
    assert done.returncode == 1
    assert f"process {pid} is not ann's to end" in done.stderr
    assert alive(ground, pid)
