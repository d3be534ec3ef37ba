"""Apple's developer tools on stand-ins of Macs, apart from installing them: what is told, what is
selected, what fights them, what the audit sees."""

from __future__ import annotations

import pytest

from tests.hosts.darwin.developer_tools import ITEM, TOOLS, Apple, apply, declare, left_alone
from tests.hosts.darwin.scenarios import SCENARIOS
from tests.hosts.darwin.test_life import findings
from tests.mac.judge import faults
from tests.support.fault_driver import Fault


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


@pytest.mark.parametrize("scenario", ["tahoe", "stale tools", "receipt without tools"])
def test_cgo_asks_for_them_and_starts_nothing(scenario: str, apple: Apple) -> None:
    mac, controller = apple(scenario)
    controller.site.declare({"default": "1.27.3"}, users=["kim"], cgo={"required": True})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    errors = [what for severity, what in findings(report) if severity == "error"]
    assert any("cgo is required, and no developer tools can be used" in what for what in errors)
    assert "a cgo program" not in controller.changes(report)
    left_alone(mac)


@pytest.mark.parametrize("scenario", ["tahoe", "xcode"])
def test_cgo_is_tried_out_with_the_tools(scenario: str, apple: Apple) -> None:
    """Also with those that the same run installs; once, and again when they are others."""
    mac, controller = apple(scenario)
    tools = {"command_line_tools": "latest"} if scenario == "tahoe" else {}
    controller.site.declare(
        {"default": "1.27.3"}, users=["kim"], cgo={"required": True}, xcode=tools
    )
    assert controller.changes(controller.converge())["a cgo program"] == "changed"
    assert controller.changes(controller.converge()) == {}
    clang = (
        "/Applications/Xcode.app/Contents/Developer" if not tools else TOOLS
    ) + "/usr/bin/clang"
    mac.shell(f"printf '#!/bin/sh\\necho broken; exit 1\\n' >{clang}")
    assert controller.changes(controller.converge()) == {}
    mac.shell("rm /opt/gostead/state/stamps/cgo")
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    assert "a cgo program does not work here: broken" in str(report)
    left_alone(mac)


def test_tools_that_went_meanwhile_are_not_asked_for(apple: Apple) -> None:
    mac, controller = apple("xcode")
    controller.site.declare({"default": "1.27.3"}, users=["kim"], cgo={"required": True})
    gone = Fault(template="change/cgo", first="rm -rf /Applications/Xcode.app")
    report = controller.ask("apply", "-y", fault=gone)
    assert report["exit"] == 1
    assert "no developer tools can be used" in str(report)
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


def test_a_beta_is_not_selected_and_what_is_selected_stays(apple: Apple) -> None:
    mac, controller = apple("with tools")
    for name, version in (("Xcode-16.4", "16.4"), ("Xcode-beta", "27.0")):
        known = f"/var/db/stand-in/defaults/any/%Applications%{name}.app%Contents%version"
        mac.shell(f"mkdir -p /Applications/{name}.app/Contents/Developer/usr/bin {known}; "
                  f"echo {version} >{known}/CFBundleShortVersionString")  # fmt: skip
    declare(controller, select="xcode")
    assert [c["item"] for c in apply(controller)["changes"]] == ["xcode-select"]
    selected = "/Applications/Xcode-16.4.app/Contents/Developer"
    assert mac.shell("xcode-select -p").stdout.strip() == selected
    mac.run(["/.stand-in/lib/make-tools", "xcode", "26.6", "26.5"], check=True)
    assert apply(controller)["changes"] == []
    assert mac.shell("xcode-select -p").stdout.strip() == selected


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
    said = "licence has not been agreed to (that of 15.0 was, it is 26.6)"
    assert said in str(host["findings"])
    again = apply(controller)
    assert (again["exit"], again["changes"], said in str(again["findings"])) == (0, [], True)
    assert mac.history == []
    # xcrun and clang of it end so for whoever calls them: no error where nothing of it is declared.
    controller.converge()
    report = controller.ask("audit")
    ((severity, what),) = findings(report)
    assert (report["exit"], severity, "You have not agreed" in what) == (2, "warning", True)
    assert (mac.touched, mac.unknown) == ([], [])
    key = "defaults/any/%Library%Preferences%com.apple.dt.Xcode/IDEXcodeVersionForAgreedToGMLicense"
    (mac.state / key).unlink()
    assert "(that of none was, it is 26.6)" in str(apply(controller)["findings"])
    left_alone(mac)


def test_a_selection_that_leads_nowhere_is_told(apple: Apple) -> None:
    """xcode-select goes on naming what an upgrade of macOS took away."""
    mac, controller = apple("stale tools")
    declare(controller)
    assert f"{TOOLS} is selected, and is not there" in str(apply(controller)["findings"])
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
        f"printf 'export SDKROOT={versioned}\\nexport DEVELOPER_DIR=/nowhere\\n"
        "export CC=/opt/own/cc\\n' >>~/.zshrc",
        user="kim",
    )
    declare(controller)
    controller.converge()
    host = apply(controller)
    told = {(f["item"], f["where"], f["severity"]) for f in host["findings"]}
    assert told == {("SDKROOT", "/Users/kim/.zshrc:1", "warning"),
                    ("DEVELOPER_DIR", "/Users/kim/.zshrc:2", "warning"),
                    ("CC", "/Users/kim/.zshrc:3", "warning")}  # fmt: skip
    report = str(controller.ask("audit"))
    assert f"exported as {versioned}" in report
    assert "exported as /opt/own/cc: cgo takes it for its compiler" in report
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
    assert list(faults(report)) == []  # as a hosted Mac is judged
    mac.run(["/bin/rm", "-rf", f"{TOOLS}/usr/bin/clang"], check=True)
    report = controller.ask("audit")
    assert report["exit"] == 2
    assert any("the Command Line Tools are not there" in fault for fault in faults(report))
    left_alone(mac)
