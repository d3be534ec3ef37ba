"""What the audit of Apple's tools makes of a Mac's answers: its checks themselves, on stand-ins.

`gostead audit` is in the other files; it takes twenty seconds, and one answer a tenth of one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from gostead.audit import test_xcode as checks
from gostead.audit.asking import CannotAsk, Place, place
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup, shipped_pins
from gostead.trace.model import Cell, Person, Variable
from tests.hosts.darwin.developer_tools import TOOLS, left_alone
from tests.hosts.darwin.mac import FIRST_PATH, Mac
from tests.hosts.darwin.scenarios import CLT_26, RECEIPT, SCENARIOS, Scenario
from tests.support.binaries import AD_HOC, HARDENED, macho
from tests.support.ssh_host import Fleet

Macs = Callable[..., Fleet]
WHERE = Place("darwin", "darwin-arm64", 0, "root", "/var/root", "system")
TREE = "/opt/gostead/toolchains/go1.27.3"
XCODE = "/Applications/Xcode.app/Contents/Developer"


def start(macs: Macs, scenario: str | Scenario) -> tuple[Mac, Any]:
    """A stand-in, and what a check takes for its host."""
    mac = macs(scenario)[0]
    assert isinstance(mac, Mac)

    def run(command: str) -> Any:
        done = mac.run(["/bin/sh", "-c", command], env={"PATH": FIRST_PATH})
        return SimpleNamespace(
            rc=done.returncode, stdout_bytes=done.stdout.encode(), stderr_bytes=done.stderr.encode()
        )

    return mac, SimpleNamespace(backend=SimpleNamespace(run=run))


def setup(**go: Any) -> GoSetup:
    """A declaration of these keys below `go`."""
    return GoSetup.model_validate({"toolchains": {"default": "1.27.3"}, **go})


def noted(check: Callable[..., None], *arguments: Any) -> list[str]:
    """What a check tells without failing: item and text; of one that is skipped, why."""
    found: list[AuditFinding] = []
    try:
        check(*arguments, found.append)
    except pytest.skip.Exception as skipped:
        return [f"skipped: {skipped}"]
    return [f"{one.item}: {one.what}" for one in found]


@pytest.mark.parametrize(
    ("scenario", "machine", "platform"),
    [("tahoe", "arm64", "darwin-arm64"), ("under rosetta", "x86_64", "darwin-arm64"),
     ("ventura intel", "x86_64", "darwin-amd64")],
)  # fmt: skip
def test_where_the_audit_is(macs: Macs, scenario: str, machine: str, platform: str) -> None:
    mac, host = start(macs, scenario)
    assert mac.shell("uname -m").stdout == f"{machine}\n"
    found = place(host, {"linux": "auto", "darwin": "auto"})
    assert found == dataclasses.replace(WHERE, platform=platform)


PROTECTED = {
    "all": ("tahoe", {}, []),
    "no SIP": ("sip off", {},
               ["System Integrity Protection: System Integrity Protection status: disabled."]),
    "SIP in parts": ("sip partly", {}, ["System Integrity Protection: System Integrity Protection "
                                        "status: unknown (Custom Configuration)."]),
    "no Gatekeeper": ("tahoe", {"spctl": "assessments disabled"},
                      ["Gatekeeper: assessments disabled"]),
}  # fmt: skip


@pytest.mark.parametrize("story", PROTECTED)
def test_what_does_not_protect_a_mac_is_told(macs: Macs, story: str) -> None:
    scenario, state, told = PROTECTED[story]
    mac, host = start(macs, scenario)
    for name, text in state.items():
        (mac.state / name).write_text(f"{text}\n")
    assert noted(checks.test_what_protects_this_mac, host, setup()) == told
    left_alone(mac)


def test_developer_mode_is_asked_for_where_there_is_a_debugger(macs: Macs) -> None:
    declared = setup(tools=["github.com/go-delve/delve/cmd/dlv@v1.25.2"])
    mode = "developer mode: Developer mode is currently disabled."
    for scenario, told in (("tahoe", ["debugserver: is not there: dlv can debug nothing", mode]),
                           ("xcode", [mode]), ("with tools", [mode])):  # fmt: skip
        mac, host = start(macs, scenario)
        assert noted(checks.test_what_protects_this_mac, host, declared) == told
        (mac.state / "developer-mode").write_text("enabled\n")
        assert noted(checks.test_what_protects_this_mac, host, declared) == told[:-1]
        left_alone(mac)


#: A program of the toolchain, and what is wrong with its signature.
SIGNED = {
    "by its makers": (
        macho(flags=HARDENED, team=checks.TEAM, name="org.golang.go"), "",
    ),
    "by somebody else": (
        macho(flags=HARDENED, team="ABCDE12345", name="org.golang.go"),
        "is not signed by Go's makers",
    ),
    "as something else": (
        macho(flags=HARDENED, team=checks.TEAM, name="org.example"), "is not signed by Go's makers",
    ),
    "ad hoc": (macho(flags=AD_HOC, name="org.golang.go"), "is not signed by Go's makers"),
    "without the hardened runtime": (
        macho(flags=0, team=checks.TEAM, name="org.golang.go"), "without the hardened runtime",
    ),
    "not at all": (macho(flags=None), "its signature does not hold: "),
}  # fmt: skip


def signed(mac: Mac, host: Any, image: bytes, **pin: str) -> str:
    """What the audit says of a toolchain whose go is that."""
    go = mac.path / TREE.lstrip("/") / "bin/go"
    go.parent.mkdir(parents=True, exist_ok=True)
    go.write_bytes(image)
    (go.parent / "gofmt").write_text("#!/bin/sh\n")
    try:
        pins = {"1.27.3": {WHERE.platform: pin}} if pin else {}
        declared = setup(toolchains={"default": "1.27.3", "pins": pins})
        checks.test_go_is_signed_by_its_makers(host, WHERE, declared)
    except NotAsDeclared as wrong:
        return f"{wrong.finding.item}: {wrong.finding.what}"
    return ""


def test_who_signed_go(macs: Macs) -> None:
    mac, host = start(macs, "tahoe")
    for story, (image, said) in SIGNED.items():
        what = signed(mac, host, image)
        assert (said in what) if said else what == "", (story, what)
    left_alone(mac)


def test_who_signed_a_build_of_ones_own_is_not_asked(macs: Macs) -> None:
    mac, host = start(macs, "tahoe")
    image, _said = SIGNED["ad hoc"]
    assert signed(mac, host, image, h1=f"h1:{'A' * 43}=") == ""
    # The shipped pin, written out, is the same as none.
    assert signed(mac, host, image, h1=shipped_pins()["1.27.3"][WHERE.platform].h1) != ""
    assert signed(mac, host, image, sha256="a" * 64) != ""


#: An exported variable, and what is said of it; `sdkroot: unset` has a rule of its own.
EXPORTED = {
    ("CC", "/opt/own/cc"): "cgo takes it for its compiler",
    ("CXX", "g++"): "cgo takes it for its compiler",
    ("DEVELOPER_DIR", XCODE): "overrules what xcode-select names",
    ("SDKROOT", f"{TOOLS}/SDKs/MacOSX.sdk"): "",
    ("SDKROOT", f"{XCODE}/Platforms/MacOSX.platform/Developer/SDKs/MacOSX.sdk"): "",
    ("SDKROOT", "macosx"): "",
    ("SDKROOT", f"{TOOLS}/SDKs/MacOSX26.sdk"): "gone after the next update",
    ("SDKROOT", f"{XCODE}/Platforms/MacOSX.platform/Developer/SDKs/MacOSX26.5.sdk"):
        "gone after the next update",
    ("SDKROOT", "macosx26.5"): "gone after the next update",
    ("GOFLAGS", "-v"): "",
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), EXPORTED)
def test_which_variables_fight_the_tools(name: str, value: str) -> None:
    def told(**go: Any) -> list[str]:
        cell = Cell("kim", "zsh", "login", variables=(Variable(name, value, ""),))
        kim = Person("kim", 501, 20, "/Users/kim", "/bin/zsh")
        survey = SimpleNamespace(cells=(cell,), chains={}, people=(kim,))
        check = checks.test_no_variable_fights_the_tools
        return noted(check, None, WHERE, setup(**go), lambda *_: survey)

    said = EXPORTED[name, value]
    assert [said in one for one in told()] == [True] * bool(said)
    if name in ("CC", "CXX"):  # declared: it may be exported, too
        assert told(cgo={"compiler": {name: value}}) == []
    if name == "SDKROOT":
        with pytest.raises(NotAsDeclared, match="sdkroot: unset"):
            told(xcode={"sdkroot": "unset"})


def test_a_signature_that_does_not_hold(macs: Macs) -> None:
    mac, host = start(macs, "tahoe")
    (mac.state / "modified").write_text(f"{TREE}/bin/go\n")
    what = signed(mac, host, SIGNED["by its makers"][0])
    assert "its signature does not hold" in what
    assert "invalid signature (code or signature have been modified)" in what


def test_what_a_browser_brought(macs: Macs) -> None:
    mac, host = start(macs, "tahoe")
    signed(mac, host, b"")
    checks.test_nothing_is_in_quarantine(host, WHERE)
    (mac.state / "quarantined").write_text(f"/elsewhere\n{TREE}/bin/gofmt\n")
    with pytest.raises(NotAsDeclared, match=f"quarantine: {TREE}/bin/gofmt\n"):
        checks.test_nothing_is_in_quarantine(host, WHERE)
    # No answer is not "nothing".
    find = mac.path / "usr/bin/find"
    find.write_text("#!/bin/sh\necho 'find: -xattrname: unknown primary or operator' >&2; exit 1\n")
    with pytest.raises(CannotAsk, match="unknown primary"):
        checks.test_nothing_is_in_quarantine(host, WHERE)
    left_alone(mac)


#: Scenario, what is declared, and what the audit says of it.
TOLD: dict[str, tuple[str | Scenario, dict[str, str], str]] = {
    "there": ("with tools", {"command_line_tools": "latest"}, ""),
    "without a receipt": (
        "tools without a receipt", {"command_line_tools": "present"}, "or without their receipt",
    ),
    "a receipt alone": (
        "receipt without tools", {"command_line_tools": "present"}, "are not there",
    ),
    "not absent": ("with tools", {"command_line_tools": "absent"}, "declared absent"),
    "that version": ("with tools", {"command_line_tools": "26.6"}, ""),
    "another version": (
        "with tools", {"command_line_tools": "26.5"}, f"is {CLT_26.version}, declared 26.5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", TOLD)
def test_the_tools_are_as_declared(macs: Macs, story: str) -> None:
    scenario, declared, said = TOLD[story]
    mac, host = start(macs, scenario)
    failed = pytest.raises(NotAsDeclared, match=said) if said else nullcontext()
    with failed:
        checks.test_the_command_line_tools_are_as_declared(host, setup(xcode=declared))
    left_alone(mac)


def test_what_is_selected(macs: Macs) -> None:
    def selected(host: Any, **xcode: str) -> list[str]:
        return noted(checks.test_what_is_selected_is_there, host, setup(xcode=xcode))

    mac, host = start(macs, "tahoe")
    assert selected(host) == []
    with pytest.raises(NotAsDeclared, match=f"names nothing, declared {TOOLS}"):
        selected(host, select="command-line-tools")
    left_alone(mac)
    mac, host = start(macs, "stale tools")
    assert selected(host) == [f"xcode-select: names {TOOLS}, which is not there"]
    left_alone(mac)
    mac, host = start(macs, "xcode and tools")
    assert selected(host, select="xcode") == []
    with pytest.raises(NotAsDeclared, match=f"names {XCODE}, declared {TOOLS}"):
        selected(host, select="command-line-tools")
    left_alone(mac)


def test_which_sdk_cgo_finds(macs: Macs) -> None:
    check = checks.test_cgo_finds_an_sdk_of_this_system
    for scenario in ("with tools", "xcode"):
        mac, host = start(macs, scenario)
        assert noted(check, host, setup()) == []
        left_alone(mac)
    mac, host = start(macs, "older tools")
    told = [f"SDK: {TOOLS}/SDKs/MacOSX.sdk is of macOS 15, this is 26.1"]
    assert noted(check, host, setup()) == told
    mac.shell("xcode-select --switch /tmp; rm -rf /tmp/usr")
    (told_instead,) = noted(check, host, setup())
    assert told_instead.startswith("skipped: what is selected is not there")
    left_alone(mac)
    # With a receipt of the tools and no tools, the stand-in of xcrun would open a dialogue.
    mac, host = start(macs, SCENARIOS["tahoe"].but(receipts=((RECEIPT, CLT_26.version),)))
    (told_instead,) = noted(check, host, setup())
    assert told_instead.startswith("skipped: there are no Command Line Tools")
    left_alone(mac)


def test_an_unlicensed_xcode_has_no_sdk(macs: Macs) -> None:
    check = checks.test_cgo_finds_an_sdk_of_this_system
    alone = SCENARIOS["xcode unlicensed"]
    for scenario in (alone, alone.but(command_line_tools=CLT_26)):
        mac, host = start(macs, scenario)
        (told,) = noted(check, host, setup())
        assert "xcrun finds none: You have not agreed to the Xcode license" in told
        for declared in ({"cgo": {"required": True}}, {"xcode": {"select": "xcode"}}):
            with pytest.raises(NotAsDeclared, match="You have not agreed") as failed:
                noted(check, host, setup(**declared))
            assert failed.value.finding.mend == "sudo xcodebuild -license"
        left_alone(mac)
