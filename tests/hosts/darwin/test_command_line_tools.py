"""The Command Line Tools on stand-ins of Macs: installed in one run, clean in the second, taken
away; no stand-in of /usr/bin is started while there are no tools."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from gostead.facts.xcode import offers_of
from gostead.templates import host_script, render
from tests.hosts.darwin.developer_tools import (
    ITEM,
    MARKER,
    ONLY,
    TOOLS,
    Apple,
    apply,
    declare,
    left_alone,
    receipt,
)
from tests.hosts.darwin.mac import FIRST_PATH, Mac
from tests.hosts.darwin.scenarios import (
    OFFER_16,
    OFFER_26,
    OFFER_BETA,
    SCENARIOS,
    Scenario,
    Tools,
    Update,
)
from tests.support.fault_driver import Fault
from tests.support.ssh_host import Fleet

#: As named before 10.15.
OLD_LABEL = Update(
    "Command Line Tools (macOS High Sierra version 10.13) for Xcode-10.1", "Command Line Tools",
    "10.1", sdk="10.14", receipt="10.1.0.0.1.1539992718",
)  # fmt: skip
#: 26.4-26.4.1: the version is what follows the last hyphen.
PATCHED = Update(
    "Command Line Tools for Xcode 26.4-26.4.1", "Command Line Tools for Xcode 26.4", "26.4.1",
    sdk="26.4", receipt="26.4.1.0.1.1775000000",
)  # fmt: skip


def without_waiting(mac: Mac) -> None:
    """Three minutes pass in no time; how long they would have been is in /private/tmp/slept."""
    asleep = '#!/bin/sh\\necho "$1" >>/private/tmp/slept\\n'
    mac.run(["/bin/sh", "-c", f"printf '{asleep}' >/bin/sleep"], check=True)


#: Scenario, what is declared, and the version that is there afterwards.
INSTALLED: dict[str, tuple[str | Scenario, str, str]] = {
    "none, the newest": ("tahoe", "latest", "26.6"),
    "none, any": ("sequoia", "present", "16.4"),
    "none, on intel": ("ventura intel", "latest", "16.4"),
    "none, under Rosetta": ("under rosetta", "latest", "26.6"),
    "both label forms": ("both on offer", "latest", "26.6"),
    "the older of both": ("both on offer", "16.4", "16.4"),
    "betas": ("betas on offer", "latest", "26.6"),
    "a patch release": (SCENARIOS["tahoe"].but(updates=(OFFER_26, PATCHED)), "26.4", "26.4.1"),
    "two patch releases": (SCENARIOS["tahoe"].but(updates=(PATCHED,)), "latest", "26.4.1"),
    "third look": ("third look", "latest", "26.6"),
    "after an upgrade of macOS": ("stale tools", "latest", "26.6"),
    "of an older macOS": ("older tools", "latest", "26.6"),
    "another version": ("older tools", "26.6", "26.6"),
    "without a receipt": (
        SCENARIOS["tools without a receipt"].but(updates=(OFFER_26,)), "present", "26.6",
    ),
    "a receipt alone": ("receipt without tools", "present", "26.6"),
    "beside Xcode": (SCENARIOS["xcode"].but(updates=(OFFER_26,)), "latest", "26.6"),
    "a newer one": (
        SCENARIOS["tahoe"].but(command_line_tools=Tools("26.4.0.0.1.1775000000", "26.4")),
        "latest", "26.6",
    ),
    "as labels were": (SCENARIOS["ventura intel"].but(updates=(OLD_LABEL,)), "present", "10.1"),
}  # fmt: skip


#: A Mac, and the labels that are told of it, newest last.
OFFERED: dict[str, tuple[Scenario, list[str]]] = {
    "both forms": (SCENARIOS["both on offer"], [OFFER_16.label, OFFER_26.label]),
    "a beta is none": (SCENARIOS["betas on offer"], [OFFER_16.label, OFFER_26.label]),
    "only betas": (SCENARIOS["tahoe"].but(updates=(OFFER_BETA,)), []),
    "numbers, not text": (
        SCENARIOS["tahoe"].but(updates=(OFFER_26, PATCHED)), [PATCHED.label, OFFER_26.label],
    ),
    "before 10.15": (
        SCENARIOS["catalina intel"].but(version="10.14.6", updates=(OLD_LABEL,)),
        [OLD_LABEL.label],
    ),
    "nothing": (SCENARIOS["dialogue only"], []),
    "tools that are there": (
        SCENARIOS["with tools"].but(updates=(PATCHED,)), [PATCHED.label],
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", OFFERED)
def test_plan_and_script_read_alike_what_is_on_offer(
    story: str, macs: Callable[..., Fleet]
) -> None:
    scenario, labels = OFFERED[story]
    host = macs(scenario)[0]
    assert isinstance(host, Mac)
    if scenario.command_line_tools is None:
        host.shell(f"touch {MARKER}")
    listed = host.shell("softwareupdate -l")
    assert listed.returncode == 0
    assert [offer.label for offer in offers_of(listed.stdout)] == labels
    script = render("lib/developer_tools.sh.j2", marker=MARKER) + "\noffered ''\n"
    chosen = host.run(["/bin/sh", "-c", script], input=listed.stdout, check=True)
    assert chosen.stdout.splitlines() == labels[-1:]


def test_a_newer_one_is_left_where_any_will_do(apple: Apple) -> None:
    mac, controller = apple(INSTALLED["a newer one"][0])
    declare(controller, command_line_tools="present")
    host = apply(controller)
    assert (host["exit"], host["changes"]) == (0, [])
    left_alone(mac)


@pytest.mark.parametrize("story", INSTALLED)
def test_the_tools_are_installed_once(story: str, apple: Apple) -> None:
    scenario, wanted, version = INSTALLED[story]
    mac, controller = apple(scenario)
    without_waiting(mac)
    declare(controller, command_line_tools=wanted)
    host = apply(controller)
    assert (host["exit"], [c["item"] for c in host["changes"]]) == (0, [ITEM]), host
    assert f"{receipt(mac)}.".startswith(f"{version}.")
    assert len([line for line in mac.history if line.startswith("softwareupdate -i")]) == 1
    assert mac.shell("xcode-select -p").returncode == 0
    again = apply(controller)
    assert (again["exit"], again["changes"]) == (0, []), again
    left_alone(mac)


#: Scenario, what is declared, and what is said of why they cannot be installed.
REFUSED = {
    "only betas": ("only betas", "latest", "offers no Command Line Tools"),
    "not that version": ("both on offer", "15.3", "offers no Command Line Tools 15.3"),
    "a failing download": ("failing download", "latest", "Error installing updates"),
    "dialogue only": ("dialogue only", "latest", "No new software available"),
    "managed": ("managed", "latest", "managed by your organization"),
}


@pytest.mark.parametrize("story", REFUSED)
def test_what_cannot_be_installed_is_said_and_leaves_nothing(story: str, apple: Apple) -> None:
    scenario, wanted, said = REFUSED[story]
    mac, controller = apple(scenario)
    without_waiting(mac)
    declare(controller, command_line_tools=wanted)
    host = apply(controller)
    assert host["exit"] == 1
    assert said in " ".join(str(change["error"]) for change in host["changes"])
    # A sleep of 5 is of what follows the installation.
    looks = [s for s in mac.shell("cat /private/tmp/slept").stdout.split() if s != "5"]
    assert looks == ([] if story == "a failing download" else ["15"] * 12)
    assert receipt(mac) == "no receipt"
    left_alone(mac)


def test_no_such_update_is_no_success(apple: Apple) -> None:
    """Its exit code is 0."""
    mac, controller = apple("tahoe")
    mac.run(["/bin/sh", "-c", "sed -i '' 's/^-i | --install)/&\\n  set -- -i gone/' "
             "/usr/sbin/softwareupdate"], check=True)  # fmt: skip
    declare(controller, command_line_tools="latest")
    host = apply(controller)
    assert host["exit"] == 1
    assert "No such update" in str(host["changes"])
    left_alone(mac)


def test_a_link_in_place_of_the_marker_leads_nowhere(apple: Apple) -> None:
    mac, controller = apple("tahoe")
    mac.shell(f"ln -s /private/etc/planted {MARKER}", user="lee")
    declare(controller, command_line_tools="latest")
    assert apply(controller)["exit"] == 0
    assert mac.shell("ls /private/etc/planted").returncode != 0
    left_alone(mac)


def test_they_are_taken_away_with_their_receipts(apple: Apple) -> None:
    mac, controller = apple("with tools")
    mac.run(["/usr/bin/xcode-select", "--switch", TOOLS], check=True)
    declare(controller, command_line_tools="absent")
    assert [c["item"] for c in apply(controller)["changes"]] == [ITEM]
    assert mac.shell(f"ls {TOOLS}; pkgutil --pkgs").stdout == ""
    assert mac.shell("xcode-select -p").returncode == 2
    assert apply(controller)["changes"] == []
    left_alone(mac)


@pytest.mark.parametrize(
    ("checkpoint", "wanted", "scenario"),
    [
        ("tools-offered", "latest", "tahoe"),
        ("tools-installed", "latest", "tahoe"),
        ("tools-gone", "absent", "with tools"),
    ],
)
def test_a_run_that_is_killed_is_made_up_for(
    checkpoint: str, wanted: str, scenario: str, apple: Apple
) -> None:
    mac, controller = apple(scenario)
    declare(controller, command_line_tools=wanted)
    template = "change/no_command_line_tools" if wanted == "absent" else "change/command_line_tools"
    fault = Fault(template=template, kill_at=checkpoint)
    assert controller.ask("apply", "-y", *ONLY, fault=fault)["exit"] == 1
    assert apply(controller)["exit"] == 0
    assert apply(controller)["changes"] == []
    assert (receipt(mac) == "no receipt") == (wanted == "absent")
    assert mac.shell("ls -a /Library/Developer | grep gone").stdout == ""
    left_alone(mac)


@pytest.fixture
def heeded_signals() -> Iterator[None]:
    """No shell can trap a signal that it was started to ignore: HUP by nohup, INT in the background
    of a script."""
    ignored = [s for s in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(s) == signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, signal.SIG_DFL)
    yield
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)


@pytest.mark.usefixtures("heeded_signals")
def test_no_marker_stays_when_the_script_is_ended(apple: Apple) -> None:
    """By dash, which runs no EXIT trap when a signal ends it; PIPE is a controller that is gone."""
    mac, controller = apple("tahoe")
    declare(controller)
    assert apply(controller)["exit"] == 0
    values = {"root": "/opt/gostead", "run": "ended", "wanted": "", "tries": 1, "pause": 0,
              "marker": MARKER, "lock_wait": 5}  # fmt: skip
    script = host_script("change/command_line_tools", **values)
    for name in ("HUP", "INT", "TERM", "PIPE"):
        ended = f'checkpoint() {{ ls {MARKER}; kill -{name} "$$"; }}'
        done = mac.run(["/bin/dash", "-s"], input=script.replace("checkpoint() { :; }", ended),
                       env={"PATH": FIRST_PATH})  # fmt: skip
        assert (done.stdout, done.returncode > 128) == (f"{MARKER}\n", True), done
        assert MARKER not in mac.shell("cat /opt/gostead/state/registry").stdout, name
        left = mac.shell("ls -A /opt/gostead/state/staging; ls /opt/gostead/state/lock")
        assert left.stdout == "", name
        left_alone(mac)


def test_only_root_installs_them(apple: Apple) -> None:
    mac, controller = apple("tahoe", "kim")
    controller.site.declare(xcode={"command_line_tools": "latest"})
    host = apply(controller)
    assert (host["exit"], host["changes"]) == (1, [])
    assert "only root can change it" in str(host["findings"])
    left_alone(mac)
