"""Which toolchain a Mac gets, and what is said of the Go that others brought."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable

import pytest

from gostead.templates import render
from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.scenarios import SCENARIOS
from tests.hosts.darwin.test_life import findings
from tests.support.controller import Controller
from tests.support.madeup import madeup

Apple = Callable[..., tuple[Mac, Controller]]
TREE = "/opt/gostead/toolchains/go1.27.3"

#: A Mac as its programs answer -> the platform that it gets.
ANSWERS = {
    "tahoe": "darwin-arm64",
    "ventura intel": "darwin-amd64",
    "under rosetta": "darwin-arm64",
}


@pytest.mark.parametrize("scenario", ANSWERS)
def test_the_hardware_decides_and_not_what_uname_says(apple: Apple, scenario: str) -> None:
    _mac, controller = apple(scenario)
    controller.site.declare()
    assert controller.ask("facts")["mac1"]["system"]["platform"] == ANSWERS[scenario]


@pytest.mark.parametrize(
    ("scenario", "fits", "too_new", "needed"),
    [("catalina intel", "", "1.25.14", "12"), ("big sur intel", "", "1.25.14", "12"),
     ("monterey 12.2", "1.26.8", "1.27.3", "13"), ("ventura intel", "1.27.3", "", "")],
)  # fmt: skip
def test_a_release_that_this_macos_is_too_old_for_is_refused_before_anything_is_fetched(
    apple: Apple, scenario: str, fits: str, too_new: str, needed: str
) -> None:
    mac, controller = apple(scenario)
    for version, code in ((fits, 2), (too_new, 1)):
        if version:
            controller.site.declare({"default": version})
            report = controller.ask("plan")
            assert report["exit"] == code
            error = str(report["hosts"]["mac1"]["error"])
            assert (f"needs macOS {needed} or newer" in error) is (code == 1)
    assert not (mac.path / "opt/gostead").exists()
    if too_new:
        (mac.state / "version").write_text(f"{needed}.0\n")
        assert controller.ask("plan")["exit"] == 2


def test_a_disk_that_moved_to_apple_silicon_gets_the_right_tree(apple: Apple) -> None:
    """As Migration Assistant leaves it: all files of the Intel Mac."""
    mac, controller = apple("ventura intel")
    controller.converge()
    assert "darwin/amd64" in mac.shell(f"{TREE}/bin/go version").stdout
    (mac.state / "machine").write_text("arm64\n")
    (mac.state / "sysctl/hw.optional.arm64").write_text("1\n")
    audit = controller.ask("audit")
    assert any("darwin/amd64" in text for _severity, text in findings(audit))
    assert controller.changes(controller.converge()) == {TREE: "changed"}
    assert "darwin/arm64" in mac.shell(f"{TREE}/bin/go version").stdout
    assert controller.ask("audit")["exit"] == 0


def install(mac: Mac, path: str, version: str, platform: str) -> None:
    """Somebody else's Go."""
    for name, body in madeup(version, platform).files.items():
        target = mac.path / path.lstrip("/") / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        target.chmod(0o755)


def test_the_go_of_homebrew_and_of_the_package_are_told_and_left(apple: Apple) -> None:
    mac, controller = apple(SCENARIOS["tahoe"].but(receipts=(("org.golang.go", "go1.24.1"),)))
    cellar = "/opt/homebrew/Cellar/go/1.25.3"
    install(mac, "/usr/local/go", "1.24.1", "darwin-amd64")
    install(mac, f"{cellar}/libexec", "1.25.3", "darwin-arm64")
    mac.shell(
        f"echo '{{}}' >{cellar}/INSTALL_RECEIPT.json; mkdir -p /opt/homebrew/opt /opt/homebrew/bin;"
        f"ln -s ../Cellar/go/1.25.3 /opt/homebrew/opt/go; echo /usr/local/go/bin >/etc/paths.d/go;"
        f"ln -s ../Cellar/go/1.25.3/libexec/bin/go /opt/homebrew/bin/go;"
        "cp /.stand-in/lib/brew /opt/homebrew/bin/brew"
    )
    mac.shell("echo 'export PATH=/opt/homebrew/bin:$PATH' >>~/.zshrc", user="kim")
    mine = "chmod -R a+rX /usr/local/go /opt/homebrew; find /usr/local/go /opt/homebrew | sort"
    before = mac.shell(mine).stdout
    controller.site.declare(users=["kim"])
    controller.converge()
    report = controller.ask("explain")
    explained = report["hosts"]["mac1"]["explained"]
    found = {one["path"]: one for one in explained["installations"]}
    package, brewed = found["/usr/local/go"], found["/opt/homebrew/opt/go/libexec"]
    assert (package["version"], package["by"]) == ("go1.24.1", "package org.golang.go go1.24.1")
    assert (brewed["version"], brewed["by"]) == ("go1.25.3", "Homebrew go 1.25.3")
    intel = [text for _severity, text in findings(report) if "Intel" in text]
    assert len(intel) == 1
    assert intel[0].startswith("/usr/local/go: go1.24.1 for Intel")
    # Our block stands behind what the user's own file says, or that line is told.
    said = mac.ssh("zsh -i -c 'go version'", user="kim").stdout
    shadowed = [text for _severity, text in findings(report) if "/opt/homebrew" in text]
    assert ("go1.27.3" in said) or shadowed
    screen = [severity for severity, text in findings(report) if "at the screen" in text]
    assert screen == ["note"]
    controller.site.declare(users=["kim"], xcode={"rosetta": "any"}, shells={"gui": True})
    told = findings(controller.ask("explain"))
    assert not any("Intel" in text or "at the screen" in text for _severity, text in told)
    assert mac.shell(mine).stdout == before
    assert (mac.touched, mac.unknown) == ([], [])


def test_no_file_of_ours_is_quarantined_or_taken_for_a_download(apple: Apple) -> None:
    mac, controller = apple()
    controller.converge()
    said = mac.shell(f"xattr -l {TREE}/bin/go; find /opt/gostead -name '._*'").stdout
    assert said == ""


@pytest.mark.parametrize(
    ("file", "text"),
    [("version", "26\n"), ("machine", "arm64\n"), ("sysctl/hw.optional.arm64", None)],
)
def test_each_answer_that_was_recorded_is_used(apple: Apple, file: str, text: str | None) -> None:
    """Another answer makes another plan: so a stand-in that answers wrongly is noticed."""
    mac, controller = apple(dataclasses.replace(SCENARIOS["under rosetta"], version="12.7"))
    controller.site.declare({"default": "1.26.8"})

    def system() -> object:
        return controller.ask("facts")["mac1"]["system"]

    before = system()
    if text is None:
        (mac.state / file).unlink()
    else:
        (mac.state / file).write_text(text)
    if file != "machine":  # which is not believed, while the hardware says otherwise
        assert system() != before
    else:
        assert system() == before


def test_what_a_mac_says_of_itself_is_what_is_known_of_it(apple: Apple) -> None:
    mac, controller = apple(user="lee")
    controller.site.declare(slices={"builds": {"memory_high": "50%"}, "go_limits": "auto"})
    known = controller.ask("facts")["mac1"]
    assert (known["slices"]["memory"], known["slices"]["processors"]) == (8 * 2**30, 2)
    assert known["system"]["home"] == "/Users/lee of it"
    place = known["toolchains"]
    assert place["filesystem"] == "/System/Volumes/Data"
    free = shutil.disk_usage(mac.path).free / 1024
    assert abs(place["free_kib"] - free) < free / 10
    assert mac.unknown == []


def test_a_variable_for_old_programs_does_not_hide_the_version(apple: Apple) -> None:
    mac, controller = apple(user="kim")
    mac.shell("echo export SYSTEM_VERSION_COMPAT=1 >~/.zshenv", user="kim")
    assert mac.ssh("sw_vers -productVersion", user="kim").stdout == "10.16\n"
    assert controller.ask("plan")["exit"] == 2


def test_a_clock_that_is_set_makes_no_lock_stale(apple: Apple) -> None:
    mac, controller = apple()
    controller.converge()
    boot = (mac.state / "sysctl/kern.bootsessionuuid").read_text().strip()
    script = (
        "exec 2>/dev/null; sleep 1000 >/dev/null </dev/null & start=$(ps -o lstart= -p $! | "
        f"tr ' :' '__'); ln -s \"other:$!:$start:{boot}\" /opt/gostead/state/lock"
    )
    mac.shell(script)
    (mac.state / "sysctl/kern.boottime").write_text("{ sec = 1, usec = 2 } Thu Jan  1\n")
    held = "'lock': 'other:"
    assert held in str(controller.ask("facts"))
    (mac.state / "sysctl/kern.bootsessionuuid").write_text("another boot\n")
    assert held not in str(controller.ask("facts"))


def test_a_boot_without_a_name_is_known_by_its_time(mac: Mac) -> None:
    script = render("lib/lock.sh.j2") + '\nboot_id && echo "$boot"\n'
    named = mac.run(["/bin/sh", "-c", script], check=True).stdout
    assert named == "6F1C8A55-2B35-4C3D-9C2B-0E1D2C3B4A5F\n"
    (mac.state / "sysctl/kern.bootsessionuuid").unlink()
    timed = mac.run(["/bin/sh", "-c", script], check=True).stdout
    assert re.fullmatch(r"_+1\d{9}_+0_+21_08_00_00_2026\n", timed), timed
