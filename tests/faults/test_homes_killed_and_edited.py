"""A change in a home: killed at each of its steps, and met by somebody who edits the file."""

from __future__ import annotations

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import Ground

LINE = "if [ -r /opt/gostead/env.sh ]"


@pytest.mark.parametrize("step", ["home-registered", "home-written"])
@pytest.mark.parametrize("when", ["converging", "removing"])
def test_a_killed_change_is_finished_or_undone(ground: Ground, step: str, when: str) -> None:
    ground.site.declare(users=["ann"])
    ground.run("mkdir -p /root/.cache")
    before = ground.sandbox.digest()
    fault = Fault(template="change/home", kill_at=step)
    if when == "removing":
        ground.converge()
        ground.site.declare(users=["ann"], state="absent")
    ground.apply(fault=fault)
    text = ground.run("cat /home/ann/.bashrc")
    assert text.count(LINE) == text.count(">>> gostead >>>") == text.count("<<< gostead <<<")
    ground.converge()
    if when == "converging":
        assert ground.run("cat /home/ann/.bashrc").count(LINE) == 1
        ground.site.declare(users=["ann"], state="absent")
        ground.converge()
    left = before.changes(ground.sandbox.digest(exclude=["/root/.cache"]))
    assert [x for x in left if "root/.cache" not in x] == []


def test_what_is_written_between_plan_and_change_is_kept(ground: Ground) -> None:
    ground.site.declare(users=["ann"])
    once = "[ -e /once ] || { echo mine >>/home/ann/.bashrc; touch /once; }"
    ground.apply(fault=Fault(template="change/home", first=once))
    ground.converge()
    text = ground.run("cat /home/ann/.bashrc")
    assert text.endswith("mine\n")
    assert text.startswith("# >>> gostead >>>")


def test_a_home_that_answers_nonsense_is_that_users_alone(ground: Ground) -> None:
    """Their shell profile is not read by the probe; what their own processes print is one field."""
    ground.run("mv /home/ann /home/ann.away; echo no home >/home/ann")
    ground.site.declare(users=["ann", "zed"])
    report = ground.apply()
    assert report["exit"] == 1
    users = {c["user"] for c in report["hosts"]["@local"]["changes"] if c["result"] == "changed"}
    assert "zed" in users
    assert "ann" not in users
