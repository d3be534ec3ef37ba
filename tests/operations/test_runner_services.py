"""Services of runners are started again for what was changed, and no job of theirs is disturbed.
The systemd is a stand-in, the processes are real."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from tests.support.fault_driver import Fault
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes
from tests.support.stand_in_systemd import BOOTED, RUNNER

UNIT = "actions.runner.one.service"
PLACE = "/home/ann/runner"


class Patient:
    """A root whose gostead waits as long as one says."""

    def __init__(self, ground: Sandbox, seconds: int) -> None:
        self.gostead = partial(ground.gostead, fault=Fault(patience=seconds))


@pytest.fixture
def booted(ground: Sandbox) -> Sandbox:
    """A root with a systemd, and a runner of ann's that is a service."""
    ground.run(BOOTED + RUNNER, check=True)
    return ground


def work(ground: Sandbox, unit: str = UNIT, name: str = "Runner.Worker", seconds: int = 999) -> int:
    """A process in the cgroup of the unit: its number."""
    group = f"/sys/fs/cgroup/system.slice/{unit}"
    return int(ground.run(
        f"mkdir -p {group} /srv/{name}; cp /bin/sleep /srv/{name}/{name}; "
        f"/srv/{name}/{name} {seconds} </dev/null >/dev/null 2>&1 & "
        f"echo $! | tee -a {group}/cgroup.procs",
        check=True,
    ).stdout)  # fmt: skip


def main_process(ground: Sandbox, name: str = "runsvc.sh", unit: str = UNIT) -> int:
    """The process that systemd knows as the unit's."""
    pid = work(ground, unit, name)
    ground.run(f"echo {pid} >/run/stand-in/main-{unit}", check=True)
    return pid


def restarted(ground: Sandbox) -> list[str]:
    """The units that were started again so far."""
    return ground.run("cat /run/stand-in/restarted 2>/dev/null").stdout.split()


def told(report: dict[str, Any], item: str = UNIT) -> list[str]:
    return [f["what"] for f in report["hosts"]["@local"]["findings"] if f["item"] == item]


def owed(ground: Sandbox) -> bool:
    return "restart@" in ground.run("cat /opt/gostead/state/registry").stdout


def declare(site: Site, **go: Any) -> None:
    site.declare(users=["ann"], shells={"runners": [PLACE], "kinds": ["sh"]}, **go)


def test_an_idle_runner_is_started_again_once(site: Site, booted: Sandbox) -> None:
    main_process(booted)
    declare(site)
    made = changes(site.apply(booted))
    assert (made[f"{PLACE}/.path"], made[UNIT]) == ("changed", "changed")
    assert restarted(booted) == [UNIT]
    assert not owed(booted)
    assert changes(site.apply(booted)) == {}
    assert restarted(booted) == [UNIT]


def test_a_job_that_ends_is_waited_for(site: Site, booted: Sandbox) -> None:
    main_process(booted)
    work(booted, seconds=8)
    declare(site)
    began = time.monotonic()
    report = site.apply(booted)
    assert (report["exit"], changes(report)[UNIT]) == (0, "changed"), report
    assert time.monotonic() - began > 5
    assert restarted(booted) == [UNIT]


def test_a_job_that_lasts_is_told_and_the_next_idle_run_restarts(
    site: Site, booted: Sandbox
) -> None:
    main_process(booted)
    pid = work(booted)
    declare(site)
    hasty = Patient(booted, 2)
    for _ in range(2):  # the file is as declared by then, and the service still has the old one
        report = site.apply(hasty)
        assert (report["exit"], UNIT in changes(report)) == (0, False), report
        assert told(report) == [
            f"is at work (process {pid} Runner.Worker) and is not disturbed; until it is started "
            "again it keeps its PATH of before"
        ]
        assert booted.run(f"cat {PLACE}/.path").stdout.startswith("/opt/gostead/current/bin:")
        assert restarted(booted) == []
        assert owed(booted)
    assert list(changes(site.plan(booted))) == [UNIT]
    booted.run(f"kill {pid}", check=True)
    report = site.apply(booted)
    assert (report["exit"], changes(report)) == (0, {UNIT: "changed"})
    assert restarted(booted) == [UNIT]
    assert not owed(booted)


def test_who_started_it_again_meanwhile_did_what_was_owed(site: Site, booted: Sandbox) -> None:
    main_process(booted)
    work(booted)
    declare(site)
    assert site.apply(Patient(booted, 0))["exit"] == 0
    booted.run(f"echo another >/run/stand-in/id-{UNIT}")
    assert changes(site.plan(booted)) == {}


def test_a_user_cannot_have_anothers_service_started_again(site: Site, booted: Sandbox) -> None:
    """Whatever the files of a runner say: systemd says whose service works there."""
    other = "actions.runner.zed.service"
    booted.run(
        f"echo {other} >{PLACE}/.service; cd /run/stand-in; rm runner-{UNIT}; mkdir /home/zed/r;"
        f"printf 'WorkingDirectory=/home/zed/r\\nUser=zed\\n' >runner-{other};"
        f"printf 'WorkingDirectory={PLACE}\\nUser=zed\\n' >runner-actions.runner.two.service;"
        "printf 'WorkingDirectory=/home/ann/b\\nUser=ann\\n' >runner-actions.runner.three.service;"
        "for unit in zed two three; do echo old >id-actions.runner.$unit.service; done",
        check=True,
    )
    declare(site)
    report = site.apply(booted)
    assert report["exit"] == 0
    details = {c["item"]: c.get("detail") for c in report["hosts"]["@local"]["changes"]}
    assert details[f"{PLACE}/.path"] == "the runner's service reads it when it is started again"
    assert restarted(booted) == []
    # Nor where it became another's since the plan.
    booted.run("sed -i '2i . /run/x' /usr/bin/systemctl", check=True)
    for key in ("User=ann", f"WorkingDirectory={PLACE}"):
        booted.run(f"rm -f {PLACE}/.path; cd /run/stand-in; rm runner-*; cat >/run/x; "
                   f"printf 'WorkingDirectory={PLACE}\nUser=ann\n' >runner-{UNIT}", check=True,
                   input='case "$*" in *InvocationID*value*) '
                         f"sed -i 's|{key}|{key}x|' /run/stand-in/runner-{UNIT} ;; esac\n",
                   )  # fmt: skip
        assert UNIT in changes(site.apply(booted))
        assert restarted(booted) == []


def test_a_runner_that_is_no_longer_declared_is_started_again(site: Site, booted: Sandbox) -> None:
    main_process(booted)
    declare(site)
    assert site.apply(booted)["exit"] == 0
    site.declare(users=["ann"], shells={"kinds": ["sh"]})
    report = site.apply(booted)
    assert (report["exit"], changes(report)[UNIT]) == (0, "changed"), report
    declare(site)
    assert site.apply(booted)["exit"] == 0
    assert restarted(booted) == [UNIT] * 3
    # Removal waits as well, and what outlasts it holds nothing up.
    work(booted)
    report = site.ask(Patient(booted, 1), "remove", "-y")
    assert report["exit"] == 0, report
    assert "is at work" in told(report)[0]
    assert restarted(booted) == [UNIT] * 3
    assert booted.run("ls -d /opt/gostead").returncode != 0


@pytest.mark.parametrize(("main", "job", "waits"), [
    ("runsvc.sh", "Runner.Worker", True),
    ("gitlab-runner", "bash", True),
    ("runsvc.sh", "node", False),  # began with the service: part of it
    ("", "node", True),  # Type=forking: nobody knows which is the service itself
])  # fmt: skip
def test_what_counts_as_work(site: Site, booted: Sandbox, main: str, job: str, waits: bool) -> None:
    """Also for services in the slice; each began at the same time as its service."""
    unit = "r.service"
    if main:
        main_process(booted, main, unit)
    pid = work(booted, unit, job)
    site.declare(users=["ann"], slices={"builds": {"tasks_max": 99}, "units": [unit]})
    report = site.apply(Patient(booted, 1))
    assert report["exit"] == 0, report
    assert restarted(booted) == [unit] * (not waits)
    assert (unit in changes(report)) is not waits
    if waits:
        assert f"is at work (process {pid} {job})" in told(report, unit)[0]
        assert "runs outside of gobuilds.slice" in told(report, unit)[0]
        booted.run(f"kill {pid}", check=True)
        assert changes(site.apply(booted)) == {unit: "changed"}
        assert restarted(booted) == [unit]
