"""launchd's jobs for caches and for what is started at the screen, on the stand-in of a Mac."""

from __future__ import annotations

import plistlib
import time
from collections.abc import Callable

import pytest

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.test_life import NOTES, clean_twice, findings
from tests.support.controller import Controller
from tests.support.fault_driver import Fault

Apple = Callable[..., tuple[Mac, Controller]]
SCREEN = "Library/LaunchAgents/dev.gostead.path.plist"
AGENT_JOB = "gui/501/dev.gostead.trim-cache"
AGENT = "/Users/kim/Library/LaunchAgents/dev.gostead.trim-cache.plist"
DAEMON = "/Library/LaunchDaemons/dev.gostead.trim-cache.501.plist"
JOB = "system/dev.gostead.trim-cache.501"
CACHE = "/Users/kim/Library/Caches/go-build"


def entry(mac: Mac, name: str, age: int, size: int) -> None:
    """An entry of kim's build cache, last used so many seconds ago."""
    at = f"/Users/kim/Library/Caches/go-build/{name[:2]}"
    then = time.strftime("%Y%m%d%H%M.%S", time.gmtime(time.time() - age))
    mac.shell(
        f"mkdir -p {at}; head -c {size} /dev/zero >{at}/{name}-d; "
        f"TZ=UTC0 touch -t {then} {at}/{name}-d", user="kim",
    )  # fmt: skip


def test_a_bound_is_held_at_once_and_daily_by_launchd(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=[*NOTES, CACHE])
    entry(mac, "aa11", 90_000, 600_000)
    entry(mac, "bb22", 80_000, 600_000)
    entry(mac, "cc33", 60, 600_000)
    controller.site.declare(users=["kim", "lee"], cache={"max_size": "1MiB"})
    (host,) = clean_twice(mac, controller)["hosts"].values()
    (trimmed,) = [c for c in host["changes"] if c["item"] == "build cache of kim"]
    assert trimmed["detail"].startswith("freed 1200000 bytes of 1800000")
    listed = "ls ~/Library/Caches/go-build/*/"
    assert "aa11-d" not in mac.shell(listed, user="kim").stdout
    assert "bb22-d" not in mac.shell(listed, user="kim").stdout
    assert "cc33-d" in mac.shell(listed, user="kim").stdout
    daemon = plistlib.loads((mac.path / DAEMON.lstrip("/")).read_bytes())
    how = [daemon[key] for key in ("ProcessType", "LowPriorityIO", "Nice", "UserName")]
    assert how == ["Background", True, 19, "kim"]
    assert mac.shell(f"stat -f '%u:%g %Lp' {DAEMON}").stdout == "0:0 644\n"
    # lee is not logged in at the screen.
    assert mac.shell("launchctl print system/dev.gostead.trim-cache.502").returncode == 0
    entry(mac, "dd44", 90_000, 900_000)
    mac.shell(f"launchctl kickstart {JOB}")  # as kim: the trimmer refuses root
    assert "dd44-d" not in mac.shell(listed, user="kim").stdout

    # A changed bound reaches the job that launchd holds, not only the file.
    controller.site.declare(users=["kim"], cache={"max_size": "2MiB"})
    controller.converge()
    loaded = plistlib.loads((mac.state / "launchd" / JOB).read_bytes())
    assert loaded["ProgramArguments"][-1] == str(2 * 2**20)
    assert mac.shell("launchctl print system/dev.gostead.trim-cache.502").returncode == 113
    assert controller.ask("remove", "-y")["exit"] == 0
    assert mac.shell(f"launchctl print {JOB}").returncode == 113
    assert baseline.changes(mac.digest(exclude=[*NOTES, CACHE])) == []


def test_a_job_that_launchd_does_not_have_is_drift(apple: Apple) -> None:
    """Booted out, and disabled besides."""
    mac, controller = apple()
    controller.site.declare(users=["kim"], cache={"max_size": "1MiB"})
    clean_twice(mac, controller)
    for spoil in (f"launchctl bootout {JOB}", f"launchctl bootout {JOB}; launchctl disable {JOB}",
                  f"chmod 600 {DAEMON}"):  # fmt: skip
        assert mac.shell(spoil).returncode == 0
        if "bootout" in spoil:
            assert "launchd does not have it" in str(controller.ask("audit"))
        assert controller.changes(controller.converge()) == {DAEMON: "changed"}
        assert mac.shell(f"launchctl print {JOB}").returncode == 0
        assert controller.changes(controller.converge()) == {}
    mac.shell(f"echo '<!-- mine -->' >>{DAEMON}")
    controller.site.declare(users=["kim"])
    report = controller.ask("apply", "-y")
    assert any("edited since" in text for _severity, text in findings(report))
    assert "mine" in (mac.path / DAEMON.lstrip("/")).read_text()


def test_a_daemon_of_somebody_else_is_left_alone(apple: Apple) -> None:
    mac, controller = apple()
    mac.shell(f"echo mine >{DAEMON}")
    controller.site.declare(users=["kim"], cache={"max_size": "1MiB"})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    assert any("gostead did not write it" in text for _severity, text in findings(report))
    assert (mac.path / DAEMON.lstrip("/")).read_text() == "mine\n"


def test_without_root_it_is_an_agent_of_the_user(apple: Apple) -> None:
    mac, controller = apple("tahoe", "kim")
    controller.site.declare({"links": "off"}, cache={"max_size": "1MiB"})
    clean_twice(mac, controller)
    assert not (mac.path / DAEMON.lstrip("/")).exists()
    job = "gui/501/dev.gostead.trim-cache"
    assert mac.shell(f"launchctl print {job}").returncode == 0
    entry(mac, "dd44", 90_000, 1_900_000)
    mac.shell(f"launchctl kickstart {job}", user="kim")
    assert "dd44-d" not in mac.shell(f"ls {CACHE}/*/", user="kim").stdout
    mac.shell(f"launchctl bootout {job}; launchctl disable {job}", user="kim")
    assert "launchd does not have it" in str(controller.ask("audit"))
    assert controller.changes(controller.converge()) == {AGENT: "changed"}
    assert mac.shell(f"launchctl print {job}").returncode == 0
    assert controller.ask("remove", "-y")["exit"] == 0
    assert mac.shell(f"launchctl print {job}").returncode == 113


def test_the_agent_of_an_earlier_gostead_is_replaced(apple: Apple) -> None:
    """Which had one in each home, whoever converged the Mac."""
    mac, controller = apple()
    controller.site.declare(users=["kim"], cache={"max_size": "1MiB"})
    controller.converge()
    mac.shell(
        f"cp {DAEMON} /tmp/x; mkdir -p {AGENT.rpartition('/')[0]}; cp /tmp/x {AGENT}; "
        f"chown -R kim {AGENT.rpartition('/')[0]}; "
        f"printf 'timer@kim\\t%s\\t%s\\n' {AGENT} \"$(shasum -a 256 {AGENT} | cut -c 1-64)\" "
        ">>/opt/gostead/state/registry"
    )
    assert controller.changes(controller.converge()) == {AGENT: "changed"}
    assert not (mac.path / AGENT.lstrip("/")).exists()
    assert controller.changes(controller.converge()) == {}


def test_nobody_at_the_screen_is_no_failure(apple: Apple) -> None:
    """launchd has no gui/UID of somebody who is not logged in; it loads the agent at login."""
    mac, controller = apple("tahoe", "lee")
    controller.site.declare({"links": "off"}, cache={"max_size": "1GiB"})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 0, report
    assert controller.changes(controller.converge()) == {}
    at = mac.path / "Users/lee of it/Library/LaunchAgents/dev.gostead.trim-cache.plist"
    words = plistlib.loads(at.read_bytes())["ProgramArguments"]
    assert "/Users/lee of it/Library/Caches/go-build" in words
    audit = controller.ask("audit")
    assert "daily only while this user is logged in" in str(findings(audit))
    assert (mac.touched, mac.unknown) == ([], [])


def test_what_is_started_at_the_screen_finds_go(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=NOTES)
    controller.site.declare(users=["kim", "lee"], shells={"gui": True})
    clean_twice(mac, controller)
    path = "/opt/gostead/current/bin:/usr/bin:/bin:/usr/sbin:/sbin\n"
    assert mac.shell("launchctl getenv PATH", user="kim").stdout == path
    mac.shell("launchctl kickstart gui/501/dev.gostead.path", user="kim")  # the next login
    assert mac.shell("launchctl getenv PATH", user="kim").stdout == path
    assert (mac.path / "Users/lee of it" / SCREEN).is_file()  # loaded when lee logs in
    mac.shell("launchctl bootout gui/501/dev.gostead.path", user="kim")
    assert "launchd does not have it" in str(controller.ask("audit"))
    assert controller.changes(controller.converge()) == {f"/Users/kim/{SCREEN}": "changed"}
    assert mac.shell("launchctl print gui/501/dev.gostead.path").returncode == 0

    controller.site.declare(users=["kim"], shells={"gui": False})
    controller.converge()
    assert not (mac.path / "Users/kim" / SCREEN).exists()
    controller.site.declare(users=["kim"], shells={"gui": True})
    controller.converge()
    assert controller.ask("remove", "-y")["exit"] == 0
    assert mac.shell("launchctl print gui/501/dev.gostead.path").returncode == 113
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_an_agent_of_somebody_else_is_left_alone(apple: Apple) -> None:
    mac, controller = apple()
    mac.shell(f"mkdir -p ~/Library/LaunchAgents; echo mine >~/{SCREEN}", user="kim")
    controller.site.declare(users=["kim"], shells={"gui": True})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    assert any("gostead did not write it" in text for _severity, text in findings(report))
    assert (mac.path / "Users/kim" / SCREEN).read_text() == "mine\n"


KILLED = [("change/daemon", name) for name in ("file-made", "file-named")]
KILLED += [("change/home", name) for name in ("home-registered", "home-written")]


@pytest.mark.parametrize(("template", "checkpoint"), KILLED)
def test_killed_while_a_bound_changes_launchd_has_the_new_one_after_the_next_run(
    template: str, checkpoint: str, apple: Apple
) -> None:
    mac, controller = apple("tahoe", "root" if template == "change/daemon" else "kim")
    job = JOB if template == "change/daemon" else AGENT_JOB
    links = None if template == "change/daemon" else {"links": "off"}
    controller.site.declare(links, users=["kim"], cache={"max_size": "1MiB"})
    controller.converge()
    controller.site.declare(links, users=["kim"], cache={"max_size": "2MiB"})
    fault = Fault(template=template, kill_at=checkpoint)
    assert controller.ask("apply", "-y", fault=fault)["exit"] == 1
    controller.converge()
    loaded = plistlib.loads((mac.state / "launchd" / job).read_bytes())
    assert loaded["ProgramArguments"][-1] == str(2 * 2**20)
    assert controller.changes(controller.converge()) == {}


def test_killed_while_a_daemon_is_taken_back_the_next_run_does_it(apple: Apple) -> None:
    mac, controller = apple()
    controller.site.declare(users=["kim"], cache={"max_size": "1MiB"})
    controller.converge()
    controller.site.declare(users=["kim"])
    fault = Fault(template="change/daemon", kill_at="daemon-gone")
    assert controller.ask("apply", "-y", fault=fault)["exit"] == 1
    controller.converge()
    assert controller.changes(controller.converge()) == {}
    assert "daemon" not in mac.shell("cut -f 1 /opt/gostead/state/registry").stdout.split()
    assert mac.shell(f"launchctl print {JOB}").returncode == 113
