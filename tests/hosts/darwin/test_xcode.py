"""Apple's developer tools on stand-ins of Macs: each state is told apart, converged in one run, and
clean in the second; no stand-in of /usr/bin is started while there are no tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.scenarios import OFFER_26, SCENARIOS, Scenario, Update
from tests.hosts.darwin.test_life import findings
from tests.support.controller import Controller
from tests.support.fault_driver import Fault

Apple = Callable[..., tuple[Mac, Controller]]
TOOLS = "/Library/Developer/CommandLineTools"
MARKER = "/private/tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress"
ITEM = "Command Line Tools"
ONLY = ("--subject", "toolchains", "--subject", "xcode")
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
#: Scenario, what is declared, and the version that is there afterwards.
INSTALLED: dict[str, tuple[str | Scenario, str, str]] = {
    "none, the newest": ("tahoe", "latest", "26.6"),
    "none, any": ("sequoia", "present", "16.4"),
    "none, on intel": ("ventura intel", "latest", "16.4"),
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
    "as labels were": (SCENARIOS["ventura intel"].but(updates=(OLD_LABEL,)), "present", "10.1"),
}  # fmt: skip


def declare(controller: Controller, **xcode: Any) -> None:
    """Declares these keys of xcode. The oldest Go of the site runs on every Mac of the tests."""
    controller.site.declare({"default": "1.27.3"}, users=["kim"], xcode=xcode)


def apply(controller: Controller) -> dict[str, Any]:
    """Converges Go and Apple's tools; what was done about the latter, and found."""
    report = controller.ask("apply", "-y", *ONLY)
    (host,) = report["hosts"].values()
    changes = [change for change in host["changes"] if change["subject"] == "xcode"]
    return {**host, "changes": changes, "exit": report["exit"]}


def receipt(mac: Mac) -> str:
    """The version that pkgutil tells."""
    told = mac.shell("pkgutil --pkg-info=com.apple.pkg.CLTools_Executables").stdout
    return next(
        (line[9:] for line in told.splitlines() if line.startswith("version: ")), "no receipt"
    )


def left_alone(mac: Mac) -> None:
    """Nothing that opens a dialogue or upgrades macOS ran, and no marker is left."""
    assert (mac.touched, mac.unknown) == ([], [])
    assert mac.shell(f"ls {MARKER}").returncode != 0


@pytest.mark.parametrize("story", INSTALLED)
def test_the_tools_are_installed_once(story: str, apple: Apple) -> None:
    scenario, wanted, version = INSTALLED[story]
    mac, controller = apple(scenario)
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
    # Three minutes pass in no time.
    mac.run(
        ["/bin/sh", "-c", "printf '#!/bin/sh\\necho \"$1\" >>/private/tmp/slept\\n' >/bin/sleep"]
    )
    declare(controller, command_line_tools=wanted)
    host = apply(controller)
    assert host["exit"] == 1
    assert said in " ".join(str(change["error"]) for change in host["changes"])
    looks = mac.shell("cat /private/tmp/slept").stdout.split()
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


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("stale tools", "removed, with their receipt left (16.4.0)"),
        ("tools without a receipt", "without a receipt"),
        ("older tools", "their newest SDK is 15.5, this is macOS 26.1"),
    ],
)
def test_nothing_is_declared_and_what_does_not_work_is_told(
    scenario: str, said: str, apple: Apple
) -> None:
    mac, controller = apple(scenario)
    declare(controller)
    host = apply(controller)
    assert (host["exit"], host["changes"]) == (0, []), host["error"]
    assert ("warning", f"{ITEM}: {said}") in {
        (severity, what[: len(ITEM) + 2 + len(said)])
        for severity, what in findings({"hosts": {"": host}})
    }
    left_alone(mac)


@pytest.mark.parametrize("scenario", ["tahoe", "with tools", "ventura intel", "xcode"])
def test_a_mac_that_works_is_not_talked_about(scenario: str, apple: Apple) -> None:
    mac, controller = apple(scenario)
    declare(controller)
    host = apply(controller)
    assert (host["exit"], host["changes"], host["findings"]) == (0, [], [])
    left_alone(mac)


def test_cgo_asks_for_them(apple: Apple) -> None:
    mac, controller = apple("tahoe")
    controller.site.declare(users=["kim"], cgo={"required": True})
    host = apply(controller)
    assert host["exit"] == 1
    assert "cgo is required" in str(host["findings"])
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


def test_only_root_installs_them(apple: Apple) -> None:
    mac, controller = apple("tahoe", "kim")
    controller.site.declare(xcode={"command_line_tools": "latest"})
    host = apply(controller)
    assert (host["exit"], host["changes"]) == (1, [])
    assert "only root can change it" in str(host["findings"])
    left_alone(mac)


def test_the_selection_is_as_declared(apple: Apple) -> None:
    mac, controller = apple("xcode and tools")
    for select, path in (("command-line-tools", TOOLS),
                         ("xcode", "/Applications/Xcode.app/Contents/Developer")):  # fmt: skip
        declare(controller, select=select)
        assert [c["item"] for c in apply(controller)["changes"]] == ["xcode-select"]
        assert mac.shell("xcode-select -p").stdout.strip() == path
        assert apply(controller)["changes"] == []
    left_alone(mac)


def test_xcode_is_declared_and_not_there(apple: Apple) -> None:
    mac, controller = apple("with tools")
    declare(controller, select="xcode")
    host = apply(controller)
    assert host["exit"] == 1
    assert "there is no Xcode" in str(host["findings"])
    left_alone(mac)


def test_a_licence_that_was_not_agreed_to_is_told_and_not_agreed_to(apple: Apple) -> None:
    mac, controller = apple("xcode unlicensed")
    declare(controller)
    host = apply(controller)
    assert "licence has not been agreed to (that of 15.0 was, it is 26.6)" in str(host["findings"])
    assert mac.history == []
    left_alone(mac)


def test_a_go_for_intel_on_apple_silicon_is_told(apple: Apple) -> None:
    intel = {"/usr/local/go/bin/go": "\xcf\xfa\xed\xfe\x07\x00\x00\x01"}
    mac, controller = apple("tahoe")
    at = mac.path / "usr/local/go/bin"
    at.mkdir(parents=True)
    (at / "go").write_bytes(next(iter(intel.values())).encode("latin-1"))
    declare(controller)
    assert "is for Intel processors" in str(apply(controller)["findings"])
    declare(controller, rosetta="any")
    assert apply(controller)["findings"] == []
    (at / "go").write_bytes(bytes.fromhex("cffaedfe0c000001"))
    declare(controller)
    assert apply(controller)["findings"] == []


def test_sdkroot_and_its_kin_are_found_with_file_and_line(apple: Apple) -> None:
    mac, controller = apple("with tools")
    versioned = f"{TOOLS}/SDKs/MacOSX26.5.sdk"
    mac.shell(
        f"printf 'export SDKROOT={versioned}\\nexport DEVELOPER_DIR=/nowhere\\n' >>~/.zshrc",
        user="kim",
    )
    declare(controller)
    controller.converge()
    host = apply(controller)
    told = {(f["item"], f["where"], f["severity"]) for f in host["findings"]}
    assert told == {("SDKROOT", "/Users/kim/.zshrc:1", "warning"),
                    ("DEVELOPER_DIR", "/Users/kim/.zshrc:2", "warning")}  # fmt: skip
    report = controller.ask("audit")
    assert f"exported as {versioned}" in str(report)
    declare(controller, sdkroot="unset")
    assert apply(controller)["exit"] == 1


def test_sdkroot_default_is_the_name_without_a_version(apple: Apple) -> None:
    mac, controller = apple("with tools")
    declare(controller, sdkroot="default")
    controller.converge()
    said = mac.shell("/bin/zsh -l -c 'echo $SDKROOT'", user="kim").stdout.strip()
    assert said == f"{TOOLS}/SDKs/MacOSX.sdk"
    again = apply(controller)
    assert (again["changes"], again["findings"]) == ([], [])
    declare(controller)
    controller.converge()
    assert mac.shell("/bin/zsh -l -c 'echo $SDKROOT'", user="kim").stdout.strip() == ""


def test_the_audit_asks_by_other_means(apple: Apple) -> None:
    mac, controller = apple(SCENARIOS["with tools"].but(csrutil=SCENARIOS["sip partly"].csrutil))
    declare(controller, command_line_tools="latest", select="command-line-tools")
    controller.converge()
    report = controller.ask("audit")
    told = findings(report)
    assert [what for severity, what in told if severity == "error"] == []
    assert any("System Integrity Protection" in what for _, what in told)
    mac.run(["/bin/rm", "-rf", f"{TOOLS}/usr/bin/clang"], check=True)
    report = controller.ask("audit")
    assert report["exit"] == 2
    assert "the Command Line Tools are not there" in str(report)
    left_alone(mac)
