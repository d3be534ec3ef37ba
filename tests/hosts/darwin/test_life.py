"""The whole life of a declared Go on the stand-in of a Mac; it is none."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.darwin.mac import Mac
from tests.support.controller import Controller
from tests.support.digest import Digest

Apple = Callable[..., tuple[Mac, Controller]]
BIN = "/opt/gostead/current/bin"
#: Scenario, who connects, more inventory data, and where Go then is.
PLACES = {
    "apple silicon as root": ("tahoe", "root", {}, "/opt/gostead"),
    "intel as root": ("ventura intel", "root", {}, "/opt/gostead"),
    "under rosetta by sudo": ("under rosetta", "kim", {"_sudo": True}, "/opt/gostead"),
    "in a home": ("sequoia", "kim", {}, "/Users/kim/.local/share/gostead"),
    "in a home with a space": ("tahoe", "lee", {}, "/Users/lee of it/.local/share/gostead"),
    "macOS 12 by sudo": ("monterey 12.2", "kim", {"_sudo": True}, "/opt/gostead"),
    "macOS 11 in a home": ("big sur intel", "kim", {}, "/Users/kim/.local/share/gostead"),
    "macOS 10.15 as root": ("catalina intel", "root", {}, "/opt/gostead"),
}
#: The newest made-up release for that macOS, and one that goes back; else 1.27.3 and 1.26.8.
RELEASES = {
    "monterey 12.2": ("1.26.8", "1.25.14"),
    "big sur intel": ("1.24.13", "1.22.12"),
    "catalina intel": ("1.22.12", "1.21.13"),
}
#: The stand-in's own notes, and what a user's shell leaves.
NOTES = ["private/var/db/stand-in", "private/var/log"]


def findings(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Severity and text of all that is told of the only host; its error too."""
    (host,) = report["hosts"].values()
    told = [(f["severity"], f"{f['item']}: {f['what']}") for f in host["findings"]]
    return told + [("error", host["error"])] * bool(host["error"])


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


def settled(place: str, apple: Apple) -> tuple[Mac, Controller, Digest, str]:
    """A Mac with the declared Go: installed, clean in the second run, audited. And what it was."""
    scenario, user, more, root = PLACES[place]
    mac, controller = apple(scenario, user, **more)
    release, _older = releases(place)
    users = ["kim"] if root == "/opt/gostead" else ["self"]
    controller.site.declare({"default": release}, users=users)
    mac.ssh("true", user=user)
    baseline = mac.digest(exclude=NOTES)
    controller.converge()
    assert version(mac, place) == release
    before = mac.digest(times=True, exclude=NOTES)
    assert controller.changes(controller.converge()) == {}
    assert before.changes(mac.digest(times=True, exclude=NOTES)) == []
    report = controller.ask("audit")
    assert (report["exit"], findings(report)) == (0, [])
    return mac, controller, baseline, root


def releases(place: str) -> tuple[str, str]:
    """The release that is declared there, and an older one."""
    return RELEASES.get(PLACES[place][0], ("1.27.3", "1.26.8"))


def version(mac: Mac, place: str) -> str:
    """The release that answers, if it is one for the hardware."""
    _scenario, user, _more, root = PLACES[place]
    platform = "arm64" if mac.scenario.arm64 else "amd64"
    said = mac.ssh(f"'{root}/current/bin/go' version", user=user).stdout.strip()
    return said.removeprefix("go version go").removesuffix(f" darwin/{platform}")


@pytest.mark.parametrize("place", ["intel as root", "under rosetta by sudo", "in a home",
                                   "macOS 12 by sudo", "macOS 11 in a home"])  # fmt: skip
def test_install_clean_in_the_second_run_and_remove(place: str, apple: Apple) -> None:
    mac, controller, baseline, _root = settled(place, apple)
    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []
    assert (mac.touched, mac.unknown) == ([], [])


@pytest.mark.parametrize("place", ["apple silicon as root", "in a home with a space",
                                   "macOS 10.15 as root"])  # fmt: skip
def test_drift_repair_switch_rollback_remove(place: str, apple: Apple) -> None:
    mac, controller, baseline, root = settled(place, apple)
    release, older = releases(place)
    mac.run(["/bin/sh", "-c", f"rm -rf '{root}/toolchains/go{release}/pkg/tool'; "
             f"chmod 666 '{root}/env.sh'"], check=True)  # fmt: skip
    mended = {f"{root}/toolchains/go{release}": "changed", f"{root}/env.sh": "changed"}
    assert controller.changes(controller.converge()) == mended

    users = ["kim"] if root == "/opt/gostead" else ["self"]
    controller.site.declare({"default": older}, users=users)
    controller.converge()
    assert version(mac, place) == older
    assert controller.ask("rollback")["exit"] == 0
    assert version(mac, place) == release
    assert controller.ask("release")["exit"] == 0

    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []
    assert (mac.touched, mac.unknown) == ([], [])


def test_asking_the_shells_ends_nobody_elses_work(apple: Apple) -> None:
    """ps of macOS tells no session: each is 0, and "all of session 0" would be everything."""
    mac, controller = apple()
    controller.site.declare(users=["kim"])
    work = subprocess.Popen(mac.ssh_command("exec sleep 120", user="kim"))
    try:
        controller.converge()
        controller.ask("audit")
        left = mac.shell("ps -A -o uid= -o command= | grep 'sleep 120'").stdout
        assert "501" in left
        assert work.poll() is None
    finally:
        work.kill()
        work.wait()


def test_what_a_login_leaves_running_is_ended(apple: Apple) -> None:
    mac, controller = apple()
    controller.site.declare(users=["kim"])
    mac.shell("echo 'sleep 4711 &' >~/.zprofile", user="kim")
    controller.converge()
    assert mac.shell("ps -A -o command= | grep '[s]leep 4711'").stdout == ""
