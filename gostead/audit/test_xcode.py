"""Apple's developer tools are as declared, nothing in a shell fights them; how safe the Mac is.

Nothing is changed, and no stand-in of /usr/bin (clang, git, python3, lipo, otool …) is started
while the tools may be missing: that would open a dialogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import CannotAsk, Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup, shipped_pins
from gostead.declaration.tools import name_of
from gostead.declaration.xcode import TOOLS, XCODE

SUBJECT = "xcode"
APPLY = "gostead apply"
#: Who signs what go.dev publishes for macOS, and as what.
TEAM, IDENTIFIER, RUNTIME = "EQHXZ8M8AV", "org.golang.", 0x10000
#: Magic numbers of <mach-o/loader.h> and <mach-o/fat.h>, as they stand in a file.
MACHO = ("cffaedfe", "cefaedfe", "cafebabe", "cafebabf")
#: Apple's debugserver, where dlv looks for it (pkg/proc/gdbserial): it is entitled to debug.
DEBUGSERVERS = (
    f"{TOOLS}/Library/PrivateFrameworks/LLDB.framework/Versions/A/Resources/debugserver",
    f"{XCODE}/Contents/SharedFrameworks/LLDB.framework/Versions/A/Resources/debugserver",
)
Note = Callable[[AuditFinding], None]


@pytest.fixture(autouse=True)
def _on_a_mac(where: Place, setup: GoSetup) -> None:
    if where.system != "darwin":
        pytest.skip("Apple's developer tools are macOS's")
    if setup.state == "absent":
        pytest.skip("state is absent")


def _say(findings: list[AuditFinding], note: Note) -> None:
    """The first that must not be so fails the check; the rest is told."""
    failing = [one for one in findings if one.severity == "error"][:1]
    for one in findings:
        if one not in failing:
            note(one)
    if failing:
        raise NotAsDeclared(failing[0])


def _there(host: Any) -> bool:
    """Whether the Command Line Tools are: by file and by receipt, neither proves it alone."""
    script = 'test -x "$1/usr/bin/clang" && pkgutil --pkg-info=com.apple.pkg.CLTools_Executables'
    return ask(host, script, TOOLS).code == 0


def test_the_command_line_tools_are_as_declared(host: Any, setup: GoSetup) -> None:
    wanted = setup.xcode.command_line_tools
    if wanted is None:
        pytest.skip("nothing is declared about them")
    there = _there(host)
    if wanted == "absent":
        if there:
            raise NotAsDeclared(AuditFinding(SUBJECT, TOOLS, "is there, declared absent", APPLY))
        return
    if not there:
        what = "the Command Line Tools are not there, or without their receipt"
        raise NotAsDeclared(AuditFinding(SUBJECT, TOOLS, what, APPLY))
    if setup.xcode.version:
        said = ask(host, "pkgutil --pkg-info=com.apple.pkg.CLTools_Executables").out
        found = re.search(r"^version: (\S+)", said, re.M)
        if not found or not f"{found[1]}.".startswith(f"{setup.xcode.version}."):
            what = f"is {found[1] if found else 'unknown'}, declared {setup.xcode.version}"
            raise NotAsDeclared(AuditFinding(SUBJECT, TOOLS, what, APPLY))


def test_what_is_selected_is_there(host: Any, setup: GoSetup, note: Note) -> None:
    answer = ask(host, "xcode-select -p")
    selected = answer.out.strip()
    wanted = {"command-line-tools": TOOLS, "xcode": "/Applications/"}.get(setup.xcode.select or "")
    if wanted and not selected.startswith(wanted):
        found = printable(selected) or "nothing"
        raise NotAsDeclared(
            AuditFinding(SUBJECT, "xcode-select", f"names {found}, declared {wanted}", APPLY)
        )
    if selected and ask(host, 'test -d "$1/usr/bin"', selected).code:
        severity: Any = "error" if setup.xcode.command_line_tools or wanted else "warning"
        _say([AuditFinding(SUBJECT, "xcode-select", f"names {printable(selected)}, which is not "
                           "there", "sudo xcode-select --reset", severity)], note)  # fmt: skip


def test_cgo_finds_an_sdk_of_this_system(host: Any, setup: GoSetup, note: Note) -> None:
    """xcrun is asked only where what is selected has it; by default that is what is there."""
    selected = ask(host, "xcode-select -p").out.strip()
    if selected and ask(host, 'test -x "$1/usr/bin/xcrun"', selected).code:
        pytest.skip("what is selected is not there, which is another check's")
    if not selected and not _there(host):
        pytest.skip("there are no Command Line Tools, and no Xcode is selected")
    answer = ask(host, "xcrun --sdk macosx --show-sdk-path; xcrun --sdk macosx --show-sdk-version")
    lines = answer.out.splitlines()
    if answer.code or len(lines) < 2:
        declared = setup.cgo.required or setup.xcode.select or setup.xcode.command_line_tools
        said = (answer.error or answer.out).partition("\n")[0]
        what = f"xcrun finds none: {printable(said)}"
        licence = "license" in what.lower()
        mend = "sudo xcodebuild -license" if licence else "sudo xcode-select --reset"
        severity: Any = "warning" if licence and not declared else "error"
        _say([AuditFinding(SUBJECT, "SDK", what, mend, severity)], note)
        return
    system = ask(host, "sw_vers -productVersion").out.strip()
    if lines[1].split(".")[0].isdigit() and system.split(".")[0].isdigit():
        sdk, own = int(lines[1].split(".")[0]), int(system.split(".")[0])
        if sdk < own:
            what = f"{printable(lines[0])} is of macOS {sdk}, this is {printable(system)}"
            mend = "declare xcode.command_line_tools: latest"
            note(AuditFinding(SUBJECT, "SDK", what, mend, "warning"))


def test_no_variable_fights_the_tools(
    run: trace.Run, where: Place, setup: GoSetup, shells_of: Any, note: Note
) -> None:
    found = shells_of(run, where, setup)
    declared = {person.name: setup.digests(person.uid) for person in found.people}
    findings = {}
    for cell in found.cells:
        chain = found.chains.get((cell.user, cell.shell, cell.mode), ())
        for variable in cell.variables:
            if variable.name in declared.get(cell.user, {}):
                continue  # what overrules a declared setting is another check's
            if fight := _fights(setup, variable.name, variable.shown):
                severity, what = fight
                line = trace.variable_line(chain, variable.name)
                place = f"{line.file}:{line.line}" if line else ""
                findings[cell.user, variable.name, place] = AuditFinding(
                    SUBJECT, variable.name, f"exported as {variable.shown}: {what}",
                    "take the line out", severity, cell.user, place)  # fmt: skip
    _say(list(findings.values()), note)


def _fights(setup: GoSetup, name: str, shown: str) -> tuple[Any, str] | None:
    """How bad an exported variable is for what xcode-select names, and why; None: not at all."""
    if name == "DEVELOPER_DIR":
        return "warning", "it overrules what xcode-select names"
    if name in ("CC", "CXX"):
        return "warning", "cgo takes it for its compiler, whatever is selected"
    if name != "SDKROOT":
        return None
    if setup.xcode.sdkroot == "unset":
        return "error", "declared is `sdkroot: unset`"
    if re.search(r"(^|/)macosx\d[^/]*/*$", shown, re.I):
        return "warning", "an SDK with a version in its name is gone after the next update"
    return None


def test_go_is_signed_by_its_makers(host: Any, where: Place, setup: GoSetup) -> None:
    """codesign is macOS's own. It hashes what is on the disk against the signature.

    What is no Mach-O program has none; that it is what was released is another check's. A pin that
    is not a shipped one is of whoever built it, and whose signature that has is theirs to know."""
    header = 'od -An -v -tx1 -N 4 "$1" | tr -d " "'
    for version in setup.toolchains.all_versions:
        if not _released(setup, version, where.platform):
            continue
        for command in ("go", "gofmt"):
            path = f"{where.root}/toolchains/go{version}/bin/{command}"
            if ask(host, header, path).out.strip() not in MACHO:
                continue
            verified = ask(host, 'codesign --verify --strict "$1"', path)
            said = ask(host, 'codesign -d --verbose=2 "$1" 2>&1', path).out
            flags = re.search(r"flags=(0x[0-9a-f]+)", said)
            what = ""
            if verified.code:
                what = f"its signature does not hold: {printable(verified.error)}"
            elif f"TeamIdentifier={TEAM}" not in said or f"Identifier={IDENTIFIER}" not in said:
                what = f"is not signed by Go's makers ({TEAM}): {printable(said)}"
            elif not flags or not int(flags[1], 16) & RUNTIME:
                what = "is signed without the hardened runtime"
            if what:
                mend = "gostead apply --deep"
                raise NotAsDeclared(AuditFinding("toolchains", path, what, mend))


def _released(setup: GoSetup, version: str, platform: str) -> bool:
    """Whether the declared tree is the Go project's, as far as our own pins know it."""
    shipped = shipped_pins().get(version, {}).get(platform)
    declared = setup.toolchains.pins.get(version, {}).get(platform)
    return shipped is not None and (declared is None or declared.h1 in (None, shipped.h1))


def test_nothing_is_in_quarantine(host: Any, where: Place) -> None:
    """What a browser fetched carries it; what we unpack must not: Gatekeeper would ask first."""
    script = 'find "$1/bin" -type f -xattrname com.apple.quarantine'
    for version in ask(host, 'ls "$1"', f"{where.root}/toolchains").out.split():
        answer = ask(host, script, f"{where.root}/toolchains/{version}")
        if answer.code:
            raise CannotAsk(f"quarantine: {printable(answer.error)}")
        if found := answer.out:
            what = f"carry com.apple.quarantine: {printable(found)}"
            mend = "gostead apply --deep"
            raise NotAsDeclared(AuditFinding("toolchains", version, what, mend))


def test_what_protects_this_mac(host: Any, setup: GoSetup, note: Note) -> None:
    """Told, never changed. Debugging with dlv needs neither of them off."""
    # Only the first line is the state; lines below it may say "enabled" of single parts.
    sip = ask(host, "csrutil status").out.partition("\n")[0]
    if "status: enabled" not in sip:
        note(AuditFinding(SUBJECT, "System Integrity Protection", printable(sip) or "unknown",
                          "csrutil enable, in the recovery system: neither Go nor dlv need it off",
                          "warning"))  # fmt: skip
    gate = ask(host, "spctl --status 2>&1").out.strip()
    if gate != "assessments enabled":
        note(AuditFinding(SUBJECT, "Gatekeeper", printable(gate) or "unknown",
                          "sudo spctl --global-enable: Go and what it builds run with it",
                          "warning"))  # fmt: skip
    if any(name_of(tool) == "dlv" for tool in setup.tools):
        if ask(host, 'test -x "$1" || test -x "$2"', *DEBUGSERVERS).code:
            note(AuditFinding(SUBJECT, "debugserver", "is not there: dlv can debug nothing",
                              "declare xcode.command_line_tools: present", "warning"))  # fmt: skip
        mode = ask(host, "DevToolsSecurity -status 2>&1").out
        if "enabled" not in mode:
            note(AuditFinding(SUBJECT, "developer mode", printable(mode) or "unknown",
                              "sudo DevToolsSecurity -enable: else dlv asks for a password at "
                              "each start", "note"))  # fmt: skip
