"""Settings, caches, tools and orphans on the stand-in of a Mac."""

from __future__ import annotations

import plistlib
import subprocess
import time
from collections.abc import Callable
from typing import Any

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.test_life import BIN, NOTES, findings
from tests.support.controller import Controller

Apple = Callable[..., tuple[Mac, Controller]]
SUPPORT = "/Users/kim/Library/Application Support"
SCREEN = "Library/LaunchAgents/dev.gostead.path.plist"
AGENT = "/Users/kim/Library/LaunchAgents/dev.gostead.trim-cache.plist"
DAEMON = "/Library/LaunchDaemons/dev.gostead.trim-cache.501.plist"
JOB = "system/dev.gostead.trim-cache.501"
CACHE = "/Users/kim/Library/Caches/go-build"


def clean_twice(mac: Mac, controller: Controller) -> dict[str, Any]:
    """Converges, finds nothing left to do and nothing to find; the first report."""
    report = controller.ask("apply", "-y")
    (host,) = report["hosts"].values()
    wrong = [(c["item"], c["error"]) for c in host["changes"] if c["result"] != "changed"]
    assert (report["exit"], wrong, findings(report)) == (0, [], [])
    assert controller.changes(controller.converge()) == {}
    audit = controller.ask("audit")
    assert (audit["exit"], findings(audit)) == (0, [])
    assert (mac.touched, mac.unknown) == ([], [])
    return report


def test_settings_and_telemetry_stand_where_go_looks_on_a_mac(apple: Apple) -> None:
    mac, controller = apple()
    mac.shell(f"mkdir -p '{SUPPORT}/go'; echo GOFLAGS=-v >'{SUPPORT}/go/env'", user="kim")
    baseline = mac.digest(exclude=NOTES)
    # For the last, go would start the compiler, and /usr/bin/clang opens a dialogue here.
    env = {"GOPRIVATE": "git.example.com", "GOMEMLIMIT": "2GiB", "CGO_CFLAGS": "-O1"}
    controller.site.declare(users=["kim", "lee"], env=env, telemetry="off")
    clean_twice(mac, controller)
    explained = controller.ask("explain")["hosts"]["mac1"]["explained"]["settings"]
    assert {"clang", "1"} <= {row["value"] for row in explained if row["user"] == "kim"}
    assert (mac.touched, mac.unknown) == ([], [])
    mac.shell("go env CGO_CFLAGS", user="kim", env={"PATH": f"{BIN}:/usr/bin:/bin"})
    assert "clang" in mac.touched[0]  # had it been asked so
    lines = (mac.path / SUPPORT.lstrip("/") / "go/env").read_text().splitlines()
    assert sorted(lines) == ["CGO_CFLAGS=-O1", "GOFLAGS=-v", "GOPRIVATE=git.example.com"]
    assert not (mac.path / "Users/kim/.config/go").exists()
    for user in ("kim", "lee"):
        said = mac.ssh(
            "zsh -lc 'go env GOPRIVATE; echo $GOMEMLIMIT; go env GOTELEMETRY'", user=user
        )
        assert said.stdout == "git.example.com\n2GiB\noff\n"
    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_caches_of_each_user(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=NOTES)
    cache = {"root": "/var/cache/go", "modules": "/var/cache/go-mod", "tmp": "/var/cache/go-tmp"}
    controller.site.declare(users=["kim", "lee"], cache=cache)
    clean_twice(mac, controller)
    for uid, user in ((501, "kim"), (502, "lee")):
        said = mac.ssh("zsh -lc 'go env GOCACHE'", user=user).stdout.strip()
        assert said == f"/var/cache/go/{uid}"
        assert mac.shell(f"stat -f '%u:%g %Lp' {said}").stdout == f"{uid}:20 700\n"
    mac.shell("chmod 755 /var/cache/go/501; touch /var/cache/go/502/ab")
    changed = controller.changes(controller.converge())
    assert set(changed) == {"/var/cache/go/501", "/var/cache/go/502"}
    assert controller.ask("remove", "-y", "--purge")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


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


def test_tools_are_built_by_nobody_in_particular(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=NOTES)
    controller.site.declare(users=["kim"], tools=["a.example.com/one@v1.0.0"])
    clean_twice(mac, controller)
    text = (mac.path / "opt/gostead/tools/go1.27.3/bin/one").read_text()
    builder = int(text.split("# uid ")[1].split()[0])
    assert builder > 60_000
    assert mac.ssh("zsh -lc one", user="kim").stdout == "one v1.0.0 go1.27.3\n"
    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_what_only_a_repository_has_is_not_asked_for_by_a_dialogue(apple: Apple) -> None:
    mac, controller = apple()
    tool = "git.example.com/own@v1.0.0"
    controller.site.declare(users=["kim"], tools=[tool], env={"GOPROXY": "direct"})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    (said,) = [c["error"] for c in report["hosts"]["mac1"]["changes"] if c["subject"] == "tools"]
    assert "by git. That is one of Apple's developer tools" in " ".join(said.split()), said
    assert (mac.touched, mac.unknown) == ([], [])


def test_orphans_are_found_and_ended_by_ps(apple: Apple) -> None:
    mac, controller = apple()
    server = "/private/tmp/go-build12/b001/exe/server"
    mac.shell(f"mkdir -p {server.rpartition('/')[0]}; cp /bin/bash {server}")
    start = f"({server} -c 'while :; do sleep 1000; done' >/dev/null 2>&1 </dev/null &); sleep 2"
    began = time.monotonic()
    left = subprocess.Popen(mac.ssh_command(start, user="kim"))
    left.wait()
    running = "ps -A -o command= | grep -c '^/private/tmp/go-build12/[b]001'"
    assert mac.shell(running).stdout.strip() == "1"
    controller.site.declare(users=["kim"], orphans={"action": "report", "min_age": "1s"})
    controller.converge()
    (found,) = controller.ask("facts")["mac1"]["orphans"]["processes"]
    assert 1 <= found["age"] <= time.monotonic() - began + 1
    report = controller.ask("plan")
    assert any("server" in text for _severity, text in findings(report))
    controller.site.declare(users=["kim"], orphans={"action": "terminate", "min_age": "1s"})
    controller.converge()
    assert mac.shell(running).stdout.strip() == "0"
    assert (mac.touched, mac.unknown) == ([], [])
