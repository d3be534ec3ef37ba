"""A Mac that converges itself, on the stand-in: launchd's two jobs, real git and Python."""

from __future__ import annotations

import json
import plistlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.root import stand_in
from tests.hosts.darwin.scenarios import SCENARIOS
from tests.hosts.darwin.test_life import NOTES, findings
from tests.support.cache import PROJECT
from tests.support.controller import Controller
from tests.support.fault_driver import Fault
from tests.support.interpreter import interpreter_paths
from tests.support.root import Mount
from tests.support.site import Site
from tests.support.ssh_host import Fleet
from tests.support.upstream import HERE, RUNNER, Upstream

OLD, NEW = "1.26.8", "1.27.3"
JOBS = ("dev.gostead.converge", "dev.gostead.converge.clock")
JOB, CLOCK = JOBS
DAEMONS = "/Library/LaunchDaemons"
GIT = "/Library/Developer/CommandLineTools/usr/bin/git"
STAGING = "/opt/gostead/state/staging"
PYTHON = "/Library/Frameworks/Python.framework/Versions/3.13/bin/python3"


@dataclass
class Host:
    """A Mac with Apple's tools and python.org's Python, and a repository that it may follow."""

    mac: Mac
    controller: Controller
    upstream: Upstream

    def loaded(self) -> list[str]:
        """The jobs of ours that launchd has."""
        said = self.mac.shell(
            f"for job in {' '.join(JOBS)}; do "
            'launchctl print "system/$job" >/dev/null 2>&1 && echo "$job"; done'
        )
        return said.stdout.split()

    def start(self) -> dict[str, Any]:
        """A run by launchd; what it said of itself."""
        self.mac.shell(f"launchctl kickstart system/{JOB}")
        text = self.mac.shell("cat /opt/gostead/state/schedule.json").stdout
        told: dict[str, Any] = json.loads(text)
        return told

    def log(self) -> str:
        """What the last run printed."""
        return self.mac.shell("cat /opt/gostead/state/schedule.log").stdout

    def go(self) -> str:
        """The release that answers kim's login shell."""
        return self.mac.ssh("zsh -lc 'go version'", user="kim").stdout.split()[2]

    def apply(self) -> dict[str, str]:
        """What a run from the controller changes."""
        return self.controller.changes(self.controller.converge())


@pytest.fixture
def host(tmp_path: Path, macs: Callable[..., Fleet]) -> Host:
    for name in ("site", "home"):
        (tmp_path / name).mkdir()
    site = Site(tmp_path / "site", platforms=("darwin-arm64",))
    shown = [PROJECT, *interpreter_paths(stand_in()), site.directory, Path("/usr/lib/git-core")]
    mounts = [Mount(path) for path in shown if not path.is_relative_to(PROJECT) or path == PROJECT]
    mounts.append(Mount(Path("/usr/bin/git"), "/.stand-in/bin/git"))
    fleet = macs(SCENARIOS["with tools"], mounts=mounts)
    mac = fleet[0]
    assert isinstance(mac, Mac)
    put(mac, GIT, 'exec /.stand-in/bin/git "$@"')
    put(mac, PYTHON, f'exec {Path(sys.executable).resolve()} "$@"')
    found = Host(mac, Controller(site, fleet, tmp_path / "home"), Upstream(site, users=("kim",)))
    found.upstream.declare(OLD)
    found.upstream.commit()
    return found


def put(mac: Mac, path: str, line: str) -> None:
    """A program there that is a line of sh."""
    file = mac.path / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def test_declared_launchd_has_it_and_once_more_nothing_is_to_do(host: Host) -> None:
    baseline = host.mac.digest(exclude=NOTES)
    report = host.controller.converge()
    assert host.controller.changes(report)[CLOCK] == "changed"
    assert host.loaded() == list(JOBS)
    listed = host.mac.shell(f"ls -ln {DAEMONS} | awk 'NR > 1 {{ print $1, $3, $4, $9 }}'").stdout
    assert listed.splitlines() == [f"-rw-r--r-- 0 0 {job}.plist" for job in JOBS[::-1]]
    job = plistlib.loads((host.mac.path / f"{DAEMONS}/{JOB}.plist".lstrip("/")).read_bytes())
    assert (job["ProcessType"], job["LowPriorityIO"], job["Nice"]) == ("Background", True, 10)
    assert not (host.mac.path / "opt/gostead/state/schedule.json").exists(), "not at once"
    before = host.mac.digest(exclude=[*NOTES, STAGING])
    assert host.apply() == {}
    audit = host.controller.ask("audit")
    assert (audit["exit"], findings(audit)) == (0, [("note", f"{JOB}: has not run yet")])
    assert before.changes(host.mac.digest(exclude=[*NOTES, STAGING])) == []
    assert host.controller.ask("remove", "-y")["exit"] == 0
    assert host.loaded() == []
    assert baseline.changes(host.mac.digest(exclude=NOTES)) == []
    assert (host.mac.touched, host.mac.unknown) == ([], [])


DRIFTS = (
    f"launchctl bootout system/{CLOCK}",
    f"launchctl bootout system/{JOB}",
    f"rm {DAEMONS}/{CLOCK}.plist",
    f"echo '<!-- -->' >>{DAEMONS}/{JOB}.plist",
    f"chmod 666 {DAEMONS}/{JOB}.plist",
    f"chown 501 {RUNNER}",
    f"chmod 755 {HERE}",
    f"echo 'https_proxy=http://eve' >>{HERE}/network",
)


def test_one_drift_is_one_change(host: Host) -> None:
    host.apply()
    before = host.mac.digest(exclude=[*NOTES, STAGING])
    for spoil in DRIFTS:
        host.mac.shell(spoil)
        assert host.apply() == {CLOCK: "changed"}, spoil
        assert before.changes(host.mac.digest(exclude=[*NOTES, STAGING])) == [], spoil
        assert host.loaded() == list(JOBS), spoil
    assert host.controller.ask("plan")["exit"] == 0


def test_a_signed_commit_comes_in_and_an_unsigned_one_does_not(host: Host) -> None:
    host.apply()
    assert host.start()["result"] == "converged", host.log()
    assert host.go() == f"go{OLD}"
    host.upstream.declare(NEW)
    signed = host.upstream.commit()
    told = host.start()
    assert (told["result"], told["good"]) == ("converged", signed), host.log()
    assert host.go() == f"go{NEW}"
    assert f"toolchains/go{NEW}: absent -> go{NEW}" in host.log()
    audit = host.controller.ask("audit")
    assert (audit["exit"], findings(audit)) == (0, [])
    host.upstream.declare(OLD)
    host.upstream.commit(None)
    told = host.start()
    assert told["result"] == "refused"
    assert "not signed by one of the declared signers" in told["error"]
    assert host.go() == f"go{NEW}"
    assert host.controller.ask("audit")["exit"] == 2
    assert host.loaded() == list(JOBS)
    assert host.mac.touched == []


def test_a_run_that_changes_the_jobs_goes_on_and_the_clock_takes_them_up(host: Host) -> None:
    host.apply()
    plist = f"{DAEMONS}/{JOB}.plist"
    host.mac.shell(f"sed -i '' 's/Background/Standard/' {plist}")
    host.upstream.declare(OLD, every="2h", jitter="1s")
    host.upstream.commit()
    told = host.start()
    assert told["result"] == "converged", host.log()
    clock = plistlib.loads((host.mac.state / f"launchd/system/{CLOCK}").read_bytes())
    assert len(clock["StartCalendarInterval"]) == 12
    assert host.loaded() == [CLOCK], "its own job has let itself go"
    assert not (host.mac.path / f"{HERE}/reload".lstrip("/")).exists()
    host.mac.shell(f"echo 0 >{HERE}/stamp; launchctl kickstart system/{CLOCK}")
    assert host.loaded() == list(JOBS)
    job = plistlib.loads((host.mac.state / f"launchd/system/{JOB}").read_bytes())
    assert job["ProcessType"] == "Background"


@pytest.mark.parametrize("how", ["undeclared", "absent"])
def test_it_goes_by_its_own_run(host: Host, how: str) -> None:
    host.apply()
    host.start()
    absent = {"state": "absent"} if how == "absent" else {}
    host.upstream.site.declare({"default": OLD}, users=["kim"], **absent)
    host.upstream.commit()
    host.mac.shell(f"launchctl kickstart system/{JOB}")
    assert host.loaded() == []
    left = host.mac.shell(f"ls -d {HERE} {RUNNER} {DAEMONS}/* /opt/.gostead*; ls /opt").stdout
    assert left == ("gostead\n" if how == "undeclared" else "")


@pytest.mark.parametrize(
    ("ago", "runs"), [("now", False), ("before the hour", True), ("nothing", True)]
)
def test_the_clock_starts_a_run_once_the_hour_has_struck(host: Host, ago: str, runs: bool) -> None:
    """Launchd asks at each hour and when it starts: a Mac that was off makes up for it."""
    host.upstream.declare(OLD, jitter="1s")
    host.upstream.commit()
    host.apply()
    now = int(time.time())
    stamp = {"now": now, "before the hour": now - now % 3600 - 60, "nothing": ""}[ago]
    host.mac.shell(f"echo {stamp} >{HERE}/stamp; launchctl kickstart system/{CLOCK}")
    result = host.mac.path / "opt/gostead/state/schedule.json"
    assert result.exists() == runs
    if runs:
        assert json.loads(result.read_text())["result"] == "converged", host.log()
        assert now <= int((host.mac.path / f"{HERE}/stamp".lstrip("/")).read_text())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (f"chown 501 {PYTHON}", "no Python 3.11 or newer that only root can change"),
        (f"chmod 757 {PYTHON.rpartition('/')[0]}", "no Python 3.11 or newer that only root can"),
        (f"mv {GIT} {GIT}-away", "there is none that only root can change"),
        (f"chown kim {GIT}", "there is none that only root can change"),
    ],
)
def test_what_others_could_change_is_not_run_by_root(host: Host, spoil: str, said: str) -> None:
    host.mac.shell(spoil)
    report = host.controller.ask("apply", "-y")
    assert report["exit"] == 1
    assert any(said in text for _severity, text in findings(report))
    assert host.loaded() == []
    assert host.mac.touched == []


def test_tools_of_administrators_are_good_enough(host: Host) -> None:
    """python.org's package lets the group admin write: its members may sudo anyway."""
    place = PYTHON.rpartition("/")[0]
    host.mac.shell(f"chgrp -R 80 {place}; chmod -R g+w {place}")
    host.apply()
    assert host.start()["result"] == "converged", host.log()


def test_what_the_tools_bring_is_no_error_where_they_are_declared(host: Host) -> None:
    host.mac.shell("rm -rf /Library/Developer/CommandLineTools")
    assert host.controller.ask("plan")["exit"] == 1
    host.upstream.site.declare(
        {"default": OLD}, users=["kim"], xcode={"command_line_tools": "present"},
        schedule={"every": "1h", "source": host.upstream.url, "ref": "0" * 40},
    )  # fmt: skip
    assert host.controller.ask("plan")["exit"] == 2


@pytest.mark.parametrize("checkpoint", ["file-named", "schedule-loaded"])
def test_killed_while_it_is_made_the_next_run_makes_it(host: Host, checkpoint: str) -> None:
    fault = Fault(template="change/schedule", kill_at=checkpoint)
    assert host.controller.ask("apply", "-y", fault=fault)["exit"] == 1
    host.apply()
    assert host.loaded() == list(JOBS)
    assert host.apply() == {}


@pytest.mark.parametrize("checkpoint", ["unschedule-stopped", "unschedule-units"])
def test_killed_while_it_is_taken_back_the_next_run_does_it(host: Host, checkpoint: str) -> None:
    host.apply()
    host.upstream.site.declare({"default": OLD}, users=["kim"])
    fault = Fault(template="change/unschedule", kill_at=checkpoint)
    assert host.controller.ask("apply", "-y", fault=fault)["exit"] == 1
    host.apply()
    assert host.loaded() == []
    assert host.mac.shell(f"ls -d {HERE} {RUNNER} {DAEMONS}/*").stdout == ""


def test_a_run_that_was_killed_is_told(host: Host) -> None:
    host.apply()
    put(host.mac, GIT, "kill -9 $PPID")
    host.mac.shell(f"launchctl kickstart system/{JOB}")
    put(host.mac, GIT, 'exec /.stand-in/bin/git "$@"')
    report = host.controller.ask("plan")
    assert any("did not come to its end" in text for _severity, text in findings(report))
    audit = host.controller.ask("audit")
    assert any("did not come to its end" in text for _severity, text in findings(audit))
