"""Apple's developer tools on a Mac: the Command Line Tools, the selection, the SDK, Rosetta.

They are installed by macOS's own softwareupdate, and stay when gostead is removed. A licence is
never agreed to for anybody; that is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from typing import Any, Literal

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.tools import name_of
from gostead.declaration.xcode import MARKER, SDK, TOOLS, XCODE, sdk_of
from gostead.facts.host_state import HostState
from gostead.facts.xcode import Application, Condition, Version, XcodeState, version_of
from gostead.operations import learning
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.registry import registered

SUBJECT = "xcode"
ITEM = "Command Line Tools"
#: What is on offer may appear minutes after it was asked for: so often, so many seconds apart.
TRIES, PAUSE = 12, 15
#: Seconds. All looks, and a gigabyte from Apple over a line of 2 Mbit/s.
LIMIT = 7200.0
WORDS: dict[Condition, str] = {
    "absent": "absent",
    "removed": "removed, with their receipt left",
    "partial": "partly removed",
    "unregistered": "without a receipt",
    "stale": "of an older macOS",
    "present": "present",
}
_INSTALL = "declare xcode.command_line_tools: present (or latest)"
#: Variables that have the compilers look elsewhere than in what is selected.
FIGHTING = ("DEVELOPER_DIR", "SDKROOT", "CC", "CXX")


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if state.system.name != "darwin" or not state.xcode.asked:
        return Plan()
    if declared.state == "absent":
        return Plan.of(_marker(state))
    tools = list(_tools(declared, state))
    return Plan.of((
        *tools,
        *(() if any(isinstance(one, Change) for one in tools) else _marker(state)),
        *_selection(declared, state),
        *_licence(state.xcode),
        *_debugger(declared, state.xcode),
        *_variables(declared, state),
        *_processors(declared, state),
    ))  # fmt: skip


def dotted(version: Version) -> str:
    """A version as one writes it."""
    return ".".join(map(str, version))


def _tools(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    xcode, wanted = state.xcode, declared.xcode.command_line_tools
    condition = xcode.condition(state.system.version)
    before = WORDS[condition] + (f" ({dotted(xcode.receipt)})" if xcode.receipt else "")
    if wanted is None:
        yield from _told(state, condition, before)
        return
    if wanted == "absent":
        if condition != "absent":
            yield from _by_root(state, Change(
                SUBJECT, ITEM, before, "absent", "declared so", "xcode.command_line_tools",
                Script("change/no_command_line_tools", {"root": state.system.root})))  # fmt: skip
        return
    version = declared.xcode.version
    asked = version_of(version or "")
    newest = xcode.offers[-1].version if xcode.offers else ()
    why = ""
    if condition in ("absent", "removed", "partial", "unregistered"):
        why = "compilers and SDK are needed"
    elif version and xcode.receipt[: len(asked)] != asked:
        why = f"{version} is declared"
    elif wanted == "latest" and condition == "stale":
        why = f"their SDK is older than macOS {dotted(state.system.version)}"
    elif wanted == "latest" and newest > xcode.receipt[: len(newest)]:
        why = f"{dotted(newest)} is on offer"
    elif condition == "stale":
        yield _stale(state)
    if why:
        values = {"root": state.system.root, "wanted": version or "", "tries": TRIES,
                  "pause": PAUSE, "marker": MARKER}  # fmt: skip
        yield from _by_root(state, Change(
            SUBJECT, ITEM, before, version or "the newest on offer", why,
            "xcode.command_line_tools",
            Script("change/command_line_tools", values, limit=LIMIT), leads_on=True))  # fmt: skip


def _by_root(state: HostState, change: Change) -> Iterator[Change | Finding]:
    if state.system.uid == 0:
        yield change
    else:
        yield Finding(SUBJECT, change.item, "error", f"{change.before}; declared is {change.after}",
                      "only root can change it: connect as root, or set `_sudo`")  # fmt: skip


def _marker(state: HostState) -> Iterator[Change]:
    """While it is there, softwareupdate offers the tools again and again."""
    if registered(state, "marker", MARKER):
        values = {"root": state.system.root, "marker": MARKER}
        yield Change(SUBJECT, MARKER, "left by a run that was killed", "absent",
                     "macOS would go on offering the tools", "xcode.command_line_tools",
                     Script("change/no_marker", values))  # fmt: skip


def _told(state: HostState, condition: Condition, before: str) -> Iterator[Finding]:
    """Nothing is declared: what does not work is told."""
    if condition == "stale":
        yield _stale(state)
    elif condition in ("removed", "partial", "unregistered"):
        yield Finding(SUBJECT, ITEM, "warning", before, _INSTALL)


def _stale(state: HostState) -> Finding:
    sdk = dotted(max(state.xcode.sdks))
    return Finding(
        SUBJECT, ITEM, "warning",
        f"their newest SDK is {sdk}, this is macOS {dotted(state.system.version)}: an upgrade of "
        "macOS leaves the old tools behind", "declare xcode.command_line_tools: latest",
    )  # fmt: skip


def _selection(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    xcode, wanted = state.xcode, ""
    if declared.xcode.select == "command-line-tools" and xcode.clang:
        wanted = TOOLS
    elif declared.xcode.select == "xcode":
        chosen = _application(xcode)
        if chosen is None:
            beta = " but a beta" if xcode.applications else ""
            yield Finding(SUBJECT, "xcode-select", "error",
                          f"there is no Xcode{beta} in /Applications",
                          "install it, or declare select: command-line-tools")  # fmt: skip
            return
        wanted = f"{chosen.path}/Contents/Developer"
    if wanted and xcode.selected != wanted:
        values = {"root": state.system.root, "path": wanted, "before": xcode.selected}
        yield from _by_root(state, Change(
            SUBJECT, "xcode-select", xcode.selected or "nothing", wanted,
            "compilers and SDK are taken from there", "xcode.select",
            Script("change/developer_directory", values)))  # fmt: skip
    elif xcode.selected and not xcode.selectable and declared.xcode.command_line_tools is None:
        severity: Literal["error", "warning"] = "error" if declared.cgo.required else "warning"
        yield Finding(SUBJECT, "xcode-select", severity, f"{xcode.selected} is selected, and "
                      "is not there: compilers end with \"invalid active developer path\"",
                      f"sudo xcode-select --reset; or {_INSTALL}")  # fmt: skip


def _selected(xcode: XcodeState) -> Application | None:
    return next((one for one in xcode.applications
                 if xcode.selected.startswith(f"{one.path}/")), None)  # fmt: skip


def _application(xcode: XcodeState) -> Application | None:
    """The Xcode to select: the one that is (somebody chose it), else the one that Apple's installer
    names, else the newest; a beta only where it is selected already."""
    released = [one for one in xcode.applications if "beta" not in one.path.lower()]
    usual = next((one for one in released if one.path == XCODE), None)
    newest = max(released, key=lambda one: one.version, default=None)
    return _selected(xcode) or usual or newest


def _licence(xcode: XcodeState) -> Iterator[Finding]:
    chosen = _selected(xcode)
    if chosen and xcode.agreed[:2] < chosen.version[:2]:
        said = dotted(xcode.agreed) if xcode.agreed else "none"
        yield Finding(SUBJECT, chosen.path, "warning", "its licence has not been agreed to "
                      f"(that of {said} was, it is {dotted(chosen.version)}): clang may not run",
                      "sudo xcodebuild -license")  # fmt: skip


def _debugger(declared: GoSetup, xcode: XcodeState) -> Iterator[Finding]:
    """dlv lets Apple's debugserver, which may, look into other processes."""
    coming = declared.xcode.command_line_tools not in (None, "absent")
    usual = any(one.path == XCODE for one in xcode.applications)
    for tool in declared.tools:
        if name_of(tool) == "dlv" and not (xcode.clang or coming or usual):
            yield Finding(SUBJECT, "dlv", "warning", "finds no debugserver, so it can debug "
                          f"nothing: {TOOLS} and {XCODE} have it, and neither is here",
                          _INSTALL)  # fmt: skip


def _variables(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    """Exported variables that have the compilers look elsewhere, as running the shells showed."""
    for home in state.shells.homes:
        known = declared.digests(home.uid)
        for name, where, digest in learning.parse(home.trace).of("variable"):
            if home.error or name not in FIGHTING or name in known:
                continue
            what = fights(declared, state.xcode, name, digest)
            if what:
                error = name == "SDKROOT" and declared.xcode.sdkroot == "unset"
                yield Finding(SUBJECT, name, "error" if error else "warning", what,
                              "take the line out", where, home.name)  # fmt: skip


def fights(declared: GoSetup, xcode: XcodeState, name: str, digest: str) -> str:
    """What an exported variable does to compilers, by the sha256 of its value; empty: nothing."""
    if name == "SDKROOT":
        if declared.xcode.sdkroot == "unset":
            return "is exported, declared is `sdkroot: unset`"
        stays = (SDK, *(sdk_of(one.path) for one in xcode.applications))
        if digest not in {hashlib.sha256(path.encode()).hexdigest() for path in stays}:
            return ("is exported, and is not the name without a version of an SDK that is here "
                    f"(such as {SDK}): it breaks at the next update")  # fmt: skip
        return ""
    if name == "DEVELOPER_DIR":
        return "is exported: it overrules what xcode-select names"
    return "is exported: cgo takes it for its compiler, whatever is selected"


def _processors(declared: GoSetup, state: HostState) -> Iterator[Finding]:
    if declared.xcode.rosetta != "native" or state.system.platform != "darwin-arm64":
        return
    for path, processor in sorted(state.xcode.others.items()):
        if processor == "x86_64":
            yield Finding(SUBJECT, path, "warning", "this Go is for Intel processors (x86_64): "
                          "it runs translated by Rosetta, and builds for amd64",
                          "remove it, or declare xcode.rosetta: any")  # fmt: skip


@operation()
def xcode(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Sees to Apple's developer tools on a Mac, as they are declared.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
