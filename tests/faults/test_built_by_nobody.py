"""What a build makes is looked at: who built it, what it is, what it left running."""

from __future__ import annotations

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import Ground

HOST = "tools.example.com"


def error_of(ground: Ground, name: str) -> str:
    ground.site.declare(users=["root"], tools=[f"{HOST}/{name}@v1.0.0"])
    report = ground.apply()
    assert report["exit"] == 1
    (change,) = [c for c in report["hosts"]["@local"]["changes"] if c["subject"] == "tools"]
    return str(change["error"])


def test_nobody_who_is_there_already_builds(ground: Ground) -> None:
    ground.site.declare(users=["root"], tools=[f"{HOST}/one@v1.0.0"])
    ground.converge()
    uid = int(ground.run("sed -n 's/^# uid //p' /opt/gostead/current/bin/one"))
    assert uid > 60000
    assert ground.run(f"getent passwd {uid} || echo nobody") == "nobody\n"


def test_what_is_not_what_was_declared_is_not_let_in(ground: Ground) -> None:
    assert "what was built is not tools.example.com/liar@v1.0.0" in error_of(ground, "liar")
    assert ground.run("ls /opt/gostead/tools 2>/dev/null || echo none") == "none\n"


def test_a_link_is_no_program(ground: Ground) -> None:
    assert "makes no program link" in error_of(ground, "link")
    assert ground.run("ls /opt/gostead/tools 2>/dev/null || echo none") == "none\n"


def test_what_a_build_leaves_running_is_ended(ground: Ground) -> None:
    ground.site.declare(users=["root"], tools=[f"{HOST}/lingers@v1.0.0"])
    ground.converge()
    assert ground.run("pgrep -x sleep -a | grep 3000 || echo none") == "none\n"
    assert ground.run("ls -d /opt/gostead/build 2>/dev/null || echo none") == "none\n"


@pytest.mark.parametrize("name", ["build", "tools"])
def test_a_name_that_is_taken_is_told(ground: Ground, name: str) -> None:
    ground.site.declare(users=["root"])
    ground.converge()
    ground.run(f"touch /opt/gostead/{name}")
    assert "/opt/gostead" in error_of(ground, "one")


def test_what_a_killed_build_left_is_removed_by_the_next_run(ground: Ground) -> None:
    """There are the settings of the build in it: credentials, perhaps."""
    ground.site.declare(users=["root"], tools=[f"{HOST}/one@v1.0.0"])
    report = ground.apply(fault=Fault(template="change/tool", kill_at="tool-built"))
    assert report["exit"] == 1, report
    assert ground.run("ls /opt/gostead/build") != ""
    ground.site.declare(users=["root"])
    report = ground.plan()
    assert [c["why"] for c in report["hosts"]["@local"]["changes"]] == [
        "left by a run that was killed"
    ]
    ground.converge()
    assert ground.run("ls -d /opt/gostead/build 2>/dev/null || echo none") == "none\n"
